#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/dodeca and the generators reject bad input with one line and the right exit status.

What needs a built board (scenarios, programs, seeds) is in tb/apps/board; here is what the scripts do
themselves, and what happens on a machine without packages or network.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
DODECA = ROOT / "scripts/dodeca"
VERBS = {file.stem for file in (ROOT / "scripts/commands").glob("*.sh")}


def run(*command, path=None):
    env = dict(os.environ)
    if path:
        env["PATH"] = f"{path}:{env['PATH']}"
    return subprocess.run([str(c) for c in command], cwd=ROOT, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)


def tool(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


class Usage(unittest.TestCase):
    def expect_refusal(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stderr)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def test_unknown_command_names_the_allowed_ones(self):
        self.expect_refusal(run(DODECA, "fly"), 2, "'fly'", "run", "test", "bench")

    def test_unknown_config_names_the_allowed_ones(self):
        for option in (["--config", "huge"], ["--config=huge"]):
            self.expect_refusal(run(DODECA, "run", "digits", *option), 2, "'huge'", "inf2", "mini")

    def test_unknown_test_option_is_refused(self):
        self.expect_refusal(run(DODECA, "test", "--nope"), 2, "'--nope'", "-L")

    def test_help_at_every_level(self):
        for verb in VERBS - {"run", "shrink", "tables"}:  # these: programs
            with self.subTest(verb):
                done = run(DODECA, verb, "--help")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("usage", done.stdout)

    def test_every_verb_is_in_the_help_and_in_the_refusal(self):
        text, refusal = run(DODECA, "--help").stdout, run(DODECA, "fly").stderr
        self.assertEqual(set(re.findall(r"^  ([a-z]+) ", text, re.M)), VERBS)
        for verb in VERBS:
            self.assertRegex(refusal, rf"\b{verb}\b")

    def test_every_script_is_behind_a_verb(self):
        behind = "".join(file.read_text() for file in (ROOT / "scripts/commands").glob("*.sh"))
        for script in (ROOT / "scripts/commands").glob("*.py"):
            self.assertRegex(behind, rf"\b{script.stem}\b")

    def test_newcomer_refuses_what_it_cannot_make(self):
        self.expect_refusal(run(DODECA, "newcomer"), 2, "bookworm", "trixie")
        self.expect_refusal(run(DODECA, "newcomer", "sid"), 2, "'sid'", "bookworm", "trixie")
        self.expect_refusal(run(DODECA, "newcomer", "trixie", "--mirror"), 2, "--mirror", "URL")
        with tempfile.TemporaryDirectory() as folder:
            tool(folder, "id", "echo 1000")
            self.expect_refusal(run(DODECA, "newcomer", "trixie", path=folder), 3, "root")
        with tempfile.TemporaryDirectory() as folder:
            tool(folder, "id", "echo 0")
            tool(folder, "unshare", "exit 1")
            self.expect_refusal(run(DODECA, "newcomer", "trixie", path=folder), 3, "mount")

    def test_coverage_and_vendor_and_tables_are_reached(self):
        self.assertEqual(run(DODECA, "vendor", "check").returncode, 0)
        self.expect_refusal(run(DODECA, "coverage", "merge", "nowhere"), 2, "nowhere")
        self.expect_refusal(run(DODECA, "tables", "check", "nowhere"), 2, "nowhere")


class Report(unittest.TestCase):
    def report(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                (pathlib.Path(folder) / f"{name}.json").write_text(text)
            return run(DODECA, "report", folder)

    def test_figures_of_a_run_that_passed(self):
        done = self.report(result='{"status": "passed", "cycles": 12345, "metrics": {"accuracy": 0.98}}')
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("cycles", "12345", "metrics accuracy", "0.98", "result.json"):
            self.assertIn(word, done.stdout)

    def test_the_cause_of_one_that_failed(self):
        done = self.report(result='{"status": "failed"}', divergence='{"cause": {"chip": 5, "block": "weight load"}}')
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"^earliest cause\n +chip +5\n +block +weight load\n")  # before the figures

    def test_no_run(self):
        for files, words in (({}, "not found"), ({"result": "{"}, "cannot be read"), ({"result": "{}"}, "no status")):
            done = self.report(**files)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)


class Environment(unittest.TestCase):
    def test_missing_tool_without_network_is_exit_3_and_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            tool(folder, "dpkg-query", "exit 1")
            tool(folder, "apt-get", "echo 'Temporary failure resolving' >&2; exit 100")
            done = run(DODECA, "build", path=folder)
        self.assertEqual(done.returncode, 3)
        self.assertIn("cannot install", done.stderr.splitlines()[-1])
        self.assertIn("network", done.stderr.splitlines()[-1])

    def test_doctor_says_what_is_missing_and_installs_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            tool(folder, "dpkg-query", "exit 1")
            tool(folder, "apt-get", f"touch {folder}/called")
            done = run(DODECA, "doctor", path=folder)
            self.assertFalse((pathlib.Path(folder) / "called").exists())
        self.assertEqual(done.returncode, 3)
        self.assertIn("verilator            MISSING", done.stdout)


class Generator(unittest.TestCase):
    """gen_defs.py on a copy of the description with one mistake in it."""

    def generate(self, change, script="gen_defs"):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            shutil.copytree(ROOT / "rtl/defs", copy / "rtl/defs")
            shutil.copytree(ROOT / "scripts", copy / "scripts", ignore=shutil.ignore_patterns("__pycache__", "regress"))
            for name, (old, new) in change.items():
                path = copy / "rtl/defs" / name
                text = path.read_text()
                self.assertIn(old, text)
                path.write_text(text.replace(old, new, 1))
            return run("python3", copy / "scripts/start.py", script, "--check")

    def test_generated_files_are_fresh(self):
        done = run(DODECA, "gen", "--check")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_all_that_is_generated_can_be_written_elsewhere(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run(DODECA, "gen", "--out", folder).returncode, 0)
            made = {str(p.relative_to(folder)) for p in pathlib.Path(folder).rglob("*.sv")}
            self.assertLessEqual({"rtl/defs/gen/defs_pkg.sv", "fabric/rtl/pkg/gen/crc_pkg.sv"}, made)
            path = pathlib.Path(folder) / "fabric/rtl/pkg/gen/crc_pkg.sv"
            self.assertEqual(path.read_text(), (ROOT / "fabric/rtl/pkg/gen/crc_pkg.sv").read_text())
            path.write_text("")
            done = run(DODECA, "gen", "--check", "--out", folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("crc_pkg.sv is stale", done.stderr)

    def test_a_stale_file_is_found(self):
        done = self.generate({"arch.toml": ("value = 150", "value = 151")})
        self.assertEqual(done.returncode, 1)
        self.assertIn("stale", done.stderr)

    def test_a_mistake_in_a_function_names_file_and_table(self):
        for old, new, word in (("slope  = 0", "slop   = 0", "slop"), ('reduce = "root"', 'reduce = "roots"', "roots")):
            done = self.generate({"table_functions.toml": (old, new)}, "gen_tables")
            self.assertEqual(done.returncode, 2, done.stderr)
            for text in ("table_functions.toml", "function.", word):
                self.assertIn(text, done.stderr)

    def test_other_rows_than_sollyas_are_found(self):
        done = self.generate({"gen/table_functions.h": ("    {0x3f800000, 0x3f800000", "    {0x3f800000, 0x3f800001")}, "gen_tables")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not what sollya makes", done.stderr)

    def test_a_misspelt_key_names_file_table_and_key(self):
        done = self.generate({"isa.toml": ("bits = 8,  doc = \"opcode\"", "bitz = 8,  doc = \"opcode\"")})
        self.assertEqual(done.returncode, 2)
        for word in ("isa.toml", "struct.instr", "bitz"):
            self.assertIn(word, done.stderr)

    def test_an_enum_value_beyond_its_width_is_refused(self):
        done = self.generate({"arch.toml": ("Ge   = { value = 1", "Ge   = { value = 9")})
        self.assertEqual(done.returncode, 2)
        self.assertIn("wait_op", done.stderr)

    def test_a_window_that_is_not_aligned_to_its_size_is_refused(self):
        done = self.generate({"arch.toml": ("base = 0xfff_c400_0000", "base = 0xfff_c200_0000")})
        self.assertEqual(done.returncode, 2)
        self.assertIn("address.Core1", done.stderr)

    def test_two_registers_at_one_address_are_refused(self):
        done = self.generate({"csr.toml": ("offset = 0x1480", "offset = 0x1410")})
        self.assertEqual(done.returncode, 2)
        for word in ("csr.toml", "0x1410"):
            self.assertIn(word, done.stderr)

    def test_a_malformed_row_names_file_instruction_and_key(self):
        for old, new, *words in [
                ('engine = "Sync"', 'engin = "Sync"', "DmaTrigger", "unknown key 'engin'"),
                ('engine = "Sync"', 'engine = "Dma0"', "DmaTrigger", "engine is 'Dma0'", "Tensor, Vector"),
                ("opcode = 64", "opcode = 1", "DmaTrigger", "opcode 1 is End already"),
                ("opcode = 64", "opcode = 256", "DmaTrigger", "8 bits"),
                ('imm    = "doorbell"', 'imm    = "bell"', "DmaTrigger", "imm is 'bell'"),
                ('imm    = "doorbell"', 'imm    = "operand"', "DmaTrigger", "wider than the field"),
                ('functions = "act_func"', 'functions = "act"', "Activate", "enum is 'act'"),
                ('of = ["Add", "Sub", "Mul", "Max"', 'of = ["Add", "Sub", "Mul", "Most"', "TensorReduce", "a name is 'Most'", "Add, Sub, Max"),
                ('walk = "outer"', 'walk = "inner"', "TensorReduce", "dst", "walk is 'inner'", "all, outer, one"),
                ('psum = "sum", partitions', 'psum = "product", partitions', "MultiplyMoving", "dst", "a format in psum is 'Tf32'"),
                ('{ role = "moving tile", sbuf = "product" }', '{ role = "moving tile" }', "MultiplyMoving", "src0", "needs formats"),
                ('role = "bias", sbuf', 'rule = "bias", sbuf', "Activate", "src1", "unknown key 'rule'"),
                ('stationary = "read"', 'stationary = "use"', "MultiplyMoving", "none, write, read"),
                ('stationary = "write"\ntransposes = true\n', "transposes = true\n", "LoadBits", "no stationary tile"),
                ('lane    = ["Fp32", "Tf32", "Bf16"', 'lane    = ["Fp32", "Tf32", "Bf61"', "[formats] lane", "'Bf61'"),
                ('order = ["UnknownOpcode"', 'order = ["UnknownOpcod"', "[errors] order", "'UnknownOpcod'")]:
            with self.subTest(change=new):
                done = self.generate({"instructions.toml": (old, new)})
                self.assertEqual(done.returncode, 2, done.stderr)
                for word in ("instructions.toml", *words):
                    self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
