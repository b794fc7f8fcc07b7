# SPDX-License-Identifier: Apache-2.0
"""plan.json: every run of a regression, fixed before the first one starts.

A run is a dictionary: what `execute` needs and nothing that depends on when or where it runs.
"""
import os
import shlex

from .errors import Refused
from .suites import run_seeds


def board_run(suites, test, seed, kind="test", extra=()):
    program = suites.programs[test.program]
    options = [*test.options, *extra]
    prefix = "" if kind == "test" else kind + "."
    repro = ["scripts/dodeca", "run", test.scenario, "--config", program.config, "--seed", str(seed), *options]
    return {"id": f"{prefix}{test.name}.{seed}", "kind": kind, "test": test.name, "seed": seed,
            "owner": test.owner, "target": program.target,
            "command": [program.path, test.scenario, "--seed", str(seed), *options, "--threads", "1"],
            "board": True, "env": {}, "timeout_s": test.timeout_s, "memory_mib": test.memory_mib,
            "repro": shlex.join(repro)}


def ctest_run(test, seed, build="build"):
    return {"id": f"{test.name}.{seed}", "kind": "test", "test": test.name, "seed": seed, "owner": test.owner,
            "target": test.ctest, "board": False, "env": {"DODECA_SEED": str(seed)},
            "command": ["ctest", "--test-dir", build, "-V", "-R", f"^{test.ctest}$", "--timeout", str(test.timeout_s)],
            "timeout_s": test.timeout_s + 5, "memory_mib": test.memory_mib,
            "repro": f"DODECA_SEED={seed} ctest --test-dir build -V -R '^{test.ctest}$'"}


def make_runs(suites, suite, chosen, seed, seeds=None, canary=True, whole=True):
    """All runs: the canary, then baselines (only of the whole suite), then tests x seeds."""
    bird = suites.canary
    # Without its fault the canary passes, and that is a failure: so the alarm itself can be tested.
    runs = [board_run(suites, suites.tests[bird["test"]], bird["seed"], "canary",
                      bird["inject"] if canary else ())]
    if whole:
        runs += [board_run(suites, suites.tests[name], 1, "baseline") for name in suite.baselines]
    for name in sorted(chosen):
        test = suites.tests[name]
        for number in run_seeds(seed, name, seeds or chosen[name]):
            runs.append(board_run(suites, test, number) if test.scenario else ctest_run(test, number))
    return runs


def failed_again(runs, failed_ids, suites, waves):
    """The runs of an earlier plan that failed, with the same seeds; boards that can with waves, if asked."""
    again = []
    for run in runs:
        if run["id"] in failed_ids and run["kind"] != "canary":
            if run["test"] not in suites.tests:
                raise Refused(f"{run['id']} has failed, but test {run['test']!r} is no more in {suites.file.path}")
            again.append(on_sibling(run, suites, "waves", "--waves") if waves else run)
    return again


def on_sibling(run, suites, what, *options):
    """The run on the program that does the same and more (`waves`, `coverage`); as it is where there is none."""
    program = suites.programs[suites.tests[run["test"]].program] if run["board"] else None
    other = suites.programs.get(getattr(program, what)) if program else None
    return run | {"target": other.target, "command": [other.path, *run["command"][1:], *options],
                  "repro": f"{run['repro']} --{what}"} if other else run


def counted(runs, suites):
    """The tests on boards that count: half as fast."""
    found = [on_sibling(run, suites, "coverage") if run["kind"] == "test" else run for run in runs]
    return [new | {"timeout_s": 2 * run["timeout_s"]} if new is not run else run for new, run in zip(found, runs)]


def longest_first(runs, seconds):
    """The order that keeps all jobs busy to the end: canary, then by expected seconds."""
    return sorted(runs, key=lambda r: (r["kind"] != "canary", -seconds.get(r["test"], 1e9), r["id"]))


def jobs_default():
    return max(1, len(os.sched_getaffinity(0)))
