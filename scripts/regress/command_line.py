# SPDX-License-Identifier: Apache-2.0
"""What the words of scripts/dodeca regress may be together; each of them: scripts/options.toml."""
from lib import options

from .errors import Refused
from .plan import jobs_default
from .suites import VERBS


def arguments(argv):
    try:
        args = options.parse("regress", argv)
    except options.Usage as usage:
        raise Refused(str(usage)) from None
    args.jobs = args.jobs or jobs_default()
    most = {"rerun": 1, "report": 1, "compare": 2}.get(args.suite, int(args.resume))
    if len(args.folders) > most:
        raise Refused(f"'{args.folders[most]}' is one argument too many; a DIR belongs to rerun, report and --resume, "
                      "two to compare")
    for name, verb in (("failed", "rerun"), ("waves", "rerun"), ("update", "baseline")):
        if getattr(args, name) and args.suite != verb:
            raise Refused(f"--{name} belongs to {verb}")
    fixed = [f"--{name}" for name in ("label", "test", "stage", "seed", "seeds", "coverage", "inject_canary_off", "changed")
             if getattr(args, name) not in (None, [], False)]
    if fixed and (args.resume or args.suite in VERBS):
        raise Refused(f"{fixed[0].replace('_', '-')} is allowed with a suite only; --resume takes the plan as it is")
    return args
