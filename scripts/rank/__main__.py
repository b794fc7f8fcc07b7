# SPDX-License-Identifier: Apache-2.0
"""Which run is worth its time? Runs of tests by what they add per second: mutants of the RTL, coverage points.

  rank RESULT... [--coverage DIR]...   of out/mutate-* (best with --all-runs) and of regressions that left coverage
  rank RESULT... --record              and writes regress/ranking.toml, by which `regress SUITE --changed` chooses
  rank --record                        takes out of it what suites.toml and the RTL have no more

A run kills a mutant if it fails with it. It meets one that could change a value in it: more than it kills. Kills count,
unless the results know only the first run that noticed a mutant; then it is the mutants met, or --by says.

Exit status: 0 ranked, 2 wrong usage or input, 3 a file cannot be written.
"""
import json
import pathlib
import sys

from lib import options, rtl
from lib.errors import Refused
from regress import ranking
from regress.plan import make_runs
from regress.suites import Suites, default_seed

from .cover import SHARE, Goal, masks, ranked, smallest
from .predict import predict
from .report import text_of
from .results import ROOT, Results, points_of

RECORD = ROOT / "regress/ranking.toml"
SMOKE = "smoke"


def within(rows, seconds):
    """The rows from the top that are done in so many seconds."""
    return [row for row in rows if row["cumulative_s"] <= seconds]


def of_set(runs, goals, seconds):
    """What some runs cost and see together."""
    return {"runs": len(runs), "seconds": round(sum(seconds[run] for run in runs), 2),
            **{goal.name: goal.share(goal.of_all(runs)) for goal in goals}}


def tests_of(rows, chosen, seconds):
    """{test: how many runs it has, of these how many add something, how many are in the small set}."""
    found = {}
    for kind, runs in (("runs", seconds), ("contributing", [row["run"] for row in rows]), ("smallest", chosen)):
        for run in runs:
            row = found.setdefault(run.rpartition(".")[0], {"runs": 0, "contributing": 0, "smallest": 0})
            row[kind] += 1
    return dict(sorted(found.items()))


def report(results, by, points, seconds, suites):
    goals = [Goal(by, masks(results.killed if by == "kills" else results.met))] if results.results else []
    goals += [Goal("points", masks(points))] if points else []
    rows = ranked(goals, seconds)
    chosen = smallest(rows, goals, seconds)
    smoke = suites.suite(SMOKE)
    runs = [run for run in make_runs(suites, smoke, smoke.seeds, default_seed(smoke)) if run["kind"] == "test"]
    known = [run["id"] for run in runs if run["id"] in seconds]
    now = of_set(known, goals, seconds)
    as_long = [row["run"] for row in within(rows, now["seconds"])]
    return {
        "schema": 1, "by": [goal.name for goal in goals], "totals": {goal.name: goal.total for goal in goals},
        "kills_known": "of every run" if results.complete else "of the first run that noticed",
        "mutants": len(results.file), "share": SHARE, "rows": rows, "tests": tests_of(rows, chosen, seconds),
        "not_contributing": sorted(seconds.keys() - {row["run"] for row in rows}),
        "all": of_set(sorted(seconds), goals, seconds), "smallest": of_set(chosen, goals, seconds) | {"ids": chosen},
        "smoke": now | {"not_measured": len(runs) - len(known)}, "best_in_the_time_of_smoke": of_set(as_long, goals, seconds),
        "changed": predict(ROOT, suites, results, [run for run in runs if run["id"] in results.seconds])}


def main(argv):
    try:
        args = options.parse("rank", argv)
    except options.Usage as usage:
        raise Refused(str(usage)) from None
    suites = Suites(ROOT / "regress/suites.toml")
    record = args.to or RECORD
    if args.to and not args.record:
        raise Refused("--to belongs to --record")
    if not args.results and not args.coverage:
        if not args.record:
            raise Refused("RESULT is missing; allowed folders of finished `mutate` calls, --coverage DIR, or --record alone")
        if not record.exists():
            raise Refused(f"{record}: there is no record yet; allowed with a RESULT")
        ranking.write(record, ranking.read(record).without(suites.tests, rtl.sources(ROOT)))
        return 0
    if args.record and not args.results:
        raise Refused("--record needs a RESULT; allowed folders of finished `mutate` calls")
    results = Results(args.results, suites)
    points, seconds = points_of(args.coverage)
    by = args.by or ("kills" if results.complete else "met")
    result = report(results, by, points, seconds | results.seconds, suites)
    if args.record:
        ranking.write(record, results.ranking(suites.tests))
    print(json.dumps(result, indent=1) if args.json else text_of(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
