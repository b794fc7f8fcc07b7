#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ranking of runs: set cover by seconds, results of `mutate` and coverage, the record, rejections."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
from lib.errors import Refused  # noqa: E402
from lib import rtl  # noqa: E402
from rank.cover import Goal, masks, ranked, smallest  # noqa: E402
from rank.predict import predict  # noqa: E402
from rank.results import Results, points_of  # noqa: E402
from regress import ranking  # noqa: E402
from regress.suites import Suites  # noqa: E402

RECORD = ROOT / "regress/ranking.toml"
SUITES = Suites(ROOT / "regress/suites.toml")
DMA, SBUF = "rtl/dma/dma.sv", "rtl/mem/sbuf.sv"


class Cover(unittest.TestCase):
    def goals(self, **sets):
        return [Goal(name, masks(seen)) for name, seen in sets.items()]

    def test_most_new_in_a_second_comes_first_and_what_adds_nothing_has_no_row(self):
        seconds = {"long": 10.0, "short": 1.0, "same": 1.0, "rare": 2.0}
        goals = self.goals(kills={"long": set(range(90)), "short": set(range(50)), "same": set(range(50)), "rare": {90, 91}})
        rows = ranked(goals, seconds)
        self.assertEqual([(row["run"], row["kills"]["new"], row["cumulative_s"]) for row in rows],
                         [("same", 50, 1.0), ("long", 40, 11.0), ("rare", 2, 13.0)])
        self.assertEqual([row["kills"]["cumulative"] for row in rows], [0.5435, 0.9783, 1.0])
        self.assertEqual(rows[1]["kills"]["per_s"], 9.0)

    def test_the_small_set_has_its_share_of_both_and_nobody_who_is_needless(self):
        # `both` comes first, by its price; then `left` and `right` see all that it saw.
        seconds = {"both": 1.0, "left": 4.0, "right": 4.0, "crumb": 1.0}
        goals = self.goals(kills={"both": {*range(40), *range(100, 140)}, "left": set(range(100)), "right": set(range(100, 200))},
                           points={"left": set(range(1000)), "crumb": {1000}})
        rows = ranked(goals, seconds)
        self.assertEqual(rows[0]["run"], "both")
        chosen = smallest(rows, goals, seconds)
        self.assertEqual(set(chosen), {"left", "right"})  # 1000 of 1001 points are more than 99 %
        for goal in goals:
            self.assertGreaterEqual(goal.share(goal.of_all(chosen)), 0.99)
            self.assertLess(min(g.share(g.of_all(["left"])) for g in goals), 0.99)

    def test_until_both_have_their_share_only_what_lacks_counts(self):
        goals = self.goals(kills={"base": set(range(198)), "kills": {198, 199}},
                           points={"base": set(range(986)), "points": set(range(986, 994)), "kills": set(range(994, 1000))})
        self.assertEqual([row["run"] for row in ranked(goals, {"base": 1.0, "kills": 1.1, "points": 1.0})], ["base", "points", "kills"])

    def test_masks_are_sets(self):
        sets = {"a": {"x", ("y", 1)}, "b": set(), "c": {("y", 1), *range(100)}}
        found = masks(sets)
        self.assertEqual([found[run].bit_count() for run in "abc"], [2, 0, 101])
        self.assertEqual((found["a"] & found["c"]).bit_count(), 1)


class WithResults(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.mutate = self.folder / "mutate-sample"
        self.write_mutate()

    def write_mutate(self, all_runs=True):
        """Six mutants of DMA (one that nobody can see), five of SBUF; smoke, unit program, night."""
        self.mutate.mkdir(exist_ok=True)
        rows = [{"number": n, "file": DMA if n <= 6 else SBUF, "triage": "equivalent" if n == 6 else "", "killers": killers}
                for n, killers in enumerate((["gemm.5", "unit_dma_test.1"], ["gemm.5"], ["night.gemm.9"], [], ["unit_dma_test.1"], [],
                                             ["unit_zzz.1"], ["gemm.7"], [], [], []), 1)]
        (self.mutate / "result.json").write_text(json.dumps({
            "rows": rows, "command": "scripts/dodeca mutate", "revision": {"commit": "c" * 40, "dirty": "d"}, "all_runs": all_runs}))
        (self.mutate / "base.json").write_text(json.dumps({"runs": {
            "gemm.5": [[1, 2, 3, 6, 7, 99], 2.0, 1.5], "gemm.7": [[1, 2, 3, 8], 1.0, 0.75], "night.gemm.9": [[3], 1.0, 0.5],
            "unit_dma_test.1": [[1, 5], 4.0, 3.999], "unit_zzz.1": [[7], 1.0, 1.0], "ring.1": [[], 1.0, 1.0]}}))

    def call(self, *words):
        return subprocess.run([ROOT / "scripts/dodeca", "rank", *map(str, words)], capture_output=True, text=True)

    def coverage(self):
        """A regression whose run of `ring` left bins and one point of code."""
        made = self.folder / "regress-smoke/runs/ring.1/ring-mini-s1"
        made.mkdir(parents=True)
        (made / "functional.json").write_text('{"bins": {"dma.a": 3, "dma.b": 0}}')
        (made / "coverage.dat").write_text("C '\x01page\x02v_line/a\x01f\x02rtl/dma/dma.sv\x01l\x025\x01n\x021' 7\n"
                                           "C '\x01page\x02v_line/a\x01f\x02rtl/dma/dma.sv\x01l\x026\x01n\x021' 0\n")
        other = self.folder / "regress-smoke/runs/gemm.5/gemm-mini-s5"
        other.mkdir(parents=True)
        (other / "functional.json").write_text('{"bins": {"dma.a": 0, "dma.b": 1}}')
        (self.folder / "regress-smoke/evidence.json").write_text(json.dumps({"runs": [
            {"id": name, "kind": "test", "state": "passed", "times": {"wall_s": 3.0, "cpu_s": 2.5}} for name in ("ring.1", "gemm.5", "noise.1")]}))
        return self.folder / "regress-smoke"

    def test_runs_by_the_names_of_suites_without_what_nobody_sees(self):
        results = Results([self.mutate], SUITES)
        self.assertEqual(results.met["gemm.5"], {(0, 1), (0, 2), (0, 3), (0, 7)})
        self.assertEqual(results.killed["unit_dma.1"], {(0, 1), (0, 5)})
        self.assertEqual((results.killed["gemm.9"], results.seconds["gemm.9"]), ({(0, 3)}, 0.5))
        self.assertTrue(results.complete)

    def test_coverage_is_of_each_run_alone(self):
        points, seconds = points_of([self.coverage()])
        self.assertEqual({run: len(hit) for run, hit in points.items()}, {"ring.1": 2, "gemm.5": 1})
        self.assertEqual(points["gemm.5"], {"dma.b"})
        self.assertEqual(seconds["ring.1"], 2.5)

    def test_the_table(self):
        result = json.loads(self.call(self.mutate, "--coverage", self.coverage(), "--json").stdout)
        self.assertEqual((result["by"], result["totals"]), (["kills", "points"], {"kills": 6, "points": 3}))
        self.assertEqual({row["run"] for row in result["rows"]}, {"gemm.5", "gemm.7", "gemm.9", "unit_dma.1", "unit_zzz.1", "ring.1"})
        self.assertEqual(result["all"]["kills"], 1.0)
        self.assertEqual(result["tests"]["gemm"], {"runs": 3, "contributing": 3, "smallest": 3})
        self.assertEqual(json.loads(self.call(self.mutate, "--by", "met", "--json").stdout)["totals"], {"met": 6})
        text = self.call(self.mutate).stdout
        self.assertRegex(text, r"smallest set for 99 % +5 runs +7.8 s  100.0 % of kills\n")
        self.write_mutate(all_runs=False)
        self.assertIn("met: mutants met (an upper bound of kills)", self.call(self.mutate).stdout)
        self.assertIn("of the first run that noticed only", self.call(self.mutate, "--by", "kills").stdout)

    def test_the_record_comes_back(self):
        path = self.folder / "ranking.toml"
        self.assertEqual(self.call(self.mutate, "--record", "--to", path).returncode, 0)
        found = ranking.read(path)
        self.assertEqual(found.seconds, {("gemm", 5): 1.5, ("gemm", 7): 0.75, ("gemm", 9): 0.5, ("ring", 1): 1.0, ("unit_dma", 1): 4.0})
        self.assertEqual(found.files[DMA], {
            "mutants": 5, "met": {("gemm", 5): 3, ("gemm", 7): 3, ("gemm", 9): 1, ("unit_dma", 1): 2},
            "killed": {("gemm", 5): 2, ("gemm", 9): 1, ("unit_dma", 1): 2}})
        self.assertEqual(found.source["revisions"], ["cccccccccccc+"])
        text = path.read_text()
        ranking.write(path, found)
        self.assertEqual(path.read_text(), text)
        path.write_text(text.replace(SBUF, "rtl/mem/gone.sv").replace("ring = ", "gone = "))
        self.assertEqual(self.call("--record", "--to", path).returncode, 0)
        found = ranking.read(path)
        self.assertEqual((set(found.files), {test for test, _ in found.seconds}), ({DMA}, {"gemm", "unit_dma"}))

    def test_rejections_in_one_line(self):
        damaged = self.folder / "damaged"
        damaged.mkdir()
        (damaged / "result.json").write_text('{"rows": []}')
        self.coverage()
        empty = self.folder / "empty"
        empty.mkdir()
        (empty / "evidence.json").write_text('{"runs": []}')
        for words, says in (([], "RESULT is missing"), (["nowhere"], "nowhere/result.json: No such file"), ([damaged], "has no command"),
                            (["--coverage", empty], "no run in it left coverage data"), ([self.mutate, "--to", "x"], "--to belongs to --record"),
                            (["--record", "--to", self.folder / "x"], "there is no record yet"),
                            (["--record", "--coverage", "regress-smoke"], "--record needs a RESULT")):
            done = self.call(*words)
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), done.stderr)
            self.assertIn(says, done.stderr)

    def test_a_damaged_record(self):
        path = self.folder / "ranking.toml"
        begin = '[source]\n[seconds]\nring = { 1 = 2.5, 2 = 2.5 }\n[file."a.sv"]\nmutants = 3\n'
        for text, says in (("[seconds]\n[file]\n", "source: is missing"), ("[source]\n[seconds]\nring = 1\n[file]\n", "seconds.ring: must be a table"),
                           ("[source]\n[seconds]\nring = { x = 1 }\n[file]\n", "allowed seed = seconds"),
                           (begin + "met = { ring = [1] }\n", "one for each of its 2 seeds"), (begin + "met = { gone = 1 }\n", "gone = 1"),
                           (begin + "met = { ring = 4 }\n", "allowed a number up to 3"), (begin + "meet = {}\n", "unknown key")):
            path.write_text(text)
            with self.subTest(text), self.assertRaisesRegex(Refused, says):
                ranking.read(path)


class Prediction(unittest.TestCase):
    def test_each_mutant_is_told_from_the_others(self):
        """Seven mutants that `ring` meets and kills, one that only `gemm` meets: nobody could tell that from the others."""
        results = Results([], SUITES)
        results.complete, results.seconds = True, {"ring.1": 1.0, "gemm.1": 3.0}
        results.file = {(0, n): DMA for n in range(8)}
        results.met = results.killed = {"ring.1": {(0, n) for n in range(7)}, "gemm.1": {(0, 7)}}
        runs = [{"id": f"{test}.1", "kind": "test", "test": test, "seed": 1} for test in ("gemm", "ring")]
        self.assertEqual(predict(ROOT, SUITES, results, runs), {
            "killed": 8, "still_killed": 0.875, "time": round((7 * 1.0 + 0.25) / 8, 4), "first_kill_s": 1.0, "first_kill_usual_s": 4.0})
        results.complete = False
        self.assertIsNone(predict(ROOT, SUITES, results, runs))


class Record(unittest.TestCase):
    @unittest.skipUnless(RECORD.exists(), "nothing is recorded yet")
    def test_its_tests_and_files_exist(self):
        found = ranking.read(RECORD)
        self.assertEqual({test for test, _ in found.seconds} - SUITES.tests.keys(), set(), "see: scripts/dodeca rank --record")
        self.assertEqual(found.files.keys() - set(rtl.sources(ROOT)), set(), "see: scripts/dodeca rank --record")
        self.assertLess(RECORD.stat().st_size, 200 << 10)


if __name__ == "__main__":
    unittest.main()
