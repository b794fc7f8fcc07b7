# SPDX-License-Identifier: Apache-2.0
"""The tables for C++ and for SystemVerilog."""
import hashlib

from tables.description import REDUCES
from tables.fit import PLACE_BITS, QUARTER_BITS, SUM_GRID
from tables.sollya import constants, fp32, value_of

ROW_BITS, DIRECTORY_BITS = 13, 11
SIDES = 4
# Bits of a word of the directory above base and shift.
SHIFT_AT = ROW_BITS
ZERO, W_IS_U, V_IS_U, V_IS_HALF, V_IS_REST = (1 << (SHIFT_AT + 5 + i) for i in range(5))
FINISH = {"plain": 0, "sum": 0, "linear": W_IS_U | V_IS_U, "beside": V_IS_U, "rest": V_IS_REST}
FORMAT = [("reduce", 3), ("odd", 1), ("alternate", 1), ("one_side", 1), ("scale", 2), ("most", 32), ("rest", 32), ("inverse", 32), ("step_high", 32), ("step_low", 32),
          *((f"{end}{side}", 16) for side in range(SIDES) for end in ("first", "last", "bias")),
          *((f"{end}{sign}", 32) for sign in range(2) for end in ("low", "low_value", "high", "high_value"))]


def entry_word(entry, function):
    word = (entry.base % (1 << ROW_BITS)) | entry.shift << SHIFT_AT | FINISH[entry.kind] | (ZERO if entry.zero else 0)
    return word | (V_IS_HALF if entry.kind == "linear" and function.slope == -1 else 0)


def split(step, bits):
    """(upper `bits` bits, rest) of a constant as fp32 words."""
    return constants([f"round({step}, {bits}, RN)", f"{step} - round({step}, {bits}, RN)"])


def fields(function, sides):
    """{field of FORMAT: value}."""
    out = {"reduce": REDUCES.index(function.reduce), "odd": int(function.odd), "alternate": int(function.alternate),
           "one_side": int(function.one_side), "scale": function.scale % 4, "most": function.most,
           "rest": fp32(function.rest_number())}
    out["inverse"] = out["step_high"] = out["step_low"] = 0
    if function.reduce == "multiple":
        out["inverse"] = constants([f"1 / ({function.step})"])[0]
        out["step_high"], out["step_low"] = split(function.step, 24 if function.most == 1 else 16)
    elif function.reduce == "logarithm":
        high, _ = split("log(2)", 24)
        grid = round(value_of(high) / SUM_GRID) * SUM_GRID
        out["step_high"], out["step_low"] = fp32(grid), constants([f"log(2) - {int(grid / SUM_GRID)} * {SUM_GRID}"])[0]
    out["absolute"] = f"0x1p{function.absolute}f" if function.absolute is not None else "0.0f"
    for side in range(SIDES):
        first, last, bias = sides[side] if side < len(sides) else sides[0]
        out |= {f"first{side}": first, f"last{side}": last, f"bias{side}": bias % (1 << 16)}
    for sign, entry in enumerate(function.signs):
        low, high = entry.get("low", ["0", "0"]), entry["high"]
        words = constants([f"up {low[0]}", low[1], f"up {high[0]}", high[1]])
        out |= dict(zip((f"low{sign}", f"low_value{sign}", f"high{sign}", f"high_value{sign}"), words))
    return out


def words_of(directory, places, functions):
    """The directory's words; functions that share an entry object agree on what it means."""
    owner = [None] * len(directory)
    for function in functions:
        for first, last, bias in places[function.name]:
            for i in range(first + bias, last + bias + 1):
                owner[i] = function
    return [entry_word(entry, owner[i]) for i, entry in enumerate(directory)]


def block(words, per_line, prefix, indent):
    lines = [", ".join(f"{prefix}{w:08x}" if w else f"{prefix}0" for w in words[i:i + per_line]) for i in range(0, len(words), per_line)]
    return ",\n".join(" " * indent + line for line in lines)


def content_digest(rows, directory, constants_of):
    return hashlib.sha256(repr((rows, directory, constants_of)).encode()).hexdigest()[:16]


def row_lines(rows):
    """A line each, so that rows of another build are found among them."""
    return "".join("    {" + ", ".join(f"0x{w:08x}" for w in row) + "},\n" for row in rows)


def cpp(note, rows, directory, constants_of):
    content = content_digest(rows, directory, constants_of)
    out = [f"// {note}", "#pragma once", "#include <array>", "#include <cstdint>", "#include <string_view>", "", '#include "rtl/defs/gen/defs.h"', "", "namespace defs {", "",
           "enum class TableReduce : std::uint32_t { " + ", ".join(r.capitalize() for r in REDUCES) + " };", "",
           "/// What rtl/defs/table_functions.toml says of a function. Sides: u >= 0, u < 0, and the same two again where k != 0 adds to",
           "/// the rows. first, last: of the directory, by the upper bits of |u|; bias: to its index. low, high: per sign of x.",
           "struct TableFunction {", "  ActFunc func;"]
    out += ["  TableReduce reduce;", "  bool odd, alternate, one_side;", "  std::int32_t scale;", "  std::uint32_t most, rest, inverse, step_high, step_low;",
            "  struct Side {", "    std::int32_t first, last, bias;", "  };", f"  std::array<Side, {SIDES}> sides;", "  struct Limits {",
            "    std::uint32_t low, low_value, high, high_value;", "  };", "  std::array<Limits, 2> limits;",
            "  float absolute;  ///< error that is allowed beside 1 ulp", "};", ""]
    out += [f'inline constexpr std::string_view kTableDigest = "{content}";',
            f"inline constexpr unsigned kTableRowBits = {ROW_BITS}, kTablePlaceBits = {PLACE_BITS}, kTableQuarterBits = {QUARTER_BITS};",
            f"inline constexpr std::uint32_t kTableZero = 0x{ZERO:x}, kTableWIsU = 0x{W_IS_U:x}, kTableVIsU = 0x{V_IS_U:x}, kTableVIsHalf = 0x{V_IS_HALF:x}, "
            f"kTableVIsRest = 0x{V_IS_REST:x};", ""]
    out.append(f"inline constexpr std::array<TableFunction, {len(constants_of)}> kTableFunctions{{{{")
    signed = lambda value: value - (1 << 16) if value >> 15 else value
    for name, f in constants_of.items():
        sides = ", ".join(f"{{{f[f'first{s}']}, {f[f'last{s}']}, {signed(f[f'bias{s}'])}}}" for s in range(SIDES))
        limits = ", ".join("{" + ", ".join(f"0x{f[f'{end}{s}']:08x}" for end in ("low", "low_value", "high", "high_value")) + "}" for s in range(2))
        scale = f["scale"] - 4 if f["scale"] > 1 else f["scale"]
        out.append(f"    {{ActFunc::{name}, TableReduce::{REDUCES[f['reduce']].capitalize()}, {str(bool(f['odd'])).lower()}, "
                   f"{str(bool(f['alternate'])).lower()}, {str(bool(f['one_side'])).lower()}, {scale}, 0x{f['most']:08x}, 0x{f['rest']:08x}, 0x{f['inverse']:08x}, "
                   f"0x{f['step_high']:08x}, 0x{f['step_low']:08x},")
        out.append(f"     {{{{{sides}}}}}, {{{{{limits}}}}}, {f['absolute']}}},")
    out += ["}};", "", "/// base, shift, flags.", f"inline constexpr std::array<std::uint32_t, {len(directory)}> kTableDirectory{{",
            block(directory, 12, "0x", 4), "};", "", "/// c0, c1, c2, c3.", f"inline constexpr std::array<std::array<std::uint32_t, 4>, {len(rows)}> kTableRows{{{{"]
    out += [row_lines(rows) + "}};", "", "}  // namespace defs", ""]
    return "\n".join(out)


def systemverilog(note, rows, directory, constants_of):
    out = [f"// {note.split(';')[0]}; tables {content_digest(rows, directory, constants_of)}", "package table_pkg;", "",
           f"  localparam int unsigned RowBits = {ROW_BITS};", f"  localparam int unsigned DirectoryBits = {DIRECTORY_BITS};",
           f"  localparam int unsigned PlaceBits = {PLACE_BITS};", f"  localparam int unsigned QuarterBits = {QUARTER_BITS};"]
    out += [f"  localparam int unsigned {name}Bit = {value.bit_length() - 1};"
            for name, value in (("Zero", ZERO), ("WIsU", W_IS_U), ("VIsU", V_IS_U), ("VIsHalf", V_IS_HALF), ("VIsRest", V_IS_REST))]
    out += [f"  localparam logic [2:0] Reduce{r.capitalize()} = 3'd{i};" for i, r in enumerate(REDUCES)]
    out += ["", "  // See TableFunction in table_functions.h.", "  typedef struct packed {"]
    out += [f"    logic {f'[{bits - 1}:0] ' if bits > 1 else ''}{name};" for name, bits in FORMAT]
    out += ["  } function_t;", "", "  function automatic function_t function_of(input logic [7:0] func);", "    case (func)"]
    for name, f in constants_of.items():
        parts = [f"{bits}'h{f[field]:x}" for field, bits in FORMAT]
        lines = ",\n          ".join(", ".join(parts[i:i + 12]) for i in range(0, len(parts), 12))
        out.append(f"      defs_pkg::ActFunc{name}: function_of = {{{lines}}};")
    out += ["      default: function_of = '0;", "    endcase", "  endfunction", ""]
    pad = lambda words, bits: words + [0] * ((1 << bits) - len(words))
    out += [f"  localparam logic [31:0] Directory [{1 << DIRECTORY_BITS}] = '{{", block(pad(directory, DIRECTORY_BITS), 12, "32'h", 4), "  };"]
    for i in range(4):
        out += [f"  localparam logic [31:0] C{i} [{1 << ROW_BITS}] = '{{", block(pad([row[i] for row in rows], ROW_BITS), 12, "32'h", 4), "  };"]
    return "\n".join(out + ["endpackage", ""])
