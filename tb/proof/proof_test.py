#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proofs of small blocks: the real sources, shrunk by parameters, with properties around them.

Usage: proof_test.py NAME              one of PROOFS; exit 0 proved, and the broken variant refuted
       proof_test.py --other FILE NEW   exit 0: all proofs of the source FILE hold for the text in NEW

Base case and induction by yosys-smtbmc; a parity may be anything (CRCs would take minutes). A broken variant of each block, made by patching a copy in a
temporary folder, must fail: a proof that cannot fail proves nothing.
"""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# name: (source, induction depth, text in the source, what breaks it)
PROOFS = {
    "credit": ("rtl/prim/prim_credit_counter.sv", 4, "CountBits'(Depth) - in_flight", "CountBits'(Depth + 1) - in_flight"),
    "arbiter": ("rtl/prim/prim_rr_arbiter.sv", 8, "'0 : index_o + IndexBits'(1);", "'0 : index_o;"),
    "fifo": ("rtl/prim/prim_fifo.sv", 2, "push_to_ring = push && !push_to_head;", "push_to_ring = push && !(push_to_head || count_q == 3);"),
    "bucket": ("fabric/rtl/ni/fabric_bucket.sv", 2, "flits > FlitBits'(burst_q);", "flits > FlitBits'(burst_q) + FlitBits'(1);"),
    "ack": ("fabric/rtl/ni/fabric_ack.sv", 2, "{192'd0, row_i};", "{64'd0, row_i, 128'd0};"),
    "report": ("fabric/rtl/ni/fabric_report.sv", 2, "report.header.dst   = offending.src;", "report.header.addr  = offending.src;"),
    "take": ("rtl/control/seq_wait.sv", 4, "(applied_q && applied_sem_q == sem_i)", "1'b0"),
    "window": ("fabric/rtl/link/link_window.sv", 4, "acks <= held;", "acks <= held + 1'b1;"),
}


def holds(folder, name, source, depth, induction):
    """Whether `source` keeps the properties of tb/proof/NAME_proof.sv for the first `depth` cycles, or
    (induction) in the cycle behind any `depth` cycles that keep them."""
    top = f"{name}_proof"
    packages = f"{ROOT}/rtl/defs/gen/defs_pkg.sv {ROOT}/fabric/rtl/pkg/gen/crc_pkg.sv"
    script = (f"read_verilog -sv -formal -DYOSYS -I{ROOT}/rtl/prim {packages} {source} {ROOT}/tb/proof/{top}.sv; "
              f"hierarchy -check -top {top}; proc; memory_collect; memory_map; "
              f"prep -flatten -top {top}; cutpoint t:$reduce_xor; async2sync; dffunmap; opt_clean; "
              f"write_smt2 -wires {folder}/{top}.smt2")
    subprocess.run(["yosys", "-q", "-p", script], check=True, stderr=subprocess.DEVNULL)
    done = subprocess.run(["yosys-smtbmc", "--unroll", "-s", "z3", *(["-i"] if induction else []), "-t", str(depth),
                           f"{folder}/{top}.smt2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "Status: PASSED" not in done.stdout and "Status: FAILED" not in done.stdout:
        sys.exit(done.stdout)
    return done.returncode == 0


def proved(folder, name, source, depth):
    """(base case, induction)"""
    return [holds(folder, name, source, *how) for how in ((depth + 12, False), (depth, True))]


def other(file, text):
    """Names of the proofs of `file` that do not hold for what `text` has in its place."""
    with tempfile.TemporaryDirectory() as folder:
        return [name for name, (source, depth, *_) in PROOFS.items()
                if source == file and not all(proved(folder, name, pathlib.Path(text).resolve(), depth))]


def main():
    if sys.argv[1:2] == ["--other"] and len(sys.argv) == 4:
        refuted = other(*sys.argv[2:])
        print(f"refuted: {', '.join(refuted)}" if refuted else "nothing refuted")
        return 1 if refuted else 0
    if len(sys.argv) != 2 or sys.argv[1] not in PROOFS:
        sys.exit(__doc__)
    name = sys.argv[1]
    source, depth, good, bad = PROOFS[name]
    text = (ROOT / source).read_text(encoding="utf-8")
    if text.count(good) != 1:
        sys.exit(f"{source}: expected once: {good}")
    with tempfile.TemporaryDirectory() as folder:
        base, step = proved(folder, name, ROOT / source, depth)
        print(f"{name}: base case {'holds' if base else 'FAILS'}, induction {'holds' if step else 'FAILS'}")
        broken = pathlib.Path(folder) / pathlib.Path(source).name
        broken.write_text(text.replace(good, bad), encoding="utf-8")
        refuted = not holds(folder, name, broken, depth + 12, False)
        print(f"{name}: broken variant {'refuted' if refuted else 'NOT refuted'}")
    return 0 if base and step and refuted else 1


if __name__ == "__main__":
    sys.exit(main())
