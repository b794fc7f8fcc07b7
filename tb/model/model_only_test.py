#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The golden model alone against the board: same commit hash, same errors, same judgement.

model_only_test.py BOARD_MODEL BOARD_MINI GROUP      GROUP: hashes, input
"""
import json
import shutil
import subprocess
import sys
import tempfile
import unittest

MODEL, BOARD = sys.argv[1:3]
SCENARIOS = ("digits", "gemm", "ring", "busy", "corners", "errors", "noise")


class ModelTest(unittest.TestCase):
    def setUp(self):
        self.out = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.out, True)

    def run_program(self, program, *args, status=0):
        done = subprocess.run([program, *map(str, args), "--config", "mini", "--json", "--out", self.out],
                              capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout) if done.stdout else None, done.stderr

    def model(self, *args, status=0):
        return self.run_program(MODEL, *args, status=status)


class Hashes(ModelTest):
    def test_every_scenario_gives_the_hash_and_the_judgement_of_the_board(self):
        for scenario in SCENARIOS:
            for seed in (1, 2, 3):
                args = (scenario, "--seed", seed, "--chips", 4)
                rtl = self.run_program(BOARD, *args)[0]
                model = self.model(*args)[0]
                for key in ("commit_hash", "program_hash", "status", "scenario", "config", "seed", "chips", "cores"):
                    self.assertEqual(model[key], rtl[key], f"{scenario} seed {seed}: {key}")
                for key in ("instructions", "descriptors", "messages"):
                    self.assertEqual(model["metrics"][key], rtl["metrics"][key], f"{scenario} seed {seed}: {key}")
                # A receiver tells the host its first refusal only.
                self.assertEqual(set(model["metrics"].get("errors", [])), set(rtl["metrics"].get("errors", [])))
                self.assertEqual(list(model), list(rtl))  # the fixed fields, in their order
                self.assertEqual((model["kind"], model["cycles"], model["commits_checked"]), ("model", 0, 0))
                self.assertGreaterEqual(model["metrics"]["commits"], rtl["commits_checked"])

    def test_hash_does_not_depend_on_the_order_of_engines(self):
        for scenario in SCENARIOS:
            hashes = {self.model(scenario, "--order-seed", order)[0]["commit_hash"] for order in range(6)}
            self.assertEqual(len(hashes), 1, scenario)


class Input(ModelTest):
    def test_what_needs_rtl_is_refused_in_one_line(self):
        for args in (("--waves",), ("--inject", "weight"), ("nonsense",), ("--seed", "x"), ("--chips", "13"),
                     ("--format", "bf16"), ("digits", "--program", "x"), ("--program", "/nowhere")):
            _, text = self.model(*args, status=2)
            self.assertEqual(text.count("\n"), 1, text)


if __name__ == "__main__":
    groups = {"hashes": Hashes, "input": Input}
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(groups[sys.argv[3]])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
