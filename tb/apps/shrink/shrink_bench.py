#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten seeded failures, a site of `--inject list` each, on five scenarios; shrunk: what is left of their cycles?

  shrink_bench.py SHRINK BOARD_MINI [--json] [--first-seed N]

The seed of a row is the first, from 1 on, with which the run fails. Every shrunk program is run once more by its
repro line: it must fail after the same cycles, in the same way as the shrinker sees it; without the fault it must
pass. Exit 4 if the median is above 10 %, or if a shrink had more to try when its budget ended.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

CASES = (("gemm", "weight"), ("gemm", "partial_sum"), ("digits", "psum"), ("digits", "tensor_count"),
         ("gemm", "sbuf_write_lost"), ("corners", "dma_address"), ("ring", "flit_payload"), ("ring", "credit_lost"),
         ("busy", "semaphore_lost"), ("digits", "instruction"))
TARGET = 0.10
MOST_SEEDS = 100


class Broken(Exception):
    """A program that had to succeed did not, or a shrunk run does not repeat."""


def board(args, out, *words):
    done = subprocess.run([args.board, *map(str, words), "--json", "--no-debug", "--out", out], capture_output=True,
                          text=True)
    if done.returncode not in (0, 1):
        raise Broken(f"board_mini {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr.strip()}")
    return done.returncode, json.loads(done.stdout)


def failing(args, scenario, site, out):
    """The first seed with which the run fails, by a check that saw the fault."""
    for seed in range(args.first_seed, args.first_seed + MOST_SEEDS):
        _, result = board(args, out, scenario, "--seed", seed, "--inject", site)
        if result["metrics"]["inject"]["outcome"] == "detected":
            return seed, result["cycles"]
    raise Broken(f"{scenario} --inject {site}: no seed of {MOST_SEEDS} fails")


def shrink(args, run, out, *options):
    done = subprocess.run([args.shrink, run, "--board", args.board, "--out", out, "--json", *options],
                          capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"shrink {run}: exit {done.returncode}\n{done.stderr.strip()}")
    return json.loads(done.stdout)


def row(args, scenario, site):
    with tempfile.TemporaryDirectory() as out:
        out = pathlib.Path(out)
        seed, before = failing(args, scenario, site, out)
        start = time.monotonic()
        small = shrink(args, out / "latest", out / "shrunk")
        seconds = time.monotonic() - start
        options = small["repro"].split("--config mini ")[1].split()
        status, again = board(args, out, "--program", small["program"], *options)
        if status != 1 or again["cycles"] != small["cycles"]:
            raise Broken(f"{small['repro']}: exit {status}, {again['cycles']} cycles; shrunk {small['cycles']}")
        way = shrink(args, out / "latest", out / "again", "--budget", "0.01")["signature"]
        if way != small["signature"]:
            raise Broken(f"{small['repro']}: fails by {way}; shrunk by {small['signature']}")
        status, _ = board(args, out, "--program", small["program"], *options[:options.index("--inject")])
        if status:
            raise Broken(f"{small['repro']}: fails without the fault as well")
    return {"name": "shrink", "scenario": scenario, "site": site, "seed": seed, "cycles_before": before,
            "cycles": small["cycles"], "ratio": round(small["cycles"] / before, 4), "chips": small["chips"],
            "instructions": small["instructions"], "rtl_runs": small["rtl_runs"], "seconds": round(seconds, 1),
            "target": "nothing more goes", "measured": small["finished"], "met": small["finished"],
            "signature": small["signature"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shrink")
    parser.add_argument("board")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--first-seed", type=int, default=1)
    args = parser.parse_args()
    rows = []
    for scenario, site in CASES:
        rows.append(row(args, scenario, site))
        if not args.json:
            print("{scenario:8} {site:16} seed {seed:3} {cycles_before:7} -> {cycles:5} cycles {ratio:7.2%} {chips:2} chips "
                  "{instructions:3} instructions {seconds:6.1f} s".format(**rows[-1]), flush=True)
    median = statistics.median(r["ratio"] for r in rows)
    rows.append({"name": "shrink_median", "target": TARGET, "measured": median, "met": median <= TARGET})
    if args.json:
        print(json.dumps({"schema": 1, "rows": rows}, indent=1))
    else:
        print(f"median {median:.2%}, target {TARGET:.0%}")
    return 0 if all(r["met"] for r in rows) else 4


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as error:
        print(f"shrink_bench: {error}", file=sys.stderr)
        sys.exit(1)
