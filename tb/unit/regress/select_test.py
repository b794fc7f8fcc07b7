#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which runs a regression has: labels, globs, stages, seeds, job cap, and the failed ones again."""
import io
import unittest

from bench import WithFolder, table
from regress.__main__ import Call
from regress.command_line import arguments
from regress.progress import Progress
from regress.suites import run_seeds


class Selection(WithFolder):
    def setUp(self):
        super().setUp()
        self.write_data({"ring": {"scenario": "good", "labels": ["fabric"]},
                         "ring_odd": {"scenario": "odd", "labels": ["fabric", "slow"]},
                         "gemm": {"scenario": "good", "labels": ["tensor"]}}, seeds=2, baselines=["gemm"])
        (self.data / "testplan" / "b.toml").write_text('block = "b"\n' + "".join(
            table("[point]", {"name": f"p{stage}", "stage": stage, "intention": "i", "tests": tests})
            for stage, tests in (("V1", ["ring"]), ("V2", ["gemm"]), ("V3", ["ring_odd"]))))
        (self.data / "testplan" / "board.toml").unlink()
        (self.data / "perf_baseline.toml").write_text(
            table("[baseline]", {"test": "gemm", "config": "mini", "cycles": 1001, "checks": 9}))

    def plan(self, *words):
        """The runs that the arguments ask for; none is started."""
        words = ["all", "--data", str(self.data), *map(str, words)]
        call = Call(arguments(words), words)
        return call.choose(call.suites.suite("all"))[1]

    def seeds(self, *words):
        """{test: its seeds}."""
        found = {}
        for run in self.plan(*words):
            if run["kind"] == "test":
                found.setdefault(run["test"], []).append(run["seed"])
        return found

    def test_labels_globs_and_stages_choose_tests_and_change_no_seed(self):
        whole = self.seeds()
        self.assertEqual({t: len(s) for t, s in whole.items()}, {"ring": 2, "ring_odd": 2, "gemm": 2})
        for words, tests in ((["-L", "tensor"], ["gemm"]),
                             (["-L", "tensor", "--label", "slow"], ["gemm", "ring_odd"]),
                             (["--test", "ring"], ["ring"]),
                             (["--test", "r*", "--test", "g*", "-L", "tensor"], ["gemm"]),
                             (["--stage", "V1"], ["ring"]),
                             (["--stage", "V2"], ["gemm", "ring"]),
                             (["--stage", "V3"], ["gemm", "ring", "ring_odd"]),
                             (["--stage", "V3", "--test", "*_odd"], ["ring_odd"])):
            with self.subTest(words=words):
                self.assertEqual(self.seeds(*words), {t: whole[t] for t in tests})
        self.refused("all", "--stage", "V1", "-L", "tensor", says=("no test of suite 'all' is in all of",))

    def test_what_is_chosen_is_what_runs(self):
        self.regress("all", "--test", "gemm", "--stage", "V2")
        self.assertEqual([r["id"] for r in self.evidence()["runs"]],
                         sorted(r["id"] for r in self.plan("--test", "gemm")))

    def test_a_selection_has_a_canary_but_no_baselines(self):
        self.assertEqual([r["id"] for r in self.plan() if r["kind"] != "test"], ["canary.bird.1", "baseline.gemm.1"])
        self.assertEqual([r["id"] for r in self.plan("--test", "gemm") if r["kind"] != "test"], ["canary.bird.1"])

    def test_one_seed_determines_all_of_them(self):
        self.assertEqual(self.plan("--seed", 7), self.plan("--seed", 7))
        first, other = self.seeds("--seed", 7), self.seeds("--seed", 8, "--seeds", 5)
        self.assertFalse(set(first["ring"]) & set(other["ring"]))
        self.assertFalse(set(first["ring"]) & set(first["gemm"]), "every test has a stream of its own")
        self.assertEqual({len(seeds) for seeds in other.values()}, {5})

    def test_seeds_differ_and_more_of_them_change_none(self):
        seeds = run_seeds(1, "ring", 1000)
        self.assertEqual(len(set(seeds)), 1000)
        self.assertEqual(run_seeds(1, "ring", 10), seeds[:10])
        self.assertTrue(all(0 <= s < 2**32 for s in seeds))
        self.assertEqual(seeds[:2], [3104825514, 2208180817], "recorded: another derivation would make old repro lines lie")

    def test_with_coverage_tests_run_on_the_board_that_counts(self):
        suites = self.data / "suites.toml"
        suites.write_text(suites.read_text().replace("[program.board]", '[program.counts]\npath = "counting"\n'
                                                     '[program.board]\ncoverage = "counts"'))
        for run, plain in zip(self.plan("--coverage"), self.plan(), strict=True):
            with self.subTest(run["id"]):
                if run["kind"] != "test":
                    self.assertEqual(run, plain)
                    continue
                self.assertEqual(run["command"], ["counting", *plain["command"][1:]])
                self.assertEqual((run["repro"], run["timeout_s"]), (plain["repro"] + " --coverage", 2 * plain["timeout_s"]))
        suites.write_text(suites.read_text().replace('coverage = "counts"', 'coverage = "zzz"'))
        self.refused("all", says=("program.board.coverage: is 'zzz'; allowed counts, board",))

    def test_failed_runs_again_with_their_seeds(self):
        self.regress("all", "--seeds", 6, status=1)
        seeds = self.seeds("--seeds", 6)["ring_odd"]
        failed = {f"ring_odd.{s}" for s in seeds if s % 2}
        self.assertTrue(0 < len(failed) < 6)
        first = self.last()
        self.regress("rerun", "--failed", first, status=1)
        again = self.evidence()
        self.assertEqual({r["id"] for r in again["runs"] if r["kind"] == "test"}, failed)
        self.assertEqual(again["suite"], "rerun")
        suites = self.data / "suites.toml"
        suites.write_text(suites.read_text().replace("[program.board]", '[program.board]\nwaves = "board"'))
        self.regress("rerun", "--failed", "--waves", first, status=1)
        self.assertTrue(all(r["repro"].endswith("--waves") for r in self.evidence()["runs"] if r["kind"] == "test"))
        self.regress("all", "--test", "gemm")
        self.refused("rerun", "--failed", says=("no run has failed",))

    def test_a_failed_run_whose_test_is_gone(self):
        self.regress("all", status=1)
        suites = self.data / "suites.toml"
        suites.write_text(suites.read_text().replace("ring_odd", "ring_even"))
        plan = self.data / "testplan" / "b.toml"
        plan.write_text(plan.read_text().replace("ring_odd", "ring_even"))
        self.refused("rerun", "--failed", says=("ring_odd", "is no more"))


class Jobs(WithFolder):
    def test_no_more_runs_at_once_than_asked_for(self):
        self.write_data({"short": {"scenario": "short"}}, seeds=8)
        for jobs in (1, 3):
            self.regress("all", "-j", jobs)
            spans = [(r["times"]["started"], r["times"]["started"] + r["times"]["wall_s"]) for r in self.evidence()["runs"]]
            most = max(sum(a <= start < b - 0.002 for a, b in spans) for start, _ in spans)
            self.assertLessEqual(most, jobs)
            if jobs > 1:
                self.assertGreater(most, 1)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def ended(name, test="t", wall_s=1.0, state="passed", message=""):
    return {"id": name, "test": test, "state": state, "message": message, "times": {"wall_s": wall_s}}


class ProgressLine(unittest.TestCase):
    def test_without_a_history_the_first_runs_tell_the_time(self):
        tests = {"a1": "a", "a2": "a", "b1": "b"}
        progress = Progress(3, dict.fromkeys(tests), 1, Terminal(), tests)
        self.assertIsNone(progress.eta())
        progress.draw()
        self.assertIn("0:00 gone, ? left", progress.stream.getvalue())
        progress.update(ended("a1", "a", 10), False)
        progress.begin -= 10
        self.assertAlmostEqual(progress.eta(), 20, delta=1)  # a2 as a1, b1 as all
        progress.update(ended("b1", "b", 30), False)
        progress.begin -= 30
        self.assertAlmostEqual(progress.eta(), 10, delta=1)

    def test_bar_failures_and_time_left(self):
        stream = Terminal()
        progress = Progress(4, {"a": 1.0, "b": 1.0, "c": 1.0, "d": 5.0}, 1, stream)
        for name, state in (("a", "passed"), ("b", "failed"), ("c", "passed")):
            progress.update(ended(name, state=state, message="chip 3\nmore"), state != "passed")
        progress.begin -= 30  # as if the three had taken half a minute: 3 of 8 parts
        progress.tick(True)
        progress.close()
        self.assertIn("failed   b: chip 3\n", stream.getvalue())
        self.assertIn("[##################......] 3/4  1 failed  0:30 gone, 0:50 left  c", stream.getvalue())

    def test_a_line_never_wraps(self):
        stream = Terminal()
        progress = Progress(1, {"a": 1.0}, 1, stream)
        progress.update(ended("x" * 500), False)
        self.assertLess(max(map(len, stream.getvalue().replace("\x1b[K", "").split("\r"))), 500)


if __name__ == "__main__":
    unittest.main()
