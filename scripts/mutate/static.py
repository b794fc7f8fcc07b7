# SPDX-License-Identifier: Apache-2.0
"""Checks that read a mutant's source instead of running it: lint, and the proofs of its file."""
import pathlib
import subprocess
import sys
import tempfile

from lib import rtl

from .schemata import one_line

SEEN = 300  # characters of what a check says


def noticed(root, sources):
    """(check, its message) of the first that sees something in {file: its text with the mutant}, else ("", "")."""
    with tempfile.TemporaryDirectory() as folder:
        other = {}
        for file, text in sources.items():
            other[file] = pathlib.Path(folder) / pathlib.Path(file).name
            other[file].write_text(text, encoding="utf-8")
        status, said = rtl.verilator(root, "mini", "chip", other=other)
        if status:
            return "lint", one_line(said.replace(folder + "/", ""))[:SEEN]
        for file, text in other.items():
            done = subprocess.run([sys.executable, "tb/proof/proof_test.py", "--other", file, text], cwd=root, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                return "proof", done.stdout.strip()[:SEEN]
    return "", ""
