# SPDX-License-Identifier: Apache-2.0
"""Products on the board beside their roofline, and an empty loop."""
import pathlib
import sys
import tempfile
import time

from bench.programs import board
from lib import arch


# Chips, M,K,N, and the least share of the roofline.
PRODUCTS = ((1, (1024, 1024, 1024), 0.80), (1, (2048, 2048, 2048), 0.90), (12, (2048, 2048, 2048), 0.60),
            (12, (4096, 4096, 4096), 0.80), (1, (1, 4096, 4096), 0.85), (1, (8, 4096, 4096), 0.85))


def roofline(config, chips, m, k, n):
    """Cycles that C = A B takes at least, bf16 in and fp32 out, by what bounds it: arrays that all multiply in every
    cycle, or HBM ports through which each byte of A, B and C goes once."""
    sizes = arch.sizes(config)
    port = sizes["LineBytes"] / sizes["HbmLineCycles"]
    return {"array": m * k * n / (sizes["Partitions"] ** 2 * sizes["Cores"] * chips),
            "hbm": (2 * m * k + 2 * k * n + 4 * m * n) / (port * sizes["HbmPorts"] * chips)}


def product(config, chips, size, target):
    """From doorbell to the last result in HBM, in RTL. `waited`: shares of the arrays' time without a moving column."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        metrics = board(config, out, "gemm", "--format", "bf16", "--size", ",".join(map(str, size)), "--chips", chips,
                        "--load", "backdoor", "--no-debug")[1]["metrics"]
    cycles, counts, bounds = metrics["run_cycles"], metrics["tensor_counts"], roofline(config, chips, *size)
    arrays = cycles * chips * arch.sizes(config)["Cores"]
    bound = max(bounds, key=bounds.get)
    share = bounds[bound] / cycles
    return {"name": "gemm", "config": config, "chips": chips, "size": "x".join(map(str, size)), "grid": metrics["split"],
            "cycles": cycles, "utilization": round(metrics["tensor_utilization"], 4), "bound": bound,
            "bound_cycles": round(bounds[bound]),
            "waited": {"nothing here": round(1 - counts["Active"] / arrays, 4)} |
                      {name: round(counts[f"Wait{name.title()}"] / arrays, 4) for name in ("tile", "weights", "port")},
            "timed_by": "RTL", "wall_s": round(time.monotonic() - start, 1),
            "target": target, "measured": round(share, 4), "met": share >= target}


ENGINES = ("Tensor", "Vector", "Act", "Sync")
LOOP = 8  # instructions of the empty loop, its branch included


def empty_loop(config):
    """Cycles a turn of a loop that does nothing, in all sequencers of a chip at once. They issue an instruction a cycle at
    most; `waited`: shares of the turn without one."""
    start, cycles = time.monotonic(), {}
    with tempfile.TemporaryDirectory() as out:
        for turns in (100, 1100):
            program = pathlib.Path(out) / "loop.dasm"
            lines = [f"config {config}", "chips 1"]
            streams = [(core, engine) for core in range(arch.sizes(config)["Cores"]) for engine in ENGINES]
            for place, (core, engine) in enumerate(streams):
                lines += [f"segment chip 0 at {0x10000 * place:#x}", f" stream core {core} {engine}",
                          f"  REG_ALU add r1 = r0 r0 + {turns}", *["  NOP"] * (LOOP - 1), "  BRANCH ne r1 += -1 r0 to 1", "  END"]
            program.write_text("\n".join(lines) + "\n")
            cycles[turns] = board(config, out, "--program", program, "--no-debug")[1]["metrics"]["run_cycles"]
    turn = (cycles[1100] - cycles[100]) / 1000
    share = LOOP / turn
    return {"name": "empty_loop", "config": config, "chips": 1, "size": f"{LOOP} instructions x {len(streams)} engines",
            "cycles": turn, "utilization": 0.0, "bound": "sequencer", "bound_cycles": LOOP,
            "waited": {"sequencer": round(1 - share, 4)}, "timed_by": "RTL", "wall_s": round(time.monotonic() - start, 1),
            "target": 0.99, "measured": round(share, 4), "met": share >= 0.99}


def bench_gemm(_args, config="inf2", products=PRODUCTS):
    rows = [empty_loop(config)]
    for one in products:
        rows.append(product(config, *one))
        print(f"bench: gemm, {rows[-1]['chips']} chips, {rows[-1]['size']}: done", file=sys.stderr, flush=True)
    return rows
