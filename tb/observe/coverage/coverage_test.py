#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Of scripts/commands/coverage.py: figures of a tiny design known by heart, exclusions, bad input."""
import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "coverage"))
import wires  # noqa: E402


def run(*args):
    return subprocess.run([sys.executable, "-I", ROOT / "scripts/start.py", "coverage", *map(str, args)], capture_output=True, text=True,
                          check=False)


class Tiny(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = Path(tempfile.mkdtemp())
        cls.run_dir = cls.dir / "run"
        cls.run_dir.mkdir()
        flags = f"-std=c++20 -include {HERE / 'count_toggles.h'}"
        subprocess.run(["verilator", "--cc", "--exe", "--coverage", "-Wno-fatal", "--Mdir", str(cls.dir / "obj"),
                        "--top-module", "tiny", str(HERE / "tiny.sv"), str(HERE / "tiny.cc"), "-CFLAGS", flags],
                       check=True, capture_output=True)
        shutil.copytree(cls.dir / "obj", cls.dir / "words")
        cls.words = subprocess.run([sys.executable, str(ROOT / "scripts/coverage/words.py"), str(cls.dir / "words")],
                                   check=True, capture_output=True, text=True).stdout
        for obj, dat in (("obj", cls.dir / "bits.dat"), ("words", cls.run_dir / "coverage.dat")):
            subprocess.run(["make", "-C", str(cls.dir / obj), "-f", "Vtiny.mk", "OPT_FAST=-O0", "OPT_SLOW=-O0",
                            "OPT_GLOBAL=-O0"], check=True, capture_output=True)
            subprocess.run([str(cls.dir / obj / "Vtiny"), str(dat)], check=True)
        (cls.run_dir / "functional.json").write_text('{"bins": {"a.x": 2, "a.y": 0}}')

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def merge(self, *args, runs=None, exclusions=""):
        file = self.dir / "exclusions.toml"
        file.write_text(exclusions)
        return run("merge", *(runs or [self.run_dir]), "--exclusions", file, *args)

    def figures(self, **kwargs):
        done = self.merge("--json", **kwargs)
        self.assertIn(done.returncode, (0, 4), done.stderr)
        return json.loads(done.stdout), done

    def test_figures_are_those_of_the_design(self):
        result, _ = self.figures()
        # clk, rst, count_q; two of four bits of value_i, sum_o and sum_q; the three shift registers.
        self.assertEqual((result["toggle"]["hit"], result["toggle"]["total"]),
                         (3 + 6 + 9 + 20 + 60, 3 + 12 + 32 + 40 + 70))
        # rst / not rst; value_i[3] / not: one of four sides is never taken.
        self.assertEqual((result["branch"]["hit"], result["branch"]["total"]), (3, 4))
        # The clocked block itself.
        self.assertEqual((result["line"]["hit"], result["line"]["total"]), (1, 1))
        self.assertEqual((result["functional"]["hit"], result["functional"]["total"]), (1, 2))
        self.assertEqual(list(result["by_block"]), ["a", "tiny"])
        self.assertEqual(result["by_block"]["a"]["functional"]["hit"], 1)

    def test_words_count_what_bits_count(self):
        self.assertEqual((self.dir / "bits.dat").read_text(), (self.run_dir / "coverage.dat").read_text())
        bits, words, alone = map(int, re.findall(r"\b\d+\b", self.words.rsplit(":", 1)[1]))
        self.assertGreater(bits, 12 + 32 + 40 + 70 - 8)  # all vectors, their constant bits perhaps not
        self.assertLess(words, 20)
        self.assertNotIn("fetch_add", "".join(f.read_text() for f in (self.dir / "words").glob("*.cpp")))

    def test_uncovered_names_file_and_line(self):
        text = self.merge("--uncovered").stdout
        self.assertIn("tb/observe/coverage/tiny.sv:29: branch", text)
        self.assertIn("functional: a.y", text)

    def test_exclusions_change_net_only_and_watch_the_source(self):
        entry = ('[[code]]\nfile = "tb/observe/coverage/tiny.sv"\ntype = "branch"\nname = "if"\nkind = "UNR"\n'
                 'reason = "the test, coverage_test, counts to three"\nsource = "{}"\n')
        bins = '[[functional]]\nbins = "a.y"\nkind = "LOW_RISK"\nreason = "a bin of this test, coverage_test"\n'
        result, done = self.figures(exclusions=entry.format("if (value_i[3]) begin") + bins)
        self.assertEqual(done.returncode, 0)
        self.assertEqual((result["branch"]["raw"], result["branch"]["net"]), (75.0, 100.0))
        self.assertEqual((result["functional"]["raw"], result["functional"]["net"]), (50.0, 100.0))
        _, done = self.figures(exclusions=entry.format("if (value_i[2]) begin"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("no line says", done.stderr)

    def test_false_exclusions_are_noticed(self):
        entry = ('[[code]]\nfile = "tb/observe/coverage/tiny.sv"\ntype = "branch"\nname = "{}"\nkind = "{}"\n'
                 'reason = "the test, coverage_test, counts to three"\nsource = "if (value_i[3]) begin"\n')
        for name, kind, words in (("*", "UNR", "cannot be reached, it says, but else was hit"),
                                  ("else", "LOW_RISK", "was hit; the exclusion is not needed"),
                                  ("case", "LOW_RISK", "has no branch point")):
            _, done = self.figures(exclusions=entry.format(name, kind))
            self.assertEqual(done.returncode, 4)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.figures(exclusions=entry.format("*", "LOW_RISK"))[1].returncode, 0)

    def test_data_of_two_checkouts_are_of_one_design(self):
        other = self.dir / "elsewhere"
        other.mkdir(exist_ok=True)
        text = (self.run_dir / "coverage.dat").read_text()
        self.assertIn(f"{ROOT}/", text)
        (other / "coverage.dat").write_text(text.replace(f"{ROOT}/", "/elsewhere/dodeca/"))
        one, _ = self.figures()
        both, _ = self.figures(runs=[self.run_dir, other])
        for kind in ("line", "branch", "toggle"):
            self.assertEqual(both[kind], one[kind])

    def test_goals(self):
        file = self.dir / "goals.toml"
        for text, status, words in (('line = 100\n"functional.a" = 50', 0, ""), ('"functional.a" = 51', 4, ""),
                                    ('"functional.b" = 1', 4, ""), ("lines = 5", 2, "goal.lines: allowed line"),
                                    ("line = 101", 2, "goal.line: is 101; allowed a percentage")):
            file.write_text("[goal]\n" + text)
            done = self.merge("--goals", file, "--gate", "--json")
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(words, done.stderr)
            if not words:
                self.assertEqual([g["met"] for g in json.loads(done.stdout)["goals"]],
                                 [True, True] if status == 0 else [False])

    def test_runs_add_up_by_chip(self):
        text = (self.run_dir / "coverage.dat").read_text()
        lines = [line for line in text.splitlines() if line.startswith("C '")]
        other = self.dir / "other"
        other.mkdir(exist_ok=True)
        with gzip.open(other / "coverage.dat.gz", "wt") as out:
            out.write("\n".join(line + (" 0" if line.endswith(" 0") else " 2") for line in lines) + "\n")
        result, _ = self.figures(runs=[self.run_dir, other])
        self.assertEqual(result["toggle"]["hit"], 98)
        self.assertEqual(result["by_chip"]["chip00"]["toggle"], 0.0)
        self.assertEqual(result["by_chip"]["chip01"]["toggle"], 62.42)

    def test_failed_runs_do_not_count(self):
        failed = self.dir / "failed"
        shutil.copytree(self.run_dir, failed, dirs_exist_ok=True)
        (failed / "result.json").write_text('{"status": "failed"}')
        result, _ = self.figures(runs=[failed])
        self.assertEqual((result["toggle"]["total"], result["runs_not_passed"]), (0, 1))

    def test_info_has_branches(self):
        self.merge("--info", self.dir / "info")
        text = (self.dir / "info" / "branch.info").read_text()
        self.assertIn("BRF:4\nBRH:3", text)
        for kind in ("line", "branch", "toggle"):
            page = self.dir / "html" / kind
            done = subprocess.run(["genhtml", "--branch-coverage", "-q", "-o", str(page),
                                   str(self.dir / "info" / f"{kind}.info")], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertTrue((page / "index.html").is_file())

    def test_bad_input(self):
        empty = self.dir / "empty"
        empty.mkdir(exist_ok=True)
        (empty / "coverage.dat").write_text("nothing\n")
        for args, words in (({"runs": [self.dir / "none"]}, "not a run directory"),
                            ({"runs": [empty]}, "no coverage record"),
                            ({"exclusions": "[[code]]\nfile = 1\n"}, "is missing"),
                            ({"exclusions": '[[functional]]\nbins = "a"\nkind = "UNR"\nreason = "cannot be reached"\n'}, "an argument"),
                            ({"exclusions": '[[code]]\nfile = "f"\nsource = "s"\ntype = "line"\nkind = "LOW_RISK"\n'
                                            'reason = "another test does it"\nproof = "ack"\n'}, "with kind UNR only"),
                            ({"exclusions": "[[coda]]\n"}, "unknown table")):
            done = self.merge(**args)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)


class Wires(unittest.TestCase):
    def test_what_is_only_passed_on_has_no_points(self):
        text = ("module m (\n  input logic a_i,\n  output logic b_o,\n  output logic c_o\n);\n"
                "  logic d, e;\n  logic [3:0] f [2];\n  x u (.d_o(d), .c_o(c_o));\n"
                "  assign b_o = d;\n  always_ff @(posedge a_i) f[d[1:0]] <= 1;\nendmodule\n")
        self.assertEqual(wires.passed_on(text, False), [2, 4, 6])
        self.assertEqual(wires.passed_on(text, True), [4, 6])


if __name__ == "__main__":
    unittest.main(verbosity=1)
