#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The calls that README.md shows for the small board do what it says.

  readme_test.py
"""
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
CALL = re.compile(r"^\| `(scripts/dodeca run [^`]*--config mini[^`]*)` \|", re.M)


class Readme(unittest.TestCase):
    def test_calls_on_the_small_board(self):
        calls = CALL.findall((ROOT / "README.md").read_text())
        self.assertGreater(len(calls), 5)
        for call in calls:
            if "run faults" in call:  # a minute: test -L fabric has a slice
                continue
            with self.subTest(call), tempfile.TemporaryDirectory() as out:
                done = subprocess.run([*shlex.split(call), "--out", out], cwd=ROOT, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, 1 if "--inject" in call else 0, done.stdout)
                latest = pathlib.Path(out) / "latest"
                made = {file.name for file in latest.iterdir()}
                self.assertIn("result.json", made)
                if "--wave-chips 0,5" in call:
                    self.assertLessEqual({"chip00.fst", "chip05.fst"}, made)
                if "--timeline" in call:
                    self.assertLessEqual({"timeline.json", "timeline.html"}, made)
                if "--inject" in call:
                    self.assertIn("earliest cause:", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
