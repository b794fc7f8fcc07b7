# SPDX-License-Identifier: Apache-2.0
"""scripts/dodeca regress: suites of scenarios and tests with many seeds, in parallel, with a report."""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import time

from . import baseline
from .errors import BAD_ENVIRONMENT, Refused
from .known_issues import KnownIssues
from .launcher_local import LocalLauncher
from .launcher_slurm import SlurmLauncher
from .plan import failed_again, jobs_default, make_runs
from .progress import clock
from .results import BAD_STATES, load, new_folder, write_whole
from .runner import Runner
from .suites import SEED_LIMIT, Suites, default_seed
from .testplan import Testplan
from .tools import revision, versions

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VERBS = ("list", "report", "rerun", "baseline")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(f"{message}; see: scripts/dodeca regress --help")


def arguments(argv):
    parser = Parser(prog="scripts/dodeca regress", formatter_class=argparse.RawDescriptionHelpFormatter,
                    description=__doc__, epilog="""
other calls:
  regress SUITE --resume          continue the last regression where it was interrupted
  regress rerun --failed [--waves] [DIR]   the failed runs of a regression again, same seeds
  regress report [DIR]            write evidence, JUnit and report of DIR again (default: the last)
  regress baseline --update       measure cycles with seed 1 and record them
  regress list                    suites, tests, labels

exit status: 0 passed, 1 a check failed, 2 wrong usage or input, 3 build or environment, 4 a gate missed""")
    parser.add_argument("suite", metavar="SUITE", help="smoke, nightly, full; or one of the calls below")
    parser.add_argument("folder", metavar="DIR", nargs="?", help="a regression, for rerun and report")
    parser.add_argument("-L", "--label", action="append", default=[], help="only tests with this label (repeat: or)")
    parser.add_argument("--test", action="append", default=[], metavar="GLOB", help="only tests with such a name")
    parser.add_argument("--stage", help="only tests that the testplan names up to this stage: V1, V2, V3")
    parser.add_argument("--seed", help="0 .. 4294967295: everything follows from it (default: of the suite)")
    parser.add_argument("--seeds", help="runs per test instead of the suite's numbers")
    parser.add_argument("-j", "--jobs", help="runs at once (default: all processors)")
    parser.add_argument("--launcher", default="local", help="local (default) or slurm")
    parser.add_argument("--out", default="out", help="directory of regressions (out)")
    parser.add_argument("--resume", action="store_true", help="continue the last regression of the suite")
    parser.add_argument("--failed", action="store_true", help="rerun: the failed runs")
    parser.add_argument("--waves", action="store_true", help="rerun: boards write waves")
    parser.add_argument("--update", action="store_true", help="baseline: record what is measured")
    parser.add_argument("--inject-canary-off", action="store_true", help="leave the fault out: must be noticed")
    parser.add_argument("--json", action="store_true", help="print evidence.json instead of the summary")
    parser.add_argument("--data", default="regress", help="directory of suites, testplans, baselines (regress)")
    args = parser.parse_args(argv)
    args.seed = number("--seed", args.seed, 0, SEED_LIMIT - 1)
    args.seeds = number("--seeds", args.seeds, 1, 100000)
    args.jobs = number("--jobs", args.jobs, 1, 4096) or jobs_default()
    if args.launcher not in ("local", "slurm"):
        raise Refused(f"--launcher '{args.launcher}' is unknown, allowed: local, slurm")
    if args.folder and args.suite not in ("rerun", "report"):
        raise Refused(f"'{args.folder}' is one argument too many; a DIR belongs to rerun and report")
    return args


def number(name, text, low, high):
    if text is None:
        return None
    try:
        value = int(text, 0)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        raise Refused(f"{name} is '{text}'; allowed {low} .. {high}")
    return value


class Call:
    """One call of the command: its arguments and the data files, checked before anything runs."""

    def __init__(self, args, argv):
        self.args, self.argv = args, argv
        self.data_dir = ROOT / args.data
        self.out = (pathlib.Path.cwd() / args.out).resolve()
        self.suites = Suites(self.data_dir / "suites.toml")
        self.testplan = Testplan(self.data_dir / "testplan", self.suites.tests)
        self.known = KnownIssues(self.data_dir / "known_issues.toml")
        self.baseline_path = self.data_dir / "perf_baseline.toml"
        self.baselines = baseline.read(self.baseline_path)

    def runner(self, folder, plan):
        launcher = {"local": LocalLauncher, "slurm": SlurmLauncher}[self.args.launcher](self.args.jobs)
        return Runner(ROOT, self.out, folder, plan, (self.testplan, self.known, self.baselines), launcher)

    def check_names(self):
        """Scenarios, CTest tests and coverage bins that the files name must exist, where the build can tell."""
        board = ROOT / "build/tb/system/board_mini"
        if board.exists():
            done = subprocess.run([str(board), "bins"], capture_output=True, text=True)
            if done.returncode == 0:
                self.testplan.check_coverage(done.stdout.split())
        wanted = {t.ctest: t.name for t in self.suites.tests.values() if t.ctest}
        if wanted and (ROOT / "build/CTestTestfile.cmake").exists():
            done = subprocess.run(["ctest", "--test-dir", "build", "--show-only=json-v1"], cwd=ROOT,
                                  capture_output=True, text=True)
            try:
                names = {t["name"] for t in json.loads(done.stdout)["tests"]}
            except (ValueError, KeyError):
                return
            for name in wanted.keys() - names:
                self.suites.file.refuse(f"test.{wanted[name]}", "ctest", f"CTest knows no test called {name!r}")

    def start(self, name, runs, seed, goals=False):
        for run in runs:
            if run["target"] and not (ROOT / "build/build.ninja").exists():
                raise Refused("build is not configured; scripts/dodeca build does it", BAD_ENVIRONMENT)
        folder = new_folder(self.out, f"regress-{name}")
        plan = {"schema": 1, "suite": name, "seed": seed, "root": str(ROOT), "started": round(time.time(), 3),
                "command": shlex.join(["scripts/dodeca", "regress", *self.argv]), "revision": revision(ROOT),
                "tools": versions(ROOT), "launcher": self.args.launcher, "jobs": self.args.jobs, "goals": goals, "runs": runs}
        write_whole(folder / "plan.json", json.dumps(plan))
        return self.runner(folder, plan).run()

    def last(self):
        return (pathlib.Path(self.args.folder) if self.args.folder else self.out / "last_regression").resolve()

    def regress(self):
        args = self.args
        suite = self.suites.suite(args.suite)
        if args.resume:
            folder = self.last()
            plan = load(folder / "plan.json")
            if plan["suite"] != suite.name:
                raise Refused(f"{folder}: is a regression of '{plan['suite']}', not of '{suite.name}'")
            return self.runner(folder, plan).run()
        self.check_names()
        stage = self.testplan.tests_of_stage(args.stage) if args.stage else None
        chosen = self.suites.select(suite, args.label, args.test, stage)
        seed = default_seed(suite) if args.seed is None else args.seed
        whole = len(chosen) == len(suite.seeds)
        runs = make_runs(self.suites, suite, chosen, seed, args.seeds, not args.inject_canary_off, whole=whole)
        return self.start(suite.name, runs, seed, goals=suite.goals and whole and args.seeds is None)

    def rerun(self):
        if not self.args.failed:
            raise Refused("rerun needs --failed")
        folder = self.last()
        plan, before = load(folder / "plan.json"), load(folder / "evidence.json")
        failed = {r["id"] for r in before["runs"] if r["state"] in BAD_STATES}
        again = failed_again(plan["runs"], failed, self.suites, self.args.waves)
        if not again:
            raise Refused(f"{folder}: no run has failed", BAD_ENVIRONMENT if before["exit_status"] == 3 else 2)
        return self.start("rerun", [r for r in plan["runs"] if r["kind"] == "canary"] + again, plan["seed"])

    def report(self):
        folder = self.last()
        plan = load(folder / "plan.json")
        self.out = folder.parent
        return self.runner(folder, plan).finish()

    def baseline(self):
        if not self.args.update:
            raise Refused("baseline needs --update: it changes the records")
        tests = sorted({name for s in self.suites.suites.values() for name in s.baselines})
        suite = next(iter(self.suites.suites.values()))
        runs = make_runs(self.suites, suite.__class__("baseline", "", {}, tuple(tests), suite.canary, 1, False), {}, 1)
        result = self.start("baseline", runs, 1)
        baseline.update(self.baseline_path, result["runs"])
        self.baselines = baseline.read(self.baseline_path)
        print(f"recorded: {self.baseline_path.relative_to(ROOT)}", file=sys.stderr)
        return self.runner(self.out / result["folder"], load(self.out / result["folder"] / "plan.json")).finish()

    def list(self):
        for suite in self.suites.suites.values():
            print(f"suite {suite.name}: {suite.doc}")
            for name, count in sorted(suite.seeds.items()):
                print(f"  {name:24} {count:4} seeds  {', '.join(self.suites.tests[name].labels)}")


def show(result, folder):
    bad = [r for r in result["runs"] if r["state"] in BAD_STATES]
    for bucket in result["buckets"][:10]:
        print(f"{bucket['count']:4} × {bucket['state']}: {bucket['signature']}")
    for run in bad[:10]:
        print(f"repro: {run['repro']}")
    print(f"{result['suite']} {result['status']}: " +
          ", ".join(f"{n} {state}" for state, n in result["counts"].items() if n) +
          f"; seed {result['seed']}; {clock(result['times']['wall_s'])} min; canary "
          + ("caught" if result["canary"]["caught"] else "NOT caught"))
    for line in coverage_lines(result["coverage"], result["goals"]):
        print(line)
    for problem in result["problems"]:
        print(f"  {problem}")
    print(f"report: {folder / 'report.html'}")


def coverage_lines(cover, goals):
    """Raw and net of all kinds; below, of the blocks that have functional bins."""
    def percent(figure):
        return f"{figure['raw']:.1f} raw, {figure['net']:.1f} net" if figure["net"] is not None else ""
    if not cover or "problem" in cover:
        return [f"coverage: {cover['problem']}"] if cover else []
    targets = {g["name"]: f" (goal {g['target']})" for g in goals}
    kinds = ("line", "branch", "toggle", "functional")
    lines = ["coverage, %: " + "; ".join(f"{k} {percent(cover[k])}{targets.get(k, '')}"
                                         for k in kinds if percent(cover[k]))]
    blocks = {name: figures["functional"] for name, figures in cover["by_block"].items() if "functional" in figures}
    return lines + ["functional, %: " + "; ".join(f"{name} {percent(f)}{targets.get('functional.' + name, '')}"
                                                  for name, f in blocks.items())]


def main(argv):
    args = arguments(argv)
    call = Call(args, argv)
    if args.suite == "list":
        call.list()
        return 0
    if args.suite in VERBS:
        result = getattr(call, args.suite)()
    else:
        result = call.regress()
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        folder = call.out / result["folder"]
        show(result, folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)
    return result["exit_status"]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refused as refused:
        print(f"regress: {refused}", file=sys.stderr)
        sys.exit(refused.status)
