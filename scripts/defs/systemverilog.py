# SPDX-License-Identifier: Apache-2.0
"""The packages defs_pkg and size_pkg."""
from defs.description import NOTE, mark_mask, mask_bits
from defs.layout import Layout, camel


def sv_struct(defs, layout, name):
    table = defs["struct"][name]
    lines = [f"  // {table['doc']}", "  typedef struct packed {"]
    for field, _, width in layout.positions(name):
        if "struct" in field:
            kind = f"{field['struct']}_t"
        else:
            kind = "logic" + (" signed" if field.get("signed") else "") + ("" if width == 1 else f" [{width - 1}:0]")
        lines.append(f"    {kind} {field['name']};" + (f"  // {field['doc']}" if field["doc"] else ""))
    lines += [f"  }} {name}_t;", f"  localparam int unsigned {camel(name)}Bits = {layout.struct_width(name)};", ""]
    return lines


def sv_defs_pkg(defs):
    layout = Layout(defs)
    out = [f"// {NOTE}.", "// What is the same in every configuration: constants, enumerations, structs, addresses.",
           "package defs_pkg;", ""]
    for name, entry in defs["constants"].items():
        out.append(f"  localparam int unsigned {name} = {entry['value']};  // {entry['doc']}")
    out.append("")
    for name, entry in defs["address"].items():
        out.append(f"  localparam logic [47:0] Addr{name}Base = 48'h{entry['base']:x};  // {entry['doc']}")
        out.append(f"  localparam logic [47:0] Addr{name}Size = 48'h{entry['size']:x};")
    out.append("")
    for name, entry in defs["csr"].items():
        out.append(f"  localparam logic [21:0] Csr{name} = 22'h{entry['offset']:x};  // {entry['doc']}")
    out.append("")
    for name, table in defs["enum"].items():
        out += [f"  // {table['doc']}", f"  typedef enum logic [{table['width'] - 1}:0] {{"]
        values = list(table["values"].items())
        for i, (key, entry) in enumerate(values):
            comma = "," if i + 1 < len(values) else ""
            out.append(f"    {camel(name)}{key} = {table['width']}'d{entry['value']}{comma}"
                       + (f"  // {entry['doc']}" if entry["doc"] else ""))
        out += [f"  }} {name}_e;"]
        bits = mask_bits(table)
        out += [f"  localparam logic [{bits - 1}:0] {camel(name)}{camel(mark)} = {bits}'h{mark_mask(table, mark):x};  // {doc}"
                for mark, doc in table.get("marks", {}).items()]
        out.append("")
    for name, table in defs["struct"].items():
        if not table.get("config"):
            out += sv_struct(defs, layout, name)
    return "\n".join(out + ["endpackage", ""])


def sv_size_pkg(defs, config):
    layout = Layout(defs, config)
    out = [f"// {NOTE}.", f"// Sizes of configuration {config}, and the structs whose width depends on them.",
           "package size_pkg;", ""]
    docs = next(iter(defs["sizes"].values()))
    for name, entry in defs["sizes"][config].items():
        out.append(f"  localparam int unsigned {name} = {entry['value']};  // {docs[name]['doc']}")
    out.append("")
    for name, table in defs["struct"].items():
        if table.get("config"):
            out += sv_struct(defs, layout, name)
    return "\n".join(out + ["endpackage", ""])
