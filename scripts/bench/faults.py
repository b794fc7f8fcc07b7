# SPDX-License-Identifier: Apache-2.0
"""Faults: which are noticed, and what is left of a failure made small."""
import concurrent.futures
import pathlib
import tempfile

from bench.programs import BUILD, ROOT, board, run_json


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


def bench_shrink(_args):
    return run_json("python3", ROOT / "tb/apps/shrink/shrink_bench.py", BUILD / "shrink", BUILD / "board_mini",
                    "--json", statuses=(0, 4))[1]["rows"]


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
