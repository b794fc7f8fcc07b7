#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boards of which some chips are golden models behind the same links: same hashes, faults found, wrong input.

mixed_test.py BOARD GROUP [SEEDS]      BOARD: a board program; GROUP: hashes, links, faults, input
"""
import json
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv[1]
SEEDS = range(1, 1 + (int(sys.argv[3]) if len(sys.argv) > 3 else 2))


def run(*args):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=900)


class MixedTest(unittest.TestCase):
    def setUp(self):
        self.out = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.out, True)

    def result(self, *args, status=0):
        done = run(*args, "--json", "--out", self.out)
        self.assertEqual(done.returncode, status, f"{args}: {done.stderr}")
        return json.loads(done.stdout)

    def same(self, one, other, *fields):
        for field in fields:
            self.assertEqual(one[field], other[field], field)


class Hashes(MixedTest):
    def test_any_subset_gives_the_hash_of_the_whole_board(self):
        for scenario in ("digits", "gemm", "ring"):
            for seed in SEEDS:
                whole = self.result(scenario, "--seed", seed)
                for subset in (("--rtl", seed % 12), ("--rtl", "0,5", "--model", "rest"), ("--model", seed % 12)):
                    mixed = self.result(scenario, "--seed", seed, *subset)
                    self.same(whole, mixed, "commit_hash", "program_hash", "commits_checked", "status")
                    self.assertEqual(mixed["metrics"]["models"], 1 if len(subset) == 2 and subset[0] == "--model"
                                     else 10 if len(subset) == 4 else 11)

    def test_windows_and_threads_change_nothing(self):
        runs = [self.result("ring", "--rtl", "1,2", "--seed", 3, "--window", w, "--threads", t)
                for w, t in ((32, 1), (1, 2), (7, 2))]
        for other in runs[1:]:
            self.same(runs[0], other, "commit_hash", "link_hash", "cycles")

    def test_all_in_rtl_is_the_board(self):
        plain = self.result("ring", "--chips", 3)
        for words in (("--rtl", "all"), ("--rtl", "0,1,2"), ("--rtl", "all", "--model", "rest")):
            same = self.result("ring", "--chips", 3, *words)
            self.same(plain, same, "commit_hash", "link_hash", "cycles")
            self.assertNotIn("models", same["metrics"])

    def test_every_other_scenario(self):
        for scenario in ("busy", "noise", "corners", "errors", "tenants", "registers"):
            self.same(self.result(scenario, "--seed", 2), self.result(scenario, "--seed", 2, "--rtl", "0,5"),
                      "commit_hash", "commits_checked")


class Links(MixedTest):
    def test_cables_die_are_left_and_err_between_models_and_rtl(self):
        plain = self.result("digits")
        middle = plain["metrics"]["load_cycles"] + plain["metrics"]["run_cycles"] // 4
        for words, metric in ((("--fail-cable", f"3-4@{middle}"), "packets_rerouted"),
                              (("--leave-cable", f"3-4@{middle}"), "table_switches"),
                              (("--link-ber", "1e-5"), "replays"),
                              (("--stuck-lane", f"4-5:3@{middle}"), "degraded_cycles")):
            mixed = self.result("digits", "--rtl", "0,4", *words)
            self.assertEqual(mixed["commit_hash"], plain["commit_hash"], words)
            self.assertGreater(mixed["metrics"][metric], 0, words)

    def test_topology_and_latency(self):
        plain = self.result("ring", "--seed", 4)
        for words in (("--topology", "c12"), ("--link-latency", 4), ("--link-latency", 100)):
            self.same(plain, self.result("ring", "--seed", 4, "--rtl", "2,3", *words), "commit_hash")


class Faults(MixedTest):
    def test_a_fault_in_rtl_is_found_and_named(self):
        for site in ("weight", "psum", "dma_address", "credit_lost", "semaphore_lost", "instruction"):
            for seed in SEEDS:
                done = run("digits", "--rtl", "0,5", "--inject", site, "--seed", seed, "--json", "--out", self.out)
                found = json.loads(done.stdout)
                inject = found["metrics"]["inject"]
                where = f"{site} seed {seed}: {done.stderr}"
                self.assertIn(inject["chip"], (0, 5), where)
                self.assertEqual(inject["outcome"], "masked" if done.returncode == 0 else "detected", where)
                if done.returncode:
                    self.assertEqual(found["divergence"]["cause"]["chip"], inject["chip"], where)

    def test_the_tensor_counters_of_a_model_are_compared(self):
        metrics = self.result("gemm", "--model", 3)["metrics"]
        self.assertEqual(metrics["tensor_counts"]["PeBusy"],
                         self.result("gemm")["metrics"]["tensor_counts"]["PeBusy"])


class Input(MixedTest):
    def test_wrong_lists_are_one_line(self):
        for words, said in ((("--rtl", "0,12"), "--rtl has \"12\"; allowed all, or chips 0 .. 11"),
                            (("--rtl", "0", "--chips", 4, "--model", 7), "--model has \"7\"; allowed rest, or chips 0 .. 3"),
                            (("--rtl", "0,"), "--rtl has \"\"; allowed"),
                            (("--model", "0-3"), "--model has \"0-3\"; allowed"),
                            (("--rtl", "rest"), "--rtl has \"rest\"; allowed"),
                            (("--rtl", "0,5", "--model", "5,6"), "chip 1 is in neither of --rtl and --model"),
                            (("--rtl", "all", "--model", "5"), "chip 5 is in both --rtl and --model"),
                            (("--model", "rest"), "--model is \"rest\" without --rtl"),
                            (("--chips", 2, "--model", "0,1"), "--model has every chip"),
                            (("--rtl", 0, "--timeline"), "--timeline with --rtl or --model; allowed if"),
                            (("--rtl", 0, "--coverage"), "--coverage with --rtl or --model; allowed if"),
                            (("--rtl", 0, "--chips", 4, "--inject", "flit_payload", "--model", "1,2"),
                             "chip 3 is in neither of"),
                            (("--rtl", 0, "--waves", "--wave-chips", "0,3"), "--wave-chips has 3, a golden model")):
            done = run("digits", *words, "--out", self.out)
            self.assertEqual(done.returncode, 2, f"{words}: {done.stderr}")
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertIn("allowed", done.stderr)

    def test_repro_has_the_lists(self):
        repro = self.result("ring", "--chips", 2, "--rtl", 0, "--model", "rest")["repro"]
        self.assertIn("--rtl 0 --model rest", repro)


if __name__ == "__main__":
    GROUP = {"hashes": Hashes, "links": Links, "faults": Faults, "input": Input}[sys.argv[2]]
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(GROUP)
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
