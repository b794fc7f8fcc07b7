# SPDX-License-Identifier: Apache-2.0
"""Where the fields of a struct lie, and how its parts are called."""
import re


def camel(name):
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Layout:
    """Bit positions. A width that names sizes is only known per configuration."""

    def __init__(self, defs, config=None):
        self.defs = defs
        self.sizes = {k: v["value"] for k, v in defs["sizes"][config].items()} if config else {}

    def width(self, field):
        if "struct" in field:
            return self.struct_width(field["struct"])
        if isinstance(field["bits"], int):
            return field["bits"]
        return eval(field["bits"], {}, self.sizes)  # an expression over sizes, from our own file

    def struct_width(self, name):
        return sum(self.width(f) for f in self.defs["struct"][name]["fields"])

    def positions(self, name):
        """[(field, lsb, width)], first field most significant."""
        lsb = self.struct_width(name)
        result = []
        for field in self.defs["struct"][name]["fields"]:
            lsb -= self.width(field)
            result.append((field, lsb, self.width(field)))
        return result

    def leaves(self, name, prefix=()):
        for field, _, width in self.positions(name):
            path = (*prefix, field["name"])
            if "struct" in field:
                yield from self.leaves(field["struct"], path)
            else:
                yield path, width
