# SPDX-License-Identifier: Apache-2.0
"""The package instr_pkg: what operand_check_pkg and the sequencer ask about an opcode."""
from defs.description import NOTE
from defs.instructions import FORMS, FUNCTION_BITS, LIMITS, SCALARS, STATIONARY, WALKS, format_mask
from defs.layout import Layout, camel, snake


def enum(name, values):
    width = (len(values) - 1).bit_length()
    items = ", ".join(f"{camel(name)}{camel(value)} = {width}'d{i}" for i, value in enumerate(values))
    return f"  typedef enum logic [{width - 1}:0] {{{items}}} {name}_e;"


def by_opcode(name, kind, doc, cases, default):
    """A function of the opcode; `cases` are (row, value)."""
    out = [f"  // {doc}", f"  function automatic {kind} {name}(logic [7:0] opcode);", "    case (opcode)"]
    out += [f"      defs_pkg::Opcode{row.name}: {name} = {value};" for row, value in cases]
    return [*out, f"      default: {name} = {default};", "    endcase", "  endfunction", ""]


def sv_instr_pkg(defs, rows):
    engines = defs["constants"]["Sequencers"]["value"]
    bits = Layout(defs).struct_width("instr")
    out = [f"// {NOTE}.", "// One rule per instruction: who executes it, and what makes it legal.", "package instr_pkg;", "",
           "  // How an operand is walked: all dimensions, but those that imm says are reduced, so many elements of the innermost one.",
           enum("walk", WALKS), "  // Does the instruction write the stationary tile, or multiply with it?",
           enum("stationary", STATIONARY), "  // Where its scalars are: two in place of src1, one in imm.",
           enum("scalars", SCALARS), "  // What it makes of elements and scalars.", enum("form", FORMS), "",
           "  typedef struct packed {", "    logic [31:0] least;", "    logic [31:0] most;", "    logic [31:0] multiple;", "  } limits_t;", "",
           "  // What an engine may find wrong, in the order of report.", "  typedef struct packed {",
           *(f"    logic {snake(cause)};" for cause in defs["errors"]["order"]), "  } faults_t;", "",
           "  function automatic defs_pkg::error_cause_e first_cause(faults_t faults);",
           *(f"    {'if' if i == 0 else 'else if'} (faults.{snake(cause)}) first_cause = defs_pkg::ErrorCause{cause};"
             for i, cause in enumerate(defs["errors"]["order"])),
           "    else first_cause = defs_pkg::ErrorCauseNone;", "  endfunction", "", "  // Formats as masks indexed by dtype_e."]
    out += [f"  localparam logic [15:0] Formats{camel(name)} = 16'h{format_mask(defs, dtypes):04x};"
            for name, dtypes in defs["formats"].items()]
    out += ["", "  typedef struct packed {", "    logic [3:0]  spaces;   // where it may lie, a mask indexed by space_e; 0001: it must be zero",
            "    logic [15:0] sbuf;     // formats there", "    logic [15:0] psum;", "    walk_e       walk;",
            "    logic        columns;  // as many partitions as the stationary tile has columns",
            "  } operand_rule_t;", "", "  typedef struct packed {",
            f"    logic [{engines - 1}:0]  engines;    // that execute it, a mask indexed by engine_e; 0: sequencers do",
            f"    logic [{FUNCTION_BITS - 1}:0] functions;  // values of func, as a mask; 0: it has none",
            "    operand_rule_t src0;", "    operand_rule_t src1;", "    operand_rule_t dst;", "  } rule_t;", "",
            "  // Bits that must be zero."]
    for row in rows:
        digits = f"{row.unused:0{bits // 4}x}"
        words = [digits[i:i + 32] for i in range(0, len(digits), 32)]
        out.append(f"  localparam logic [{bits - 1}:0] Unused{row.name} = {{128'h{words[0]}, 128'h{words[1]},")
        out.append(f"      128'h{words[2]}, 128'h{words[3]}}};")
    out.append("")
    walks = {walk: f"Walk{camel(walk)}" for walk in WALKS}
    out.append("  // {engines, functions, src0, src1, dst}, an operand {spaces, sbuf, psum, walk, columns}. Yosys reads no '{name: value}.")
    for row in rows:
        out.append(f"  localparam rule_t Rule{row.name} = {{{engines}'b{row.engines:0{engines}b}, {FUNCTION_BITS}'h{row.function_mask():x},")
        for operand in row.operands:
            out.append(f"    {{4'b{operand.spaces():04b}, 16'h{format_mask(defs, operand.sbuf):04x}, 16'h{format_mask(defs, operand.psum):04x}, "
                       f"{walks[operand.walk]}, 1'b{operand.columns:d}}}" + ("};" if operand.place == "dst" else ","))
    out.append("")
    out += by_opcode("rule_of", "rule_t", "An unknown opcode has no engine.", [(r, f"Rule{r.name}") for r in rows], "'0")
    out += by_opcode("unused_of", f"logic [{bits - 1}:0]", "Bits of an instruction that must be zero.",
                     [(r, f"Unused{r.name}") for r in rows], "'0")
    out += by_opcode("engines_of", f"logic [{engines - 1}:0]", "Sequencers that know it, a mask indexed by engine_e.",
                     [(r, "'1" if r.control else f"{engines}'b{r.engines:0{engines}b}") for r in rows], "'0")
    out += by_opcode("bits_of", f"logic [{FUNCTION_BITS - 1}:0]", "Its functions of bits, a mask: operands are integers of one size.",
                     [(r, f"{FUNCTION_BITS}'h{r.bit_functions(defs):x}") for r in rows if r.bit_functions(defs)], "'0")
    out += by_opcode("stationary_of", "stationary_e", "What it does with the stationary tile. Yosys looks for names where it is called.",
                     [(r, f"instr_pkg::Stationary{camel(r.stationary)}") for r in rows if r.stationary != "none"],
                     "instr_pkg::StationaryNone")
    out += by_opcode("transposes", "logic", "Is that tile bits, of which a moving tile picks some?",
                     [(r, "1'b1") for r in rows if r.transposes], "1'b0")
    out += by_opcode("scalars_of", "scalars_e", "Where its scalars are.",
                     [(r, f"Scalars{camel(r.scalars)}") for r in rows if r.scalars != "none"], "ScalarsNone")
    out += by_opcode("scalars_in_src1", "logic", "Are they in place of src1? (Yosys does not find enumerators from here.)",
                     [(r, "1'b1") for r in rows if r.scalars == "src1"], "1'b0")
    out += by_opcode("form_of", "form_e", "What it makes of elements and scalars.",
                     [(r, f"Form{camel(r.form)}") for r in rows if r.form != "elementwise"], "FormElementwise")
    out += by_opcode("moves_bits", "logic", "Does it move bits of elements of one size, whatever their format?",
                     [(r, "1'b1") for r in rows if r.moves], "1'b0")
    out += by_opcode("one_in_psum", "logic", "Must not both sources lie in PSUM?",
                     [(r, "1'b1") for r in rows if r.one_in_psum], "1'b0")
    out += by_opcode("limits_of", "limits_t", "Elements that its sizes may make: {least, most, multiple}.",
                     [(r, "{" + ", ".join(f"32'd{limit}" for limit in r.limits.values()) + "}") for r in rows if r.limits != LIMITS],
                     "{" + ", ".join(f"32'd{limit}" for limit in LIMITS.values()) + "}")
    for overlay in dict.fromkeys(r.overlay for r in rows if r.overlay and not r.control):
        out += by_opcode(f"has_{overlay}", "logic", f"Does a {overlay} lie in place of its operands?",
                         [(r, "1'b1") for r in rows if r.overlay == overlay], "1'b0")
    for place, index in (("src1", 1), ("dst", 2)):
        out += by_opcode(f"{place}_walk", "walk_e", f"How {place} is walked.",
                         [(r, f"Walk{camel(r.operands[index].walk)}") for r in rows if r.operands[index].walk != "all"], "WalkAll")
    return "\n".join(out + ["endpackage", ""])
