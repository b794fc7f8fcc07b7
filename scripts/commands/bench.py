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
import concurrent.futures
import csv
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from lib import arch, curves, instruction_lines, options

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/bin"
OUT = pathlib.Path.cwd() / "out"
REFERENCE = ROOT / "tb/apps/bench/data/ring12_uniform_speedup2.csv"


class BenchError(Exception):
    """A program that had to succeed did not."""
    status = 1


def run_json(*command, statuses=(0,), stderr=subprocess.PIPE):
    """Runs a program that prints one JSON document; any status but `statuses` is an error."""
    done = subprocess.run([str(c) for c in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True)
    if done.returncode not in statuses:
        raise BenchError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{(done.stderr or '').strip()}")
    return done.returncode, json.loads(done.stdout)


def board(config, out, *options, statuses=(0,)):
    return run_json(BUILD / f"board_{config}", *options, "--json", "--out", out, statuses=statuses)


def bench_array(_args):
    return run_json(BUILD / "array_bench", statuses=(0, 4))[1]["rows"]


def bench_lanes(_args):
    return run_json(BUILD / "lanes_bench", statuses=(0, 4))[1]["rows"]


def bench_matmul(_args):
    return run_json(BUILD / "matmul_bench", statuses=(0, 4))[1]["rows"]


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


def figures(tests):
    """What unit tests measure, each in a cycle-exact bench of its own: rows of {program: which of its tests}."""
    rows = []
    with tempfile.TemporaryDirectory() as out:
        for name, which in tests.items():
            path = pathlib.Path(out) / f"{name}.json"
            done = subprocess.run([BUILD / name, f"--gtest_filter={which}", f"--gtest_output=json:{path}"], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            suites = json.loads(path.read_text())["testsuites"] if path.exists() else ()
            tests_run = [test for suite in suites for test in suite["testsuite"]]
            found = [json.loads(value) for test in tests_run for key, value in test.items() if key.startswith("figure: ")]
            missed = [row["name"] for row in found if not row["met"]]
            failures = [failure["failure"] for test in tests_run for failure in test.get("failures", ())]
            if not found or done.returncode not in (0, 1) or not all(any(m in text for m in missed) for text in failures):
                raise BenchError(f"{name}: exit {done.returncode}\n{done.stdout.strip()}")
            rows += found
    return rows


# Seed of the scenario, which takes a size; most microseconds (None: no target).
ALL_REDUCES = ((1, None), (2, 1.1), (3, 4.7), (4, 25.0))
CORE_GHZ = 1.5  # a link's 64 bytes in two cycles are 48 GB/s
PACKET_FLITS = 16  # of data, and one of header


def links_bound(algorithm, chips, size):
    """Cycles that the busiest link of the ring needs. Ring: each byte crosses a link 2 (N - 1) / N times, half of them in either
    direction. Direct: twice everybody to everybody, by the shorter way; what lies opposite takes either."""
    rate = 64 / arch.sizes("inf2")["FabricDivide"] * PACKET_FLITS / (PACKET_FLITS + 1)
    if algorithm == "ring":
        return (chips - 1) / chips * size / rate
    hops = sum(min(d, chips - d) for d in range(1, chips))  # of what a chip sends, over 2 links
    return 2 * size / chips * hops / 2 / rate


def bench_collectives(args):
    """Cycles of one call among others: what eight turns more take, divided by eight."""
    rows = []
    for seed, target in ALL_REDUCES:
        runs = {}
        for turns in (2, 10):
            with tempfile.TemporaryDirectory() as out:
                runs[turns] = board("inf2", out, "collective", "--seed", seed, "--length", turns, "--load", "backdoor",
                                    "--no-debug")[1]["metrics"]
        metrics = runs[2]
        cycles = (runs[10]["run_cycles"] - metrics["run_cycles"]) / 8
        bound = links_bound(metrics["algorithm"], metrics["ranks"], metrics["buffer_bytes"])
        time = cycles / CORE_GHZ / 1000
        rows.append({"name": "all-reduce", "algorithm": metrics["algorithm"], "ranks": metrics["ranks"],
                     "bytes": metrics["buffer_bytes"], "cycles": round(cycles), "microseconds": round(time, 3),
                     "bound_cycles": round(bound), "share": round(bound / cycles, 4), "target": target,
                     "met": target is None or time <= target})
        if not args.json:
            show(rows[-1:])
    return rows


def bench_dma(_args):
    return figures({"dma_test": "*", "dma_rate_test": "*"})


def of_matmul(row):
    """A row of `matmul` as one of an instruction, or the row itself if it is none."""
    if row["name"] not in ("matmul", "matmul_dependent"):
        return row
    size = f"M {row['n_stationary']}, N {row['n_moving']}"
    formula = ("4 " if row["format"] == "fp32" else "") + "max(min(64, M), N)"
    return {"name": f"{row['name']} {row['format']}, {size}", "unit": "cycles", "measured": row["rtl_cycles"],
            "target": round(row["published_cycles"] * (1 + row["target"]), 2), "met": row["met"],
            "instruction": "LOAD_STATIONARY, MULTIPLY_MOVING", "engine": "Tensor",
            "formats": f"{row['format']} -> {'int32' if row['format'] == 'int8' else 'fp32'}", "size": size,
            "formula": formula, "published_formula": formula, "published": row["published_cycles"], "fixed": 0,
            "share": row["ratio"]}


def bench_instructions(args):
    """The tests of the lane engines hold their table of cycles; `matmul` measures the tensor engine."""
    return figures({"vector_engine_test": "*CostsWhatTheTableSays", "act_engine_test": "*CostsWhatTheTableSays"}) + \
        [of_matmul(row) for row in bench_matmul(args)]


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


def inject_once(site, seed, out):
    """'detected', 'masked' or 'missed' for one site and seed, on the small board."""
    status, result = board("mini", pathlib.Path(out) / f"{site}.{seed}", "digits", "--inject", site, "--no-debug", "--seed", seed,
                           "--threads", 1, statuses=(0, 1))
    return result["metrics"]["inject"]["outcome"]


def bench_inject(args):
    sites = run_json(BUILD / "board_mini", "--inject", "list", "--json")[1]["sites"]
    seeds, rows = range(1, args.seeds + 1), []
    with tempfile.TemporaryDirectory() as out, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for site in sites:
            outcomes = list(pool.map(lambda seed, s=site: inject_once(s, seed, out), seeds))
            row = {"name": "inject", "site": site}
            row |= {kind: outcomes.count(kind) for kind in ("detected", "masked", "missed")}
            row |= {"target": {"missed": 0, "detected": len(seeds) // 2}, "measured": row["detected"],
                    "met": row["missed"] == 0 and 2 * row["detected"] >= len(seeds)}
            rows.append(row)
            if not args.json:
                print(f"{site:20} detected {row['detected']:3}  masked {row['masked']:3}  missed {row['missed']:3}",
                      flush=True)
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


def cpu_seconds(config, out, *options):
    """User and system time of a run and of the copies of it: wall time is the machine's as well."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    board(config, out, *options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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


def bench_shrink(_args):
    return run_json("python3", ROOT / "tb/apps/shrink/shrink_bench.py", BUILD / "shrink", BUILD / "board_mini",
                    "--json", statuses=(0, 4))[1]["rows"]


def bench_lines(_args):
    lines = instruction_lines.count(ROOT)
    totals = {name: sum(parts.values()) for name, parts in lines.items()}
    median = statistics.median(totals.values())
    return [{"name": "lines_per_instruction", "instructions": len(lines), "target": 25, "measured": round(median, 1),
             "met": median <= 25}] + \
        [{"name": "lines", "instruction": name, "lines": round(totals[name], 1)} | {part: round(n, 1) for part, n in parts.items()}
         for name, parts in lines.items()]


def of_catalogue(name):
    """The least shares: noticed by smoke, by smoke or the tests, of causes that name the block."""
    least = {"smoke": 20 / 24, "test": 1.0, "cause": 22 / 24}

    def bench(args):
        found = run_json("python3", "-I", "-X", "utf8", ROOT / "scripts/start.py", "mutate", "--bugs", name, "--layer", "test",
                         "--json", "-j", args.jobs, stderr=None)[1]
        shares = found["score"] | {"cause": found["blame"]["right_share"]}
        return [{"name": f"{name}_{what}", "bugs": found["mutants"], "target": round(share, 4), "measured": shares[what],
                 "met": shares[what] >= share} for what, share in least.items()] + [
            {"name": bug["name"], **{key: bug[key] for key in ("layer", "noticed_by", "cause", "blame")}} for bug in found["bugs"]]
    return bench


BENCHES = {"array": bench_array, "lanes": bench_lanes, "matmul": bench_matmul, "instructions": bench_instructions,
           "gemm": bench_gemm, "dma": bench_dma, "collectives": bench_collectives, "fabric": bench_fabric,
           "fabric-speed": bench_fabric_speed, "board": bench_board, "inject": bench_inject, "shrink": bench_shrink, "snapshots": bench_snapshots,
           "lines": bench_lines, "planted": of_catalogue("planted"), "museum": of_catalogue("museum")}


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
