#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows of `scripts/dodeca bench`: products, the empty loop and the recommender, on the small board.

bench_test.py BOARD      BOARD: board_mini
"""
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
from bench import engines, models, products, programs, requests  # noqa: E402
from lib import arch, instruction_lines  # noqa: E402

programs.BUILD = pathlib.Path(sys.argv.pop(1)).parent
FIELDS = {"name", "chips", "size", "cycles", "utilization", "bound", "bound_cycles", "waited", "timed_by", "target", "measured", "met"}
# By hand: 32^3 on 2 arrays of 16 x 16; the bytes of A, B, C through two ports of 64 bytes in 2 cycles.
BOUNDS = {"array": 32 ** 3 / 512, "hbm": (2 * 32 * 32 + 2 * 32 * 32 + 4 * 32 * 32) / 64}


class Gemm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = products.bench_gemm(None, "mini", ((1, (32, 32, 32), 0.1), (2, (32, 48, 64), 0.99)))

    def test_one_call_gives_all_rows_with_all_fields(self):
        self.assertEqual([(row["name"], row["chips"], row["size"]) for row in self.rows],
                         [("empty_loop", 1, "8 instructions x 8 engines"), ("gemm", 1, "32x32x32"), ("gemm", 2, "32x48x64")])
        for row in self.rows:
            self.assertLessEqual(FIELDS, set(row))
            self.assertEqual(row["met"], row["measured"] >= row["target"])

    def test_the_empty_loop_issues_an_instruction_a_cycle(self):
        self.assertEqual(self.rows[0]["cycles"], products.LOOP)

    def test_nothing_is_above_its_roofline_or_works_and_waits_at_once(self):
        self.assertEqual(products.roofline("mini", 1, 32, 32, 32), BOUNDS)
        peak = arch.sizes("mini")["Partitions"] ** 2 * arch.sizes("mini")["Cores"]
        for row in self.rows[1:]:
            self.assertLess(row["bound_cycles"], row["cycles"])
            m, k, n = map(int, row["size"].split("x"))
            self.assertAlmostEqual(row["utilization"], m * k * n / (peak * row["chips"] * row["cycles"]), 3)
            self.assertLessEqual(row["utilization"] + sum(row["waited"].values()), 1.001)

    def test_what_is_slower_than_its_target_is_missed(self):
        self.assertEqual([row["met"] for row in self.rows], [True, True, False])


class Models(unittest.TestCase):
    def test_the_gain_of_chips_against_one_and_its_target(self):
        rows = models.scaling({1: 240000, 2: 150000, 12: 30000}, 12, 8.0)
        self.assertEqual([(row["chips"], row["measured"], row["efficiency"]) for row in rows], [(1, 1.0, 1.0), (2, 1.6, 0.8), (12, 8.0, 0.6667)])
        self.assertEqual([row["tokens_per_s"] for row in rows], [75000, 120000, 600000])
        self.assertEqual([row.get("met") for row in rows], [None, None, True])
        self.assertFalse(models.scaling({1: 240000, 12: 30001}, 12, 8.0)[-1]["met"])


class Instructions(unittest.TestCase):
    def test_rows_of_matmul_have_the_fields_of_instructions(self):
        row = engines.of_matmul({"name": "matmul", "format": "fp32", "n_stationary": 64, "n_moving": 128, "rtl_cycles": 513.0,
                               "published_cycles": 512, "ratio": 1.002, "target": 0.02, "measured": 0.002, "met": True})
        self.assertEqual((row["measured"], row["published"], row["target"], row["share"], row["met"]), (513.0, 512, 522.24, 1.002, True))
        moved = engines.of_matmul({"name": "transpose", "format": "fp32", "n_stationary": 64, "n_moving": 128, "rtl_cycles": 128.0,
                                   "published_cycles": 128, "ratio": 1.0, "target": 0.02, "measured": 0.0, "met": True})
        self.assertEqual((moved["instruction"], moved["formats"], moved["formula"]),
                         ("LOAD_BITS, TRANSPOSE_MOVING", "fp32 -> int32", "max(min(64, M), N)"))
        bubble = {"name": "bubble Tensor independent", "measured": 1.0, "target": 2.0, "met": True}
        self.assertIs(engines.of_matmul(bubble), bubble)


class Lines(unittest.TestCase):
    PATTERNS = instruction_lines.names_of({"One": {"form": "own"}, "Two": {"form": "shared"}, "Three": {"form": "shared"}})

    def owners(self, text):
        return {at: "".join(sorted(names)) for at, names in instruction_lines.owners_of(text, self.PATTERNS).items()}

    def test_a_line_that_names_one_has_what_is_indented_below_it(self):
        text = "if (form == FormOwn) begin\n  a;\n\n  // why\n  b;\nend else if (form == FormShared) begin\n  c;\nend"
        self.assertEqual(self.owners(text), {0: "One", 1: "One", 4: "One"})

    def test_what_several_have_together_is_of_all_of_them(self):
        self.assertEqual(self.owners("x = OpcodeTwo || OpcodeThree;\n  y;"), {0: "ThreeTwo"})
        text = "void work(int n) {\n  a;\n}\nswitch (x) {\n  case Opcode::One:\n    work(1);\n  case Opcode::Two:\n    work(2);\n}"
        self.assertEqual({at: self.owners(text)[at] for at in (0, 1, 4, 5, 6, 7)},
                         {0: "OneTwo", 1: "OneTwo", 4: "One", 5: "One", 6: "Two", 7: "Two"})
        self.assertNotIn(0, self.owners(text + "\nwork(3);"), "somebody else calls it, too")

    def test_units_exist_and_their_instructions_do(self):
        found = instruction_lines.count(ROOT)
        for path, names in instruction_lines.UNITS.items():
            self.assertTrue((ROOT / path).is_file(), path)
            self.assertLessEqual(set(names), set(found))
        self.assertEqual({name for name, parts in found.items() if parts["row"] < 5}, set())


class Recommender(unittest.TestCase):
    def test_latency_is_queueing_and_service_and_grows_with_the_rate(self):
        low, high = requests.bench_recommender(None, "mini", 2, 24, (0.1, 2.0))
        for row in (low, high):
            self.assertEqual(row["requests"], 24)
            for part in ("queue_us", "service_us"):
                self.assertLessEqual(row[part]["max"], row["latency_us"]["max"])
            for part in ("latency_us", "queue_us", "service_us"):
                values = [row[part][name] for name in ("p50", "p99", "p999", "max")]
                self.assertEqual(values, sorted(values))
        self.assertEqual(low["queue_us"]["p50"], 0)
        self.assertGreater(high["queue_us"]["p50"], high["service_us"]["p50"])
        self.assertGreater(high["answered_per_s"], 3 * low["answered_per_s"])


if __name__ == "__main__":
    unittest.main()
