#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every module that Yosys' front end reads passes `hierarchy -check` and `check -assert`: no
undriven wires, no loops, no two drivers. The others are listed with what the front end lacks, and
the list may only shrink: a module on it that does read fails the test.
"""
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
import layers  # noqa: E402

DEFS = ["rtl/defs/gen/mini/size_pkg.sv", "rtl/defs/gen/defs_pkg.sv", "rtl/defs/gen/address_pkg.sv", "rtl/defs/gen/instr_pkg.sv",
        "rtl/prim/guard_pkg.sv", "rtl/fp/bits_pkg.sv", "rtl/fp/fma_pkg.sv", "rtl/fp/convert_pkg.sv", "rtl/fp/format_pkg.sv", "rtl/fp/operator_pkg.sv", "rtl/dma/dma_cast_pkg.sv", "rtl/control/seq_pkg.sv", "rtl/tensor/tensor_pkg.sv", "fabric/rtl/pkg/gen/crc_pkg.sv", "fabric/rtl/pkg/link_lanes_pkg.sv"]
# Parameters that make a P-wide block small enough for a check.
SHRINK = {"tensor_array": ["-chparam", "Rows", "4", "-chparam", "Cols", "4"]}
# What Yosys 0.23 does not read: array and interface ports, packed arrays of more than one dimension, and the
# parents of such modules. (Of the fabric: wiring, the crossbar, and the counters, which take arrays of payloads and of
# link states.)
UNREADABLE = """accumulators chip core core_regs csr_regs dma dma_engines dma_fetch dma_finish dma_index dma_write element_writer fabric_counters fabric_cross
    fabric_ni fabric_node fabric_router fetch_mux host_events host_if lane_engine lane_random lanes mem_xbar operand_reader
    psum sbuf semaphores sequencer table_function tensor_check tensor_drain tensor_engine tensor_load tensor_stream
    vector_aggregate vector_eight vector_random vector_stats vector_transpose vector_unit""".split()

VERSION = subprocess.run(["yosys", "-V"], capture_output=True, text=True).stdout


def modules():
    return {p.stem: p for d in layers.folders(ROOT) for p in sorted((ROOT / d).glob("*.sv"))
            if not p.stem.endswith("_pkg") and p.stem != "mem_if"}


def yosys(*commands):
    read = "read_verilog -sv -DYOSYS -I rtl/prim"
    script = "; ".join([f"{read} {' '.join(DEFS)}", *(c.replace("READ", read) for c in commands)])
    return subprocess.run(["yosys", "-q", "-w", "Replacing memory", "-e", ".", "-p", script], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


class Yosys(unittest.TestCase):
    def test_every_readable_module_is_complete(self):
        names = [name for name in modules() if name not in UNREADABLE]
        checks = {name: [f"hierarchy -check -top {name} {' '.join(SHRINK.get(name, []))}", "check -assert"] for name in names}
        read = f"READ -defer {' '.join(str(modules()[name]) for name in names)}"
        # Reading takes most of the time: once for all, and again one by one only to say which module is wrong.
        together = yosys(read, "design -save read", *(c for name in names for c in ("design -load read", *checks[name])))
        if together.returncode == 0:
            return
        for name in names:
            with self.subTest(module=name):
                done = yosys(read, *checks[name])
                self.assertEqual(done.returncode, 0, done.stdout)
        self.fail(together.stdout)

    @unittest.skipUnless(" 0.23 " in VERSION, "the list is that of Yosys 0.23 (Debian 12); later ones read more")
    def test_the_list_of_unreadable_modules_only_shrinks(self):
        for name in UNREADABLE:
            with self.subTest(module=name):
                self.assertIn(name, modules(), "no such module any more")
                done = yosys(f"READ -defer {modules()[name]}")
                self.assertNotEqual(done.returncode, 0, "reads now: take it off the list")


if __name__ == "__main__":
    sys.exit(unittest.main())
