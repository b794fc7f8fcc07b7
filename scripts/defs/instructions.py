# SPDX-License-Identifier: Apache-2.0
"""The rows of rtl/defs/instructions.toml, checked, with what follows from them."""
import re

from defs.description import DefsError, check_keys, mark_mask
from defs.layout import Layout, snake

FILE = "rtl/defs/instructions.toml"
OPERANDS = ["src0", "src1", "dst"]
WALKS = ["all", "outer", "one", "two", "six", "eight"]
STATIONARY = ["none", "write", "read"]
SCALARS = ["none", "src1", "imm"]
FORMS = ["elementwise", "scan", "select", "fill", "sums", "seed", "predicated", "shuffle",
         "transpose", "stats", "aggregate", "max8", "find8", "replace8", "random", "dropout"]
SOURCELESS = ["fill", "sums", "random"]
QUARTERS = ["transpose", "shuffle"]
LIMITS = {"least": 1, "most": 0xFFFFFFFF, "multiple": 1}  # of elements, if the row does not say
FUSED = ["fused", "fused_scalar"]  # imm with a second function
ROW_KEYS = ["functions", "imm", "scalars", "form", "moves", "one_in_psum", "elements", "accumulate", "stationary", "transposes", "method", "operands", *OPERANDS]
# Fields that every row may use: the sequencer's.
WAIT_AND_UPDATE = ["opcode", "wait_op", "wait_sem", "wait_value", "update", "update_sem", "update_delta"]
SHAPE = ["partitions", "size3", "size2", "size1", "size0"]
RESOLVED = ["index", "reserved"]  # of an operand: what the sequencer has made zero, and what must be
ROUNDING = ["stochastic", "saturate"]  # must be, where nothing is cast
FUNCTION_BITS = 64  # of the mask of functions: values below this


def choose(where, what, value, allowed):
    if value not in allowed:
        raise DefsError(f"{where}: {what} is '{value}', allowed: {', '.join(map(str, allowed))}")
    return value


class Operand:
    """One operand of a row; `used` is false if the row does not name it."""

    def __init__(self, where, place, entry, formats):
        self.place, self.used = place, entry is not None
        entry = entry or {"role": ""}
        check_keys(where, entry, ["role"], ["sbuf", "psum", "none", "walk", "partitions"])
        self.role = entry["role"]
        self.none = entry.get("none", not self.used)
        self.sbuf, self.psum = ([] if key not in entry else formats[choose(where, key, entry[key], list(formats))]
                                for key in ("sbuf", "psum"))
        self.walk = choose(where, "walk", entry.get("walk", "all"), WALKS)
        self.rounds = place == "dst" and bool(self.sbuf)
        self.columns = choose(where, "partitions", entry.get("partitions", "instr"), ["instr", "columns"]) == "columns"
        if self.used and not self.sbuf and not self.psum:
            raise DefsError(f"{where}: needs formats in 'sbuf' or 'psum'")
        for dtype in self.psum:
            choose(where, "a format in psum", dtype, ["Fp32", "Int32"])

    def spaces(self):
        """Mask by enum.space."""
        return int(self.none) | bool(self.sbuf) << 1 | bool(self.psum) << 2


class Row:
    def __init__(self, defs, name, entry):
        where = f"{FILE}: [instruction.{name}]"
        self.name, self.opcode, self.doc = name, entry["opcode"], entry["doc"]
        self.mnemonic = snake(name).upper()
        self.method = entry.get("method", snake(name))
        engines = list(defs["enum"]["engine"]["values"].items())
        own = [key for key, value in engines if value["value"] < defs["constants"]["Sequencers"]["value"]]
        self.engine = choose(where, "engine", entry["engine"], ["all", *own])
        self.control = self.engine == "all"
        self.engines = sum(1 << value["value"] for key, value in engines if self.engine == key)
        self.function_enum, self.functions = self.read_functions(defs, where, entry.get("functions"))
        self.imm = entry.get("imm")
        if self.imm:
            choose(where, "imm", self.imm, list(defs["struct"]))
        self.overlay = entry.get("operands")
        if self.overlay:
            choose(where, "operands", self.overlay, list(defs["struct"]))
        self.accumulate = entry.get("accumulate", False)
        self.stationary = choose(where, "stationary", entry.get("stationary", "none"), STATIONARY)
        self.transposes = entry.get("transposes", False)
        if self.transposes and self.stationary == "none":
            raise DefsError(f"{where}: transposes, but has no stationary tile")
        self.operands = [Operand(f"{where} {place}", place, entry.get(place), defs["formats"]) for place in OPERANDS]
        self.scalars = choose(where, "scalars", entry.get("scalars", "none"), SCALARS)
        self.form = choose(where, "form", entry.get("form", "elementwise"), FORMS)
        self.moves = entry.get("moves", False)
        self.operands[2].rounds &= not self.moves and self.form != "dropout"  # a number for each element already
        self.one_in_psum = entry.get("one_in_psum", False)
        self.by_quarters = self.form in QUARTERS
        check_keys(f"{where} elements", entry.get("elements", {}), [], list(LIMITS))
        self.limits = {**LIMITS, **entry.get("elements", {})}
        if self.scalars == "src1" and self.operands[1].used:
            raise DefsError(f"{where}: has both scalars and a src1")
        self.fused = bool(self.functions) and self.scalars != "none" and self.imm in FUSED
        self.computes = any(o.used for o in self.operands)
        if self.computes and self.overlay:
            raise DefsError(f"{where}: has both operands and a struct in their place")
        if self.computes and self.control:
            raise DefsError(f"{where}: has operands, but no engine")
        if self.computes and not self.operands[0].used and self.form not in SOURCELESS:
            raise DefsError(f"{where}: has operands, but no src0")
        if self.accumulate and not self.operands[2].used:
            raise DefsError(f"{where}: accumulates, but has no dst")
        self.unused = self.unused_bits(defs, where)

    @staticmethod
    def read_functions(defs, where, entry):
        """(enumeration or None, {name: value})."""
        if entry is None:
            return None, {}
        if isinstance(entry, str):
            entry = {"enum": entry}
        check_keys(f"{where} functions", entry, ["enum"], ["of"])
        values = defs["enum"][choose(f"{where} functions", "enum", entry["enum"], list(defs["enum"]))]["values"]
        names = [choose(f"{where} functions", "a name", name, list(values)) for name in entry.get("of", values)]
        for name in names:
            if values[name]["value"] >= FUNCTION_BITS:
                raise DefsError(f"{where} functions: {name} is beyond {FUNCTION_BITS - 1}")
        return entry["enum"], {name: values[name]["value"] for name in names}

    def function_mask(self):
        return sum(1 << value for value in self.functions.values())

    def bit_functions(self, defs):
        """Those that take integers as they are, as a mask."""
        return mark_mask(defs["enum"][self.function_enum], "bits") & self.function_mask() if self.functions else 0

    def unused_bits(self, defs, where):
        """The bits of an instruction that must be zero when its engine gets it: registers are resolved."""
        layout = Layout(defs)
        room = next(width for field, _, width in layout.positions("instr") if field["name"] == "imm")
        self.imm_bits = layout.struct_width(self.imm) if self.imm else 0
        if self.imm_bits > room:
            raise DefsError(f"{where}: imm '{self.imm}' is wider than the field")
        used = {*WAIT_AND_UPDATE, *(SHAPE if self.computes else []), *(o.place for o in self.operands if o.used)}
        used |= {field for field, has in (("func", self.functions), ("imm", self.imm), ("accumulate", self.accumulate)) if has}
        mask = 0
        rounds = {o.place for o in self.operands if o.rounds}
        for field, lsb, width in layout.positions("instr"):
            if field["name"] == "src1" and self.scalars == "src1":
                mask |= reserved_bits(layout, "scalars") << lsb
            elif field["name"] == "imm":
                mask |= ((1 << width) - (1 << self.imm_bits)) << lsb
            elif field["name"] not in used:
                mask |= ((1 << width) - 1) << lsb
            elif "struct" in field:
                zero = RESOLVED if field["name"] in rounds else RESOLVED + ROUNDING
                mask |= sum(((1 << bits) - 1) << (lsb + at) for part, at, bits in layout.positions("operand") if part["name"] in zero)
        if self.overlay:
            width = layout.struct_width(self.overlay)
            if width > min(lsb for field, lsb, _ in layout.positions("instr") if field["name"] in [*WAIT_AND_UPDATE, "imm" * bool(self.imm)]):
                raise DefsError(f"{where}: operands '{self.overlay}' is wider than the fields below its update")
            mask &= ~((1 << width) - 1)
        return mask


def reserved_bits(layout, name):
    """Of a struct, with those in it: a mask."""
    return sum((reserved_bits(layout, field["struct"]) if "struct" in field else ((1 << width) - 1) * (field["name"] == "reserved"))
               << lsb for field, lsb, width in layout.positions(name))


def rows_of(defs):
    """Checked rows in the order of the file; adds the enumeration of opcodes that they are."""
    check_lists(defs)
    rows, owner = [], {}
    for name, entry in defs["instruction"].items():
        where = f"{FILE}: [instruction.{name}]"
        check_keys(where, entry, ["opcode", "engine", "doc"], ROW_KEYS)
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
            raise DefsError(f"{where}: a name is LikeThis")
        if not 0 <= entry["opcode"] < 256:
            raise DefsError(f"{where}: opcode does not fit 8 bits")
        if entry["opcode"] in owner:
            raise DefsError(f"{where}: opcode {entry['opcode']} is {owner[entry['opcode']]} already")
        owner[entry["opcode"]] = name
        rows.append(Row(defs, name, entry))
    defs["enum"]["opcode"] = opcode_enum(defs)
    return rows


def check_lists(defs):
    for section, what, enum in (("formats", "a format", "dtype"), ("errors", "a cause", "error_cause")):
        for name, entries in defs[section].items():
            for entry in entries:
                choose(f"{FILE}: [{section}] {name}", what, entry, list(defs["enum"][enum]["values"]))


def format_mask(defs, dtypes):
    return sum(1 << defs["enum"]["dtype"]["values"][d]["value"] for d in dtypes)


def opcode_enum(defs):
    """enum.opcode, from the rows."""
    def engine(entry):
        doc = defs["enum"]["engine"]["values"].get(entry["engine"], {"doc": entry["engine"]})["doc"]
        return doc.split(" engine")[0]
    return {"doc": "first byte of an instruction", "width": 8,
            "values": {name: {"value": entry["opcode"], "doc": f"{engine(entry)}: {entry['doc']}"}
                       for name, entry in defs["instruction"].items()}}
