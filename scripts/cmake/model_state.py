#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All variables of a Verilated model by name and place, as a C++ header: what one model of a chip
must take over from another one to go on where that is.

  model_state.py DIR MODEL      writes DIR/V<MODEL>__state.h from Verilator's headers there
"""
import re
import sys
from pathlib import Path

PIN = re.compile(r"\s+VL_(?:IN|OUT|INOUT)\w*\((\w+),")
VARIABLE = re.compile(r"\s+(?:[CSIQ]Data|Vl\w+<.*>)(?:/\*[\d:]+\*/)? (\w+);")
INSTANCE = re.compile(r"\s+(\w+)\s+(TOP\w*);")


def variables(header):
    found = (PIN.match(line) or VARIABLE.match(line) for line in header.read_text().splitlines())
    return [match[1] for match in found if match]


def interfaces():
    """Names of the RTL's interfaces. They are wires: Verilator leaves out instances that nobody reads."""
    text = "".join(p.read_text() for p in (Path(__file__).resolve().parents[2] / "rtl").glob("*/*_if.sv"))
    return re.findall(r"^interface (\w+)", text, re.M)


def main(directory, model):
    directory, top = Path(directory), f"V{model}"
    syms = (directory / f"{top}__Syms.h").read_text()
    instances = [match.groups() for match in map(INSTANCE.match, syms.splitlines()) if match]
    if not instances:
        sys.exit(f"{directory}/{top}__Syms.h: no instances found; allowed the form of Verilator 5.006 or 5.032")
    out = [f"// Made by scripts/cmake/model_state.py from the headers of {top}.", "#pragma once",
           f'#include "{top}__Syms.h"', '#include "tb/dut/state/model_state.h"', "",
           "namespace tb {", "namespace {", ""]
    wires = {f"{top}_{name}" for name in interfaces()}
    for kind in dict.fromkeys(kind for kind, _ in instances):
        rows = [f"    {{\"{name}\", offsetof({kind}, {name}), sizeof({kind}::{name})}},"
                for name in variables(directory / f"{kind}.h")]
        out += [f"const std::array<Variable, {len(rows)}> k{kind}{{{{", *rows, "}};"]
    out += ["", f"std::vector<Instance> state_of({top}__Syms& model) {{", "  return {"]
    out += [f"      {{\"{name}\", &model.{name}, k{kind}, {str(kind in wires).lower()}}}," for kind, name in instances]
    out += ["  };", "}", "", "}  // namespace", "}  // namespace tb", ""]
    (directory / f"{top}__state.h").write_text("\n".join(out))


main(*sys.argv[1:])
