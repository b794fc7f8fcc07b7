# SPDX-License-Identifier: Apache-2.0
"""The language model on the board: cycles a character, what more chips give, how fast it is simulated."""
import sys
import tempfile
import time

from bench.programs import BUILD, board, run_json
from lib import arch

MOST_CYCLES = {"ring": 22000, "c12": 17000}  # a character, twelve chips, one text
BATCH, CHIPS = 12, (1, 2, 3, 4, 6, 12)
LEAST_GAIN = 5.0  # twelve chips against one
MOST_SECONDS = 180.0  # for this text in RTL, twelve chips
TEXT = ("--prompt", "Call me", "--tokens", 16)
LEAST_RATIO = 30.0  # golden model against RTL


def lm(out, chips, *options):
    """One run in RTL, every commit compared."""
    return board("inf2", out, "lm", "--chips", chips, *options, "--load", "backdoor", "--no-debug")[1]


def character(out, chips, topology, target=None):
    """Core cycles from one character to the next, one text."""
    cycles = lm(out, chips, "--topology", topology, "--prompt", "C", "--tokens", 2)["metrics"]["cycles_per_token"]
    row = {"name": "lm_cycles_per_token", "config": "inf2", "topology": topology, "chips": chips, "batch": 1,
           "microseconds": round(cycles / arch.core_ghz() / 1000, 2), "measured": round(cycles)}
    return row | ({"target": target, "met": cycles <= target} if target else {})


def step(out, chips):
    """Core cycles of one more character of each of BATCH texts."""
    ends = [lm(out, chips, "--prompt", "C", "--batch", BATCH, "--tokens", tokens)["metrics"]["run_cycles"] for tokens in (1, 2)]
    return ends[1] - ends[0]


def scaling(cycles, batch=BATCH, least=LEAST_GAIN):
    """Rows of {chips: cycles of a step of all texts}, against one chip; efficiency: the gain by chips."""
    rows = []
    for chips, each in cycles.items():
        gain = cycles[1] / each
        rows.append({"name": "lm_tokens_per_s", "config": "inf2", "chips": chips, "batch": batch, "cycles_per_step": each,
                     "tokens_per_s": round(batch * arch.core_ghz() * 1e9 / each), "efficiency": round(gain / chips, 4),
                     "measured": round(gain, 3)})
    most = max(cycles)
    rows[list(cycles).index(most)] |= {"target": least, "met": cycles[1] / cycles[most] >= least}
    return rows


def simulated(out):
    """Seconds for a text, and how much longer RTL takes than the golden model alone."""
    start = time.monotonic()
    lm(out, 12, *TEXT)
    wall = time.monotonic() - start
    start = time.monotonic()
    run_json(BUILD / "board_model", "lm", "--config", "inf2", "--chips", 12, *TEXT, "--json", "--out", out)
    ratio = wall / (time.monotonic() - start)
    return [{"name": "lm_wall_s", "config": "inf2", "chips": 12, "target": MOST_SECONDS, "measured": round(wall, 1),
             "met": wall <= MOST_SECONDS},
            {"name": "lm_golden_speed", "config": "inf2", "chips": 12, "target": LEAST_RATIO, "measured": round(ratio, 1),
             "met": ratio >= LEAST_RATIO}]


def bench_lm(_args):
    with tempfile.TemporaryDirectory() as out:
        rows = [character(out, 1, "ring")] + [character(out, 12, *target) for target in MOST_CYCLES.items()]
        cycles = {}
        for chips in CHIPS:
            cycles[chips] = step(out, chips)
            print(f"bench: lm, {BATCH} texts on {chips} chips: done", file=sys.stderr, flush=True)
        return rows + scaling(cycles) + simulated(out)
