#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""names_test.py BOARD: every coverage entry of the testplans is a bin, or a path above bins, of the board."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from regress.errors import Refused  # noqa: E402
from regress.suites import Suites  # noqa: E402
from regress.testplan import Testplan, bins_of  # noqa: E402

BOARD = sys.argv.pop(1)


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


if __name__ == "__main__":
    unittest.main(verbosity=1)
