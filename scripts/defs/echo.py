# SPDX-License-Identifier: Apache-2.0
"""The module defs_echo and its list of fields, for the round trip test."""
from defs.description import NOTE
from defs.layout import Layout, camel


def echo_files(defs):
    """A module that takes every struct apart into its fields and puts it together again."""
    layout = Layout(defs)
    structs = [n for n, t in defs["struct"].items() if not t.get("config")]
    sv = [f"// {NOTE}.", "// Every struct taken apart into its fields, and put together again from them.",
          "module defs_echo (", ]
    cpp = [f"// {NOTE}.", "// DEFS_ECHO_STRUCT(Type, port) and DEFS_ECHO_LEAF(Type, port, field, pin, bits) for every leaf.", ""]
    ports, body = [], []
    for name in structs:
        bits = layout.struct_width(name)
        ports += [f"  input  logic [{bits - 1}:0] {name}_i", f"  output logic [{bits - 1}:0] {name}_o"]
        body += [f"  defs_pkg::{name}_t {name}_in, {name}_out;", f"  assign {name}_in = {name}_i;",
                 f"  assign {name}_o = {name}_out;"]
        cpp.append(f"DEFS_ECHO_STRUCT({camel(name)}, {name})")
        for path, width in layout.leaves(name):
            flat, dotted = "_".join(path), ".".join(path)
            shape = "" if width == 1 else f"[{width - 1}:0] "
            ports.append(f"  output logic {shape}{name}_f_{flat}_o")
            body += [f"  assign {name}_f_{flat}_o = {name}_in.{dotted};",
                     f"  assign {name}_out.{dotted} = {name}_f_{flat}_o;"]
            cpp.append(f"DEFS_ECHO_LEAF({camel(name)}, {name}, {dotted}, {name}_f_{flat}_o, {width})")
    sv += [",\n".join(ports), ");", *body, "endmodule", ""]
    return "\n".join(sv), "\n".join(cpp + [""])
