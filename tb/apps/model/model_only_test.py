#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The golden model alone against the board: same commit hash, same errors, same judgement.

model_only_test.py BOARD_MODEL BOARD_MINI GROUP      GROUP: hashes, input, programs
"""
import json
import math
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

MODEL, BOARD = sys.argv[1:3]
SCENARIOS = ("digits", "gemm", "ring", "busy", "corners", "errors", "noise", "tenants", "relay", "loops", "gather",
             "softmax", "layernorm", "mlp-gelu", "attention", "embedding", "conv", "collective", "lm",
             "recommender", "grammar")
SHORT = {"lm": ("--prompt", "C", "--tokens", 1)}  # all weights of a model for each character


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
            # Tenants need somebody to keep out.
            for seed, chips in ((1, 4), (2, 4), (3, 4), (1, 1))[:3 if scenario == "tenants" else 4]:
                args = (scenario, "--seed", seed, "--chips", chips, *SHORT.get(scenario, ()))
                rtl = self.run_program(BOARD, *args)[0]
                model = self.model(*args)[0]
                for key in ("commit_hash", "program_hash", "status", "scenario", "config", "seed", "chips", "cores"):
                    self.assertEqual(model[key], rtl[key], (scenario, seed, chips, key))
                for key in ("instructions", "descriptors", "messages"):
                    self.assertEqual(model["metrics"][key], rtl["metrics"][key], (scenario, seed, chips, key))
                # A receiver tells the host its first rejection only.
                # A receiver's rejections are the chip's: which of its two ports tells them is a matter of routes.
                # The host is told an instruction, not which time it was executed.
                told = [{re.sub(r"core \d (?=Rx)|, visit \d+", "", text) for text in run["metrics"].get("errors", [])} for run in (model, rtl)]
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

    def test_products_of_any_size_and_format(self):
        for args in (("--size", 1), ("--size", "5,1000,7", "--chips", 3), ("--size", "300,9,200", "--chips", 5),
                     ("--size", "67,3000,93", "--format", "fp32", "--chips", 2),
                     *(("--size", "67,111,93", "--format", name) for name in
                       ("bf16", "fp16", "fp8e5m2", "fp8e4m3", "fp8e3m4", "tf32", "int8"))):
            metrics = self.model("gemm", *args, "--races")[0]["metrics"]
            self.assertEqual(metrics["elements_wrong"], 0, args)

    def test_operands_once_on_the_board(self):
        """The same C, and a K tile that ends with a row; what the host writes is less, chips send the rest."""
        for args in (("--size", "97,401,83", "--chips", 2), ("--size", "100,500,200"), ("--size", "1,300,90", "--chips", 5)):
            once, twice = (self.model("gemm", *args, *more, "--races", "--npy")[0] for more in (("--once",), ()))
            self.assertEqual([result["metrics"]["elements_wrong"] for result in (once, twice)], [0, 0])
        args = "gemm", "--size", "97,401,83", "--once", "--chips", 3
        rtl, model = self.run_program(BOARD, *args)[0], self.model(*args)[0]
        self.assertEqual(rtl["commit_hash"], model["commit_hash"])
        self.assertGreater(rtl["metrics"]["flits"], 0)
        self.assertIn("--once", rtl["repro"])
        _, text = self.model("gemm", "--once", status=2)
        self.assertIn("allowed with --size", text)

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
                                (("ring", "--size", "48"), "--size; allowed with gemm only, not with ring"),
                                (("--program", "x", "--size", "48"), "--size; allowed with gemm only")):
                _, text = self.run_program(program, *args, status=2)
                self.assertEqual(text.count("\n"), 1, text)
                self.assertIn(about, text)

    def test_groups_that_are_none_in_one_line(self):
        for program in (MODEL, BOARD):
            for group, about in (("0,1,0", "group rank 2: chip 0 core 0, allowed once, rank 0"),
                                 ("0,12", "group rank 1: chip 12, allowed 0..11"),
                                 ("3.2", "group rank 0: core 2, allowed 0..1"),
                                 ("0,,1", "allowed chips or CHIP.CORE"), ("0,1.", "allowed chips or CHIP.CORE"),
                                 ("0 1", "allowed chips or CHIP.CORE"), ("-1", "allowed chips or CHIP.CORE")):
                _, text = self.run_program(program, "collective", "--length", 1, "--group=" + group, status=2)
                self.assertEqual(text.count("\n"), 1, text)
                self.assertIn(about, text)
            for args, about in ((("collective", "--length", 1, "--group", ""), '--group: is ""'),
                                (("collective", "--group", "0,1"), "--group; allowed with --length"),
                                (("ring", "--group", "0,1"), "--group; allowed with collective only"),
                                (("ring", "--order-independent"), "--order-independent; allowed with collective only")):
                self.assertIn(about, self.run_program(program, *args, status=2)[1])

    def test_texts_in_one_line_that_says_what_is_allowed(self):
        for program in (MODEL, BOARD):
            for args, about in ((("lm", "--prompt", "a~b"), 'character 2 is "~"; allowed those of the text'),
                                (("lm", "--prompt", ""), "--prompt"),
                                (("lm", "--prompt", "Call me", "--tokens", 15, "--chips", 1), "allowed 21 together"),
                                (("lm", "--chips", 5), "allowed 1, 2, 3, 4, 6, 12"),
                                (("lm", "--temperature", "hot"), "allowed 0 .. 100"), (("lm", "--temperature", 101), "allowed 0 .. 100"),
                                (("lm", "--batch", 0), "allowed 1 .. 96"), (("lm", "--batch", 97), "allowed 1 .. 96"),
                                (("lm", "--prompt", "a", "--prompt", "b", "--batch", 3), "allowed 2, or one --prompt"),
                                (("ring", "--temperature", 1), "--temperature; allowed with lm only"),
                                (("ring", "--batch", 2), "--batch; allowed with lm only")):
                _, text = self.run_program(program, *args, status=2)
                self.assertEqual(text.count("\n"), 1, text)
                self.assertIn(about, text)

    def test_registers_are_refused_and_not_listed(self):
        self.assertIn("allowed without --model-only", self.model("registers", status=2)[1])
        listed = subprocess.run([MODEL, "list"], capture_output=True, text=True, check=True).stdout
        self.assertEqual({line.split()[0] for line in listed.splitlines()}, set(SCENARIOS))


class Programs(ModelTest):
    def call(self, program, *args, status=0, cwd=None):
        done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=600, cwd=cwd)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr

    def test_a_saved_program_is_the_one_that_would_have_run(self):
        out = pathlib.Path(self.out)
        for program, scenario in ((MODEL, "gemm"), (BOARD, "ring"), (MODEL, "registers"), (BOARD, "registers")):
            words = (scenario, "--chips", 2, "--seed", 5, "--config", "mini")
            saved = {}
            for ending in (".dasm", ".prog"):
                file = out / (scenario + ending)
                stdout, _ = self.call(program, *words, "--save", file, "--out", out / "none")
                saved[ending] = re.fullmatch(rf"program: {file} \(([0-9a-f]{{16}})\)\n", stdout)[1]
                self.assertFalse((out / "none").exists())
            self.assertEqual(saved[".dasm"], saved[".prog"])
            if scenario == "registers":
                continue
            wanted = json.loads(self.call(program, *words, "--json", "--out", out)[0])
            for words in ((out / f"{scenario}.dasm",), ("--program", out / f"{scenario}.dasm"), (out / f"{scenario}.prog",)):
                for runs in (BOARD, MODEL):  # each knows the configuration from the file
                    got = json.loads(self.call(runs, *words, "--json", "--out", out)[0])
                    self.assertEqual((got["program_hash"], got["config"]), (wanted["program_hash"], "mini"))
                    self.assertEqual(got["commit_hash"], wanted["commit_hash"])
            again = json.loads(self.call(MODEL, out / f"{scenario}.dasm", "--save", out / "again.dasm", "--json")[0])
            self.assertEqual(again["program_hash"], wanted["program_hash"])
            self.assertEqual((out / "again.dasm").read_bytes(), (out / f"{scenario}.dasm").read_bytes())

    def test_a_loop_without_a_way_out_is_named(self):
        file = pathlib.Path(self.out) / "loop.dasm"
        file.write_text("config mini\nchips 1\nsegment chip 0 at 0x1000\n stream core 0 Act\n  NOP\n"
                        "  BRANCH eq r0 += 0 r0 to 0\n  END\n")
        _, text = self.call(MODEL, file, "--steps", 1000, "--out", self.out, status=1)
        self.assertIn(f"no end in sight: chip 0 core 0 Act pc 0, visit 501 ({file}:5): 1000 instructions and no END; next: NOP\n", text)

    def test_the_line_that_repeats_a_failed_run_does(self):
        folder = pathlib.Path(self.out) / "a user's folder"
        folder.mkdir()
        file = folder / "reads.dasm"  # bytes of SBUF that nobody wrote
        file.write_text("config mini\nchips 2\nsegment chip 1 at 0x1000\n ring core 0 Dma0\n"
                        "  DMA 1 rows x 64 B 0xfffc4000000 (+0) -> chip 1 0x4000 (+0) update 0.1 += 1\n"
                        " stream core 0 Sync\n  DMA_TRIGGER dma 0 x 1\n  END wait 0.1 >= 1\n")
        for options in ((), ("--races", "--order-seed", "7", "--npy", "--config", "mini")):
            said, line = [], (str(file), *options)
            for _ in range(2):
                _, text = self.call(MODEL, *line, "--out", self.out, status=1)
                self.assertIn("reads bytes that nobody has written", text)
                repro = re.search(r"^repro: (scripts/dodeca run .*)$", text, re.M)[1]
                line = shlex.split(repro)[2:]
                result = json.loads((pathlib.Path(self.out) / "latest/result.json").read_text())
                said.append((repro, text, result["repro"], result["commit_hash"], result["program_hash"]))
            self.assertEqual(*said)
            for option in ("--model-only", *options):
                self.assertIn(option, line)

    def test_what_is_wrong_is_refused_in_one_line(self):
        out = pathlib.Path(self.out)
        file = out / "x.dasm"
        self.call(MODEL, "ring", "--chips", 2, "--config", "mini", "--save", file)
        bad = out / "bad.dasm"
        bad.write_text("config mini\nchips 2\nsegment chip 0 at 0\n stream core 0 Sync\n  STOP\n")
        for args, about in (((file, "--config", "inf2"), f"--config is inf2; {file} allows mini"),
                            ((bad,), f"{bad}:5:3: \"STOP\"; allowed NOP, END, "),
                            ((out / "none.dasm",), "none.dasm: cannot be opened"),
                            ((file, "--program", file), "both a scenario and --program given"),
                            (("ring", "--save", out / "x.txt"), "allowed FILE.dasm (text), FILE.prog"),
                            ((file, "--chips", 3), "--chips is 3; ")):
            _, text = self.call(MODEL, *args, "--out", out, status=2)
            self.assertEqual(text.count("\n"), 1, text)
            self.assertIn(about, text)
        self.call(MODEL, "ring", "--save", "/dev/full/x.dasm", status=3)

    def npy(self, name, descr, code, rows, order="False", shape=None):
        """A .npy of these rows of numbers, as numpy writes it."""
        shape = shape or (len(rows), len(rows[0]))
        header = repr({"descr": descr, "fortran_order": order == "True", "shape": shape}).encode()
        header += b" " * (117 - len(header)) + b"\n"
        data = b"".join(struct.pack("<" + code, number) if code != "bf16" else struct.pack("<f", number)[2:]
                        for row in rows for number in row)
        file = pathlib.Path(self.out) / name
        file.write_bytes(b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + data)
        return file

    @staticmethod
    def fp8e4m3(number):
        """The byte of a whole number of at most four significant bits."""
        exponent = math.frexp(abs(number))[1] - 1 if number else -7
        return (number < 0) << 7 | (exponent + 7) << 3 | int(abs(number) * 2.0 ** (3 - exponent)) & 7

    def product(self, run):
        """C out of the parts of all cores."""
        result = json.loads((run / "result.json").read_text())
        parts = []
        rows, columns = map(int, result["metrics"]["split"].split(" x "))
        for core in range(rows * columns):
            data = (run / f"c{core // 2}.{core % 2}.npy").read_bytes()
            header, _, data = data[10:].partition(b"\n")
            self.assertIn(b"'descr': '<f4'", header)
            width = int(re.search(rb"'shape': \(\d+, (\d+)\)", header)[1])
            numbers = struct.unpack(f"<{len(data) // 4}f", data)
            parts.append([list(numbers[at:at + width]) for at in range(0, len(numbers), width)])
        return [sum(row, []) for at in range(0, len(parts), columns) for row in zip(*parts[at:at + columns])]

    def test_a_product_of_ones_own_matrices(self):
        a = [[(5 * i + 3 * j) % 15 - 7 for j in range(20)] for i in range(9)]
        b = [[(7 * i + 2 * j) % 13 - 6 for j in range(11)] for i in range(20)]
        c = [[sum(a[i][k] * b[k][j] for k in range(20)) for j in range(11)] for i in range(9)]
        byte = [[self.fp8e4m3(x) for x in row] for row in a], [[self.fp8e4m3(x) for x in row] for row in b]
        seen = set()
        for program in (MODEL, BOARD):
            for descr, code, options in (("<f4", "f", ()), ("<f4", "f", ("--format", "tf32")), ("<f2", "e", ()),
                                         ("<V2", "bf16", ()), ("|V2", "bf16", ("--format", "bf16")), ("|i1", "b", ()),
                                         ("|u1", "B", ("--format", "fp8e4m3"))):
                for seed in (1, 2) if program == MODEL else (1,):
                    with self.subTest(program=program, descr=descr, options=options, seed=seed):
                        rows = byte if code == "B" else (a, b)
                        files = [self.npy(name, descr, code, of) for name, of in zip(("a.npy", "b.npy"), rows)]
                        self.call(program, "gemm", "--chips", 2, "--config", "mini", "--seed", seed, "--npy",
                                  "--out", self.out, "--a", files[0], "--b", files[1], *options)
                        run = (pathlib.Path(self.out) / "latest").resolve()
                        self.assertEqual(self.product(run), c)
                        result = json.loads((run / "result.json").read_text())
                        self.assertEqual([result["metrics"][side] for side in "mkn"], [9, 20, 11])
                        self.assertIn(f"--a {self.out}/a.npy --b {self.out}/b.npy", result["repro"])
                        seen.add((seed, descr, options, result["commit_hash"]))
        self.assertEqual(len(seen), 14)  # board and model alike
        # What only fp32 holds, two formats that meet, and numbers that are none.
        big = [list(row) for row in a]
        big[2][3], big[4][4], big[5][5] = 3e38, math.nan, math.inf
        for name, descr, code, rows in (("big.npy", "<f4", "f", big), ("half.npy", "<f2", "e", b)):
            self.npy(name, descr, code, rows)
        out = pathlib.Path(self.out)
        for first, second in (("big.npy", self.npy("b.npy", "<f4", "f", b)),
                              (self.npy("a.npy", "<V2", "bf16", a), "half.npy")):
            self.call(MODEL, "gemm", "--chips", 2, "--config", "mini", "--a", out / first, "--b", out / second,
                      "--out", out)

    def test_matrices_that_cannot_be_multiplied_are_refused(self):
        small = [[1.0, 2.0], [3.0, 4.0]]
        f4, f8, bf16 = (self.npy(*what, small) for what in (("f4", "<f4", "f"), ("f8", "<f8", "d"), ("bf16", "<V2", "bf16")))
        i1, u1 = (self.npy(*what, [[1, 2], [3, 4]]) for what in (("i1", "|i1", "b"), ("u1", "|u1", "B")))
        none = pathlib.Path(self.out) / "none"
        text = none.with_name("text")
        text.write_text("1 2")
        own = lambda a, b, *more: ("gemm", "--a", a, "--b", b, *more)
        for args, about in ((own(none, f4), f"--a: {none}: cannot be opened: No such file"),
                            (own(f4, text), f'--b is "{text}": is no array; allowed .npy'),
                            (own(f4, self.npy("one", "<f4", "f", small, shape=(4,))),
                             "shape is (4); allowed two sides, each 1 .. 16384"),
                            (own(f4, self.npy("zero", "<f4", "f", [], shape=(0, 4))), "shape is (0, 4); allowed two sides"),
                            (own(f4, self.npy("more", "<f4", "f", small, shape=(2, 3))),
                             "holds 16 bytes of data; its shape needs 24"),
                            (own(f4, self.npy("t", "<f4", "f", small, "True")), "fortran_order is True; allowed False"),
                            (own(f8, f4), "descr is '<f8'; allowed <f4, <V2, |V2, bfloat16, <f2, |i1, |u1"),
                            (own(u1, u1), "descr is '|u1'; allowed with --format fp8e5m2, fp8e4m3, fp8e3m4"),
                            (own(f4, f4, "--format", "bf16"),
                             "descr is '<f4'; allowed with --format bf16 <V2, |V2, bfloat16\n"),
                            (own(f4, bf16), "--a is fp32, --b bf16; allowed two of bf16, fp16, fp8, or both the same"),
                            (own(bf16, i1), "--a is bf16, --b int8; allowed two of"),
                            (own(f4, self.npy("three", "<f4", "f", [[1.0]] * 3)),
                             "--a has 2 columns, --b 3 rows; allowed as many"),
                            (own(f4, f4, "--size", "2"), "--size with --a and --b; allowed without"),
                            (("gemm", "--a", f4), "--a alone; allowed --a and --b"), (("gemm", "--b", f4), "--b alone"),
                            (("ring", "--a", f4, "--b", f4), "--a; allowed with gemm only, not with ring")):
            for program in (MODEL, BOARD):
                _, said = self.call(program, *args, "--config", "mini", "--out", none, status=2)
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn(about, said)
        self.assertFalse(none.exists())

    def test_arrays_have_their_type_and_shape(self):
        for args, name, descr, shape in ((("gemm", "--size", "24,40,48", "--format", "int8", "--chips", 2), "c0.0", "<f4", None),
                                         (("gemm", "--size", "24,40,48", "--format", "bf16", "--chips", 2), "c0.0", "<f4", None),
                                         (("digits", "--chips", 2), "scores1", "<f4", "(10, 360)"),
                                         (("ring", "--chips", 2), None, "|u1", None)):
            self.call(MODEL, *args, "--config", "mini", "--npy", "--out", self.out)
            files = sorted((pathlib.Path(self.out) / "latest").glob(f"{name or '*'}.npy"))
            head, _, data = files[0].read_bytes()[10:].partition(b"\n")
            self.assertIn(f"'descr': '{descr}'".encode(), head)
            if shape:
                self.assertIn(f"'shape': {shape}".encode(), head)
            sides = [int(side) for side in re.search(rb"'shape': \(([0-9, ]+)\)", head)[1].replace(b",", b" ").split()]
            self.assertEqual(math.prod(sides) * int(descr[-1]), len(data))
            self.assertEqual(len(sides), 1 if descr == "|u1" else 2)
            if "int8" in args:  # sums of whole numbers, and not all zero: it is the type that is said
                numbers = struct.unpack(f"<{len(data) // 4}f", data)
                self.assertTrue(any(numbers) and all(x == int(x) and abs(x) <= 40 * 2**14 for x in numbers))


if __name__ == "__main__":
    groups = {"hashes": Hashes, "input": Input, "programs": Programs}
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(groups[sys.argv[3]])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
