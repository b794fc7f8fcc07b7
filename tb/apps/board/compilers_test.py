#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""g++ and clang give the same bits: builds the small board with g++ in a folder of its own and
compares both hashes of a few runs.

compilers_test.py SOURCE CLANG_BOARD BUILD_DIR
"""
import json
import subprocess
import sys
import tempfile
import unittest

SOURCE, CLANG_BOARD, BUILD = sys.argv[1:4]


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


class Compilers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command("cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++")
        command("cmake", "--build", BUILD, "--target", "board_mini")

    def test_hashes_are_equal(self):
        for scenario, seed in (("digits", 1), ("gemm", 2), ("gemm", 3), ("ring", 4), ("loops", 5), ("corners", 6), ("errors", 7), ("noise", 8)):
            with self.subTest(scenario=scenario, seed=seed), tempfile.TemporaryDirectory() as out:
                options = [scenario, "--seed", str(seed), "--json", "--out", out]
                clang, gcc = (json.loads(command(board, *options))
                              for board in (CLANG_BOARD, f"{BUILD}/bin/board_mini"))
                for key in ("status", "commit_hash", "link_hash", "cycles", "commits_checked"):
                    self.assertEqual(clang[key], gcc[key])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
