// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/instruction.h"

namespace cmodel {

defs::Instr wait_and_update(const defs::Instr& instr) {
  defs::Instr bare;
  bare.wait_op = instr.wait_op;
  bare.wait_sem = instr.wait_sem;
  bare.wait_value = instr.wait_value;
  bare.update = instr.update;
  bare.update_sem = instr.update_sem;
  bare.update_delta = instr.update_delta;
  return bare;
}

defs::Instr without_overlay(const defs::Instr& instr) {
  const auto erased = [&](const auto& overlay) { return with_overlay(instr, overlay, {}); };
  switch (overlay_of(instr)) {
    case defs::Overlay::None:
      return instr;
    case defs::Overlay::RegAlu:
      return erased(defs::reg_alu_of(instr));
    case defs::Overlay::Branch:
      return erased(defs::branch_of(instr));
    case defs::Overlay::RegLoad:
      return erased(defs::reg_load_of(instr));
    case defs::Overlay::DmaStart:
      return erased(defs::dma_start_of(instr));
  }
  return instr;
}

defs::Scalars scalars_of(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  if (!row || row->scalars == defs::ScalarPlace::None) return {};
  if (row->scalars == defs::ScalarPlace::Src1) return defs::Scalars::from(instr.src1.words());
  const auto imm = defs::FusedScalar::from({instr.imm});
  const bool immediate = imm.kind == static_cast<std::uint8_t>(defs::ScalarKind::Immediate);
  defs::Scalars scalars;
  scalars.first.kind = imm.kind;
  scalars.first.value = immediate ? std::uint32_t{imm.value} << 16
                                  : std::uint32_t{instr.src0.partition} << 24 | imm.value * 4u;
  return scalars;
}

std::optional<std::uint8_t> second_function(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  if (!row || !row->is_fused()) return {};
  if (row->scalars == defs::ScalarPlace::Src1 && !scalars_of(instr).second.kind) return {};
  return defs::Fused::from({instr.imm}).func1;
}

namespace {

Faults scalar_faults(const defs::Sizes& sizes, const defs::Scalar& scalar, unsigned partitions) {
  Faults faults;
  const auto kind = static_cast<defs::ScalarKind>(scalar.kind);
  faults.reserved_bits =
      scalar.reserved || (kind == defs::ScalarKind::None && scalar != defs::Scalar{});
  faults.bad_operand = kind == defs::ScalarKind::Register;
  if (kind == defs::ScalarKind::Sbuf) {
    faults.bad_partition = partition_bad(sizes, scalar.value >> 24, partitions);
    faults.misaligned = scalar.value % 4 != 0;
    faults.out_of_bounds = (scalar.value & 0xff'ffffu) > sizes.sbuf_bytes - 4;
  }
  return faults;
}

/// What scalars and the second function add.
Faults fused_faults(const defs::Sizes& sizes, const defs::Instr& instr, const defs::InstrRow& row) {
  const defs::Scalars scalars = scalars_of(instr);
  Faults faults = scalar_faults(sizes, scalars.first, instr.partitions);
  faults |= scalar_faults(sizes, scalars.second, instr.partitions);
  faults.bad_operand |= !scalars.first.kind;
  if (const auto func1 = second_function(instr)) {
    faults.unknown_opcode = !(row.functions >> *func1 & 1);
    faults.bad_format = row.is_of_bits(instr.func) != row.is_of_bits(*func1);
  } else {
    const bool place = row.imm == defs::Imm::Fused || row.imm == defs::Imm::FusedScalar;
    faults.reserved_bits |= (place && defs::Fused::from({instr.imm}).func1) ||
                            (!row.functions && scalars.second != defs::Scalar{});
  }
  return faults;
}

/// Do sizes and partitions suit the row as a whole?
Faults shape_faults(const defs::Sizes& sizes, const defs::Instr& instr, const defs::InstrRow& row) {
  constexpr auto kPsum = static_cast<std::uint8_t>(defs::Space::Psum);
  const unsigned quarter = sizes.partitions / 4;
  Faults faults;
  faults.bad_shape =
      !row.takes(std::uint64_t{instr.size3} * instr.size2 * instr.size1 * instr.size0) ||
      (row.form == defs::Form::Transpose && instr.size0 != quarter);
  faults.bad_partition = row.by_quarters() && instr.partitions % quarter != 0;
  faults.bad_operand = row.one_in_psum && instr.src0.space == kPsum && instr.src1.space == kPsum;
  faults.bad_format = row.moves && instr.src0.space && instr.dst.space &&
                      element_shift(instr.src0.dtype) != element_shift(instr.dst.dtype);
  return faults;
}

}  // namespace

defs::Descriptor started_copy(const defs::Instr& instr) {
  const auto start = defs::dma_start_of(instr);
  defs::Descriptor d;
  d.vn = start.vn;
  d.update = instr.update;
  d.update_sem = instr.update_sem;
  d.update_delta = instr.update_delta;
  d.notify = start.notify;
  d.notify_sem = start.notify_sem;
  d.rows = start.rows;
  d.row_bytes = start.row_bytes;
  d.src_stride = start.src_stride;
  d.dst_stride = start.dst_stride;
  d.dst_chip = start.dst_chip;
  d.src = start.src;
  d.dst = start.dst;
  d.combine = start.combine;
  d.dtype = start.dtype;
  d.dst_dtype = start.dst_dtype;
  d.index_mode = start.index_mode;
  d.skip = start.skip;
  d.index = start.index;
  d.bound = start.bound;
  const auto combine = static_cast<defs::Combine>(d.combine);
  if (combine != defs::Combine::Copy && combine != defs::Combine::Cast) {
    d.src1 = start.dst;
    d.src1_stride = start.dst_stride;
  }
  return d;
}

bool uses_more(const defs::InstrRow& row, const defs::Instr& given) {
  const defs::Instr instr = without_overlay(given);
  for (unsigned i = 0; i < row.operands.size(); ++i) {
    const defs::Operand& operand = *operands_of(instr)[i];
    if (!row.operands[i].used() && (i != 1 || row.leaves_src1()) && operand != defs::Operand{})
      return true;
    if (row.operands[i].used() && is_rounded(operand) &&
        (!row.operands[i].rounds || row.is_of_bits(instr.func)))
      return true;
  }
  return instr.reserved || instr.size_reg || instr.size_dim || (instr.func && !row.functions) ||
         (instr.accumulate && !row.accumulate) || instr.imm >> row.imm_bits ||
         (!row.computes() &&
          (instr.partitions || instr.size0 || instr.size1 || instr.size2 || instr.size3));
}

Faults instr_faults(const defs::Sizes& sizes, const defs::Instr& instr, defs::Engine engine,
                    unsigned columns) {
  Faults faults;
  const auto* row = defs::row_of(instr.opcode);
  if (!row || !row->runs_on(engine)) {
    faults.unknown_opcode = true;
    return faults;
  }
  faults.unknown_opcode = !has_function(*row, instr);
  faults.reserved_bits = uses_more(*row, instr);
  if (row->computes()) faults |= shape_faults(sizes, instr, *row);
  if (row->scalars != defs::ScalarPlace::None) faults |= fused_faults(sizes, instr, *row);
  for (unsigned i = 0; i < row->operands.size(); ++i) {
    const defs::OperandRow& rule = row->operands[i];
    if (!rule.used()) continue;
    const defs::Operand& operand = *operands_of(instr)[i];
    // Functions of bits: integers of one size.
    faults.bad_format |= row->is_of_bits(instr.func) && operand.space &&
                         !(defs::kDtypeInteger >> operand.dtype & 1 &&
                           element_shift(operand.dtype) == element_shift(instr.dst.dtype));
    faults |= operand_faults(sizes, operand, rule.columns ? columns : instr.partitions,
                             trips_of(instr, rule.walk), rule.spaces,
                             rule.formats(static_cast<defs::Space>(operand.space)));
  }
  return faults;
}

}  // namespace cmodel
