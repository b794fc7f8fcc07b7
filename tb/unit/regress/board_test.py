#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The project's own suites on the small board: a regression with its files, the canary, limits, the failed again.

Needs a built board_mini.
"""
import json
import subprocess
import unittest
import xml.etree.ElementTree

from bench import ENVIRONMENT, ROOT, WithFolder, command, script, table


class Regression(WithFolder):
    def smoke(self, *words, status=0):
        """The suite of the project, cut down."""
        done = subprocess.run(command(*words, "--out", self.out), cwd=ROOT, env=ENVIRONMENT, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_a_small_regression_leaves_every_file(self):
        self.smoke("smoke", "--test", "gemm_short", "--seeds", 3)
        evidence = self.evidence()
        self.assertTrue(evidence["canary"]["caught"])
        self.assertEqual(evidence["counts"]["passed"], 3)
        self.assertEqual(evidence["seed_audit"]["rows"], [{"test": "gemm_short", "seeds": 3, "stimuli": 3, "met": True}])
        self.assertEqual(len(evidence["programs"]["build/bin/board_mini"]), 16)
        cases = xml.etree.ElementTree.parse(self.last() / "junit.xml").getroot().iter("testcase")
        self.assertEqual(len([c for c in cases if c.get("classname") != "regression"]), 4)
        for run in evidence["runs"]:
            result = self.last() / "runs" / run["id"] / "latest" / "result.json"
            self.assertEqual(json.loads(result.read_text())["commits_checked"], run["checks"])
        page = (self.last() / "report.html").read_text()
        self.assertIn("gemm_short", page)
        self.assertNotIn('src="http', page)

    def test_without_its_fault_the_canary_fails_the_regression(self):
        done = self.smoke("smoke", "--test", "gemm_short", "--seeds", 1, "--inject-canary-off", status=1)
        self.assertIn("canary was not caught", done.stdout)

    def test_a_board_that_may_not_have_its_memory_is_killed(self):
        board = {"program": "mini", "scenario": "ring"}
        self.write_data({"small": board | {"memory_mib": 32}, "roomy": board})
        suites = self.data / "suites.toml"
        suites.write_text(table("program.mini", {"path": "build/bin/board_mini"}) + suites.read_text())
        self.regress("all", status=1)
        runs = self.runs()
        self.assertEqual((runs["small"]["state"], runs["roomy"]["state"]), ("killed", "passed"), runs["small"])
        self.assertIn("needs more memory than its limit of 32 MiB", runs["small"]["message"])

    def test_a_failed_board_again_with_waves(self):
        self.write_data({"hurt": {"program": "mini", "scenario": "digits", "options": [
            "--chips", "2", "--inject", "weight", "--wave-chips", "0"]}}, seeds=1)
        suites = self.data / "suites.toml"
        suites.write_text(table("program.mini", {"path": "build/bin/board_mini", "target": "board_mini",
                                                 "waves": "mini"}) + suites.read_text())
        self.regress("all", "--seed", 3, status=1)
        first = self.runs()["hurt"]
        self.assertEqual(first["state"], "failed")
        self.regress("rerun", "--failed", "--waves", status=1)
        again = self.runs()["hurt"]
        self.assertEqual((again["seed"], again["commit_hash"], again["message"]),
                         (first["seed"], first["commit_hash"], first["message"]))
        run = self.last() / "runs" / again["id"]
        self.assertGreater((run / "latest" / "chip00.fst").stat().st_size, 0)
        done = subprocess.run(script("waves", str(run), "--write"), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        cycle = 1000 * again["divergence"]["cycle"] + 1000
        self.assertRegex((run / "latest" / "chip00.gtkw").read_text(), rf"(?m)^\*-?[\d.]+ {cycle} ")


if __name__ == "__main__":
    unittest.main()
