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
  for (unsigned i = 0; i < row.operands.size(); ++i)
    if (!row.operands[i].used() && *operands_of(instr)[i] != defs::Operand{}) return true;
  return instr.reserved || instr.size_reg || instr.size_dim || (instr.func && !row.functions) ||
         (instr.accumulate && !row.accumulate) || (instr.imm && row.imm == defs::Imm::None) ||
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
  for (unsigned i = 0; i < row->operands.size(); ++i) {
    const defs::OperandRow& rule = row->operands[i];
    if (!rule.used()) continue;
    const defs::Operand& operand = *operands_of(instr)[i];
    faults |= operand_faults(sizes, operand, rule.columns ? columns : instr.partitions,
                             trips_of(instr, rule.walk), rule.spaces,
                             rule.formats(static_cast<defs::Space>(operand.space)));
  }
  return faults;
}

}  // namespace cmodel
