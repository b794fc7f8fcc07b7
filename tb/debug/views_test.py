#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A failed run's waves and views: FST files that hold the divergence, views without missing signals.

  views_test.py BOARD ROOT
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from wave_files import waves, wrong_waves

BOARD, ROOT = sys.argv[1], Path(sys.argv[2])


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.runs = {}
        for site, seed in (("psum", 2), ("dma_address", 1), ("credit_lost", 1), ("instruction", 3),
                           ("tensor_busy", 1)):
            out = Path(cls.dir.name) / site
            subprocess.run([BOARD, "digits", "--inject", site, "--seed", str(seed), "--threads", "1",
                            "--hang-cycles", "8192", "--out", out], capture_output=True)
            cls.runs[site] = (out / "latest").resolve()

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def test_waves_hold_the_marker_and_the_injected_chip_and_views_have_all_their_signals(self):
        for site, run in self.runs.items():
            with self.subTest(site):
                about = json.loads((run / "divergence.json").read_text())["waves"]
                chip = json.loads((run / "result.json").read_text())["metrics"]["inject"]["chip"]
                self.assertIn(f"waves/chip{chip:02}.fst", about["files"])
                self.assertEqual(wrong_waves(run), [])

    def test_what_is_wrong_with_waves_and_views_is_seen(self):
        run = Path(self.dir.name) / "broken"
        for spoil, said in (
                (lambda waves: next(waves.glob("*.sucl")).unlink(), ".sucl: missing"),
                (lambda waves: next(waves.glob("*.fst")).write_bytes(b""), "is not in it"),
                (lambda waves: self.edit(waves, "gtkw", "} TOP.chip.gen_core", "} TOP.chip.x"), "TOP.chip.x"),
                (lambda waves: self.edit(waves, "sucl", "marker_set divergence ", "marker_set divergence 1"), "no marker"),
                (lambda waves: self.edit(waves.parent, "json", '"marker": ', '"marker": 9'), "is not in it")):
            shutil.copytree(self.runs["psum"], run)
            spoil(run / "waves")
            self.assertIn(said, "\n".join(wrong_waves(run)))
            shutil.rmtree(run)

    def test_semaphores_on_the_way_show_their_values(self):
        named = 0
        for view in (view for run in self.runs.values() for view in (run / "waves").glob("*.gtkw")):
            text = view.read_text()
            for names in re.findall(r"^-.* semaphores: .*on the way: ((?:\d+\.\d+, )*\d+\.\d+)", text, re.M):
                for name in names.split(", "):
                    core, number = map(int, name.split("."))
                    self.assertIn(f"+{{value of {name}}} TOP.chip.u_semaphores.u_values.gen_core[{core}]"
                                  f".gen_upper[{number // 16}].gen_lower[{number % 16}].value[15:0]\n", text)
                    named += 1
        self.assertGreater(named, 1)

    @staticmethod
    def edit(folder, suffix, old, new):
        for file in sorted(folder.glob("*." + suffix)):
            if old in file.read_text():
                file.write_text(file.read_text().replace(old, new))

    def test_every_view_of_a_block_has_all_its_signals(self):
        fst = next((self.runs["psum"] / "waves").glob("*.fst"))
        views = sorted((ROOT / "tb" / "views").glob("*.gtkw"))
        self.assertGreaterEqual(len(views), 10)
        check = waves("--check", fst, *views)
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_the_view_of_a_block_fits_any_waves(self):
        fst = next((self.runs["psum"] / "waves").glob("*.fst"))
        for view in sorted((ROOT / "tb" / "views").glob("*.gtkw")):
            done = waves(fst, "--block", view.stem, "--core", 1, "--write")
            self.assertEqual(done.returncode, 0, done.stderr)
            written = fst.with_name(f"{fst.stem}_{view.stem}.gtkw")
            self.assertEqual(waves("--check", fst, written).returncode, 0)
            self.assertNotIn("gen_core[0].u_core", written.read_text())
            written.unlink()

    def test_an_unknown_block_or_file_is_refused(self):
        fst = next((self.runs["psum"] / "waves").glob("*.fst"))
        for arguments, said in (((fst, "--block", "psun"), "allowed: act_engine"),
                                ((fst.with_name("chip77.fst"), "--block", "psum"), "no such file")):
            done = waves(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)

    def test_a_missing_signal_is_named(self):
        fst = next((self.runs["psum"] / "waves").glob("*.fst"))
        bad = Path(self.dir.name) / "bad.gtkw"
        bad.write_text("@22\nTOP.chip.gen_core[0].u_core.no_such_thing[3:0]\n")
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

    def test_the_names_leave_room_for_the_waves_and_the_cause_is_at_its_marker(self):
        for run in self.runs.values():
            why = json.loads((run / "divergence.json").read_text())["cause"]["why"]
            for view in (run / "waves").glob("*.gtkw"):
                lines = view.read_text().splitlines()
                self.assertLessEqual(max(len(line) for line in lines if line.startswith("-")), 80, view)
                self.assertTrue(any(re.match(r"\[markername\] [AB]cause: " + re.escape(" ".join(why.split())), line)
                                    for line in lines), view)

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
