# SPDX-License-Identifier: Apache-2.0
"""How fast boards are simulated."""
import pathlib
import statistics
import sys
import tempfile

from bench.programs import BUILD, board, cpu_seconds, run_json


IDLE = """config inf2
chips 12
segment chip 0 at 0x0
 stream core 0 Sync
  REG_ALU add r1 = r0 r0 + {}
  BRANCH ne r1 += -1 r0 to 1
  END
"""


def idle_chip():
    """Microseconds of processor time per core cycle of a chip without work: one counts, a cycle a turn, eleven sleep. What
    begins and ends a run is in both and cancels out."""
    seconds = {}
    with tempfile.TemporaryDirectory() as out:
        for turns in (20000, 100000):
            program = pathlib.Path(out) / "idle.dasm"
            program.write_text(IDLE.format(turns))
            seconds[turns] = cpu_seconds("inf2", out, "--program", program, "--threads", 1, "--no-debug")
    return (seconds[100000] - seconds[20000]) / 80000 / 12 * 1e6


def bench_board(_args):
    """Rounds alternate between the yardstick and the board, so that a slow moment hits both."""
    rounds, speeds, gains, shares, hashes = 3, {1: [], 2: []}, [], [], set()
    with tempfile.TemporaryDirectory() as out:
        for _ in range(rounds):
            gains.append(run_json(BUILD / "thread_gain", "--threads", 2)[1]["gain"])
            for threads in (1, 2):
                result = board("inf2", out, "busy", "--length", 40, "--threads", threads)[1]
                speeds[threads].append(result["cycles_per_s"])
                hashes.add((result["commit_hash"], result["link_hash"]))
                if threads == 1:
                    shares.append(result["metrics"]["model_share"])
                utilization = result["metrics"].get("tensor_utilization")
    idle = statistics.median(idle_chip() for _ in range(rounds))
    one, two = (statistics.median(speeds[t]) for t in (1, 2))
    gain, pure = two / one, statistics.median(gains)
    share = statistics.median(shares)
    return [
        {"name": "board_cycles_per_s", "threads_1": round(one, 1), "threads_2": round(two, 1),
         "tensor_utilization": utilization, "hashes_equal": len(hashes) == 1, "target": True,
         "measured": len(hashes) == 1, "met": len(hashes) == 1},
        {"name": "idle_chip_us_per_cycle", "target": 2.0, "measured": round(idle, 2), "met": idle <= 2.0},
        {"name": "second_thread_gain", "gain": round(gain, 3), "pure_loop_gain": round(pure, 3),
         "target": 0.85, "measured": round(gain / pure, 3), "met": gain / pure >= 0.85},
        {"name": "check_share_of_wall", "target": 0.15, "measured": round(share, 4), "met": share <= 0.15},
    ]


def bench_snapshots(_args):
    """Pairs in the order A B, B A, ..: what drifts hits both. The board without copies is `--no-debug`."""
    pairs, lengths, rows = 12, {"mini": 2000, "inf2": 40}, []
    with tempfile.TemporaryDirectory() as out:
        for config, length in lengths.items():
            run = config, out, "busy", "--threads", 1, "--length", length
            ratios, seconds = [], []
            for pair in range(pairs):
                order = [(), ("--no-debug",)]
                spent = {options: cpu_seconds(*run, *options) for options in order[::-1 if pair % 2 else 1]}
                ratios.append(spent[()] / spent["--no-debug",])
                seconds.append(spent["--no-debug",])
            low, median, high = statistics.quantiles(ratios, n=4)
            rows.append({"name": "snapshot_cost", "config": config, "pairs": pairs,
                         "cpu_s": round(statistics.median(seconds), 1), "target": 1.03, "measured": round(median, 4),
                         "quartiles": [round(low, 4), round(high, 4)], "met": median < 1.03})
            print(f"bench: snapshots, {config}: done", file=sys.stderr, flush=True)
    return rows
