# SPDX-License-Identifier: Apache-2.0
"""What the fabric carries, and what collectives make of it."""
import concurrent.futures
import csv
import math
import pathlib
import sys
import tempfile

from bench.programs import BUILD, ROOT, board, run_json
from lib import arch, curves

OUT = pathlib.Path.cwd() / "out"
REFERENCE = ROOT / "tb/apps/bench/data/ring12_uniform_speedup2.csv"


# Seed of the scenario, which takes a size; most microseconds (None: no target).
ALL_REDUCES = ((1, None), (2, 1.1), (3, 4.7), (4, 25.0))
PACKET_FLITS = 16  # of data at most, and one of header


def links_bound(algorithm, chips, size):
    """Cycles that the busiest link of the ring needs. Ring: each byte crosses a link 2 (N - 1) / N times, half of them in either
    direction. Direct: twice everybody to everybody, by the shorter way; what lies opposite takes either."""
    flits = min(PACKET_FLITS, math.ceil(size / chips / 64))
    rate = 64 / arch.sizes("inf2")["FabricDivide"] * flits / (flits + 1)
    if algorithm == "ring":
        return (chips - 1) / chips * size / rate
    hops = sum(min(d, chips - d) for d in range(1, chips))  # of what a chip sends, over 2 links
    return 2 * size / chips * hops / 2 / rate


def cycles_of_a_call(seed, *options):
    """Of one call among others, and the metrics of a run: what eight turns more take, divided by eight."""
    runs = {}
    for turns in (2, 10):
        with tempfile.TemporaryDirectory() as out:
            runs[turns] = board("inf2", out, "collective", "--seed", seed, "--length", turns, "--load", "backdoor",
                                "--no-debug", *options)[1]["metrics"]
    return (runs[10]["run_cycles"] - runs[2]["run_cycles"]) / 8, runs[2]


def bench_collectives(_args):
    """Each all-reduce against what the links carry; the order-independent sum against the plain one."""
    rows = []
    for seed, target in ALL_REDUCES:
        cycles, metrics = cycles_of_a_call(seed)
        bound = links_bound(metrics["algorithm"], metrics["ranks"], metrics["buffer_bytes"])
        time = cycles / arch.core_ghz() / 1000
        common = {"algorithm": metrics["algorithm"], "ranks": metrics["ranks"], "bytes": metrics["buffer_bytes"]}
        rows.append({"name": "all-reduce", **common, "cycles": round(cycles), "microseconds": round(time, 3),
                     "bound_cycles": round(bound), "share": round(bound / cycles, 4)})
        if target:
            rows[-1] |= {"target": target, "met": time <= target}
        exact = cycles_of_a_call(seed, "--order-independent")[0]
        rows.append({"name": "order-independent sum", **common, "cycles": round(exact),
                     "microseconds": round(exact / arch.core_ghz() / 1000, 3), "times_all_reduce": round(exact / cycles, 2)})
        print(f"bench: collectives, {metrics['buffer_bytes']} bytes: done", file=sys.stderr, flush=True)
    return rows


def reference_curve():
    """(offered, latency, accepted) of an independent simulator."""
    with open(REFERENCE, encoding="ascii") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [(float(r["offered"]), float(r["packet_latency_avg"]), float(r["accepted"])) for r in rows]


def fault_classes():
    """The whole fault campaign as one row: the fewest effective events of a class, and what must not be."""
    metrics = run_json(BUILD / "faults_mini", "--events", "1000", "--json", "--out", OUT,
                       statuses=(0, 1))[1]["metrics"]
    least, hang, silent = (metrics[name] for name in ("least_effective", "hang", "silent"))
    return {"name": "fault_classes", "target": ">= 1000 effective events each, hang 0, silent 0", "measured": least,
            "hang": hang, "silent": silent, "met": least >= 1000 and not metrics["findings"]}


def bench_fabric(args):
    def measure(part):
        result = run_json(BUILD / "fabric_bench", part, "--reference", REFERENCE, statuses=(0, 4))[1]
        print(f"bench: fabric, {part}: done", file=sys.stderr, flush=True)
        return result

    parts = ("ring", "c12", "c12-patterns", "ring-patterns", "zero", "reference", "cable", "isolation")
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(measure, parts))
    result = {key: [item for one in results for item in one[key]] for key in ("rows", "curves")}
    out = OUT / "fabric"
    out.mkdir(parents=True, exist_ok=True)
    find = {(c["topology"], c["pattern"]): c for c in result["curves"]}
    # The reference counts its own node as a destination: its loads are scaled by 11 / 12.
    reference = [(x * 11 / 12, latency, accepted * 11 / 12)
                 for x, latency, accepted in reference_curve()]
    curves.uniform(out / "ring_uniform.svg", "Ring of twelve, uniform traffic", find["ring", "uniform"],
                   reference=reference)
    curves.uniform(out / "c12_uniform.svg", "C12(1,5), uniform traffic", find["c12", "uniform"],
                   single=find["c12", "uniform, one core"])
    curves.patterns(out / "patterns.svg", [c for c in result["curves"] if c["topology"] != "reference"])
    curves.matched(out / "reference.svg", next(c for c in result["curves"] if c["topology"] == "reference"))
    return result["rows"] + [fault_classes()] + [{"name": "fabric_curve"} | curve for curve in result["curves"]]


def bench_fabric_speed(_args):
    return run_json(BUILD / "fabric_bench", "speed", statuses=(0, 4))[1]["rows"]
