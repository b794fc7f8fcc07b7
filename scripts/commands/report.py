#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What came of a run, from its files: the figures, the earliest cause if it failed, what its folder holds.

Exit status: 0 the run passed, 1 it did not, 2 no folder of a run.
"""
import json
import shlex
import sys

from lib import options
from lib.errors import Refused
from lib.runs import run_folder

OPENS = {"timeline.html": "a browser", "timeline.json": "Perfetto", "waves": "scripts/dodeca waves RUN",
         "divergence.json": "what differed, the root-cause trace, the cause", "result.json": "all figures",
         "epochs.json": "scripts/dodeca compare RUN RUN: where they part"}


def load(file):
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(f"{file}: not found; allowed the folder of a run") from None
    except (OSError, ValueError) as error:
        raise Refused(f"{file}: cannot be read ({error})") from None


def rows(values, prefix=""):
    """(name, text) of everything in nested tables; lists by their length."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from rows(value, f"{prefix}{name} ")
        elif isinstance(value, list):
            yield f"{prefix}{name}", f"{len(value)} entries"
        elif value is not None:
            yield f"{prefix}{name}", f"{value:.4g}" if isinstance(value, float) else str(value)


def section(title, lines):
    print(title)
    for name, text in lines:
        print(f"  {name:<26} {text}")


def main():
    run = run_folder(options.parse("report", sys.argv[1:]).run)
    result = load(run / "result.json")
    if not isinstance(result, dict) or "status" not in result:
        raise Refused(f"{run}/result.json: has no status; allowed what a run wrote")
    if (run / "divergence.json").exists():
        section("earliest cause", rows(load(run / "divergence.json").get("cause") or {"why": "not found"}))
    if any(run.glob("waves/*.gtkw")):
        print(f"waves: scripts/dodeca waves {shlex.quote(str(run))}")
    section("result", rows(result))
    section(str(run), ((f.name, OPENS.get(f.name, "")) for f in sorted(run.iterdir())))
    return 0 if result["status"] == "passed" else 1


if __name__ == "__main__":
    sys.exit(main())
