# SPDX-License-Identifier: Apache-2.0
"""scripts/dodeca compare A B: two runs, logs, tensors or timelines; says where they differ first.

  run      a run directory or its result.json. Fields, cycles, metrics; then every commits.log[.gz],
           timeline.json and *.npy that both directories hold. Without logs: in which epoch (1,024 core cycles) and
           stream they part, and between which of its commits; or where the same commits first came at other times.
           Against a run of the golden model alone (--model-only) only what that one has: hashes, status, work, commits.
  log      written by run --commit-log. Compared list by list (stream; writes or semaphore updates), as
           the scoreboard does: between lists there is no order. The first difference is the one with
           the earliest cycle.
  tensor   .npy, by elements: bits, number, ulp and relative distance.
  timeline timeline.json of run --timeline: busy and idle shares by engine, start and length of every
           instruction and packet, load of links; of each the first and the largest difference. Cycles
           count from the doorbell.

Exit status: 0 equal, 1 different, 2 wrong input.
"""
import gzip
import json
import sys

from compare import BadInput, logs, runs, tensors, timelines
from lib import options


def kind(path):
    """run, log, tensor or timeline, by what is in the file."""
    if path.is_dir():
        return "run"
    try:
        if path.exists() and not path.is_file():
            raise BadInput(f"{path}: allowed a directory or an ordinary file")
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
    args = options.parse("compare", sys.argv[1:])
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
