# SPDX-License-Identifier: Apache-2.0
"""Suites of scenarios and tests with many seeds, in parallel, with a report.

  regress SUITE [--resume [DIR]]  a suite; or what is left of an interrupted one: same plan, same tree
  regress SUITE --changed [REV]   what the changes since a revision (HEAD: uncommitted ones) can touch, best first
  regress rerun --failed [--waves] [DIR]   the failed runs of a regression again, same seeds
  regress report [DIR]            write evidence, JUnit and report of DIR again (default: the last)
  regress compare DIR DIR         the evidence of two regressions, equal but for times?
  regress baseline --update       measure cycles with seed 1 and record them
  regress list                    suites, tests, labels

exit status: 0 passed, 1 a check failed, 2 wrong usage or input, 3 build or environment, 4 a gate missed
"""
import json
import pathlib
import shlex
import sys
import time

from . import baseline, ranking
from .build import build, check_bins, check_ctest, check_scenarios, programs_of
from .changed import Change, files_since, line_of, word_of
from .command_line import arguments
from .errors import BAD_ENVIRONMENT, CHECK_FAILED, PASSED, Refused
from .known_issues import KnownIssues
from .launcher_local import LocalLauncher
from .launcher_slurm import SlurmLauncher
from .plan import counted, failed_again, make_runs
from .progress import clock
from .results import BAD_STATES, comparable, differences, load, new_folder, write_whole
from .runner import Runner
from .suites import VERBS, Suites, default_seed
from .testplan import Testplan
from .tools import revision, revision_name, versions

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

LAUNCHERS = {"local": LocalLauncher, "slurm": SlurmLauncher}


class Call:
    """One call of the command: its arguments and the data files, checked before anything runs."""

    def __init__(self, args, argv):
        self.args, self.argv = args, argv
        self.data_dir = pathlib.Path(args.data).resolve() if args.data else ROOT / "regress"
        self.out = pathlib.Path(args.out).resolve()
        self.suites = Suites(self.data_dir / "suites.toml")
        self.testplan = Testplan(self.data_dir / "testplan", self.suites.tests)
        self.known = KnownIssues(self.data_dir / "known_issues.toml", self.suites.tests)
        self.baseline_path = self.data_dir / "perf_baseline.toml"
        self.baselines = baseline.read(self.baseline_path, self.suites)

    def runner(self, folder, plan):
        launcher = LAUNCHERS[self.args.launcher](self.args.jobs)
        return Runner(ROOT, self.out, folder, plan, (self.testplan, self.known, self.baselines), launcher)

    def start(self, name, runs, seed, goals=False, selection="", changed=None):
        """Builds, checks, writes the plan and runs it."""
        errors = build(ROOT, {run["target"] for run in runs})
        check_scenarios(ROOT, self.suites, sorted({r["test"] for r in runs if r["board"] and r["target"] not in errors}))
        folder = new_folder(self.out, f"regress-{name}")
        plan = {"schema": 1, "suite": name, "seed": seed, "root": str(ROOT), "started": round(time.time(), 3),
                "command": shlex.join(["scripts/dodeca", "regress", *self.argv]), "revision": revision(ROOT, self.out),
                "programs": programs_of(ROOT, self.suites, runs), "tools": versions(ROOT),
                "launcher": self.args.launcher, "jobs": self.args.jobs, "goals": goals, "selection": selection, "changed": changed,
                "runs": runs}
        write_whole(folder / "plan.json", json.dumps(plan))
        return self.runner(folder, plan).run(errors)

    def resume(self, suite):
        """The rest of a regression. Runs of two trees in one report would say nothing about either."""
        folder = self.last()
        self.out = folder.parent
        plan = load(folder / "plan.json")
        if plan["suite"] != suite.name:
            raise Refused(f"{folder}: is a regression of '{plan['suite']}', not of '{suite.name}'")
        now = revision(ROOT, self.out)
        if (now["commit"], now["dirty"]) != (plan["revision"]["commit"], plan["revision"]["dirty"]):
            raise Refused(f"{folder}: was begun at revision {revision_name(plan['revision'])}, and this is "
                          f"{revision_name(now)}; --resume is allowed on the same tree only")
        errors = build(ROOT, {run["target"] for run in plan["runs"]})
        programs = programs_of(ROOT, self.suites, plan["runs"])
        for path in sorted(programs.keys() | plan["programs"].keys()):
            if programs.get(path) != plan["programs"].get(path):
                raise Refused(f"{folder}: was begun with another {path} ({plan['programs'].get(path)}, now "
                              f"{programs.get(path)}); --resume is allowed with the same programs only")
        return self.runner(folder, plan).run(errors)

    def last(self):
        return (pathlib.Path(self.args.folders[0]) if self.args.folders else self.out / "last_regression").resolve()

    def choose(self, suite):
        """The seed and the runs that the arguments ask for, and whether the suite's goals apply: to the whole only."""
        args = self.args
        stage = self.testplan.tests_of_stage(args.stage) if args.stage else None
        chosen = self.suites.select(suite, args.label, args.test, stage)
        seed = default_seed(suite) if args.seed is None else args.seed
        whole = len(chosen) == len(suite.seeds)
        runs = make_runs(self.suites, suite, chosen, seed, args.seeds, not args.inject_canary_off, whole=whole)
        if args.coverage:
            runs = counted(runs, self.suites)
        return seed, runs, suite.goals and whole and args.seeds is None

    def selection(self):
        """Which part of a suite, in words that are equal for equal parts."""
        given = {name: getattr(self.args, name) for name in ("label", "test", "stage", "seeds", "coverage", "inject_canary_off")}
        return " ".join(f"{name}={sorted(value) if isinstance(value, list) else value}" for name, value in given.items() if value)

    def regress(self):
        suite = self.suites.suite(self.args.suite)
        if self.args.resume:
            return self.resume(suite)
        check_ctest(ROOT, self.suites)
        check_bins(ROOT, self.testplan)
        seed, runs, goals = self.choose(suite)
        if self.args.changed is None:
            return self.start(suite.name, runs, seed, goals, self.selection())
        change = Change(ROOT, self.suites, ranking.read(self.data_dir / "ranking.toml"), self.args.changed,
                        files_since(ROOT, self.out, self.args.changed))
        runs, changed = change.select(runs)
        if not runs:
            return {"schema": 1, "kind": "regression", "suite": suite.name, "status": "nothing to run", "exit_status": PASSED,
                    "changed": changed}
        words = [word for word in (self.selection(), word_of(changed, runs)) if word]
        return self.start(suite.name, runs, seed, goals and changed["runs"] == changed["of"], " ".join(words), changed)

    def rerun(self):
        if not self.args.failed:
            raise Refused("rerun needs --failed")
        folder = self.last()
        plan, before = load(folder / "plan.json"), load(folder / "evidence.json")
        failed = {r["id"] for r in before["runs"] if r["state"] in BAD_STATES}
        again = failed_again(plan["runs"], failed, self.suites, self.args.waves)
        if not again:
            raise Refused(f"{folder}: no run has failed", BAD_ENVIRONMENT if before["exit_status"] == 3 else 2)
        return self.start("rerun", [r for r in plan["runs"] if r["kind"] == "canary"] + again, plan["seed"], selection=folder.name)

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
        baseline.update(self.baseline_path, result["runs"], self.suites)
        self.baselines = baseline.read(self.baseline_path, self.suites)
        print(f"recorded: {self.baseline_path}", file=sys.stderr)
        return self.runner(self.out / result["folder"], load(self.out / result["folder"] / "plan.json")).finish()

    def compare(self):
        """Exit status: do two regressions say the same but for times?"""
        if len(self.args.folders) != 2:
            raise Refused("compare needs two directories of regressions")
        one, two = (comparable(load(pathlib.Path(folder) / "evidence.json")) for folder in self.args.folders)
        found = differences(one, two)
        for line in found[:20]:
            print(line)
        print(f"{len(found)} differences" if found else f"equal: {len(one['runs'])} runs, all but times")
        return CHECK_FAILED if found else PASSED

    def list(self):
        for suite in self.suites.suites.values():
            print(f"suite {suite.name}: {suite.doc}")
            for name, count in sorted(suite.seeds.items()):
                print(f"  {name:24} {count:4} seeds  {', '.join(self.suites.tests[name].labels)}")
        return PASSED


def show(result, folder):
    bad = [r for r in result["runs"] if r["state"] in BAD_STATES]
    runs = {r["id"]: r for r in result["runs"]}
    for bucket in result["buckets"][:10]:
        print(f"{bucket['count']:4} × {bucket['state']}: {bucket['signature']}")
        first = runs[bucket["first"]]
        if first["message"].startswith("earliest cause: "):
            print("       " + " · ".join(line.strip() for line in first["message"].splitlines()[:2]))
        if any(name.endswith(".gtkw") for name in first.get("files", ())):
            print(f"waves: scripts/dodeca waves {shlex.quote(str(folder / 'runs' / first['id']))}")
    for run in bad[:10]:
        print(f"repro: {run['repro']}")
    print(f"{result['suite']} {result['status']}: " +
          ", ".join(f"{n} {state}" for state, n in result["counts"].items() if n) +
          f"; seed {result['seed']}; {clock(result['times']['wall_s'])} min; canary "
          + ("caught" if result["canary"]["caught"] else "NOT caught"))
    if result["changed"]:
        print(f"  {line_of(result['changed'])}")
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
    if args.suite in ("list", "compare"):
        return getattr(call, args.suite)()
    result = getattr(call, args.suite)() if args.suite in VERBS else call.regress()
    if args.json:
        print(json.dumps(result, indent=1))
    elif "runs" not in result:
        print(f"{result['suite']}: {result['status']}: {line_of(result['changed'])}")
    else:
        folder, here = call.out / result["folder"], pathlib.Path.cwd()
        show(result, folder.relative_to(here) if folder.is_relative_to(here) else folder)
    return result["exit_status"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
