#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an instruction is, is said in its row of rtl/defs/instructions.toml; only what executes it in RTL
and in the model, and tests, may name it. Everything else asks the row."""
import pathlib
import re
import subprocess
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROWS = tomllib.loads((ROOT / "rtl/defs/instructions.toml").read_text())["instruction"]
# Its execution: who tells one opcode from another to do different things.
EXECUTION = ["rtl/control/seq_control.sv", "rtl/control/instr_fetch.sv", "rtl/control/sync_engine.sv",
             "cmodel/machine/sequencer.cc"]
SUFFIXES = {".sv", ".svh", ".cc", ".h", ".py"}

NAMES = "|".join(ROWS)
MNEMONICS = "|".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() for name, row in ROWS.items() if row["engine"] != "all")
PLACE = re.compile(rf"\b(?:Opcode(?:::)?|Rule|Unused)(?:{NAMES})\b"          # the constants
                   rf"|\bopcode\s*[=!]=\s*(?:8'[hd])?[0-9]"                  # a number instead
                   rf"|\"[^\"]*\b(?:{MNEMONICS})\b[^\"]*\"")                 # a text


def is_test(name):
    return name.startswith("tb/unit/") or re.search(r"_test\.\w+$", name)


def sources(root):
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return [name for name in done.stdout.split() if pathlib.Path(name).suffix in SUFFIXES and "/gen/" not in name
            and not name.startswith("rtl/defs/") and (root / name).exists()]


def places(root, names):
    """FILE:LINE: text of every place that names an opcode, comments apart."""
    for name in names:
        for number, line in enumerate((root / name).read_text().splitlines(), 1):
            code = line.split("#" if name.endswith(".py") else "//")[0]
            if PLACE.search(code):
                yield f"{name}:{number}: {line.strip()}"


class Places(unittest.TestCase):
    def test_only_execution_and_tests_name_an_opcode(self):
        names = [name for name in sources(ROOT) if not is_test(name) and name not in EXECUTION]
        found = list(places(ROOT, names))
        print(f"{len(found)} places outside rtl/defs, execution and tests name an opcode ({len(names)} files read)")
        self.assertEqual(found, [])

    def test_the_list_of_execution_only_shrinks(self):
        for name in EXECUTION:
            self.assertTrue(list(places(ROOT, [name])), f"{name} names no opcode any more: take it off the list")

    def test_a_planted_one_is_reported_with_file_and_line(self):
        for name, line in [("tb/a.cc", "if (i.opcode == static_cast<std::uint8_t>(defs::Opcode::TensorCopy)) return;"),
                           ("rtl/b.sv", "assign x = opcode_i == defs_pkg::OpcodeActivate;"),
                           ("rtl/c.sv", "assign x = (i & instr_pkg::UnusedEnd) == '0;"),
                           ("cmodel/d.h", "return instr.opcode == 64;"), ("rtl/e.sv", "assign x = i.opcode == 8'd16;"),
                           ("scripts/f.py", 'if text.startswith("LOAD_STATIONARY"): pass')]:
            with self.subTest(line=line), tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder)
                (root / name).parent.mkdir(parents=True)
                (root / name).write_text(f"\n{line}\n")
                self.assertEqual(list(places(root, [name])), [f"{name}:2: {line}"])

    def test_comments_and_rows_may(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.cc").write_text("// Opcode::TensorCopy\nconst auto* row = defs::row_of(instr.opcode);\n")
            self.assertEqual(list(places(root, ["a.cc"])), [])


if __name__ == "__main__":
    unittest.main()
