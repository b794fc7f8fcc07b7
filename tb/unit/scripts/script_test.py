#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/dodeca and the generators refuse bad input with one line and the right exit status.

What needs a built board (scenarios, programs, seeds) is in tb/apps/board; here is what the scripts do
themselves, and what happens on a machine without packages or network.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
DODECA = ROOT / "scripts/dodeca"


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
        self.expect_refusal(run(DODECA, "test", "--nope"), 2, "'--nope'", "-L LABEL")

    def test_help_at_every_level(self):
        for command in ([], ["test"], ["bench"]):
            done = run(DODECA, *command, "--help")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("usage", done.stdout)


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

    def generate(self, change):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            shutil.copytree(ROOT / "rtl/defs", copy / "rtl/defs")
            (copy / "scripts").mkdir()
            shutil.copy(ROOT / "scripts/gen_defs.py", copy / "scripts")
            shutil.copytree(ROOT / "scripts/defs", copy / "scripts/defs", ignore=shutil.ignore_patterns("__pycache__"))
            for name, (old, new) in change.items():
                path = copy / "rtl/defs" / name
                text = path.read_text()
                self.assertIn(old, text)
                path.write_text(text.replace(old, new, 1))
            return run("python3", copy / "scripts/gen_defs.py", "--check")

    def test_generated_files_are_fresh(self):
        done = run("python3", ROOT / "scripts/gen_defs.py", "--check")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_stale_file_is_found(self):
        done = self.generate({"arch.toml": ("value = 150", "value = 151")})
        self.assertEqual(done.returncode, 1)
        self.assertIn("stale", done.stderr)

    def test_a_misspelt_key_names_file_table_and_key(self):
        done = self.generate({"isa.toml": ("bits = 8,  doc = \"opcode\"", "bitz = 8,  doc = \"opcode\"")})
        self.assertEqual(done.returncode, 2)
        for word in ("isa.toml", "struct.instr", "bitz"):
            self.assertIn(word, done.stderr)

    def test_an_enum_value_beyond_its_width_is_refused(self):
        done = self.generate({"arch.toml": ("Ge = { value = 1", "Ge = { value = 9")})
        self.assertEqual(done.returncode, 2)
        self.assertIn("wait_op", done.stderr)

    def test_two_registers_at_one_address_are_refused(self):
        done = self.generate({"csr.toml": ("offset = 0x1480", "offset = 0x1410")})
        self.assertEqual(done.returncode, 2)
        for word in ("csr.toml", "0x1410"):
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
