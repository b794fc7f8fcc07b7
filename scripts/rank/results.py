# SPDX-License-Identifier: Apache-2.0
"""What finished calls of `mutate`, and regressions with coverage, know of each run."""
import pathlib
import sys

from lib import json_file
from lib.errors import Refused
from regress.ranking import Ranking

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/coverage"))
import data  # noqa: E402


def load(path, *keys):
    found = json_file.read(path, "the folder of a finished `mutate` or `regress`")
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            raise Refused(f"{path}: has no {key}; allowed the folder of a finished `mutate` or `regress` of this version")
    return found


class Results:
    """met, killed: {run: mutants as (folder, number)}; seconds: {run: of processor time}; file: {mutant: its file}.
    Mutants that nobody can see (regress/survivors.toml) are left out."""

    def __init__(self, folders, suites):
        self.names = {f"unit_{test.ctest}": name for name, test in suites.tests.items() if test.ctest}
        self.met, self.killed, self.seconds, self.file = {}, {}, {}, {}
        self.results = [self.add(n, pathlib.Path(folder)) for n, folder in enumerate(folders)]
        self.complete = bool(folders) and all(result["all_runs"] for result in self.results)

    def name(self, run):
        """TEST.SEED as a regression calls it: runs of the night and of unit programs have other names in `mutate`."""
        test, _, seed = run.removeprefix("night.").rpartition(".")
        return f"{self.names.get(test, test)}.{seed}"

    def add(self, n, folder):
        result = load(folder / "result.json", "rows", "command", "revision", "all_runs")
        base = load(folder / "base.json", "runs")["runs"]
        seen = {row["number"]: row for row in result["rows"] if not row["triage"]}
        self.file |= {(n, number): row["file"] for number, row in seen.items()}
        for run, (numbers, *_, seconds) in base.items():
            name = self.name(run)
            self.seconds[name] = max(self.seconds.get(name, 0), seconds)
            self.met.setdefault(name, set()).update((n, number) for number in numbers if number in seen)
            self.killed.setdefault(name, set())
        for number, row in seen.items():
            for run in row["killers"]:
                self.killed[self.name(run)].add((n, number))
        return result

    def keys(self, tests):
        """{run: (test, seed)} of the tests that suites know."""
        found = {run: run.rpartition(".") for run in self.seconds}
        return {run: (test, int(seed)) for run, (test, _, seed) in found.items() if test in tests}

    def ranking(self, tests):
        """The record (regress/ranking.toml)."""
        keys = self.keys(tests)
        files = {file: {"mutants": 0, "met": {}, "killed": {}} for file in self.file.values()}
        for file in self.file.values():
            files[file]["mutants"] += 1
        for kind, sets in (("met", self.met), ("killed", self.killed)):
            for run, key in keys.items():
                for mutant in sets[run]:
                    counts = files[self.file[mutant]][kind]
                    counts[key] = counts.get(key, 0) + 1
        source = {"commands": [result["command"] for result in self.results],
                  "revisions": [(result["revision"]["commit"][:12] + "+" * bool(result["revision"]["dirty"])) for result in self.results],
                  "mutants": len(self.file), "killed": len(set().union(*self.killed.values())),
                  "kills": "of every run" if self.complete else "of the first run that noticed"}
        return Ranking(source, {key: round(self.seconds[run], 2) for run, key in keys.items()}, files)


def points_of(folders):
    """({run: coverage points hit}, {run: seconds}) of the runs of regressions that passed and left data."""
    merged, points, seconds = data.Coverage(root=str(ROOT)), {}, {}
    for folder in map(pathlib.Path, folders):
        for run in load(folder / "evidence.json", "runs")["runs"]:
            left = {path.parent for name in ("coverage.dat.gz", "functional.json") for path in (folder / "runs" / run["id"]).glob(f"*/{name}")
                    if not path.parent.is_symlink()}
            if run["kind"] != "test" or run["state"] != "passed" or not left:
                continue
            for point in merged.points.values():
                point.count = 0
            merged.functional.clear()
            for made in sorted(left):
                merged.add_run(made)
            points[run["id"]] = {key for key, point in merged.points.items() if point.count} | {
                name for name, count in merged.functional.items() if count}
            seconds[run["id"]] = run["times"].get("cpu_s", run["times"]["wall_s"])
    if folders and not points:
        raise Refused(f"--coverage {folders[0]}: no run in it left coverage data (coverage.dat.gz, functional.json)")
    return points, seconds
