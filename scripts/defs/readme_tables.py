# SPDX-License-Identifier: Apache-2.0
"""The tables between `<!-- BEGIN defs NAME -->` and `<!-- END defs -->` in the READMEs."""
import re

from defs.description import DefsError
from defs.layout import Layout


def table(head, rows):
    line = lambda cells: "| " + " | ".join(str(c) for c in cells) + " |"
    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])


def tables(defs):
    """Markdown tables by name."""
    docs = next(iter(defs["sizes"].values()))
    result = {"sizes": table(["size", *defs["sizes"], "meaning"],
                             [[k, *(c[k]["value"] for c in defs["sizes"].values()), docs[k]["doc"]] for k in docs]),
              "constants": table(["constant", "value", "meaning"],
                                 [[k, v["value"], v["doc"]] for k, v in (defs["constants"] | defs["rates"]).items()]),
              "address": table(["window", "base", "size", "meaning"],
                               [[k, f"0x{v['base']:012x}", f"0x{v['size']:x}", v["doc"]]
                                for k, v in defs["address"].items()]),
              "csr": table(["register", "offset", "count", "per core", "access", "meaning"],
                           [[k, f"0x{v['offset']:04x}", v.get("count", 1), "yes" if v.get("per_core") else "",
                             v["access"], v["doc"]] for k, v in defs["csr"].items()])}
    for name, entry in defs["enum"].items():
        result[name] = table(["value", "name", "meaning"],
                             [[v["value"], k, v["doc"]] for k, v in entry["values"].items()])
    for name, entry in defs["struct"].items():
        layout = Layout(defs, next(iter(defs["sizes"]))) if entry.get("config") else Layout(defs)
        rows = []
        for field, lsb, width in layout.positions(name):
            bits = str(lsb) if width == 1 else f"{lsb + width - 1}:{lsb}"
            rows.append([bits, field["name"], width, field.get("struct", field["doc"])])
        result[name] = table(["bits", "field", "width", "meaning"], rows)
    return result


def fill_readme(text, known, where):
    def replace(match):
        name = match.group(1)
        if name not in known:
            raise DefsError(f"{where}: no table '{name}', there are: {', '.join(sorted(known))}")
        return f"<!-- BEGIN defs {name} -->\n{known[name]}\n<!-- END defs -->"
    return re.sub(r"<!-- BEGIN defs (\w+) -->\n.*?<!-- END defs -->", replace, text, flags=re.S)
