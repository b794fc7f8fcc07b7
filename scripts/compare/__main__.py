# SPDX-License-Identifier: Apache-2.0
"""scripts/dodeca compare A B: two runs, logs, tensors or timelines; says where they differ first.

  run      a run directory or its result.json. Fields, cycles, metrics; then every commits.log[.gz],
           timeline.json and *.npy that both directories hold. Against a run of the golden model alone (--model-only) only
           what that one has: hashes, status, work.
  log      written by run --commit-log. Compared list by list (stream; writes or semaphore updates), as
           the scoreboard does: between lists there is no order. The first difference is the one with
           the earliest cycle.
  tensor   .npy, by elements: bits, number, ulp and relative distance.
  timeline timeline.json of run --timeline: busy and idle shares by engine, start and length of every
           instruction and packet, load of links; of each the first and the largest difference. Cycles
           count from the doorbell.

Exit status: 0 equal, 1 different, 2 wrong input.
"""
import argparse
import gzip
import json
import pathlib
import sys

from compare import BadInput, logs, runs, tensors, timelines


def kind(path):
    """run, log, tensor or timeline, by what is in the file."""
    if path.is_dir():
        return "run"
    try:
        with open(path, "rb") as file:
            head = file.read(64)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                if file.read(8) == logs.MAGIC:
                    return "log"
        if head[:6] == tensors.MAGIC:
            return "tensor"
        if timelines.is_timeline(head):
            return "timeline"
        if head[:1] == b"{":
            return "run"
    except (OSError, EOFError) as error:
        raise BadInput(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    raise BadInput(f"{path}: allowed a run directory, result.json, a commit log, a .npy file, timeline.json")


def main():
    parser = argparse.ArgumentParser(prog="scripts/dodeca compare", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", type=pathlib.Path, metavar="A")
    parser.add_argument("b", type=pathlib.Path, metavar="B")
    parser.add_argument("--as", dest="format", choices=sorted(tensors.FORMATS), metavar="FORMAT",
                        help="elements of tensors: " + ", ".join(sorted(tensors.FORMATS)))
    parser.add_argument("--ulp", type=int, default=0, metavar="N", help="tensors may be N ulp apart (0: same bits)")
    parser.add_argument("--rel", type=float, default=0.0, metavar="R", help="tensors may be apart by R of the larger")
    parser.add_argument("--ignore", action="append", default=[], metavar="FIELD",
                        help="of result.json, like cycles or metrics.flits; may be repeated")
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")
    args = parser.parse_args()
    if args.ulp < 0 or not args.rel >= 0:
        raise BadInput(f"--ulp is {args.ulp}, --rel is {args.rel}; allowed numbers from 0")
    kinds = kind(args.a), kind(args.b)
    if kinds[0] != kinds[1]:
        raise BadInput(f"{args.a} is a {kinds[0]}, {args.b} is a {kinds[1]}; allowed two of one kind")
    if kinds[0] == "run":
        found = runs.compare(args.a, args.b, args)
    elif kinds[0] == "log":
        found = logs.compare(args.a, args.b)
    elif kinds[0] == "timeline":
        found = timelines.compare(args.a, args.b)
    else:
        found = tensors.compare(args.a, args.b, args)
    if args.json:
        print(json.dumps({"schema": 1, "kind": "compare", "of": kinds[0], "a": str(args.a), "b": str(args.b),
                          "equal": not found, "differences": found}, indent=2))
    else:
        for difference in found:
            print(difference["text"])
        print(f"{kinds[0]}s are {'different' if found else 'equal'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
