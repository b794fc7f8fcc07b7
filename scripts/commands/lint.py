#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verilator -Wall on every top in both configurations, formatting, freshness of generated files.

Usage: lint.py      exit 0 clean, 1 findings (each printed)
"""
import pathlib
import subprocess
import sys

from lib import rtl

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGS = ["inf2", "mini"]
TOPS = ["chip", "fabric_node", "tensor_array"]
# A model chip: chip.sv with these in place of the modules of the same name.
MODEL = ["tb/dut/trace/commit_dpi.sv", "tb/dut/trace/chip_tracer.sv", "tb/dut/golden/golden_dpi.sv", "tb/dut/golden/core.sv",
         "tb/dut/golden/mem_xbar.sv", "tb/dut/golden/semaphores.sv"]
SHELL_SYNTAX = 'for file; do bash -n "$file" || exit; done'


def run(*command):
    """(exit status, all output) of a command run in the repository."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def main():
    checks = [(f"verilator -Wall {top} ({config})", lambda c=config, t=top: rtl.verilator(ROOT, c, t))
              for config in CONFIGS for top in TOPS]
    checks += [(f"verilator -Wall model chip ({config})", lambda c=config: rtl.verilator(ROOT, c, "chip", instead=MODEL))
               for config in CONFIGS]
    checks.append(("generated files are fresh", lambda: run("scripts/dodeca", "gen", "--check")))
    checks.append(("clang-format", lambda: run("clang-format-19", "--dry-run", "-Werror", *rtl.written(ROOT, "*.h", "*.cc"))))
    checks.append(("rooms see what they may", lambda: run("python3", "scripts/layers.py")))
    checks.append(("scripts compile", lambda: run("python3", "-m", "compileall", "-q", *rtl.written(ROOT, "*.py"))))
    checks.append(("shell syntax", lambda: run("sh", "-c", SHELL_SYNTAX, "sh", *rtl.written(ROOT, "*.sh", "scripts/dodeca", ".ci/run"))))
    failed = 0
    for name, check in checks:
        status, text = check()
        print(f"{'ok  ' if status == 0 else 'FAIL'}  {name}")
        if status != 0:
            print(text.rstrip())
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
