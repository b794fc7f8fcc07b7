#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run that fails behind several snapshots says the same as without them, and its waves begin at one.

  snapshots_test.py BOARD SITE..
"""
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BOARD, *SITES = sys.argv[1:]
# Sites of which the cause is found with and without the board run again; seeds that fail late in the run.
SEEDS = {"weight": 6, "psum": 2, "credit_lost": 1, "instruction": 1}


class Snapshots(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def fail_with(self, site, seed, threads, cycles):
        """What the failed run says, where its waves began, its directory."""
        out = Path(self.dir.name) / f"{site}-{threads}-{cycles}"
        done = subprocess.run([BOARD, "digits", "--inject", site, "--seed", str(seed), "--threads", str(threads),
                               "--snapshots", str(cycles), "--out", out], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        run = (out / "latest").resolve()
        report, result = (json.loads((run / f"{name}.json").read_text()) for name in ("divergence", "result"))
        self.assertEqual(result["divergence"].pop("waves"), report["waves"])
        begin = report["waves"].pop("from")
        text = [line for line in done.stderr.splitlines() if not line.startswith("waves: ")]
        return (report, text, [result[key] for key in ("divergence", "commit_hash", "link_hash", "cycles")]), begin, run

    def test_report_and_waves_are_those_of_a_run_without_snapshots(self):
        begins = []
        for site in SITES:
            seed = SEEDS[site]
            expected, begin, whole = self.fail_with(site, seed, 1, 0)
            self.assertEqual(begin, 0)
            for threads in (1, 2):
                with self.subTest(site=site, threads=threads):
                    said, begin, run = self.fail_with(site, seed, threads, 3000)
                    self.assertEqual(said, expected)
                    begins.append(begin)
                    waves = said[0]["waves"]
                    self.assertLessEqual(begin, waves["first"])
                    self.assertTrue(waves["files"])
                    for name in waves["files"]:
                        ours, other = (self.vcd(directory / name) for directory in (run, whole))
                        times = [int(t) for t in re.findall(r"^#(\d+)", ours, re.M)]
                        self.assertLessEqual(times[0], 1000 * waves["marker"])
                        self.assertGreaterEqual(times[-1], 1000 * waves["marker"])
                        self.assertEqual(times, [int(t) for t in re.findall(r"^#(\d+)", other, re.M)])
        self.assertGreater(sum(begin > 0 for begin in begins), len(begins) / 2, begins)

    def test_a_wrong_interval_is_refused(self):
        for text in ("x", "-1", "1.5"):
            done = subprocess.run([BOARD, "digits", "--snapshots", text], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr, f'--snapshots is "{text}"; allowed 0 .. {1 << 40}\n')

    @staticmethod
    def vcd(fst):
        return subprocess.run(["fst2vcd", fst], capture_output=True, text=True, check=True).stdout


suite = unittest.defaultTestLoader.loadTestsFromTestCase(Snapshots)
sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
