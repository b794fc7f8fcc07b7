#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The regression runner: refusals, a real regression with its files, the canary, kill and resume.

regress_test.py      needs a built board_mini
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(ROOT / "scripts"))


def command(*words):
    return [sys.executable, "-m", "regress", *map(str, words)]


def regress(*words):
    return subprocess.run(command(*words), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.out = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.out, True)


class Refusals(WithFolder):
    def expect(self, done, *words):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def with_change(self, name, old, new):
        """A regression whose data file has one mistake; nothing may be left behind."""
        data = self.out / "data"
        shutil.copytree(ROOT / "regress", data)
        text = (data / name).read_text()
        self.assertIn(old, text)
        (data / name).write_text(text.replace(old, new, 1))
        done = regress("smoke", "--data", data, "--out", self.out / "runs")
        self.assertFalse((self.out / "runs").exists())
        return done

    def test_unknown_suite_launcher_and_seed(self):
        self.expect(regress("dawn", "--out", self.out), "dawn", "smoke")
        self.expect(regress("smoke", "--launcher", "pigeon"), "pigeon", "local, slurm")
        self.expect(regress("smoke", "--seed", 2**32), "--seed", "4294967295")

    def test_a_misspelt_key_names_file_and_key(self):
        self.expect(self.with_change("suites.toml", 'scenario = "gemm"', 'scenarios = "gemm"'), "suites.toml", "scenarios")

    def test_broken_toml_names_the_file(self):
        self.expect(self.with_change("suites.toml", "[suite.smoke]", "[suite.smoke"), "suites.toml")

    def test_a_testplan_may_only_name_tests_that_exist(self):
        self.expect(self.with_change("testplan/board.toml", '"digits"', '"digitz"'), "board.toml", "digitz")


class Regression(WithFolder):
    def evidence(self):
        return json.loads((self.out / "last_regression" / "evidence.json").read_text())

    def test_a_small_regression_leaves_every_file(self):
        done = regress("smoke", "--test", "gemm_short", "--seeds", 3, "--out", self.out)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        evidence = self.evidence()
        self.assertTrue(evidence["canary"]["caught"])
        self.assertEqual(evidence["counts"]["passed"], 3)
        folder = self.out / "last_regression"
        suites = xml.etree.ElementTree.parse(folder / "junit.xml").getroot()
        self.assertGreaterEqual(len(list(suites.iter("testcase"))), 3)
        page = (folder / "report.html").read_text()
        self.assertIn("gemm_short", page)
        self.assertNotIn('src="http', page)

    def test_without_its_fault_the_canary_fails_the_regression(self):
        done = regress("smoke", "--test", "gemm_short", "--seeds", 1, "--inject-canary-off", "--out", self.out)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("canary was not caught", done.stdout)

    def test_a_killed_regression_loses_nothing_that_was_finished(self):
        rng = random.Random(1)
        for _ in range(2):
            words = ("smoke", "--test", "ring*", "--seeds", 4, "-j", 1, "--out", self.out)
            running = subprocess.Popen(command(*words), cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       start_new_session=True)
            time.sleep(1 + 2 * rng.random())
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            folder = (self.out / "last_regression").resolve()
            log = folder / "runs.jsonl"
            whole = log.read_bytes().rpartition(b"\n")[0] if log.exists() else b""  # the last line may be torn
            finished = [json.loads(line)["id"] for line in whole.splitlines()]
            done = regress("smoke", "--resume", "--out", self.out)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            runs = {run["id"]: run for run in self.evidence()["runs"]}
            self.assertTrue(set(finished) <= set(runs))
            again = [json.loads(line)["id"] for line in log.read_text().splitlines()]
            self.assertEqual(again[:len(finished)], finished, "finished runs are kept as they were")
            self.assertEqual(len(again), len(set(again)), "nothing that was finished ran twice")


if __name__ == "__main__":
    unittest.main()
