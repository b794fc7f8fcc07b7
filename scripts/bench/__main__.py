#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Performance figures and the fault-injection table, as ratios within one run.

Usage: scripts/dodeca bench [NAME] [--json] [-j N]

  array    the busy 128 x 128 array in Verilator, in every format, against the same arithmetic in
           plain C++ and against an array of one module per PE
  lanes    the busy vector and activation engine in Verilator against the same arithmetic in plain C++, by class of
           instruction; what an idle one costs
  matmul   cycles per matmul of the tensor engine, beside the published figures
  instructions  cycles of every instruction with a published formula, beside it; bubbles between two of them
  gemm     products on the board, from doorbell to the last result in HBM, as a share of their roofline; an empty loop
  dma      doorbell to first write step by step, bytes a cycle, share of what the ports allow
  collectives  an all-reduce of twelve chips on the ring, in a loop, against what the links carry
  collective-faults  collectives on a board of which cables, lanes, flits, chips break: right bits or a declared error
  recommender  requests of a Poisson stream, from low rates to more than it serves: latency, queueing, throughput
  lm       the language model: cycles a character, what twelve chips give over one, seconds of simulation
  fabric   rates, fairness and latencies of ring and C12(1,5); curves in out/fabric/*.svg
  fabric-speed  how fast twelve saturated fabric nodes are simulated, ring and C12(1,5)
  board    the board with all 24 arrays busy: cycles/s, gain of a second thread, cost of checking
  inject   every fault site with 20 seeds: detected, masked, missed
  shrink   ten seeded failures, one of each fault site, made small: share of the cycles left
  planted  24 mistakes built into the RTL: noticed by smoke, by the tests; does the cause name the block?
  museum   mistakes that the RTL really had, likewise
  lines    hand-written lines that each instruction of the lane engines has for itself, and their median
  snapshots  processor time of a long run that can be repeated from snapshots, against one that cannot

Exit status: 0 all targets met, 1 a run failed, 2 usage, 4 a target missed.
"""
import json
import sys

from bench.board import bench_board, bench_snapshots
from bench.collective_faults import bench_collective_faults
from bench.engines import bench_array, bench_dma, bench_instructions, bench_lanes, bench_lines, bench_matmul
from bench.fabric import bench_collectives, bench_fabric, bench_fabric_speed
from bench.faults import bench_inject, bench_shrink, of_catalogue
from bench.models import bench_lm
from bench.products import bench_gemm
from bench.requests import bench_recommender
from lib import options

BENCHES = {"array": bench_array, "lanes": bench_lanes, "matmul": bench_matmul, "instructions": bench_instructions,
           "gemm": bench_gemm, "dma": bench_dma, "collectives": bench_collectives,
           "collective-faults": bench_collective_faults, "lm": bench_lm, "recommender": bench_recommender, "fabric": bench_fabric,
           "fabric-speed": bench_fabric_speed, "board": bench_board, "inject": bench_inject, "shrink": bench_shrink,
           "snapshots": bench_snapshots, "lines": bench_lines, "planted": of_catalogue("planted"),
           "museum": of_catalogue("museum")}


def show(rows):
    for row in rows:
        details = "  ".join(f"{k} {v}" for k, v in row.items() if k not in ("name", "met", "points"))
        print(f"{'met   ' if row.get('met', True) else 'MISSED'}  {row['name']:22} {details}")


def main():
    args = options.parse("bench", sys.argv[1:])
    rows = [row for name in ([args.name] if args.name else BENCHES) for row in BENCHES[name](args)]
    if args.json:
        print(json.dumps({"schema": 1, "rows": rows}, indent=1))
    else:
        show(rows)
    return 0 if all(row.get("met", True) for row in rows) else 4


if __name__ == "__main__":
    sys.exit(main())
