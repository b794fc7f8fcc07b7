# SPDX-License-Identifier: Apache-2.0
"""What must be true of the waves and views that a failed run leaves behind."""
import json
import re
import subprocess
import sys
from pathlib import Path

START = Path(__file__).resolve().parents[2] / "scripts" / "start.py"
CYCLE = 1000  # picoseconds of the waves in a core cycle
LONGEST = 21_000  # core cycles: the window and what is around it


def waves(*arguments):
    return subprocess.run([sys.executable, "-I", START, "waves", *map(str, arguments)], capture_output=True, text=True)


def times_of(fst):
    """Of every change, in picoseconds."""
    vcd = subprocess.run(["fst2vcd", fst], capture_output=True, text=True).stdout
    return [int(time) for time in re.findall(r"^#(\d+)", vcd, re.M)]


def wrong_file(fst, marker, cause):
    """One line for everything that is wrong with an FST file and the two views beside it."""
    times = times_of(fst)
    if not times or not times[0] <= CYCLE * marker <= times[-1]:
        yield f"{fst.name}: core cycle {marker} is not in it"
    elif times[-1] - times[0] > CYCLE * LONGEST:
        yield f"{fst.name}: more than the last cycles"
    views = [fst.with_suffix(".gtkw"), fst.with_suffix(".sucl")]
    absent = [view.name for view in views if not view.exists()]
    if absent:
        yield f"{', '.join(absent)}: missing"
        return
    check = waves("--check", fst, *views)
    if check.returncode:
        yield check.stdout.strip() or check.stderr.strip()
    gtkw, surfer = (view.read_text() for view in views)
    rows, variables = len(re.findall(r"^\+\{.*\} TOP\.", gtkw, re.M)), surfer.count("variable_add TOP.")
    if rows < 6 or rows != variables:
        yield f"{fst.stem}: {rows} signals for GTKWave, {variables} for Surfer"
    if f"load_file {fst.name}\n" not in surfer:
        yield f"{views[1].name}: does not load {fst.name}"
    at = CYCLE * marker + CYCLE
    # Both open at the cause, if that is in the waves: A and B of GTKWave.
    inside = cause is not None and times and CYCLE * cause + CYCLE >= times[0]
    start = CYCLE * cause + CYCLE if inside else at
    if f"\nmarker_set divergence {at}\n" not in surfer or f"\ncursor_set {start}\n" not in surfer:
        yield f"{views[1].name}: no marker at {at}, cursor at {start}"
    if not re.search(rf"^\*-?[\d.]+ {start} {start if inside else -1} {at} ", gtkw, re.M):
        yield f"{views[0].name}: no marker at {at}, {start}"
    window = re.search(r"^\[timestart\] (\d+)$", gtkw, re.M)
    if not window or int(window[1]) >= start:
        yield f"{views[0].name}: its window begins behind {start}"


def wrong_waves(run):
    """The same of a whole run: waves of every chip that its report names, and nothing wrong with any."""
    report = json.loads((run / "divergence.json").read_text())
    about = report.get("waves")
    if not about:
        return ["the report has no waves"]
    chips = {step["chip"] for step in report["path"]}
    if report["cause"]:
        chips.add(report["cause"]["chip"])
    names = {f"waves/chip{chip:02}.fst" for chip in sorted(chips)}
    wrong = [f"{name}: missing" for name in sorted(names - set(about["files"]))]
    for name in about["files"]:
        wrong += wrong_file(run / name, about["marker"], about.get("cause"))
    return wrong
