# SPDX-License-Identifier: Apache-2.0
"""Verilator's coverage records, read by ourselves: type, place, bit and chips of every point.

A record is `C '\\x01KEY\\x02VALUE..' COUNT`; the board adds a mask of the chips that hit the point.
Points are what Verilator counts: a `line` point is a block of statements, `branch` one side of an
if or case, `toggle` a bit that changed. (verilator_coverage 5.006 folds the points of a line into
one figure, the worst; that is why it is not used.)

Instances of a module inside a chip are one: 5.006 counts them in the same counter anyway and gives
the second and further instances zeros. Chips are told apart: each has its own counters.
"""
import functools
import gzip
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

TYPES = ("line", "branch", "toggle")
RECORD = re.compile(r"^C '([^\n]*)' (\d+)(?: ([0-9a-f]+))?$", re.M)


class BadData(Exception):
    """One line that names the file."""
    status = 2


@dataclass
class Point:
    kind: str
    file: str
    line: int
    column: int
    name: str
    block: str
    count: int = 0
    chips: int = 0
    excluded: str = ""

    def identity(self):
        return self.kind, self.file, self.line, self.column, self.name


@dataclass
class Coverage:
    """Points by key, with the counts of all runs merged."""
    root: str = ""
    points: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)   # record key -> point, None if not counted
    functional: dict = field(default_factory=dict)
    runs: int = 0
    code_runs: int = 0
    not_passed: int = 0

    def add_text(self, text, where):
        found = False
        for key, count, chips in RECORD.findall(text):
            found = True
            point = self.keys.get(key, self)
            if point is self:
                point = parse_key(key, self.root)
                if point is not None:
                    point = self.points.setdefault(point.identity(), point)
                self.keys[key] = point
            if point is None:
                continue
            point.count += int(count)
            if chips:
                point.chips |= int(chips, 16)
        if not found:
            raise BadData(f"{where}: no coverage record; allowed: a coverage.dat of Verilator")

    def add_file(self, file):
        file = Path(file)
        try:
            raw = gzip.open(file).read() if file.suffix == ".gz" else file.read_bytes()
        except (OSError, EOFError) as error:
            raise BadData(f"{file}: {error}") from error
        self.add_text(raw.decode("utf-8", "replace"), file)

    def add_run(self, run):
        """A run directory: coverage.dat.gz or coverage.dat, and functional.json; either may be missing."""
        run = Path(run)
        if not run.is_dir():
            raise BadData(f"{run}: not a run directory")
        try:
            status = json.loads((run / "result.json").read_text(encoding="utf-8"))["status"] \
                if (run / "result.json").is_file() else "passed"
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadData(f"{run / 'result.json'}: {error}") from error
        if status != "passed":  # what it exercised was not shown to be right
            self.not_passed += 1
            return
        self.runs += 1
        for name in ("coverage.dat.gz", "coverage.dat"):
            if (run / name).is_file():
                self.code_runs += 1
                self.add_file(run / name)
        functional = run / "functional.json"
        if functional.is_file():
            try:
                bins = json.loads(functional.read_text(encoding="utf-8"))["bins"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise BadData(f"{functional}: {error}") from error
            for name, count in bins.items():
                self.functional[name] = self.functional.get(name, 0) + count


@functools.lru_cache(maxsize=None)
def below(root, file):
    """The path from the root. Data of another checkout name its own: the longest end of it that is a file here."""
    parts = Path(file).parts
    ends = ("/".join(parts[i:]) for i in range(file.startswith("/"), len(parts)))
    return next((end for end in ends if (Path(root) / end).is_file()), file)


def parse_key(key, root):
    """None for kinds that are not counted (user: cover properties)."""
    parts = dict(p.split("\x02", 1) for p in key.split("\x01") if "\x02" in p)
    kind = parts.get("page", "").split("/")[0].removeprefix("v_")
    if kind not in TYPES:
        return None
    file = below(root, parts.get("f", "?"))
    return Point(kind, file, int(parts.get("l", 0)), int(parts.get("n", 0)), parts.get("o", ""),
                 Path(file).stem)
