# SPDX-License-Identifier: Apache-2.0
"""regress/testplan/*.toml: intention -> tests -> coverage points, one file per block."""
from lib.toml_file import Tables, TomlFile

from .errors import Refused

STAGES = ("V1", "V2", "V3")


class Testplan:
    def __init__(self, folder, tests):
        """Reads all files; every named test must be in `tests`."""
        self.points = []
        self.places = []  # of each point: file and index there
        files = sorted(folder.glob("*.toml"))
        if not files:
            raise Refused(f"{folder}: no testplan (*.toml) in it")
        for path in files:
            file = TomlFile(path)
            top = file.check("", file.data, {"block": (str, ...), "doc": (str, ""), "point": (Tables, ...)})
            for index, entry in enumerate(top["point"]):
                self.points.append(self._point(file, top["block"], entry, index, tests))
                self.places.append((file, index))

    def _point(self, file, block, entry, index, tests):
        point = file.check("point", entry, {
            "name": (str, ...), "stage": (str, ...), "intention": (str, ...), "tests": (list, ...),
            "coverage": (list, [])}, index)
        if point["stage"] not in STAGES:
            file.refuse("point", "stage", f"is {point['stage']!r}; allowed {', '.join(STAGES)}", index)
        if any(p["block"] == block and p["name"] == point["name"] for p in self.points):
            file.refuse("point", "name", f"{point['name']!r} is there twice", index)
        for name in point["tests"]:
            if name not in tests:
                file.refuse("point", "tests", f"no test is called {name!r} (tests are in suites.toml)", index)
        return {"block": block, **point}

    def check_coverage(self, bins):
        """Rejects a coverage entry that is neither a bin nor the beginning of some."""
        for point, (file, index) in zip(self.points, self.places):
            for name in point["coverage"]:
                if not bins_of(name, bins):
                    file.refuse("point", "coverage", f"no bin is called {name!r} or {name!r}.something "
                                "(all names: build/bin/board_mini bins)", index)

    def tests_of_stage(self, stage):
        """Tests of all points up to this stage: V2 includes V1."""
        if stage not in STAGES:
            raise Refused(f"--stage '{stage}' is unknown, allowed: {', '.join(STAGES)}")
        wanted = STAGES[:STAGES.index(stage) + 1]
        return {test for p in self.points if p["stage"] in wanted for test in p["tests"]}

    def with_results(self, runs, functional=None):
        """Points with counts of their runs, and hits of their coverage points where there are data."""
        rows = []
        for point in self.points:
            mine = [r for r in runs if r["test"] in point["tests"] and r["kind"] != "canary"]
            good = sum(r["state"] in ("passed", "expected failure") for r in mine)
            hits = None
            if functional is not None:
                names = {n for c in point["coverage"] for n in bins_of(c, functional)}
                hits = [sum(1 for n in names if functional[n]), len(names)]
            idle = set(point["tests"]) - {r["test"] for r in mine if r["state"] != "not run"}
            left = sum(r["state"] == "not run" for r in mine)  # an interrupted regression has not failed there
            status = ("not run" if len(idle) == len(point["tests"]) else "failed" if good + left < len(mine) else
                      "partly run" if idle or left else "passed")
            rows.append({**point, "runs": len(mine), "good": good, "coverage_hit": hits, "status": status})
        return rows


def bins_of(name, bins):
    """A coverage entry is a bin, or a path above bins; `*` is one step of any name."""
    steps = name.split(".")
    return [b for b in bins if len(b.split(".")) >= len(steps)
            and all(s in ("*", x) for s, x in zip(steps, b.split(".")))]
