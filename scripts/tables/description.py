# SPDX-License-Identifier: Apache-2.0
"""rtl/defs/table_functions.toml, read and checked: functions with their sides and binades."""
import pathlib
import tomllib

from defs.description import check_keys
from defs.instructions import choose

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = "rtl/defs/table_functions.toml"
REDUCES = ["none", "multiple", "logarithm", "root", "reciprocal"]
KEYS = ["table", "reduce", "step", "most", "scale", "odd", "alternate", "slope", "rest", "linear", "far", "absolute"]
# The highest k of "multiple" without `most`: what the reduction's addition of 1.5 * 2^23 can hold with room.
MOST = 255


class Side:
    """Rows of u >= 0 or of u < 0, as functions of |u|; `near`: what becomes of A at zero."""

    def __init__(self, function, minus, near, last, beyond):
        self.function, self.minus, self.near, self.last, self.beyond = function, minus, near, last, beyond

    def kind(self, exponent):
        """What becomes of A in a binade: see FINISH in emit.py."""
        function = self.function
        if self.near == "sum" or (function.linear is not None and exponent < function.linear):
            return self.near
        if function.far is not None and exponent >= function.far and not self.minus:
            return "beside" if function.rest == "u" else "rest"
        return "plain"


class Function:
    """One table of the file. Its sides: u >= 0, u < 0, and for "logarithm" the same two for k != 0."""

    def __init__(self, name, entry):
        where = f"{FILE}: [function.{name}]"
        check_keys(where, entry, ["f", "plus", "minus"], KEYS)
        self.name, self.f = name, entry["f"]
        self.table = entry.get("table", self.f)
        self.reduce = entry.get("reduce", "none")
        choose(where, "reduce", self.reduce, REDUCES)
        self.step, self.most, self.scale = entry.get("step"), entry.get("most", MOST), entry.get("scale", 0)
        self.odd, self.alternate = (entry.get(key, False) for key in ("odd", "alternate"))
        self.slope, self.rest, self.linear, self.far = (entry.get(key) for key in ("slope", "rest", "linear", "far"))
        self.absolute = entry.get("absolute")
        self.signs = []
        for sign in ("plus", "minus"):
            check_keys(f"{where} {sign}", entry[sign], [], ["last", "beyond", "low", "high"])
            choose(f"{where} {sign}", "beyond", entry[sign].get("beyond"), [None, "identity", "zero"])
            self.signs.append(entry[sign])
        near = "plain" if self.linear is None else "linear" if self.slope is not None else "rest"
        self.sides = [Side(self, minus, near, sign["last"], sign.get("beyond"))
                      for minus, sign in enumerate(self.signs) if "last" in sign]
        if self.reduce == "logarithm":
            self.sides += [Side(self, s.minus, "sum", s.last, None) for s in list(self.sides)]

    def rest_number(self):
        return 0.0 if self.rest in (None, "u") else float(self.rest)

    @property
    def one_side(self):
        return len(self.sides) == 1


def load():
    """(error of a row in ulps, functions), in the order of the file."""
    data = tomllib.loads((ROOT / FILE).read_text())
    check_keys(FILE, data, ["ulp", "function"])
    return data["ulp"], [Function(name, entry) for name, entry in data["function"].items()]
