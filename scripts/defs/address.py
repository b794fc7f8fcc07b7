# SPDX-License-Identifier: Apache-2.0
"""The package address_pkg: the one decoder of addresses in RTL."""
from defs.description import NOTE, DefsError
from defs.layout import snake


def power(name, value):
    if value & (value - 1) or not value:
        raise DefsError(f"rtl/defs/arch.toml: {name}: {value:#x} is no power of two")
    return value.bit_length() - 1


def sv_address_pkg(defs):
    windows = {}  # name: lowest bit that tells the window
    for name, entry in defs["address"].items():
        windows[name] = power(f"[address.{name}] size", entry["size"])
        if entry["base"] % entry["size"]:
            raise DefsError(f"rtl/defs/arch.toml: [address.{name}]: base is no multiple of size")
    stride, core = power("SbufStride", defs["constants"]["SbufStride"]["value"]), windows["Core0"]
    out = [f"// {NOTE}.", "// What lies behind a chip-local address.", "package address_pkg;", ""]
    for name, lsb in windows.items():
        out += [f"  function automatic logic in_{snake(name)}(input logic [47:0] addr);",
                f"    in_{snake(name)} = addr[47:{lsb}] == defs_pkg::Addr{name}Base[47:{lsb}];", "  endfunction"]
    out += ["", "  function automatic logic in_hbm(input logic [47:0] addr);",
            "    in_hbm = in_hbm0(addr) || in_hbm1(addr);", "  endfunction",
            "  // A core's window, with the holes around its SBUF.",
            "  function automatic logic in_core(input logic [47:0] addr);",
            "    in_core = in_core0(addr) || in_core1(addr);", "  endfunction",
            "  // The core that serves what is written there: Header.lport.",
            "  function automatic logic core_of(input logic [47:0] addr);",
            "    core_of = in_hbm1(addr) || in_core1(addr);", "  endfunction", "",
            "  function automatic logic [7:0] sbuf_partition(input logic [47:0] addr);",
            f"    sbuf_partition = addr[{core - 1}:{stride}];", "  endfunction",
            "  // The memory of a byte; none in the holes around SBUF.",
            "  function automatic defs_pkg::memory_e memory_of(input logic [47:0] addr);",
            "    memory_of = defs_pkg::MemoryUnmapped;",
            "    if (in_hbm0(addr)) memory_of = defs_pkg::MemoryHbm0;",
            "    if (in_hbm1(addr)) memory_of = defs_pkg::MemoryHbm1;",
            "    if (32'(sbuf_partition(addr)) < size_pkg::Partitions &&",
            f"        32'(addr[{stride - 1}:0]) < size_pkg::SbufBytes) begin",
            "      if (in_core0(addr)) memory_of = defs_pkg::MemorySbuf0;",
            "      if (in_core1(addr)) memory_of = defs_pkg::MemorySbuf1;",
            "    end", "  endfunction", "", "endpackage", ""]
    return "\n".join(out)
