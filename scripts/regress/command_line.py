# SPDX-License-Identifier: Apache-2.0
"""scripts/dodeca regress: suites of scenarios and tests with many seeds, in parallel, with a report."""
import argparse

from .errors import Refused
from .plan import jobs_default
from .suites import SEED_LIMIT, SEEDS_LIMIT, VERBS


class Parser(argparse.ArgumentParser):
    """Wrong usage is one line, like all that is rejected."""

    def error(self, message):
        raise Refused(f"{message}; see: scripts/dodeca regress --help")


def arguments(argv):
    parser = Parser(prog="scripts/dodeca regress", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
                    description=__doc__, epilog="""
other calls:
  regress SUITE --resume [DIR]    a regression from where it was interrupted: same plan, same tree
  regress rerun --failed [--waves] [DIR]   the failed runs of a regression again, same seeds
  regress report [DIR]            write evidence, JUnit and report of DIR again (default: the last)
  regress compare DIR DIR         the evidence of two regressions, equal but for times?
  regress baseline --update       measure cycles with seed 1 and record them
  regress list                    suites, tests, labels

exit status: 0 passed, 1 a check failed, 2 wrong usage or input, 3 build or environment, 4 a gate missed""")
    parser.add_argument("suite", metavar="SUITE", help="smoke, nightly, full; or one of the calls below")
    parser.add_argument("folders", metavar="DIR", nargs="*", help="a regression, for rerun, report, compare and --resume")
    parser.add_argument("-L", "--label", action="append", default=[], help="only tests with this label (repeat: or)")
    parser.add_argument("--test", action="append", default=[], metavar="GLOB", help="only tests with such a name")
    parser.add_argument("--stage", help="only tests that the testplan names up to this stage: V1, V2, V3")
    parser.add_argument("--seed", help="0 .. 4294967295: everything follows from it (default: of the suite)")
    parser.add_argument("--seeds", help="runs per test instead of the suite's numbers")
    parser.add_argument("-j", "--jobs", help="runs at once (default: all processors)")
    parser.add_argument("--launcher", default="local", help="local (default) or slurm")
    parser.add_argument("--out", default="out", help="directory of regressions (out)")
    parser.add_argument("--resume", action="store_true", help="continue a regression (default: the last)")
    parser.add_argument("--failed", action="store_true", help="rerun: the failed runs")
    parser.add_argument("--waves", action="store_true", help="rerun: boards write waves")
    parser.add_argument("--update", action="store_true", help="baseline: record what is measured")
    parser.add_argument("--inject-canary-off", action="store_true", help="leave the fault out: must be noticed")
    parser.add_argument("--json", action="store_true", help="print evidence.json instead of the summary")
    parser.add_argument("--data", help="directory of suites, testplans, baselines (regress of this tree)")
    args = parser.parse_intermixed_args(argv)
    args.seed = number("--seed", args.seed, 0, SEED_LIMIT - 1)
    args.seeds = number("--seeds", args.seeds, 1, SEEDS_LIMIT)
    args.jobs = number("--jobs", args.jobs, 1, 4096) or jobs_default()
    if args.launcher not in ("local", "slurm"):
        raise Refused(f"--launcher '{args.launcher}' is unknown, allowed: local, slurm")
    most = {"rerun": 1, "report": 1, "compare": 2}.get(args.suite, int(args.resume))
    if len(args.folders) > most:
        raise Refused(f"'{args.folders[most]}' is one argument too many; a DIR belongs to rerun, report and --resume, "
                      "two to compare")
    for name, verb in (("failed", "rerun"), ("waves", "rerun"), ("update", "baseline")):
        if getattr(args, name) and args.suite != verb:
            raise Refused(f"--{name} belongs to {verb}")
    fixed = [f"--{name}" for name in ("label", "test", "stage", "seed", "seeds", "inject_canary_off")
             if getattr(args, name) not in (None, [], False)]
    if fixed and (args.resume or args.suite in VERBS):
        raise Refused(f"{fixed[0].replace('_', '-')} is allowed with a suite only; --resume takes the plan as it is")
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
