#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`regress SUITE --changed`: which runs each kind of file can touch, what goes first, and the command in a small repository."""
import json
import shutil
import subprocess
import sys
import unittest

from bench import ROOT, WithFolder
from regress.changed import Change, line_of
from regress.ranking import Ranking
from regress.suites import Suites

SUITES = Suites(ROOT / "regress/suites.toml")
DMA, PRIM = "rtl/dma/dma.sv", "rtl/prim/prim_fifo.sv"
SECONDS = {("gemm", 1): 1.0, ("gemm", 2): 2.0, ("ring", 1): 1.0, ("unit_dma", 1): 4.0, ("unit_sbuf", 1): 1.0, ("digits", 1): 9.0}
FILES = {DMA: {"mutants": 9, "met": {("gemm", 2): 3, ("ring", 1): 9, ("unit_dma", 1): 9},
               "killed": {("gemm", 2): 2, ("unit_dma", 1): 8}},
         "rtl/mem/sbuf.sv": {"mutants": 9, "met": {("unit_sbuf", 1): 9, ("ring", 1): 1}, "killed": {("ring", 1): 1}},
         PRIM: {"mutants": 2, "met": {}, "killed": {}}}
RUNS = [{"id": f"{test}.{seed}", "kind": "test", "test": test, "seed": seed}
        for test, seed in [*SECONDS, ("gemm", 3), ("registers", 1), ("errors", 1)]]
RUNS += [{"id": "baseline.gemm.1", "kind": "baseline", "test": "gemm", "seed": 1},
         {"id": "canary.digits_two.3", "kind": "canary", "test": "digits_two", "seed": 3}]


def select(*files):
    runs, changed = Change(ROOT, SUITES, Ranking({}, SECONDS, FILES), "HEAD", files).select(RUNS)
    return [run["id"] for run in runs], changed


class Rules(unittest.TestCase):
    ALL = {run["id"] for run in RUNS}
    UNITS = {"unit_dma.1", "unit_sbuf.1"}

    def test_every_row(self):
        for file, touched in (
                ("README.md", set()), ("fabric/doc/links.md", set()), ("regress/known_issues.toml", set()),
                ("regress/testplan/dma.toml", set()), ("regress/suites.toml", self.ALL),
                ("regress/perf_baseline.toml", {"baseline.gemm.1"}), ("tb/unit/scripts/mutate_test.py", set()),
                ("tb/unit/rtl/dma_test.cc", {"unit_dma.1"}), ("tb/unit/rtl/dma_check_test.cc", self.UNITS),
                ("tb/unit/rtl/dma_bench.h", self.UNITS), ("tb/scenarios/errors_plan.cc", {"errors.1"}),
                ("tb/scenarios/ring.cc", {"ring.1", "registers.1"}),  # `registers` ends with the program of `ring`
                ("tb/scenarios/numbers.h", self.ALL), ("tb/scenarios/scenario.cc", self.ALL), ("cmodel/fp.h", self.ALL),
                ("tb/board/host.cc", self.ALL), ("CMakeLists.txt", self.ALL), ("scripts/cmake/dodeca.cmake", self.ALL),
                ("rtl/prim/assert.svh", self.ALL), ("rtl/defs/gen/defs_pkg.sv", self.ALL), ("rtl/dma/new.sv", self.ALL)):
            with self.subTest(file):
                self.assertEqual(set(select(file)[0]), touched | ({"canary.digits_two.3"} if touched else set()))

    def test_an_rtl_file_touches_tests_that_meet_its_mutants_or_were_never_measured(self):
        ids, changed = select(DMA)
        self.assertEqual(set(ids) & {"unit_sbuf.1", "digits.1"}, set())
        self.assertEqual(set(ids), self.ALL - {"unit_sbuf.1", "digits.1"})
        self.assertEqual((changed["runs"], changed["of"]), (8, 10))

    def test_few_mutants_tell_nothing(self):
        self.assertEqual(set(select(PRIM)[0]), self.ALL)

    def test_first_what_killed_there_in_a_second_then_what_killed_anywhere(self):
        ids, _ = select(DMA)
        # The canary; 8 kills in 4 s; 2 in 2 s; a seed like two others, 2 in 3 s; one that killed elsewhere.
        self.assertEqual(ids[:5], ["canary.digits_two.3", "unit_dma.1", "gemm.2", "gemm.3", "ring.1"])
        self.assertEqual(select("cmodel/fp.h")[0][:3], ["canary.digits_two.3", "unit_dma.1", "gemm.2"])

    def test_files_add_up(self):
        ids, changed = select("README.md", "tb/unit/rtl/dma_test.cc", "tb/scenarios/errors.cc")
        self.assertEqual(set(ids), {"canary.digits_two.3", "unit_dma.1", "errors.1"})
        self.assertEqual(line_of(changed), "2 of 10 runs can be touched by tb/scenarios/errors.cc, tb/unit/rtl/dma_test.cc (since HEAD)")
        self.assertEqual({row["file"]: row["runs"] for row in changed["files"]},
                         {"README.md": 0, "tb/unit/rtl/dma_test.cc": 1, "tb/scenarios/errors.cc": 1})


class Command(WithFolder):
    """In a repository of its own, with the scripts and the pretended board."""

    def setUp(self):
        super().setUp()
        self.tree = self.folder / "tree"
        shutil.copytree(ROOT / "scripts", self.tree / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        for file, text in (("tb/unit/regress/pretend_board.sh", (ROOT / "tb/unit/regress/pretend_board.sh").read_text()),
                           (DMA, "module dma;\nendmodule\n"), ("README.md", "Dodeca\n"), (".gitignore", "__pycache__/\n")):
            (self.tree / file).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / file).write_text(text)
        (self.tree / "tb/unit/regress/pretend_board.sh").chmod(0o755)
        self.out = self.tree / "out"
        self.environment = {k: v for k, v in super().environment.items() if k != "GIT_DIR"}
        self.git("init", "-q", "-b", "main")
        self.commit()
        self.write_data({name: {"scenario": "good"} for name in ("slow", "zippy", "away")}, seeds=2, goals=True)
        (self.data / "ranking.toml").write_text(
            "[source]\n[seconds]\n" + "".join(f"{test} = {{ 7 = {seconds} }}\n" for test, seconds in (("slow", 9), ("zippy", 1), ("away", 1)))
            + f'[file."{DMA}"]\nmutants = 9\nmet = {{ slow = 9, zippy = 5 }}\nkilled = {{ slow = 9, zippy = [5] }}\n')

    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *words], cwd=self.tree, env=self.environment, check=True,
                       capture_output=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "m")

    def words(self, *words):
        return [sys.executable, "-I", self.tree / "scripts/start.py", "regress", *map(str, words), "--data", self.data, "--out", self.out]

    def ran(self):
        """Tests in the order of their start."""
        runs = sorted(self.evidence()["runs"], key=lambda run: run["times"]["started"])
        return [run["test"] for run in runs]

    def nothing(self, *words, why="0 of 6 runs can be touched by README.md, new.md"):
        before = list(self.out.glob("regress-*"))
        done = self.regress("all", *words)
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout)
        self.assertIn(f"all: nothing to run: {why} (since HEAD", done.stdout)
        self.assertEqual(json.loads(self.regress("all", *words, "--json").stdout)["changed"]["runs"], 0)
        self.assertEqual(list(self.out.glob("regress-*")), before)

    def test_what_changed_is_what_git_says(self):
        self.nothing("--changed", why="no file has changed")
        (self.tree / "README.md").write_text("Other\n")
        (self.tree / "new.md").write_text("new\n")
        self.nothing("--changed")
        (self.tree / DMA).write_text("module dma; wire a;\nendmodule\n")
        done = self.regress("all", "--changed", "-j", 1)
        self.assertIn(f"4 of 6 runs can be touched by {DMA} (since HEAD)", done.stdout)
        self.assertEqual(self.ran(), ["bird", "zippy", "zippy", "slow", "slow"])
        evidence = self.evidence()
        self.assertEqual({row["file"]: row["runs"] for row in evidence["changed"]["files"]}, {DMA: 4, "README.md": 0, "new.md": 0})
        self.assertTrue(evidence["selection"].startswith("changed=4/6:"))
        self.assertIn("4 of 6 runs can be touched by", (self.last() / "report.html").read_text())
        self.git("add", DMA)
        self.git("commit", "-qm", "m")
        self.nothing("--changed")
        self.regress("all", "--changed", "HEAD~1", "--test", "slow")
        self.assertEqual(sorted(self.ran()), ["bird", "slow", "slow"])
        self.git("stash")
        self.git("checkout", "-qb", "side", "HEAD~1")
        (self.tree / "CMakeLists.txt").write_text("theirs\n")
        self.git("add", "CMakeLists.txt")
        self.git("commit", "-qm", "m")
        self.git("checkout", "-q", "main")
        self.regress("all", "--changed", "side")
        self.assertEqual(len(self.ran()), 5)
        (self.tree / "CMakeLists.txt").write_text("new\n")
        self.regress("all", "--changed", status=4)  # the whole has goals
        self.assertEqual((len(self.evidence()["runs"]), self.evidence()["selection"]), (7, ""))

    def test_resumed_it_stays_that_part_in_that_order(self):
        self.git("mv", DMA, "dma.md")
        self.regress("all", "--changed", "-j", 1)
        before, log = self.evidence(), self.last() / "runs.jsonl"
        log.write_text("".join(line for line in log.read_text().splitlines(True)[:2]))
        self.regress("all", "--resume", "-j", 1)
        self.assertEqual((self.evidence()["changed"], self.ran()), (before["changed"], ["bird", "zippy", "zippy", "slow", "slow"]))

    def test_rejections(self):
        self.refused("all", "--changed", "nowhere", says=("--changed 'nowhere'", "no such commit"))
        self.refused("all", "--changed=--all", says=("no such commit",))
        self.refused("all", "--changed", "--resume", says=("--changed is allowed with a suite only",))
        self.refused("report", "--changed", says=("--changed is allowed with a suite only",))
        self.git("checkout", "-q", "--orphan", "alone")
        self.git("commit", "-qm", "alone")
        self.refused("all", "--changed", "main", says=("no commit in common",))
        (self.data / "ranking.toml").write_text(f'[source]\n[seconds]\nzippy = {{ 7 = 1 }}\n[file."{DMA}"]\nmutants = 9\nmet = {{ zippy = [1, 2] }}\n')
        self.refused("all", "--changed", says=("ranking.toml:6: file.rtl/dma/dma.sv.met: zippy = [1, 2]", "each of its 1 seeds"))


if __name__ == "__main__":
    unittest.main()
