#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""suite_test.py BOARD: coverage in regressions. Every coverage entry of the testplans is a bin of the board, or
a path above bins; a suite with goals ends with status 4 where it misses one.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
from regress.errors import Refused  # noqa: E402
from regress.suites import Suites  # noqa: E402
from regress.testplan import Testplan, bins_of  # noqa: E402

BOARD = sys.argv.pop(1)


FUNCTIONAL = """[[functional]]
bins = "sync.error.Misalined"
kind = "EXTERNAL"
reason = "only a bin that sequencer_test knows"

"""


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bins = subprocess.run([BOARD, "bins"], capture_output=True, text=True, check=True).stdout.split()
        cls.tests = Suites(ROOT / "regress/suites.toml").tests

    def test_all_are_bins(self):
        Testplan(ROOT / "regress/testplan", self.tests).check_coverage(self.bins)

    def test_a_wrong_one_is_named_with_its_place(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "testplan"
            shutil.copytree(ROOT / "regress/testplan", copy)
            file = copy / "memory.toml"
            file.write_text(file.read_text().replace('"dma.local"', '"dma.lokal"', 1))
            line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "dma.lokal" in text)
            with self.assertRaises(Refused) as refused:
                Testplan(copy, self.tests).check_coverage(self.bins)
            self.assertIn(f"memory.toml:{line}: point.coverage: no bin is called 'dma.lokal'", str(refused.exception))

    def test_a_star_is_one_step(self):
        bins = ["a.error.x", "b.error.y", "b.c.error.z"]
        self.assertEqual(bins_of("*.error", bins), bins[:2])
        self.assertEqual(bins_of("b", bins), bins[1:])
        self.assertEqual(bins_of("a.err", bins), [])

    def stale(self, *changes):
        """What `coverage merge` says about the exclusions, of a run that hit nothing; exit status 4 if anything."""
        with tempfile.TemporaryDirectory() as folder:
            run, file = pathlib.Path(folder) / "run", pathlib.Path(folder) / "exclusions.toml"
            run.mkdir()
            (run / "functional.json").write_text(json.dumps({"bins": dict.fromkeys(self.bins, 0)}))
            text = (ROOT / "regress/coverage_exclusions.toml").read_text()
            for old, new in changes:
                self.assertIn(old, text)
                text = text.replace(old, new, 1)
            file.write_text(text)
            done = subprocess.run([sys.executable, "-I", ROOT / "scripts/start.py", "coverage", "merge", run, "--exclusions", file],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 4 if done.stderr else 0, done.stderr)
            return done.stderr

    def test_no_exclusion_is_out_of_date(self):
        self.assertEqual(self.stale(), "")
        for old, new, words in (('"logic [15:0] switches_q;"', '"logic [15:0] switches_q, damaged_q;"', "no line says"),
                                ('"logic [15:0] switches_q;"', '"input  logic        switched_i,"', "only hands on"),
                                ("[[code]]", FUNCTIONAL + "[[code]]", "has no bin"),
                                ("fabric_bucket_test has", "fabric_pail_test has", "there is no fabric_pail_test"),
                                ("fabric_bucket_test has", "somebody has", "names no test"),
                                ('proof = "ack"', 'proof = "nack"', "there is no proof 'nack'"),
                                ('proof = "ack"', 'proof = "report"', "is not about fabric_ack")):
            self.assertIn(words, self.stale((old, new)))


class Goals(unittest.TestCase):
    SUITE = """
[suite.tiny]
doc = "one run that counts nothing"
goals = true
[suite.tiny.seeds]
ring_short = 1
"""

    def test_a_missed_goal_is_named_and_ends_with_4(self):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data"
            shutil.copytree(ROOT / "regress", data)
            text = (data / "suites.toml").read_text()
            (data / "suites.toml").write_text(text[:text.index("[suite.smoke]")] + self.SUITE)
            call = [sys.executable, "-I", ROOT / "scripts/start.py", "regress", "tiny", "--data", str(data), "--out", folder + "/out"]
            done = subprocess.run(call,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
            self.assertIn("coverage goal line: not measured; goal 95 %", done.stdout)
            self.assertRegex(done.stdout, r"coverage goal functional: \d+\.\d\d % net; goal 90 %")
            evidence = json.loads(next(pathlib.Path(folder).glob("out/*/evidence.json")).read_text())
            goals = {g["name"]: g for g in evidence["goals"]}
            self.assertEqual((goals["line"]["measured"], goals["line"]["met"]), (None, False))
            self.assertFalse(goals["functional"]["met"])
            # The same runs without the demand.
            call[-5:] = ["tiny", "--seeds", "1", *call[-4:]]
            done = subprocess.run(call,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
