#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The golden model alone against the board: same commit hash, same errors, same judgement.

model_only_test.py BOARD_MODEL BOARD_MINI GROUP      GROUP: hashes, input
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

MODEL, BOARD = sys.argv[1:3]
SCENARIOS = ("digits", "gemm", "ring", "busy", "corners", "errors", "noise", "tenants")


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
                # A receiver tells the host its first rejection only.
                # A receiver's rejections are the chip's: which of its two ports tells them is a matter of routes.
                told = [{re.sub(r"core \d Rx", "Rx", text) for text in run["metrics"].get("errors", [])} for run in (model, rtl)]
                self.assertEqual(*told)
                self.assertEqual(list(model), list(rtl))  # the fixed fields, in their order
                self.assertEqual((model["kind"], model["cycles"], model["commits_checked"]), ("model", 0, 0))
                self.assertGreaterEqual(model["metrics"]["commits"], rtl["commits_checked"])

    def test_a_product_of_the_size_that_was_asked_for(self):
        for seed in (1, 2, 3, 4):
            args = ("gemm", "--size", "97,40,83", "--seed", seed)
            rtl, model = self.run_program(BOARD, *args)[0], self.model(*args)[0]
            self.assertEqual([model["metrics"][side] for side in "mkn"], [97, 40, 83])
            self.assertEqual(model["metrics"]["macs"], 97 * 40 * 83)
            for key in ("commit_hash", "program_hash", "status"):
                self.assertEqual(model[key], rtl[key], key)
            for result in (model, rtl):
                self.assertIn("--size 97,40,83", result["repro"])
        self.assertEqual(self.model("gemm", "--size", "48")[0]["program_hash"],
                         self.model("gemm", "--size", "48,48,48")[0]["program_hash"])

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

    def test_size_in_one_line_that_says_what_is_allowed(self):
        for program in (MODEL, BOARD):
            for args, about in ((("gemm", "--size", "0"), "allowed M,K,N or one number"),
                                (("gemm", "--size", "5,6"), "allowed M,K,N or one number"),
                                (("gemm", "--size", "5,6,"), "allowed M,K,N or one number"),
                                (("gemm", "--size", "5,6,7,8"), "allowed M,K,N or one number"),
                                (("gemm", "--size", "5x6x7"), "allowed M,K,N or one number"),
                                (("gemm", "--size", "16385"), "each 1 .. 16384"),
                                (("gemm", "--size", "20,99,23"), "allowed: one of them 24"),
                                (("gemm", "--size", "2048"), "allowed 8192"),
                                (("ring", "--size", "48"), "--size; allowed with gemm only, not with ring"),
                                (("--program", "x", "--size", "48"), "--size; allowed with gemm only")):
                _, text = self.run_program(program, *args, status=2)
                self.assertEqual(text.count("\n"), 1, text)
                self.assertIn(about, text)

    def test_registers_are_refused_and_not_listed(self):
        self.assertIn("allowed without --model-only", self.model("registers", status=2)[1])
        listed = subprocess.run([MODEL, "list"], capture_output=True, text=True, check=True).stdout
        self.assertEqual({line.split()[0] for line in listed.splitlines()}, set(SCENARIOS))


if __name__ == "__main__":
    groups = {"hashes": Hashes, "input": Input}
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(groups[sys.argv[3]])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
