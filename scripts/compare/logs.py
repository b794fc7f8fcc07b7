# SPDX-License-Identifier: Apache-2.0
"""Two commit logs (tb/check/commit_log.h), list by list."""
import gzip
import struct
import zlib

from compare import BadInput
from compare.tensors import FORMATS, distance, value
from lib import arch

MAGIC = b"DODECLOG"
KINDS = ("PsumRow", "SbufRow", "MemBurst", "Message", "Semaphore", "Error")
RECORD = struct.Struct("<8B I Q H H i")
FIELDS = ("kind", "chip", "core", "engine", "src", "lane", "element_bytes", "spare", "pc", "addr", "first", "count",
          "delta")
END = (1 << 64) - 1


def enumeration(name):
    """number -> name, of the description that all languages share."""
    values = arch.read()["enum"][name]["values"]
    return {entry["value"]: key for key, entry in values.items()}


def load(path):
    """(config, chips, {(stream, list): [(cycle, fields, data)]}); every commit, in order."""
    lists, total = {}, 0
    try:
        with gzip.open(path) as file:
            def take(count):
                data = file.read(count)
                if len(data) != count:
                    raise EOFError
                return data
            if take(8) != MAGIC:
                raise BadInput(f"{path}: is no commit log")
            version, config, chips = struct.unpack("<I8sI", take(16))
            if version != 1:
                raise BadInput(f"{path}: version is {version}; allowed 1")
            while True:
                cycle = int.from_bytes(take(8), "little")
                if cycle == END:
                    break
                fields = RECORD.unpack(take(RECORD.size))
                kind, count = fields[0], fields[11]
                if kind >= len(KINDS):
                    raise BadInput(f"{path}: kind of commit {total} is {kind}; allowed 0 .. {len(KINDS) - 1}")
                size = (count * fields[6], count * fields[6], count, 16 + count, 0, 0)[kind]
                lists.setdefault((fields[1:6], kind == 4), []).append((cycle, fields, take(size)))
                total += 1
            if int.from_bytes(take(8), "little") != total:
                raise BadInput(f"{path}: holds {total} commits, its end says otherwise")
            if file.read(1):  # to the end, so that the checksum is looked at
                raise BadInput(f"{path}: goes on behind its end")
    except (EOFError, zlib.error):
        raise BadInput(f"{path}: ends in commit {total}; the run that wrote it did not finish") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    return config.rstrip(b"\0").decode("ascii", "replace"), chips, lists


class Names:
    def __init__(self):
        self.engines, self.causes = enumeration("engine"), enumeration("error_cause")

    def stream(self, stream):
        chip, core, engine, src, lane = stream
        name = self.engines.get(engine, f"engine {engine}")
        if name == "Host":
            return f"chip {chip} Host"
        if name == "Rx":
            return f"chip {chip} Rx from chip {src} (core {lane >> 4 & 1} DMA {lane & 15}, VN {lane >> 5})"
        if 16 <= engine < 32:
            name = f"Dma{engine - 16}"
        return f"chip {chip} core {core} {name}" + (" (lower rows)" if lane else "")

    def commit(self, fields):
        kind, pc, addr, first, count, delta = KINDS[fields[0]], *fields[8:]
        text = {"PsumRow": f"byte {addr:#x}, partitions {first}..{first + count - 1}",
                "SbufRow": f"byte {addr:#x}, partitions {first}..{first + count - 1}, {fields[6]} B elements",
                "MemBurst": f"{count} B at {addr:#x}", "Message": f"{count} B of payload",
                "Semaphore": f"{addr >> 8}.{addr & 255} {delta:+}",
                "Error": self.causes.get(delta, f"cause {delta}")}[kind]
        return f"{kind} pc {pc}, {text}"


def cycle_text(cycle):
    return f"core cycle {cycle}" if cycle else "golden model"


def first_element(a, b):
    """Where the data of two commits with equal fields differ first."""
    (_, fields, x), (_, _, y) = a, b
    rows = fields[0] < 2
    size = fields[6] if rows else 4
    form = "bf16" if size == 2 else "fp32"
    at = next(i for i in range(0, len(x), size) if x[i:i + size] != y[i:i + size])
    p, q = (int.from_bytes(data[at:at + size], "little") for data in (x, y))
    wrong = sum(x[i:i + size] != y[i:i + size] for i in range(0, len(x), size))
    place = (f"partition {fields[10] + at // size}" if rows else f"byte {fields[9] + at:#x}" if fields[0] == 2
             else f"header byte {at}" if at < 16 else f"payload byte {at - 16}")
    digits = FORMATS[form][0] // 4
    return (f"  {place}: 0x{p:0{digits}x} = {value(p, form):.9g} and 0x{q:0{digits}x} = {value(q, form):.9g}"
            f", {distance(p, q, form)[0]} ulp; {wrong} of {-(-len(x) // size)} elements differ")


def difference(key, a, b, names):
    """The first difference of one list as (cycle, dict), or None."""
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x[1:] != y[1:]), min(len(a), len(b)))
    if at == len(a) == len(b):
        return None
    where = f"{names.stream(key[0])}, {'semaphore update' if key[1] else 'write'} {at}"
    x, y = (side[at] if at < len(side) else None for side in (a, b))
    entry = {"stream": names.stream(key[0]), "index": at, "a": x and names.commit(x[1]), "b": y and names.commit(y[1]),
             "cycle_a": x and x[0], "cycle_b": y and y[0]}
    if x is None or y is None:
        left = x or y
        text = f"{where}: only {'A' if x else 'B'} has it, {cycle_text(left[0])}: {names.commit(left[1])}"
    elif x[1] != y[1]:
        fields = [name for name, p, q in zip(FIELDS, x[1], y[1]) if p != q]
        entry["fields"] = fields
        text = (f"{where}: {', '.join(fields)}\n  A {cycle_text(x[0])}: {names.commit(x[1])}\n"
                f"  B {cycle_text(y[0])}: {names.commit(y[1])}")
    else:
        text = (f"{where}: data\n  A {cycle_text(x[0])}, B {cycle_text(y[0])}: {names.commit(x[1])}\n"
                + first_element(x, y))
    entry["text"] = text
    cycles = [side[0] for side in (x, y) if side and side[0]]
    return (min(cycles) if cycles else END, key), entry


def compare(path_a, path_b):
    (config_a, chips_a, a), (config_b, chips_b, b) = load(path_a), load(path_b)
    for name, x, y in (("config", config_a, config_b), ("chips", chips_a, chips_b)):
        if x != y:
            return [{"field": name, "a": x, "b": y, "text": f"{name}: {x} and {y}"}]
    names = Names()
    found = [difference(key, a.get(key, []), b.get(key, []), names) for key in sorted(a.keys() | b.keys())]
    found = sorted((entry for entry in found if entry), key=lambda entry: entry[0])
    if not found:
        return []
    first = found[0][1]
    first["lists"] = len(found)
    first["text"] += f"\n  {len(found)} of {len(a.keys() | b.keys())} lists differ"
    return [first]
