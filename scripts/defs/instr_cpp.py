# SPDX-License-Identifier: Apache-2.0
"""C++: the rows of instructions.toml as a constexpr table, and the assembler's methods."""
from defs.description import NOTE
from defs.instructions import FORMS, SCALARS, STATIONARY, WALKS, format_mask
from defs.layout import camel, snake

HEAD = """
/// How an operand is walked: all dimensions, but those that imm says are reduced, so many elements
/// of the innermost one.
enum class Walk : std::uint8_t { WALKS };
/// How many of the innermost one; 0: the instruction's sizes say it.
constexpr unsigned fixed_elements(Walk walk) {
  constexpr std::array<std::uint8_t, 6> kElements{0, 0, 1, 2, 6, 8};
  return kElements[static_cast<unsigned>(walk)];
}
/// Does the instruction write the stationary tile, or multiply with it?
enum class Stationary : std::uint8_t { STATIONARY };
/// Where its scalars are: two in place of src1, one in imm.
enum class ScalarPlace : std::uint8_t { SCALARS };
/// What it makes of elements and scalars.
enum class Form : std::uint8_t { FORMS };
/// What the low bits of imm are.
enum class Imm : std::uint8_t { IMM };
/// What lies in place of the operands.
enum class Overlay : std::uint8_t { OVERLAY };

/// One operand of an instruction.
struct OperandRow {
  std::string_view role;  ///< "moving tile"; empty: it has no such operand
  std::uint8_t spaces;    ///< where it may lie, a mask by Space; 1: it must be zero
  std::uint16_t sbuf;     ///< formats there, a mask by Dtype
  std::uint16_t psum;
  Walk walk;
  bool columns;  ///< as many partitions as the stationary tile has columns, else instr.partitions
  bool rounds;   ///< what is cast there may be rounded at random, and saturate

  constexpr bool used() const { return !role.empty(); }
  constexpr bool may_lie_in(Space space) const { return spaces >> static_cast<unsigned>(space) & 1; }
  constexpr unsigned formats(Space space) const {
    return space == Space::Psum ? psum : sbuf;
  }
};

/// What an instruction is: rtl/defs/instructions.toml.
struct InstrRow {
  Opcode opcode;
  std::string_view name, mnemonic, doc;
  std::uint8_t engines;  ///< that execute it, a mask by Engine; 0: sequencers do
  /// Values of func, as a mask, and their names; 0 and null: it has none.
  std::uint64_t functions;
  std::uint64_t bits;  ///< those of them that take integers of one size as they are
  std::string_view (*function_name)(std::uint8_t);
  bool accumulate;  ///< with the bit set, dst is read, too
  Imm imm;
  unsigned imm_bits;  ///< of it; the others are zero
  ScalarPlace scalars;
  Form form;
  bool one_in_psum;  ///< not both sources lie there
  bool moves;  ///< bits of elements of one size, whatever their format
  /// Elements that the sizes may make: between these, and a multiple.
  std::uint32_t least, most, multiple;
  Overlay overlay;
  Stationary stationary;
  bool transposes;  ///< that tile is bits, and a moving tile picks some of them
  std::array<OperandRow, 3> operands;  ///< src0, src1, dst

  constexpr bool is_of_bits(std::uint8_t func) const { return func < 64 && bits >> func & 1; }
  constexpr bool runs_on(Engine engine) const {
    return engines >> static_cast<unsigned>(engine) & 1;
  }
  /// Every sequencer does it itself.
  constexpr bool is_control() const { return engines == 0; }
  constexpr bool computes() const { return operands[0].used() || operands[2].used(); }
  /// Do its sizes suit it?
  constexpr bool takes(std::uint64_t elements) const {
    return elements >= least && (most == ~0u || elements <= most) && elements % multiple == 0;
  }
  /// Does it work on quarters of the partitions, whole ones?
  constexpr bool by_quarters() const { return form == Form::Transpose || form == Form::Shuffle; }
  /// Lanes of dst may stay as they are.
  constexpr bool is_masked() const { return form == Form::Predicated || form == Form::Shuffle; }
  /// src1 is read before src0.
  constexpr bool src1_first() const { return fixed_elements(operands[1].walk) != 0; }
  /// Has it two functions? The second one is in imm.
  constexpr bool is_fused() const {
    return functions && (imm == Imm::Fused || imm == Imm::FusedScalar);
  }
  /// There is nothing in src1's place.
  constexpr bool leaves_src1() const { return !operands[1].used() && scalars != ScalarPlace::Src1; }
  constexpr const OperandRow& src0() const { return operands[0]; }
  constexpr const OperandRow& src1() const { return operands[1]; }
  constexpr const OperandRow& dst() const { return operands[2]; }
};

template <class Enum>
constexpr std::string_view function_name(std::uint8_t func) {
  return to_string(static_cast<Enum>(func));
}
"""


def flag(value):
    return "true" if value else "false"


def cpp_row(defs, row):
    function = f"&function_name<{camel(row.function_enum)}>" if row.function_enum else "nullptr"
    operands = [f'     OperandRow{{"{o.role}", {o.spaces()}, 0x{format_mask(defs, o.sbuf):x}, 0x{format_mask(defs, o.psum):x}, '
                f"Walk::{camel(o.walk)}, {flag(o.columns)}, {flag(o.rounds)}}}" for o in row.operands]
    return [f'    {{Opcode::{row.name}, "{row.name}", "{row.mnemonic}",', f'     "{row.doc}",',
            f"     {row.engines}, 0x{row.function_mask():x}, 0x{row.bit_functions(defs):x}, {function}, {flag(row.accumulate)}, Imm::{camel(row.imm or 'none')}, {row.imm_bits}, "
            f"ScalarPlace::{camel(row.scalars)}, Form::{camel(row.form)}, {flag(row.one_in_psum)}, {flag(row.moves)}, "
            f"{', '.join(map(str, row.limits.values()))}, "
            f"Overlay::{camel(row.overlay or 'none')}, "
            f"Stationary::{camel(row.stationary)}, {flag(row.transposes)},", "     {" + ",\n".join(operands).lstrip() + "}},"]


def faults_struct(order):
    names = [snake(cause) for cause in order]
    return ["/// What an engine may find wrong, in the order of report.", "struct Faults {", *(f"  bool {n} = false;" for n in names), "",
            "  Faults& operator|=(const Faults& other) {", *(f"    {n} |= other.{n};" for n in names), "    return *this;", "  }",
            "  constexpr ErrorCause first_cause() const {", *(f"    if ({n}) return ErrorCause::{c};" for n, c in zip(names, order)),
            "    return ErrorCause::None;", "  }", "};", ""]


def instructions_header(defs, rows):
    imms = list(dict.fromkeys(r.imm for r in rows if r.imm))
    overlays = list(dict.fromkeys(r.overlay for r in rows if r.overlay))
    head = HEAD.replace("OVERLAY", ", ".join(["None", *map(camel, overlays)])).replace("WALKS", ", ".join(map(camel, WALKS))).replace("STATIONARY", ", ".join(map(camel, STATIONARY))).replace("SCALARS", ", ".join(map(camel, SCALARS))).replace("FORMS", ", ".join(map(camel, FORMS)))
    out = [f"// {NOTE}.", "#pragma once", "#include <algorithm>", "#include <array>", "#include <cstdint>", "#include <string_view>", "",
           '#include "rtl/defs/gen/defs.h"', "", "namespace defs {",
           head.replace("IMM", ", ".join(["None", *map(camel, imms)])),
           *faults_struct(defs["errors"]["order"]), "/// Formats, masks by Dtype."]
    out += [f"inline constexpr unsigned kFormats{camel(name)} = 0x{format_mask(defs, dtypes):x};"
            for name, dtypes in defs["formats"].items()]
    out += ["", f"inline constexpr std::array<InstrRow, {len(rows)}> kInstructions{{{{"]
    for row in rows:
        out += cpp_row(defs, row)
    out += ["}};", "", "/// The row of an opcode; null for an unknown one.",
            "constexpr const InstrRow* row_of(std::uint8_t opcode) {", "  switch (static_cast<Opcode>(opcode)) {"]
    out += [f"    case Opcode::{row.name}: return &kInstructions[{i}];" for i, row in enumerate(rows)]
    out += ["  }", "  return nullptr;", "}", ""]
    for name in overlays:
        out += [f"/// What lies in place of the operands of `instr`.", f"inline {camel(name)} {snake(name)}_of(const Instr& instr) {{",
                "  const auto words = instr.words();", f"  {camel(name)}::Words low;",
                "  std::copy_n(words.begin(), low.size(), low.begin());",
                f"  return {camel(name)}::from(low);", "}"]
    for row in rows:
        if row.overlay:
            args = [f"{camel(row.function_enum)} func"] if row.functions else []
            out += [f"/// {row.mnemonic}: {row.doc}.", f"inline Instr encode_{snake(row.name)}({', '.join([*args, f'const {camel(row.overlay)}& operands'])}) {{",
                    "  Instr head;", f"  head.opcode = {row.opcode};"]
            out += ["  head.func = static_cast<std::uint8_t>(func);"] if row.functions else []
            out += ["  auto words = head.words();", "  const auto low = operands.words();",
                    "  std::copy(low.begin(), low.end(), words.begin());", "  return Instr::from(words);", "}"]
            continue
        args = f"const {camel(row.imm)}& imm" if row.imm else ""
        out += [f"/// {row.mnemonic}: {row.doc}.", f"inline Instr encode_{snake(row.name)}({args}) {{", "  Instr instr;",
                f"  instr.opcode = {row.opcode};"]
        out += ["  instr.imm = imm.words()[0];"] if row.imm else []
        out += ["  return instr;", "}"]
    return "\n".join(out + ["", "}  // namespace defs", ""])


def signatures(row):
    """(parameters, designated values) of a row's methods; what may be left out makes two."""
    pair = row.scalars == "src1" and row.functions
    for given in ([True, False] if pair or any(o.none and o.used for o in row.operands) else [True]):
        there = [o for o in row.operands if o.used and (given or pair or not o.none)]
        params = [f"defs::{camel(row.function_enum)} func"] if row.functions else []
        values = [".func = static_cast<std::uint8_t>(func)"] if row.functions else []
        tiles = [f"const Tile& {o.place}" for o in there]
        second = row.fused and (given or not pair)
        if row.scalars != "none":
            between = ["const Scalar& a"] + ([f"defs::{camel(row.function_enum)} func1"] if second else [])
            between += ["const Scalar& b"] if pair and given else []
            at = 1 if row.operands[0].used else 0
            tiles = tiles[:at] + between + tiles[at:]
            values += [".func1 = static_cast<std::uint8_t>(func1)"] if second else []
            values += [f".scalars = {{&a, {'&b' if pair and given else 'nullptr'}}}"]
        params += tiles
        if row.imm and not row.fused and row.scalars != "imm":
            params += [f"const defs::{camel(row.imm)}& imm = {{}}"]
            values += [".imm = imm.words()[0]"]
        params += ["bool accumulate = false"] if row.accumulate else []
        values += [".accumulate = accumulate"] if row.accumulate else []
        values.append(".operands = {" + ", ".join(f"&{o.place}" if o in there else "nullptr" for o in row.operands) + "}")
        yield ", ".join([*params, "Where at = Where::current()"]), ", ".join(values)


def has_method(row):
    return row.computes or row.scalars != "none"


def stream_methods(defs, rows):
    out = [f"// {NOTE}.", "// One method per instruction with operands: what engine_streams.h makes its streams of.",
           "#pragma once", '#include "cmodel/program/stream.h"', '#include "cmodel/program/tile.h"', "", "namespace cmodel {", ""]
    for engine in dict.fromkeys(row.engine for row in rows if has_method(row)):
        out += ["template <class Derived>", f"class {engine}Methods : public Stream<Derived> {{", " public:",
                "  using Stream<Derived>::Stream;"]
        for row in rows:
            if row.engine != engine or not has_method(row):
                continue
            for params, values in signatures(row):
                out += [f"  /// {row.mnemonic}: {row.doc}.", f"  Derived& {row.method}({params}) {{",
                        f"    this->put(*defs::row_of({row.opcode}), {{{values}}}, at);", "    return this->self();", "  }"]
        out += ["};", ""]
    return "\n".join(out + ["}  // namespace cmodel", ""])
