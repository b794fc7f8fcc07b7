#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shrink: fails in the same way with less, passes without the fault, rejects what it cannot shrink.

shrink_test.py SHRINK BOARD_MINI
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SHRINK, BOARD = sys.argv[1:3]


class ShrinkTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir, True)

    def board(self, *args, status):
        done = subprocess.run([BOARD, *map(str, args), "--out", self.dir], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, status, done.stderr)
        return (self.dir / "latest").resolve(), done.stderr

    def shrink(self, *args, status=0):
        done = subprocess.run([SHRINK, *map(str, args), "--out", self.dir / "shrunk", "--json"],
                              capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def shrunk(self, scenario, site, seed, chips=3):
        run, report = self.board(scenario, "--chips", chips, "--seed", seed, "--inject", site, status=1)
        small = json.loads(self.shrink(run).stdout)
        before = json.loads((run / "result.json").read_text(encoding="utf-8"))
        self.assertEqual(small["cycles_before"], before["cycles"])
        self.assertTrue(small["passes_undisturbed"])
        self.assertTrue(small["finished"])
        # The file that it saved is a program of its own: fails with the fault, as before.
        options = small["repro"].split("--config mini ")[1].split()
        _, again = self.board("--program", small["program"], *options, status=1)
        cause = [re.fullmatch(r"earliest cause: chip \d+(?: core \d)? (\w+) \(.*", text.splitlines()[0])[1]
                 for text in (report, again)]
        self.assertEqual(cause[1], cause[0])
        self.board("--program", small["program"], *options[:options.index("--inject")], status=0)
        return small, before

    def test_a_wrong_sum_needs_a_few_instructions_of_one_chip(self):
        small, before = self.shrunk("digits", "partial_sum", 3)
        self.assertIn(f" / cause {before['metrics']['inject']['block']}", small["signature"])
        self.assertLess(small["cycles"], 0.05 * before["cycles"])
        self.assertEqual(small["chips"], 1)
        self.assertLess(small["instructions"], 12)
        listing = next((self.dir / "shrunk").glob("*.txt")).read_text(encoding="utf-8")
        self.assertIn("MULTIPLY_MOVING", listing)

    def test_a_load_that_comes_back_is_no_progress(self):
        small, before = self.shrunk("digits", "instruction", 1, chips=12)
        self.assertLess(small["cycles"], 0.05 * before["cycles"])

    def test_what_stands_behind_an_end_goes(self):
        small, _ = self.shrunk("corners", "dma_address", 2, chips=12)
        listing = next((self.dir / "shrunk").glob("*.txt")).read_text(encoding="utf-8")
        self.assertNotIn("END func", listing)
        self.assertLessEqual(small["chips"], 2)

    def test_of_loops_a_few_turns_are_left(self):
        small, _ = self.shrunk("loops", "partial_sum", 1, chips=2)
        listing = next((self.dir / "shrunk").glob("*.txt")).read_text(encoding="utf-8")
        self.assertNotIn("BRANCH", listing)
        self.assertLess(small["instructions"], 20)

    def test_a_lost_bit_on_a_link_needs_two_chips(self):
        small, before = self.shrunk("ring", "flit_payload", 3)
        self.assertLess(small["cycles"], before["cycles"])
        self.assertEqual(small["chips"], 2)
        self.assertLess(small["descriptors"], 4)

    def test_what_cannot_be_shrunk_is_refused_in_one_line(self):
        good, _ = self.board("gemm", "--chips", 2, status=0)
        (self.dir / "cut.json").write_text("{")
        for run in (good, self.dir / "cut.json", self.dir / "nowhere"):
            done = self.shrink(run, status=2)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
