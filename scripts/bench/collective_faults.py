# SPDX-License-Identifier: Apache-2.0
"""Collectives on a board that breaks: programs of the scenario `collective`, on twelve chips in RTL, and a fault each, somewhere
while they run. A run ends with the commits of the sound board, or with the chip named that another cannot reach."""
import concurrent.futures
import json
import pathlib
import random
import re
import subprocess
import tempfile

from bench.programs import BUILD, BenchError
from lib import arch

DECLARED = re.compile(r"chip \d+ cannot reach chip \d+|: (Unreachable|Stalled)$", re.MULTILINE)
OUTCOMES = ("right", "declared", "wrong", "hang")


def cable(at, chip, chips):
    return ("--fail-cable", f"{chip}-{(chip + 1) % chips}@{at}")


def one_cable(draw, at, chips):
    return cable(at, draw.randrange(chips), chips)


def chip_stops(draw, at, chips):
    """All cables of a chip fall silent in one cycle, as if it had lost its power."""
    chip = draw.randrange(chips)
    return cable(at, chip, chips) + cable(at, (chip - 1) % chips, chips)


def board_in_two(draw, at, chips):
    """Two cables, one after the other: each chip still has a neighbour."""
    first, apart = draw.randrange(chips), draw.randrange(2, chips - 1)
    return cable(at, first, chips) + cable(at + draw.randrange(400), (first + apart) % chips, chips)


def flits(draw, _at, _chips):
    return ("--link-ber", draw.choice(("1e-6", "1e-5", "5e-5")))


def lanes(draw, at, chips):
    chip, options = draw.randrange(chips), ()
    for lane in draw.sample(range(16), 2):
        options += ("--stuck-lane", f"{chip}-{(chip + 1) % chips}:{lane}@{at}")
    return options


# What a board does, how it is called for, the topology, and what may come of it.
CLASSES = {
    "cable dies": (one_cable, "ring", {"right"}),
    "cable dies, C12(1,5)": (one_cable, "c12", {"right"}),
    "flits damaged": (flits, "ring", {"right"}),
    "lanes stuck": (lanes, "ring", {"right"}),
    "chip stops": (chip_stops, "ring", {"right", "declared"}),
    "chip's ring cables die, C12(1,5)": (chip_stops, "c12", {"right"}),
    "board in two": (board_in_two, "ring", {"right", "declared"}),
}


def run(program, out, seed, topology, options):
    """Its result, the command to repeat it, and what it said."""
    words = ["collective", "--seed", str(seed), "--topology", topology, *options, "--no-debug"]
    done = subprocess.run([program, *words, "--threads", "1", "--json", "--out", out], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise BenchError(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr.strip()}")
    return json.loads(done.stdout), "scripts/dodeca run --config mini " + " ".join(words), done.stderr


def outcome_of(result, said, sound):
    if result["status"] == "hang":
        return "hang"
    if result["status"] == "passed":
        return "right" if result["commit_hash"] == sound["commit_hash"] else "wrong"
    return "declared" if not result["mismatches"] and DECLARED.search(said) else "wrong"


def event(program, name, seed, out):
    """(outcome, command) of one fault of a class in the program of a seed."""
    inject, topology, _allowed = CLASSES[name]
    out = pathlib.Path(out) / f"{list(CLASSES).index(name)}.{seed}"
    sound = run(program, out / "sound", seed, topology, ())[0]
    if sound["status"] != "passed":
        raise BenchError(f"{sound['repro']}: {sound['status']}, allowed passed: nothing is broken")
    draw = random.Random(f"{name} {seed}")
    metrics = sound["metrics"]
    at = metrics["load_cycles"] + draw.randrange(metrics["run_cycles"] * 9 // 10)
    result, command, said = run(program, out / "broken", seed, topology, inject(draw, at, sound["chips"]))
    return outcome_of(result, said, sound), command


def campaign(program, seeds, jobs, classes=tuple(CLASSES)):
    """A row for each class. Same seeds, same rows."""
    rows = []
    with tempfile.TemporaryDirectory() as out, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name in classes:
            allowed = CLASSES[name][2]
            came = list(pool.map(lambda seed, n=name: event(program, n, seed, out), seeds))
            counts = {kind: sum(outcome == kind for outcome, _ in came) for kind in OUTCOMES}
            findings = [command for outcome, command in came if outcome not in allowed]
            rows.append({"name": "collective_faults", "fault": name, "chips": arch.sizes("mini")["BoardChips"]} | counts |
                        {"target": f"{' or '.join(sorted(allowed))}, hang 0", "findings": findings, "met": not findings})
    return rows


def bench_collective_faults(args):
    return campaign(BUILD / "board_mini", range(1, args.seeds + 1), args.jobs)
