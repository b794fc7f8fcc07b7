# SPDX-License-Identifier: Apache-2.0
"""manual.md: instructions, encodings, registers and errors on one page."""
from defs.description import NOTE
from defs.instructions import LIMITS
from defs.readme_tables import table, tables

RULES = """
* A field that an instruction does not use is zero; so is the stride of a dimension of size 1.
* Everything is checked before anything happens; the first error in the order of [Errors](#errors) is reported.
* `n` partitions start at 0 if n > P/2, at 0 or P/2 if n > P/4, else at a multiple of P/4.
* PSUM holds Fp32 and Int32; an operand there stays in one bank.
* Before an instruction issues, `wait_sem` must satisfy `wait_op`; when all its writes are visible, `update_sem` += `update_delta`.
* Registers are read when an instruction issues: `index` and `size_reg` are zero in what the engine checks. [Loops](../../README.md#registers-loops-take)
"""

STATIONARY_TEXT = {
    "write": "`src0`, up to P elements of each partition, becomes the stationary tile of the rows that it covers: of the upper or the lower\n"
             "half of the array, or of both.",
    "read": "Multiplies with the stationary tile last loaded into its rows: both have the same partitions. Narrow floats go with each other,\n"
            "Fp32, Tf32 and Int8 with their like. `src0` has up to PsumCols elements; `dst` begins at partition 0 and is Int32 if `src0` is Int8,\n"
            "else Fp32.",
}
TRANSPOSES_TEXT = {
    "write": "`src0`, up to P elements of each partition, becomes a stationary tile of bits, which is for transpositions only as a tile of\n"
             "numbers is for products only, else BadFormat.",
    "read": "Moves bits, NaN and infinities as all others. Element n of `src0` picks, in the partition where it is not 0, what column n of `dst`\n"
            "gets: the M elements of the stationary tile there, those of 16 bits in the lower halves of words, above them zeros. With one\n"
            "such partition for each n this is a transposition (of the identity: whole), with none it is 0, with several the elements are\n"
            "ORed bit by bit. NaN is not 0, -0 is. `src0` has up to PsumCols elements and the partitions of the stationary tile; `dst` begins\n"
            "at partition 0.",
}


def section(title, *parts, level=2):
    return ["#" * level + f" {title}", "", *parts, *([""] if parts else [])]


def formats_text(operand):
    places = [f"SBUF: {', '.join(operand.sbuf)}"] if operand.sbuf else []
    places += [f"PSUM: {', '.join(operand.psum)}"] if operand.psum else []
    return "; ".join(places + (["or none"] if operand.none else []))


def operand_rows(row):
    walks = {"all": "size3 × size2 × size1 × size0", "outer": "sizes that are not reduced", "one": "one element",
             **{name: f"{name}, innermost" for name in ("two", "six", "eight")}}
    for operand in row.operands:
        if not operand.used:
            continue
        access = "write" if operand.place == "dst" else "read"
        if operand.place == "dst" and row.accumulate:
            access = "write; with `accumulate` read, too"
        yield [f"`{operand.place}`", operand.role, access, formats_text(operand), walks[operand.walk],
               "columns of the stationary tile" if operand.columns else "`partitions`"]


def instruction(defs, row):
    parts = [f"`opcode` {row.opcode} (0x{row.opcode:02x}): {row.doc}.", ""]
    if row.functions:
        values = defs["enum"][row.function_enum]["values"]
        if len(row.functions) == len(values):
            parts += [f"`func` is any of [{row.function_enum}](#{row.function_enum}).", ""]
        else:
            parts += [table(["`func`", "name", "meaning"], [[v, k, values[k]["doc"]] for k, v in row.functions.items()]), ""]
    if row.overlay:
        parts += [f"In place of the operands, in the lowest bits: a [{row.overlay}](#{row.overlay}).", ""]
    if row.imm:
        parts += [f"`imm` is a [{row.imm}](#{row.imm}).", ""]
    if row.scalars == "src1":
        parts += ["In place of `src1`: [scalars](#scalars)" + (", the second one unused." if not row.functions else "."), ""]
    limits = [f"{text} {row.limits[key]}" for key, text in (("least", "at least"), ("most", "at most"), ("multiple", "a multiple of"))
              if row.limits[key] != LIMITS[key]]
    if limits:
        parts += [f"Elements of a partition: {', '.join(limits)}; else BadShape.", ""]
    if row.one_in_psum:
        parts += ["Not both sources lie in PSUM: BadOperand.", ""]
    if row.moves:
        parts += ["Bits stay as they are: `src0` and `dst` have elements of one size.", ""]
    if row.by_quarters:
        parts += ["`partitions` is a multiple of P/4" + (", `size0` is P/4." if row.form == "transpose" else "."), ""]
    if row.stationary != "none":
        parts += [(TRANSPOSES_TEXT if row.transposes else STATIONARY_TEXT)[row.stationary], ""]
    if row.computes:
        parts += [table(["operand", "role", "access", "formats", "elements", "partitions"], operand_rows(row)), ""]
    return section(row.mnemonic, *parts[:-1], level=3)


def errors(defs):
    values, order = defs["enum"]["error_cause"]["values"], defs["errors"]["order"]
    line = lambda name: [values[name]["value"], name, values[name]["doc"]]
    others = [name for name in values if name not in order and name != "None"]
    return section("Errors", "Of an instruction, in the order of report:", "", table(["cause", "name", "meaning"], map(line, order)), "",
                   "Of descriptors, semaphores, addresses and the fabric:", "", table(["cause", "name", "meaning"], map(line, others)))


def registers(defs):
    base, stride = defs["address"]["Csr"]["base"], defs["constants"]["CsrCoreStride"]["value"]
    rows = []
    for name, entry in sorted(defs["csr"].items(), key=lambda item: item[1]["offset"]):
        count = entry.get("count", 1)
        at = f"`0x{base + entry['offset']:012x}`" + (f" + 8 i, i < {count}" if count > 1 else "")
        rows.append([at + (f" + 0x{stride:x} core" if entry.get("per_core") else ""), f"`{name}`", entry["access"],
                     entry.get("bits", 64), entry["doc"]])
    return section("Registers", "64 bits each, reached by the host only; a write that sets a bit that a register has not is refused.", "",
                   table(["address", "register", "access", "bits", "meaning"], rows))


def manual(defs, rows):
    known = tables(defs)
    titles = {"all": "Every sequencer"} | {name: entry["doc"].split(":")[0].capitalize()
                                           for name, entry in defs["enum"]["engine"]["values"].items()}
    out = ["# Manual", "", f"*{NOTE}.*", "", "[Encoding](#encoding) · [Instructions](#instructions) · [Errors](#errors) · "
           "[Registers](#registers) · [Addresses](#addresses) · [Sizes](#sizes) · [Enumerations](#enumerations)", "",
           "What an engine does with an instruction, step by step and in cycles, is in the head of its module (`rtl/lanes`, `rtl/tensor`,",
           "`rtl/control`); the bits of every result are those of `cmodel/machine`.", ""]
    out += section("Encoding", "An instruction and a descriptor are 64 bytes, little-endian.", "", RULES.strip())
    for name in ("instr", "operand", "scalar", "scalars", *dict.fromkeys(r.imm for r in rows if r.imm),
                 *dict.fromkeys(r.overlay for r in rows if r.overlay), "descriptor"):
        doc = defs["struct"][name]["doc"]
        out += section(name, doc[0].upper() + doc[1:] + ".", "", known[name], level=3)
    out += section("Instructions", table(["opcode", "instruction", "engine", "meaning"],
                                         [[r.opcode, f"[{r.mnemonic}](#{r.mnemonic.lower()})", titles[r.engine], r.doc] for r in rows]))
    for engine in dict.fromkeys(r.engine for r in rows):
        out += section(titles[engine])
        for row in rows:
            out += instruction(defs, row) if row.engine == engine else []
    out += errors(defs) + registers(defs)
    out += section("Addresses", "Local to a chip, 48 bits; a descriptor names the chip beside them.", "", known["address"])
    out += section("Sizes", known["sizes"])
    out += section("Enumerations")
    for name, entry in defs["enum"].items():
        if name not in ("opcode", "error_cause"):
            out += section(name, entry["doc"][0].upper() + entry["doc"][1:] + ".", "", known[name], level=3)
    return "\n".join(out).rstrip() + "\n"
