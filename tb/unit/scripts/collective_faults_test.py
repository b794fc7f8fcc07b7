#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collectives while the board breaks: right bits or a declared error, no hang; and how a run is judged.

collective_faults_test.py BOARD [SEEDS]      BOARD: board_mini; SEEDS: of every class (one, of two classes)
"""
import pathlib
import sys
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
from bench import collective_faults as faults  # noqa: E402

BOARD = sys.argv.pop(1)
SEEDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 0


class Board(unittest.TestCase):
    def test_right_bits_or_a_declared_error(self):
        classes = tuple(faults.CLASSES) if SEEDS else ("cable dies", "chip stops")
        seeds = range(1, max(SEEDS, 1) + 1)
        rows = faults.campaign(BOARD, seeds, 1, classes)
        self.assertEqual([row["fault"] for row in rows], list(classes))
        for row in rows:
            self.assertEqual(row["findings"], [], row["fault"])
            self.assertEqual(row["right"] + row["declared"], len(seeds), row)
        broken = next(row for row in rows if row["fault"] == "chip stops")
        self.assertGreater(broken["declared"], 0)


class Judgement(unittest.TestCase):
    SOUND = {"status": "passed", "commit_hash": "1", "mismatches": 0}

    def outcome(self, said="", **of_run):
        return faults.outcome_of(self.SOUND | of_run, said, self.SOUND)

    def test_passed_is_right_with_the_same_commits_only(self):
        self.assertEqual(self.outcome(), "right")
        self.assertEqual(self.outcome(commit_hash="2"), "wrong")

    def test_failed_is_declared_if_a_chip_is_named_and_nothing_differs(self):
        said = "fabric cycle 6612: chip 3 cannot reach chip 0: no cables join them\n"
        self.assertEqual(self.outcome(said, status="failed"), "declared")
        self.assertEqual(self.outcome("  chip 1 core 0 Dma2 0: Unreachable\n", status="failed"), "declared")
        self.assertEqual(self.outcome(said, status="failed", mismatches=1), "wrong")
        self.assertEqual(self.outcome("scenario collective: step 0\n", status="failed"), "wrong")

    def test_a_hang_is_one_whatever_was_said(self):
        self.assertEqual(self.outcome("chip 3 cannot reach chip 0", status="hang"), "hang")

    def test_a_fault_that_is_not_allowed_to_be_declared_is_a_finding(self):
        for outcome in ("declared", "wrong", "hang"):
            with unittest.mock.patch.object(faults, "event", lambda *_args, o=outcome: (o, "the command")):
                row, = faults.campaign(BOARD, [1], 1, ("cable dies",))
            allowed = outcome in faults.CLASSES["cable dies"][2]
            self.assertEqual((row["findings"], row["met"]), ([], True) if allowed else (["the command"], False), outcome)


if __name__ == "__main__":
    unittest.main()
