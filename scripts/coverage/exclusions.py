# SPDX-License-Identifier: Apache-2.0
"""regress/coverage_exclusions.toml: what is forgiven, why, and whether that is still the same code.

  [[code]]                          [[functional]]
  file = "rtl/dma/dma.sv"               bins = "dma.error.QueueOverflow"     (shell pattern)
  source = "pc_q <= pc_d;"          kind = ..   reason = ..
  type = "toggle"                   (line, branch, toggle; one or a list)
  name = "pc_q*"                    (optional, shell pattern on the point's name, or a list; "[[]" for "[")
  index = ["0..15", "28"]           (optional, the first index in the point's name)
  kind = "UNR"                      reason = "one sentence"
  proof = "ack"                     (optional, of UNR: tb/proof/ack_proof.sv, about the module of `file`)

`source` is the text of one or more whole lines of the file, without white space around it. If no
line says that any more, an entry forgives nothing that exists, or only what was hit, or UNR names
something that was hit, the list is out of date: an error. So it is if a proof or a test that it names is not there.

  UNR          cannot be reached in any program, whatever the stimulus
  NON_RTL      is not hardware
  UNSUPPORTED  a function that the machine does not have yet
  EXTERNAL     reached only from outside what a board run may do; another test does (which, in the reason)
  LOW_RISK     reachable; another test does it better (which, in the reason)
"""
import fnmatch
import functools
import re
import tomllib
from pathlib import Path

from data import BadData, TYPES
from wires import passed_on

TOP = "rtl/chip/chip.sv"  # its inputs are counted

KINDS = ("UNR", "NON_RTL", "UNSUPPORTED", "EXTERNAL", "LOW_RISK")
CODE = {"file", "source", "type", "kind", "reason"}
FUNCTIONAL = {"bins", "kind", "reason"}


def named(entry, name):
    """Is the point of that name among those that the entry means?"""
    patterns = entry.get("name", "*")
    if not any(fnmatch.fnmatchcase(name, p) for p in (patterns if isinstance(patterns, list) else [patterns])):
        return False
    if "index" not in entry:
        return True
    index = re.search(r"\[(\d+)\]", name)
    return index is not None and any(low <= int(index[1]) <= high for low, high in map(span, entry["index"]))


def span(text):
    """"3..5" or "4"."""
    found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", str(text))
    if not found:
        raise BadData(f"index is {text}; allowed numbers and ranges like 0..15")
    return int(found[1]), int(found[2] or found[1])


def check(entry, where, keys, optional=()):
    for key in keys - set(entry):
        raise BadData(f"{where}: {key} is missing")
    for key in set(entry) - keys - set(optional):
        raise BadData(f"{where}: unknown key {key}; allowed {', '.join(sorted(keys | set(optional)))}")
    if entry["kind"] not in KINDS:
        raise BadData(f"{where}: kind is {entry['kind']}; allowed {', '.join(KINDS)}")
    if not isinstance(entry["reason"], str) or len(entry["reason"].split()) < 4:
        raise BadData(f"{where}: reason is {entry['reason']!r}; allowed an argument, four words or more")
    if "proof" in entry and entry["kind"] != "UNR":
        raise BadData(f"{where}: proof is {entry['proof']!r}; allowed with kind UNR only")


def load(file):
    file = Path(file)
    if not file.is_file():
        return {"code": [], "functional": []}
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadData(f"{file}: {error}") from error
    for key in set(table) - {"code", "functional"}:
        raise BadData(f"{file}: unknown table {key}; allowed code, functional")
    for index, entry in enumerate(table.get("code", []), 1):
        check(entry, f"{file}: code {index}", CODE, ("name", "index", "proof"))
        types = entry["type"] if isinstance(entry["type"], list) else [entry["type"]]
        for kind in types:
            if kind not in TYPES:
                raise BadData(f"{file}: code {index}: type is {kind}; allowed {', '.join(TYPES)}")
    for index, entry in enumerate(table.get("functional", []), 1):
        check(entry, f"{file}: functional {index}", FUNCTIONAL)
    return {"code": table.get("code", []), "functional": table.get("functional", [])}


def false_claims(where, what, kind, counts):
    """What was hit is no longer to be excused: all of it, or any of it where it cannot be reached."""
    hit = sorted(name for name, count in counts if count)
    if not counts:
        return [f"{where} has no {what}"]
    if len(hit) == len(counts):
        return [f"{where}: was hit; the exclusion is not needed"]
    if hit and kind == "UNR":
        return [f"{where}: cannot be reached, it says, but {', '.join(hit[:4])} was hit"]
    return []


@functools.cache
def tests_of(root):
    return {path.name.partition(".")[0] for path in (root / "tb").rglob("*_test.*")}


def unfounded(entry, where, root):
    """What an entry rests on, a proof or tests, and is not there."""
    tests = re.findall(r"\w+_test\b", entry["reason"])
    found = [f"{where}: there is no {name}" for name in tests if name not in tests_of(root)]
    if entry["kind"] in ("EXTERNAL", "LOW_RISK") and not tests:
        found.append(f"{where}: {entry['kind']}, but its reason names no test that reaches it")
    if "proof" in entry:
        proof, module = root / f"tb/proof/{entry['proof']}_proof.sv", Path(entry["file"]).stem
        if not proof.is_file():
            found.append(f"{where}: there is no proof {entry['proof']!r}")
        elif not re.search(rf"^ *{module}\b", proof.read_text(encoding="utf-8"), re.MULTILINE):
            found.append(f"{where}: proof {entry['proof']!r} is not about {module}")
    return found


def apply(exclusions, coverage, root, stale):
    """Marks excluded points; returns the excluded bins. Out-of-date entries go to the list `stale`."""
    sources, passed, root = {}, {}, Path(root)
    for entry in exclusions["code"]:
        name = entry["file"]
        stale += unfounded(entry, f"{name}: {entry['source']!r}", root)
        if name not in sources:
            path = root / name
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            sources[name] = [" ".join(line.split()) for line in text.split("\n")]
            passed[name] = set(passed_on(text, name == TOP))
        wanted = " ".join(entry["source"].split())
        numbers = {n for n, text in enumerate(sources[name], 1) if text == wanted}
        if not numbers:
            stale.append(f"{name}: no line says {entry['source']!r} any more")
            continue
        types = entry["type"] if isinstance(entry["type"], list) else [entry["type"]]
        if types == ["toggle"] and numbers <= passed[name]:
            stale.append(f"{name}: {entry['source']!r} only hands on what is counted where it is driven")
        points = [p for p in coverage.points.values()
                  if p.file == name and p.line in numbers and p.kind in types
                  and named(entry, p.name)]
        for point in points:
            if point.count == 0:
                point.excluded = entry["kind"]
        if coverage.points:
            stale += false_claims(f"{name}: {entry['source']!r}", " or ".join(types) + " point", entry["kind"],
                                  [(p.name or p.kind, p.count) for p in points])
    bins = {}
    for entry in exclusions["functional"]:
        stale += unfounded(entry, f"functional: {entry['bins']!r}", root)
        matching = [(b, n) for b, n in coverage.functional.items() if fnmatch.fnmatchcase(b, entry["bins"])]
        if coverage.functional:
            stale += false_claims(f"functional: {entry['bins']!r}", "bin", entry["kind"], matching)
        bins.update({b: entry["kind"] for b, n in matching if not n})
    return bins
