#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutants: what of a source is changed and what is not, the source that holds them, verdicts, rejections."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
from lib import rtl  # noqa: E402
from lib.errors import Refused  # noqa: E402
from mutate import bugs  # noqa: E402
from mutate.blocks import NEAR, RIGHT, blame  # noqa: E402
from mutate.operators import number, of_region  # noqa: E402
from mutate.report import summary  # noqa: E402
from mutate.sample import Mutant, sample, shares  # noqa: E402
from mutate.schemata import Edit, Overlap, with_edits  # noqa: E402
from mutate.static import noticed  # noqa: E402
from mutate.syntax import regions  # noqa: E402
from mutate.tree import Tree  # noqa: E402
from mutate.triage import Triage  # noqa: E402
from mutate.trial import Log, Trials, Verdict  # noqa: E402

SOURCE = """`include "assert.svh"
module box #(parameter int unsigned Depth = 4 + 1) (
  input logic clk_i, rst_ni, input logic [Depth-1:0] a_i, b_i, output logic [7:0] y_o);
  localparam int unsigned Half = Depth / 2;
  logic unused;
  assign unused = ^a_i;
  logic [7:0] sum;  // a comment: a && b
  function automatic logic [7:0] plus(input logic [7:0] x, y);
    if (x > 8'd200) return 8'd7;
    plus = x + y;
  endfunction
  always_comb begin
    sum = '0;
    for (int unsigned i = 0; i < Depth; i++) begin
      if (a_i[i] && !b_i[i]) sum = plus(sum, 8'd1);
    end
    unique case (a_i[1:0])
      2'd1: sum = sum - 8'd3;
      default: ;
    endcase
  end
  always_ff @(posedge clk_i) begin
    y_o <= b_i[0] ? sum
                  : y_o;
    if (y_o == 8'd1) begin
      Small_A: assert ({1'b0, sum} < 9'd310);
    end
  end
  function automatic logic is_low(input logic [7:0] x);
    is_low = x < 8'd250;
  endfunction
  `ASSERT_NOW(Never_A, {1'b0, sum} < 9'd300 || is_low(sum))
endmodule
"""
MAIN = """#include "Vbox.h"
#include <cstdio>
#include <cstdlib>
#include "verilated.h"
int main() {
  VerilatedContext context; Vbox box{&context};
  for (unsigned i = 0; i < 40; ++i) { box.rst_ni = 1; box.a_i = i % 32; box.b_i = i * 7 % 32; box.clk_i = 0; box.eval(); box.clk_i = 1; box.eval();
    std::printf("%d ", box.y_o); }
}
"""


def changes(text):
    return [c for region in regions(text) for c in of_region(region, text)]


def module(line):
    return f"module m;\n  {line}\nendmodule\n"


class Syntax(unittest.TestCase):
    def places(self):
        return {(region.context, " ".join(SOURCE[region.root.start:region.root.end].split())) for region in regions(SOURCE)}

    def test_what_runs_is_read(self):
        for place in (("condition", "x > 8'd200"), ("value", "8'd7"), ("assignment", "plus = x + y;"),
                      ("condition", "a_i[i] && !b_i[i]"), ("assignment", "y_o <= b_i[0] ? sum : y_o;"), ("value", "a_i[1:0]")):
            self.assertIn(place, self.places())

    def test_what_is_fixed_or_only_asserts_is_not(self):
        texts = " ".join(text for _, text in self.places())
        for fixed in ("Depth / 2", "i < Depth", "2'd1", "310", "300", "250", "^a_i", "y_o == 8'd1"):
            self.assertNotIn(fixed, texts)

    def test_all_of_the_rtl_is_read(self):
        places = sum(len(regions((ROOT / file).read_text())) for file in rtl.sources(ROOT))
        self.assertGreater(places, 4000)


class Operators(unittest.TestCase):
    def test_each_kind(self):
        for line, operator, after in (
                ("assign x = a + b;", "arithmetic", "a - b"), ("assign x = a && b;", "logic", "a || b"),
                ("assign x = a && b;", "term dropped", "b"), ("assign x = a < b;", "boundary", "a <= b"),
                ("assign x = a < b;", "order", "a >= b"), ("assign x = a == b;", "equality", "a != b"),
                ("assign x = a << 2;", "shift", "a >> 2"), ("assign x = !a;", "inversion dropped", "a"),
                ("assign x = c ? a : b;", "arms swapped", "c ? b : a"), ("assign x = p[1];", "index", "p[2]"),
                ("assign x = p[i];", "index", "p[(i) + 1'd1]"), ("assign x = |a;", "logic", "&a"),
                ("assign x = 4'd7;", "constant", "4'd8"), ("always_comb if (a) x = b;", "condition forced", "1'b1"),
                ("always_comb if (a) x = b;", "condition negated", "!(a)"), ("always_comb x = b;", "assignment dropped", ""),
                ("sub u (.a_i(p[1]), .b_o(q[1]));", "index", "p[0]")):
            found = {(c.operator, c.after) for c in changes(module(line))}
            self.assertIn((operator, after), found, line)

    def test_outputs_and_widths_stay(self):
        self.assertEqual(changes(module("sub u (.b_o(q[1]));")), [])
        self.assertEqual({c.after for c in changes(module("assign x = a[3:0];"))}, set())
        self.assertEqual({c.after for c in changes(module("assign x = a[2 +: 4];"))}, {"3", "1"})

    def test_numbers(self):
        self.assertEqual(number("'0"), ["'1"])
        self.assertEqual(number("1'b0"), ["1'b1"])
        self.assertEqual(number("4'hf"), ["4'h0", "4'he"])
        self.assertEqual(number("0"), ["1"])


class Schemata(unittest.TestCase):
    def test_lines_stay_and_edits_nest(self):
        text = "assign x = a &&\n    b;\n"
        start, end = text.index("= ") + 2, text.index(";")
        inner = text.index("b;")
        out = with_edits(text, [Edit(1, start, end, "a", False), Edit(2, inner, inner + 1, "c", False)])
        self.assertEqual(out.count("\n"), text.count("\n"))
        self.assertIn("mutant(1, ", out)
        self.assertIn("mutant(2, ", out)
        with self.assertRaises(Overlap):
            with_edits("abcdef", [Edit(1, 0, 3, "x", False), Edit(2, 2, 5, "y", False)])

    def test_without_a_mutant_the_same_with_one_another(self):
        """Verilated: each mutant by itself, and whether it says that it was met."""
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            chosen = sample({"box.sv": SOURCE}, 40, 3, {})
            edits = [Edit(n, c.start, c.end, c.after, c.operator == "assignment dropped", c.wider)
                     for n, (_, c) in enumerate(chosen, 1)]
            plain, mutated = (self.program(place / name, with_edits(SOURCE, some))
                              for name, some in (("plain", []), ("mutants", edits)))
            design = self.output(plain, 0)
            met = self.met(mutated, place)
            self.assertEqual(self.output(mutated, 0), design)
            differ = {e.number for e in edits if self.output(mutated, e.number) != design}
            self.assertGreater(len(differ), len(edits) // 3)
            self.assertLessEqual(differ, met)

    @staticmethod
    def program(place, source):
        place.mkdir()
        (place / "box.sv").write_text(source)
        (place / "main.cc").write_text(MAIN)
        subprocess.run(["verilator", "--cc", "--exe", "--assert", "--no-timing", "-Wno-fatal", "-Wno-lint", "-Wno-style",
                        f"+incdir+{ROOT}/rtl/prim", "--Mdir", "obj", "-CFLAGS", f"-std=c++20 -I{ROOT} -include tb/dut/mutants.h",
                        "box.sv", "main.cc", str(ROOT / "tb/dut/mutants.cc")], cwd=place, check=True, capture_output=True)
        subprocess.run(["make", "-s", "-C", "obj", "-f", "Vbox.mk", "CXX=clang++-19", "LINK=clang++-19", "OPT_FAST=-O0",
                        "OPT_SLOW=-O0", "OPT_GLOBAL=-O0"], cwd=place, check=True, capture_output=True)
        return place / "obj/Vbox"

    @staticmethod
    def output(program, number, **more):
        return subprocess.run([program], env=os.environ | {"DODECA_MUTANT": str(number)} | more, check=True,
                              capture_output=True, text=True).stdout

    def met(self, program, place):
        folder = place / "met"
        folder.mkdir()
        self.output(program, 0, DODECA_MUTANTS_MET=str(folder))
        return {int(word) for file in folder.iterdir() for word in file.read_text().split()}


class Written(unittest.TestCase):
    def test_an_equal_tree_is_not_written_again(self):
        with tempfile.TemporaryDirectory() as place:
            folder, times = pathlib.Path(place), []
            for _ in range(2):
                tree = Tree(ROOT, folder, ["fabric/rtl/control/fabric_counters.sv"], 400, 1, [])
                dropped = tree.drop_broken()
                times.append({path: path.stat().st_mtime_ns for path in folder.rglob("*.sv")})
            self.assertEqual(times[0], times[1])
            self.assertGreater(dropped, 0)
            self.assertIn('$c1("mutant(', (folder / "fabric/rtl/control/fabric_counters.sv").read_text())


class Verdicts(unittest.TestCase):
    MUTANTS = [Mutant(n, f"rtl/dma/{'ab'[n % 2]}.sv", n, "logic", "x", "y", "assign z = x;") for n in range(1, 5)]

    def test_score_counts_what_can_be_seen(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "survivors.toml"
            path.write_text('[[survivor]]\nfile = "rtl/dma/a.sv"\nsource = "assign z = x;"\nbefore = "x"\nafter = "y"\n'
                            'kind = "equivalent"\nbecause = "x is y"\n')
            verdicts = [Verdict(1, "killed", "smoke", "ring.1", True, "dma"), Verdict(2, "survived"),
                        Verdict(3, "timeout", "test", "unit_dma.1"), Verdict(4, "unmet")]
            result = summary(self.MUTANTS, verdicts, Triage(path), ["smoke", "test"])
        self.assertEqual(result["score"], {"smoke": 0.5, "test": 1.0})
        self.assertEqual(result["blame"]["right"], 1)
        self.assertEqual(result["killed_by_the_clock"], 1)

    def test_blame(self):
        self.assertEqual(blame("rtl/dma/dma.sv", "dma"), "right")
        self.assertEqual(blame("rtl/dma/dma.sv", "mem_xbar"), "neighbour")
        self.assertEqual(blame("rtl/dma/dma.sv", "tensor_array"), "wrong")
        self.assertEqual(blame("rtl/dma/dma.sv", ""), "none")
        for file in rtl.sources(ROOT):
            blame(file, "")

    def test_blocks_are_those_of_a_diagnosis(self):
        known = {*bugs.blocks(ROOT), "hbm", "chip"}
        named = {block for _, words in RIGHT for block in words.split()} | NEAR.keys() | {
            block for words in NEAR.values() for block in words.split()}
        self.assertEqual(named - known, set())

    def test_source_is_read(self):
        file = "fabric/rtl/ni/fabric_bucket.sv"
        text = (ROOT / file).read_text()
        self.assertEqual(noticed(ROOT, {file: text}), ("", ""))
        for before, after, check in (("assign hold_o   = rate_q != '0 &&", "assign hold_o   = 1'b0 &&", "proof"),
                                     ("  assign hold_o   = rate_q != '0 && flits > FlitBits'(burst_q);\n", "", "lint")):
            self.assertEqual(noticed(ROOT, {file: text.replace(before, after)})[0], check)

    def test_triage_is_fresh(self):
        sources = {file: (ROOT / file).read_text() for file in rtl.sources(ROOT)}
        self.assertEqual(Triage(ROOT / "regress/survivors.toml").stale(sources), [])

    def test_every_file_has_a_share(self):
        given = shares({"a": 100, "b": 1, "c": 50}, 30)
        self.assertEqual((sum(given.values()), given["b"]), (30, 1))

    def test_same_seed_same_mutants(self):
        one, two, other = (sample({"box.sv": SOURCE}, 9, seed, {}) for seed in (1, 1, 2))
        self.assertEqual(one, two)
        self.assertNotEqual(one, other)


class Judging(unittest.TestCase):
    """Trials whose runs end as they are told."""
    RUNS = {"smoke": [{"id": f"{name}.1", "board": True, "target": "board_mini"} for name in ("ring", "gemm", "away")],
            "test": [{"id": "unit_dma.1", "board": False, "target": "dma_test"}]}

    def judge(self, ends, all_runs, met=("ring.1", "gemm.1", "unit_dma.1")):
        with tempfile.TemporaryDirectory() as folder:
            trials = Trials(pathlib.Path(folder), pathlib.Path(folder), self.RUNS, lambda _number: ("", ""), all_runs)
            trials.met = {run["id"]: {7} if run["id"] in met else set() for runs in self.RUNS.values() for run in runs}
            trials.seconds = {"ring.1": 1.0, "gemm.1": 2.0, "away.1": 1.0, "unit_dma.1": 1.0}
            trials.run = lambda run, number, timeout: ({"state": ends[run["id"]], "times": {"wall_s": 2.0}, "message":
                                                        "earliest cause: chip 0 core 0 dma (x), y"}, set())
            return trials.judge(Mutant(7, "rtl/dma/a.sv", 1, "logic", "x", "y", ""))

    def test_the_first_that_notices_or_all_of_them(self):
        ends = {"ring.1": "passed", "gemm.1": "timeout", "unit_dma.1": "failed"}
        for all_runs, killers, ran in ((False, ("gemm.1",), 2), (True, ("gemm.1", "unit_dma.1"), 3)):
            verdict = self.judge(ends, all_runs)
            self.assertEqual((verdict.killers, verdict.runs, verdict.seconds), (killers, ran, 2.0 * ran))
            self.assertEqual((verdict.state, verdict.layer, verdict.run, verdict.cause), ("timeout", "smoke", "gemm.1", "dma"))

    def test_kills_near_by_are_tried_first(self):
        trials = Trials(pathlib.Path(), pathlib.Path(), self.RUNS, None)
        trials.seconds = {"ring.1": 1.0, "gemm.1": 2.0, "away.1": 4.0}
        near, far = (Mutant(7, file, 1, "logic", "x", "y", "") for file in ("rtl/dma/a.sv", "fabric/rtl/link/b.sv"))
        trials.killed(near, ["away.1"] * 8)
        first = [trials.order("smoke", mutant)[0]["id"] for mutant in (near, far)]
        self.assertEqual(first, ["away.1", "away.1"])
        trials.killed(far, ["ring.1"])
        self.assertEqual([trials.order("smoke", mutant)[0]["id"] for mutant in (near, far)], ["away.1", "ring.1"])

    def test_nobody_notices_or_could(self):
        ends = dict.fromkeys(("ring.1", "gemm.1", "unit_dma.1"), "passed")
        self.assertEqual((self.judge(ends, True).state, self.judge(ends, True).runs), ("survived", 3))
        self.assertEqual(self.judge(ends, True, met=()).state, "unmet")

    def test_the_log_keeps_the_killers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "verdicts.jsonl"
            Log(path).add(Verdict(7, "killed", killers=("gemm.1", "ring.1")))
            self.assertEqual(list(Log(path).verdicts[7].killers), ["gemm.1", "ring.1"])


class Rejections(unittest.TestCase):
    def call(self, *words):
        return subprocess.run([ROOT / "scripts/dodeca", "mutate", *words], capture_output=True, text=True)

    def test_in_one_line(self):
        for words, says in ((["--files", "README.md"], "no source of the RTL is called so"),
                            (["--files", "rtl/mem/mem_if.sv"], "no place for a mutant"),
                            (["--resume", "--n", "1"], "nothing to go on with")):
            done = self.call(*words)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertIn(says, done.stderr)

    def test_survivors_without_a_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "survivors.toml"
            path.write_text('[[survivor]]\nfile = "a"\nsource = "b"\nbefore = "c"\nafter = "d"\nkind = "ugly"\nbecause = "e"\n')
            with self.assertRaisesRegex(Refused, "kind is 'ugly', allowed equivalent"):
                Triage(path)


if __name__ == "__main__":
    unittest.main()
