#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Of scripts/coverage.py: figures of a tiny design known by heart, exclusions, bad input."""
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOL = ROOT / "scripts" / "coverage.py"
sys.path.insert(0, str(ROOT / "scripts" / "coverage"))
import wires  # noqa: E402


def run(*args):
    return subprocess.run([sys.executable, str(TOOL), *map(str, args)], capture_output=True, text=True,
                          check=False)


class Tiny(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = Path(tempfile.mkdtemp())
        cls.run_dir = cls.dir / "run"
        cls.run_dir.mkdir()
        subprocess.run(["verilator", "--cc", "--exe", "--build", "--coverage", "-Wno-fatal", "--Mdir",
                        str(cls.dir / "obj"), "--top-module", "tiny", str(HERE / "tiny.sv"),
                        str(HERE / "tiny.cc"), "-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"],
                       check=True, capture_output=True)
        subprocess.run([str(cls.dir / "obj" / "Vtiny"), str(cls.run_dir / "coverage.dat")], check=True)
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
        # clk, rst, count_q; two of four bits of value_i, sum_o and sum_q.
        self.assertEqual((result["toggle"]["hit"], result["toggle"]["total"]), (9, 15))
        # rst / not rst; value_i[3] / not: one of four sides is never taken.
        self.assertEqual((result["branch"]["hit"], result["branch"]["total"]), (3, 4))
        # The clocked block itself.
        self.assertEqual((result["line"]["hit"], result["line"]["total"]), (1, 1))
        self.assertEqual((result["functional"]["hit"], result["functional"]["total"]), (1, 2))
        self.assertEqual(list(result["by_block"]), ["tiny"])

    def test_uncovered_names_file_and_line(self):
        text = self.merge("--uncovered").stdout
        self.assertIn("tb/coverage/tiny.sv:20: branch", text)
        self.assertIn("functional: a.y", text)

    def test_exclusions_change_net_only_and_watch_the_source(self):
        entry = ('[[code]]\nfile = "tb/coverage/tiny.sv"\ntype = "branch"\nkind = "UNR"\n'
                 'reason = "the test counts to three"\nsource = "{}"\n')
        bins = '[[functional]]\nbins = "a.y"\nkind = "LOW_RISK"\nreason = "a bin of this test"\n'
        result, done = self.figures(exclusions=entry.format("if (value_i[3]) begin") + bins)
        self.assertEqual(done.returncode, 0)
        self.assertEqual((result["branch"]["raw"], result["branch"]["net"]), (75.0, 100.0))
        self.assertEqual((result["functional"]["raw"], result["functional"]["net"]), (50.0, 100.0))
        _, done = self.figures(exclusions=entry.format("if (value_i[2]) begin"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("no line says", done.stderr)

    def test_runs_add_up_by_chip(self):
        text = (self.run_dir / "coverage.dat").read_text()
        lines = [line for line in text.splitlines() if line.startswith("C '")]
        other = self.dir / "other"
        other.mkdir(exist_ok=True)
        with gzip.open(other / "coverage.dat.gz", "wt") as out:
            out.write("\n".join(line + (" 0" if line.endswith(" 0") else " 2") for line in lines) + "\n")
        result, _ = self.figures(runs=[self.run_dir, other])
        self.assertEqual(result["toggle"]["hit"], 9)
        self.assertEqual(result["by_chip"]["chip00"]["toggle"], 0.0)
        self.assertEqual(result["by_chip"]["chip01"]["toggle"], 60.0)

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

    def test_bad_input(self):
        empty = self.dir / "empty"
        empty.mkdir(exist_ok=True)
        (empty / "coverage.dat").write_text("nothing\n")
        for args, words in (({"runs": [self.dir / "none"]}, "not a run directory"),
                            ({"runs": [empty]}, "no coverage record"),
                            ({"exclusions": "[[code]]\nfile = 1\n"}, "is missing"),
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
