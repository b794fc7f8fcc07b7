# SPDX-License-Identifier: Apache-2.0
"""Which runs can a change touch? `regress SUITE --changed [REV]`, by the table RULES and by what mutants were met."""
import fnmatch
import hashlib
import pathlib
import re

from .errors import Refused
from .tools import output


def files_since(root, out, rev):
    """Paths that differ from where the tree parted from REV: committed, uncommitted, new; not what lies in `out`."""
    commit = output(root, "git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}").decode().strip()
    if not commit:
        raise Refused(f"--changed '{rev}': git knows no such commit here; allowed a revision, like HEAD, HEAD~1, main")
    begin = output(root, "git", "merge-base", commit, "HEAD").decode().strip()
    if not begin:
        raise Refused(f"--changed '{rev}': has no commit in common with HEAD; allowed a revision that has")
    named = output(root, "git", "diff", "--name-only", "--no-renames", "--relative", "-z", begin)
    new = output(root, "git", "ls-files", "-o", "--exclude-standard", "-z")
    found = {name for name in new.decode(errors="replace").split("\0") if name and not (root / name).is_relative_to(out)}
    return sorted(found | {name for name in named.decode(errors="replace").split("\0") if name})


def nothing(_, __):
    return lambda run: False


def everything(_, __):
    return lambda run: True


def baselines(_, __):
    return lambda run: run["kind"] == "baseline"


def unit_tests(_, change):
    return lambda run: bool(change.suites.tests[run["test"]].ctest)


def unit_test(file, change):
    """The test of that name; else the file is a part of some other."""
    name = pathlib.PurePosixPath(file).stem
    if name not in {test.ctest for test in change.suites.tests.values()}:
        return unit_tests(file, change)
    return lambda run: change.suites.tests[run["test"]].ctest == name


def scenario(file, change):
    """SCENARIO.cc, SCENARIO_part.cc: its tests, and those of scenarios that use it; what all share: everything."""
    stem, names = pathlib.PurePosixPath(file).stem, {test.scenario for test in change.suites.tests.values()} - {""}
    own = {name for name in names if stem == name or stem.startswith(name + "_")}
    if not own:
        return everything(file, change)
    users = {name for name in names for path in (change.root / "tb/scenarios").glob(f"{name}*.cc")
             for used in own if re.search(rf"\bk{used.capitalize()}\b", path.read_text(encoding="utf-8"))}
    return lambda run: change.suites.tests[run["test"]].scenario in own | users


def meets(file, change):
    """Runs whose test meets mutants of the file; without enough of them in the record, everything."""
    if not change.ranking.knows(file):
        return everything(file, change)
    return lambda run: change.ranking.meets(file, run["test"])


RULES = (  # path, who can be touched by it; the first row that fits counts
    ("*.md", nothing),
    ("regress/suites.toml", everything),
    ("regress/perf_baseline.toml", baselines),
    ("regress/*", nothing),             # what is judged, not what is run: testplans, goals, known issues, bugs
    ("tb/unit/scripts/*", nothing),     # tests of scripts are in no suite
    ("tb/unit/regress/*", nothing),
    ("tb/unit/*_test.cc", unit_test),
    ("tb/unit/*", unit_tests),
    ("tb/scenarios/*.cc", scenario),
    ("rtl/*.sv", meets),
    ("fabric/rtl/*.sv", meets),
    ("*", everything),
)


class Change:
    """The changed files, and of each a function: can it touch this run?"""

    def __init__(self, root, suites, ranking, since, files):
        self.root, self.suites, self.ranking, self.since = root, suites, ranking, since
        self.touches = {file: next(rule for path, rule in RULES if fnmatch.fnmatchcase(file, path))(file, self) for file in files}

    def select(self, runs):
        """The runs that can be touched, first what killed most mutants of the changed files in a second, then of all;
        and what is to be said about them. The canary stays, and comes first, while there is anything else."""
        birds = [run for run in runs if run["kind"] == "canary"]
        others = [run for run in runs if run["kind"] != "canary"]
        chosen = [run for run in others if any(touch(run) for touch in self.touches.values())]
        here = [file for file in self.touches if file in self.ranking.files]
        chosen.sort(key=lambda run: (*(-self.ranking.worth(files, run["test"], run["seed"])
                                       for files in (here, self.ranking.files)), run["id"]))
        count = {file: sum(map(touch, others)) for file, touch in self.touches.items()}
        return birds + chosen if chosen else [], {
            "since": self.since, "runs": len(chosen), "of": len(others),
            "files": [{"file": file, "runs": n} for file, n in sorted(count.items(), key=lambda item: (-item[1], item[0]))]}


def line_of(changed):
    """What was left out, and why, in one line."""
    if not changed["files"]:
        return f"no file has changed (since {changed['since']})"
    names = [row["file"] for row in changed["files"] if row["runs"] or not changed["runs"]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{changed['runs']} of {changed['of']} runs can be touched by {', '.join(names[:3])}{more} (since {changed['since']})"


def word_of(changed, runs):
    """Equal for equal parts of a suite; empty if nothing was left out."""
    if changed["runs"] == changed["of"]:
        return ""
    return f"changed={changed['runs']}/{changed['of']}:" + hashlib.sha256(repr(sorted(r["id"] for r in runs)).encode()).hexdigest()[:8]
