#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A failed run's waves and views: FST files that hold the divergence, views without missing signals.

  views_test.py BOARD ROOT
"""
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BOARD, ROOT = sys.argv[1], Path(sys.argv[2])
SCRIPT = ROOT / "scripts" / "waves.py"


def waves(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True)


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.runs = {}
        for site, seed in (("psum", 2), ("dma_address", 1), ("credit_lost", 1), ("instruction", 3)):
            out = Path(cls.dir.name) / site
            subprocess.run([BOARD, "digits", "--inject", site, "--seed", str(seed), "--threads", "1",
                            "--out", out], capture_output=True)
            cls.runs[site] = (out / "latest").resolve()

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def test_waves_hold_the_marker_and_the_injected_chip(self):
        for site, run in self.runs.items():
            with self.subTest(site):
                about = json.loads((run / "divergence.json").read_text())["waves"]
                chip = json.loads((run / "result.json").read_text())["metrics"]["inject"]["chip"]
                self.assertIn(f"waves/chip{chip:02}.fst", about["files"])
                for name in about["files"]:
                    vcd = subprocess.run(["fst2vcd", run / name], capture_output=True, text=True).stdout
                    times = [int(t) for t in re.findall(r"^#(\d+)", vcd, re.M)]
                    self.assertLessEqual(times[0], 1000 * about["marker"])
                    self.assertGreaterEqual(times[-1], 1000 * about["marker"])
                    self.assertLess(times[-1] - times[0], 1000 * 21_000)

    def test_views_of_every_failure_have_all_their_signals(self):
        for site, run in self.runs.items():
            with self.subTest(site):
                for fst in (run / "waves").glob("*.fst"):
                    check = waves("--check", fst, fst.with_suffix(".gtkw"), fst.with_suffix(".sucl"))
                    self.assertEqual(check.returncode, 0, check.stdout)
                    view = fst.with_suffix(".gtkw").read_text()
                    self.assertGreater(view.count("\nTOP."), 5, view)
                    surfer = fst.with_suffix(".sucl").read_text()
                    self.assertEqual(view.count("\nTOP."), surfer.count("variable_add TOP."))
                    self.assertIn(f"load_file {fst.name}\n", surfer)
                    marker = 1000 * json.loads((run / "divergence.json").read_text())["waves"]["marker"] + 1000
                    self.assertIn(f"\nmarker_set divergence {marker}\n", surfer)
                    self.assertIn(f"\ncursor_set {marker}\n", surfer)

    def test_every_view_of_a_block_has_all_its_signals(self):
        fst = next((self.runs["psum"] / "waves").glob("*.fst"))
        views = sorted((ROOT / "tb" / "views").glob("*.gtkw"))
        self.assertGreaterEqual(len(views), 10)
        check = waves("--check", fst, *views)
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_a_missing_signal_is_named(self):
        fst = next((self.runs["psum"] / "waves").glob("*.fst"))
        bad = Path(self.dir.name) / "bad.gtkw"
        bad.write_text("@22\nTOP.chip.u_core0.no_such_thing[3:0]\n")
        check = waves("--check", fst, bad)
        self.assertEqual(check.returncode, 1)
        self.assertIn("no_such_thing", check.stdout)

    def test_what_surfer_would_refuse_is_named(self):
        fst = next((self.runs["psum"] / "waves").glob("*.fst"))
        for line in ("divider_add two words", "divider_add 0.5", "divider_add a;b", "variable_add TOP.chip.no_such_thing",
                     "cursor_set 5ns", "marker_set #1 5", "marker_set alone", "view_zoom", "goto_cursor now"):
            bad = Path(self.dir.name) / "bad.sucl"
            bad.write_text(line + "\n")
            check = waves("--check", fst, bad)
            self.assertEqual(check.returncode, 1, line)
            self.assertIn(line.split()[-1], check.stdout)

    def test_the_picture_of_gtkwave(self):
        picture = Path(self.dir.name) / "view.png"
        done = waves(self.runs["psum"], "--screenshot", picture)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(picture.stat().st_size, 20_000)

    def test_a_run_without_a_failure_is_refused(self):
        done = waves(self.dir.name)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no divergence.json", done.stderr)


suite = unittest.defaultTestLoader.loadTestsFromTestCase(Views)
sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
