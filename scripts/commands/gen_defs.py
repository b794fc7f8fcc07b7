#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rtl/defs/*.toml -> SystemVerilog packages, C++ header, echo module and tables of documents.

Writes under DIR:
  rtl/defs/gen/defs_pkg.sv            constants, enums and structs of every configuration
  rtl/defs/gen/address_pkg.sv         what lies behind an address
  rtl/defs/gen/CONFIG/size_pkg.sv     sizes, and structs whose width depends on them
  rtl/defs/gen/defs.h                 the same for C++
  rtl/defs/gen/rates.h                what only C++ knows
  rtl/defs/gen/defs_echo.{sv,h}       every struct taken apart and put together: for the round trip test
  rtl/defs/gen/instr_pkg.sv           the rows of instructions.toml: what the RTL's checks apply
  rtl/defs/gen/instructions.h         the same for C++
  cmodel/program/gen/stream_methods.h     the assembler's methods, one per instruction with operands
  rtl/defs/gen/manual.md              all instructions, encodings, registers and errors on one page
and the tables between `<!-- BEGIN defs NAME -->` and `<!-- END defs -->` in the documents.
"""
import sys

from defs.address import sv_address_pkg
from defs.cpp_header import cpp_header, cpp_rates
from defs.description import ROOT, load
from defs.echo import echo_files
from defs.instr_cpp import instructions_header, stream_methods
from defs.instr_systemverilog import sv_instr_pkg
from defs.instructions import rows_of
from defs.manual import manual
from defs.readme_tables import fill_readme, tables
from defs.systemverilog import sv_defs_pkg, sv_size_pkg
from lib import options

READMES = ["rtl/README.md", "rtl/tensor/tensor_engine.md", "cmodel/README.md",
           *(f"fabric/doc/{page}.md" for page in ("formats", "link", "counters"))]


def generate():
    """{path relative to the repository: content} of everything this script writes."""
    defs = load()
    rows = rows_of(defs)
    echo_sv, echo_h = echo_files(defs)
    files = {"rtl/defs/gen/defs_pkg.sv": sv_defs_pkg(defs), "rtl/defs/gen/defs.h": cpp_header(defs),
             "rtl/defs/gen/rates.h": cpp_rates(defs),
             "rtl/defs/gen/address_pkg.sv": sv_address_pkg(defs),
             "rtl/defs/gen/defs_echo.sv": echo_sv, "rtl/defs/gen/defs_echo.h": echo_h,
             "rtl/defs/gen/instr_pkg.sv": sv_instr_pkg(defs, rows),
             "rtl/defs/gen/instructions.h": instructions_header(defs, rows),
             "cmodel/program/gen/stream_methods.h": stream_methods(defs, rows),
             "rtl/defs/gen/manual.md": manual(defs, rows)}
    for config in defs["sizes"]:
        files[f"rtl/defs/gen/{config}/size_pkg.sv"] = sv_size_pkg(defs, config)
    known = tables(defs)
    for readme in READMES:
        if (ROOT / readme).exists():
            files[readme] = fill_readme((ROOT / readme).read_text(), known, readme)
    return files


def main():
    args = options.parse("gen", sys.argv[1:])
    out = args.out or ROOT
    files = generate()
    stale = 0
    for name, content in files.items():
        path = out / name
        if path.exists() and path.read_text() == content:
            continue
        if args.check:
            print(f"gen_defs: {name} is stale, run scripts/dodeca gen", file=sys.stderr)
            stale = 1
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        print(f"wrote {name}")
    return stale


if __name__ == "__main__":
    sys.exit(main())
