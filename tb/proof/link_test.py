#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Model check of the link protocol (link.pml) with Spin; broken variants must be refuted.

Usage: link_test.py      exit 0 proved, and every broken variant refuted
"""
import pathlib
import subprocess
import sys
import tempfile

MODEL = pathlib.Path(__file__).resolve().with_name("link.pml")
# BROKEN and what it takes away.
BROKEN = {1: "no number in the check", 2: "credits as increments", 3: "no silence timer"}


def errors(folder, broken, prove):
    """What the verifier found for one variant: safety (assertions, deadlock) or the promise `done`."""
    define = [f"-DBROKEN={broken}"]
    subprocess.run(["spin", *define, "-a", MODEL], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    safety = [] if prove == "done" else ["-DSAFETY", "-DNOCLAIM"]
    subprocess.run(["cc", "-O2", "-w", "-DVECTORSZ=512", "-DCOLLAPSE", *safety, "-o", "pan", "pan.c"], cwd=folder, check=True)
    flags = ["-a", "-f", "-N", "done"] if prove == "done" else []
    done = subprocess.run(["./pan", "-m1000000", *flags], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    line = next((line for line in done.stdout.splitlines() if "errors:" in line), None)
    if line is None or "max search depth too small" in done.stdout or "out of memory" in done.stdout:
        sys.exit(done.stdout)
    states = next(line.split()[0] for line in done.stdout.splitlines() if "states, stored" in line)
    return int(line.split("errors:")[1]), states


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for prove in ("safety", "done"):
            found, states = errors(folder, 0, prove)
            print(f"link: {prove}: {'FAILS' if found else 'holds'}, {states} states", flush=True)
            good = good and not found
        for broken, what in BROKEN.items():
            refuted = any(errors(folder, broken, prove)[0] for prove in ("safety", "done"))
            print(f"link: {what}: {'refuted' if refuted else 'NOT refuted'}", flush=True)
            good = good and refuted
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
