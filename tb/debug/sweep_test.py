#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the first-divergence report find what was injected? Every site, some seeds: its earliest
cause must name the injected chip, core and block, and the waves of the chips on the way there must
hold the divergence, with views without missing signals.

  sweep_test.py BOARD SCENARIO SEEDS [SITE...]      SCENARIO with its options; seeds 1 .. SEEDS; all sites of
                                                    `--inject list` unless told
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wave_files import wrong_waves

BOARD, SCENARIO, SEEDS, SITES = sys.argv[1], sys.argv[2].split(), int(sys.argv[3]), sys.argv[4:]


def sites():
    listed = subprocess.run([BOARD, "--inject", "list", "--json"], capture_output=True, text=True,
                            check=True).stdout
    return json.loads(listed)["sites"]


def judge(job):
    """None if all is well, '' if there was nothing to find, else what is wrong."""
    site, seed = job
    with tempfile.TemporaryDirectory() as out:
        run = subprocess.run([BOARD, *SCENARIO, "--inject", site, "--seed", str(seed), "--threads", "1",
                              "--hang-cycles", "8192", "--out", out], capture_output=True, text=True, timeout=1200)
        try:
            result = json.loads((Path(out) / "latest" / "result.json").read_text())
        except OSError:
            return f"no result.json, exit {run.returncode}: {run.stderr[-300:]}"
        inject = result["metrics"]["inject"]
        if result["status"] == "passed":
            return "" if inject["outcome"] in ("masked", "corrected") else f"passed, {inject['outcome']}"
        if run.returncode != 1:
            return f"exit {run.returncode}"
        try:
            cause = json.loads((Path(out) / "latest" / "divergence.json").read_text())["cause"]
        except OSError:
            return "no divergence.json"
        if not cause:
            return f"no cause found for {inject['place']}"
        if result["divergence"]["cause"] != cause:
            return "result.json and divergence.json name different causes"
        if "earliest cause: chip" not in run.stderr:
            return "the text does not name the cause"
        wrong = [f"{key} {cause[key]} for {inject[key]}" for key in ("chip", "core", "block")
                 if key in inject and cause[key] != inject[key]]
        if cause.get("cycle", inject["cycle"]) + 4 < inject["cycle"]:
            wrong.append(f"cycle {cause['cycle']} is before the fault, {inject['cycle']}")
        if wrong:
            return (f"{', '.join(wrong)} (chip {inject['chip']}, {inject['place']}, cycle "
                    f"{inject['cycle']}); cause: {json.dumps(cause)}")
        return "; ".join(wrong_waves((Path(out) / "latest").resolve())) or None


def main():
    jobs = [(site, seed) for site in SITES or sites() for seed in range(1, SEEDS + 1)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(judge, jobs))
    wrong = [(job, text) for job, text in zip(jobs, verdicts) if text]
    masked = sum(text == "" for text in verdicts)
    for (site, seed), text in wrong:
        print(f"{site} seed {seed}: {text}")
    print(f"{len(jobs)} runs, {masked} masked, {len(jobs) - masked - len(wrong)} causes named, with waves and views, "
          f"{len(wrong)} wrong")
    found = {site for (site, _), text in zip(jobs, verdicts) if text is None}
    unseen = {site for site, _ in jobs} - found
    if unseen:
        print("nothing found for: " + ", ".join(sorted(unseen)))
    sys.exit(1 if wrong or unseen else 0)


main()
