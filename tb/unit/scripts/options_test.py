#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every option of scripts/options.toml, fed with nothing, garbage, a negative, a huge number: one line, exit 2."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
from bench import __main__ as bench  # noqa: E402
from compare import tensors  # noqa: E402
from lib import options  # noqa: E402
from regress import __main__ as regress  # noqa: E402
from regress import testplan  # noqa: E402

DODECA = ROOT / "scripts/dodeca"
TABLE = options.table()
PROGRAMS = {"run", "shrink", "tables"}  # have options of their own
# Words that a command takes, where it has them.
KNOWN = {("bench", "NAME"): bench.BENCHES, ("compare", "--as"): tensors.FORMATS, ("regress", "--launcher"): regress.LAUNCHERS,
         ("regress", "--stage"): testplan.STAGES}
NUMBERS = ("-1", "99999999999999999999999", "1e999", "nan", "0x", "١", "1 ", "zzz")


def arguments_of(rows):
    """Words for all arguments that must be there."""
    words = []
    for name, row in rows.items():
        if name != "doc" and not name.startswith("-") and row.get("count") not in ("?", "*"):
            words.append(row["values"][0] if "values" in row else "word")
    return words


def wrong_calls():
    """(command, words) that must be rejected."""
    for command, rows in TABLE.items():
        given = arguments_of(rows)
        yield command, [*given, "--zzz"]
        yield command, [*given, "--zzz=1"]
        for left_out in range(len(given)):
            yield command, given[:left_out]
        if not any(row.get("count") in ("*", "+") for name, row in rows.items() if name != "doc" and not name.startswith("-")):
            most = sum(not name.startswith("-") for name in rows if name != "doc")
            yield command, ["word"] * (most + 1)
        for names, row in rows.items():
            kind = next((k for k in options.KINDS if k in row), None) if names != "doc" else "doc"
            if kind == "doc":
                continue
            bad = NUMBERS if kind in ("whole", "number") else ("zzz", "-1") if kind == "values" else ()
            if not names.startswith("-"):
                yield from ((command, [*given[:-1], word]) for word in ("", *bad) if given or row.get("count") in ("?", "*"))
                continue
            for name in names.split():
                if kind is None:
                    yield command, [*given, f"{name}=1"] if name.startswith("--") else [*given, f"{name}1"]
                    continue
                if "alone" not in row:
                    yield command, [*given, name]
                yield from ((command, [*given, name, word]) for word in ("", *bad))
                if name.startswith("--"):
                    yield from ((command, [*given, f"{name}={word}"]) for word in ("", *bad))


class Options(unittest.TestCase):
    def test_every_command_that_is_a_script_is_in_the_table(self):
        verbs = {file.stem for file in (ROOT / "scripts/commands").glob("*.sh")}
        self.assertEqual({name.split()[0] for name in TABLE} | PROGRAMS, verbs)

    def test_values_are_those_that_the_commands_know(self):
        for (command, names), known in KNOWN.items():
            self.assertEqual(sorted(TABLE[command][names]["values"]), sorted(known), command)

    def test_what_is_allowed_is_taken(self):
        for command, rows in TABLE.items():
            first, *word = command.split()
            for names, row in rows.items():
                if names == "doc" or not names.startswith("-"):
                    continue
                value = (str(row["whole"][1]) if "whole" in row else "0.5" if "number" in row else
                         row["values"][-1] if "values" in row else "word" if "text" in row or "path" in row else None)
                for name in names.split():
                    options.parse(first, [*word, *arguments_of(rows), name, *([value] if value else [])])
                    if "alone" in row:
                        args = options.parse(first, [*word, *arguments_of(rows), name])
                        self.assertIn(row["alone"], vars(args).values())

    def test_every_wrong_call_is_rejected_with_what_is_allowed(self):
        calls = list(wrong_calls())
        self.assertGreater(len(calls), 300)
        for command, words in calls:
            first, *word = command.split()
            with self.subTest(command=command, words=words), self.assertRaises(options.Usage) as caught:
                options.parse(first, [*word, *words])
            self.assertNotIn("\n", str(caught.exception))
            self.assertRegex(str(caught.exception), "allowed|--help")

    def test_the_front_end_rejects_before_it_does_anything(self):
        seen = {}
        for command, words in wrong_calls():
            seen.setdefault(command, []).append(words)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("apt-get", "cmake", "ninja", "verilator", "clang-format-19"):
                path = pathlib.Path(folder) / name
                path.write_text(f"#!/bin/sh\ntouch {folder}/called\n")
                path.chmod(0o755)
            for command, calls in seen.items():
                first, *word = command.split()
                for words in (calls[0], calls[-1]):
                    done = subprocess.run([DODECA, first, *word, *words], capture_output=True, text=True, cwd=folder,
                                          env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"})
                    self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), (command, words, done.stderr))
                    self.assertTrue(done.stderr.startswith(f"dodeca {first}: "), done.stderr)
            self.assertEqual(len(os.listdir(folder)), 5, "nothing is made")


if __name__ == "__main__":
    unittest.main()
