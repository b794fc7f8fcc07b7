# SPDX-License-Identifier: Apache-2.0
"""regress/coverage_exclusions.toml: what is forgiven, why, and whether that is still the same code.

  [[code]]                          [[functional]]
  file = "rtl/dma.sv"               bins = "error.Dma.QueueOverflow"     (shell pattern)
  source = "pc_q <= pc_d;"          kind = ..   reason = ..
  type = "toggle"                   (line, branch, toggle; one or a list)
  name = "pc_q*"                    (optional, shell pattern on the point's name; "[[]" for "[")
  kind = "UNR"                      reason = "one sentence"

`source` is the text of one or more whole lines of the file, without white space around it. If no
line says that any more, or an entry forgives nothing that exists, the list is out of date: an error.
"""
import fnmatch
import tomllib
from pathlib import Path

from data import BadData, TYPES

KINDS = ("UNR", "NON_RTL", "UNSUPPORTED", "EXTERNAL", "LOW_RISK")
CODE = {"file", "source", "type", "kind", "reason"}
FUNCTIONAL = {"bins", "kind", "reason"}


def check(entry, where, keys, optional=()):
    for key in keys - set(entry):
        raise BadData(f"{where}: {key} is missing")
    for key in set(entry) - keys - set(optional):
        raise BadData(f"{where}: unknown key {key}; allowed {', '.join(sorted(keys | set(optional)))}")
    if entry["kind"] not in KINDS:
        raise BadData(f"{where}: kind is {entry['kind']}; allowed {', '.join(KINDS)}")
    if len(str(entry["reason"])) < 10:
        raise BadData(f"{where}: reason is too short to be one")


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
        check(entry, f"{file}: code {index}", CODE, ("name",))
        types = entry["type"] if isinstance(entry["type"], list) else [entry["type"]]
        for kind in types:
            if kind not in TYPES:
                raise BadData(f"{file}: code {index}: type is {kind}; allowed {', '.join(TYPES)}")
    for index, entry in enumerate(table.get("functional", []), 1):
        check(entry, f"{file}: functional {index}", FUNCTIONAL)
    return {"code": table.get("code", []), "functional": table.get("functional", [])}


def apply(exclusions, coverage, root, stale):
    """Marks excluded points; returns the excluded bins. Out-of-date entries go to the list `stale`."""
    sources = {}
    for entry in exclusions["code"]:
        name = entry["file"]
        if name not in sources:
            path = Path(root) / name
            lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
            sources[name] = [" ".join(line.split()) for line in lines]
        wanted = " ".join(entry["source"].split())
        numbers = {n for n, text in enumerate(sources[name], 1) if text == wanted}
        if not numbers:
            stale.append(f"{name}: no line says {entry['source']!r} any more")
            continue
        types = entry["type"] if isinstance(entry["type"], list) else [entry["type"]]
        found = False
        for point in coverage.points.values():
            if (point.file == name and point.line in numbers and point.kind in types
                    and fnmatch.fnmatchcase(point.name, entry.get("name", "*"))):
                found = True
                if point.count == 0:
                    point.excluded = entry["kind"]
        if not found and coverage.points:
            stale.append(f"{name}: {entry['source']!r} has no {' or '.join(types)} point")
    bins = {}
    for entry in exclusions["functional"]:
        matching = [b for b in coverage.functional if fnmatch.fnmatchcase(b, entry["bins"])]
        if not matching and coverage.functional:
            stale.append(f"functional: no bin is named {entry['bins']!r}")
        bins.update({b: entry["kind"] for b in matching if not coverage.functional[b]})
    return bins
