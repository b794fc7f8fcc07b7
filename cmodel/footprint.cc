// SPDX-License-Identifier: Apache-2.0
#include "cmodel/footprint.h"

#include <algorithm>

#include "cmodel/instruction.h"

namespace cmodel {
namespace {

Footprint of_operand(const defs::Operand& operand, const Trips& trips, unsigned chip, unsigned core,
                     unsigned partitions, bool write) {
  Footprint out;
  const bool psum = operand.space == static_cast<std::uint8_t>(defs::Space::Psum);
  out.memory = psum ? Cell::Memory::Psum : Cell::Memory::Sbuf;
  out.write = write;
  out.chip = static_cast<std::uint8_t>(chip);
  out.core = static_cast<std::uint8_t>(core);
  out.first = operand.partition;
  out.count = static_cast<std::uint16_t>(partitions);
  out.addr = operand.offset;
  out.element = element_bytes(operand.dtype);
  const auto strides = strides_of(operand);
  for (unsigned d = 0; d < 4; ++d) {
    out.size[d] = trips[d];
    out.stride[d] = std::int64_t{strides[d]} * out.element;
  }
  return out;
}

}  // namespace

void footprints_of(const defs::Instr& instr, unsigned chip, unsigned core, unsigned columns,
                   std::vector<Footprint>& out) {
  const auto* row = defs::row_of(instr.opcode);
  if (!row) return;
  const auto add = [&](unsigned i, bool write) {
    const defs::OperandRow& rule = row->operands[i];
    const defs::Operand& operand = *operands_of(instr)[i];
    if (operand.space != static_cast<std::uint8_t>(defs::Space::None))
      out.push_back(of_operand(operand, trips_of(instr, rule.walk), chip, core,
                               rule.columns ? columns : instr.partitions, write));
  };
  add(0, false);
  add(1, false);
  if (instr.accumulate) add(2, false);
  add(2, true);
}

void footprints_of_rows(unsigned chip, std::uint64_t base, std::int64_t stride, std::uint32_t rows,
                        std::uint32_t row_bytes, bool write, std::vector<Footprint>& out) {
  Footprint one;
  one.write = write;
  one.chip = static_cast<std::uint8_t>(chip);
  if (base < defs::kAddrCore0Base) {
    one.memory = Cell::Memory::Hbm;
    one.addr = base;
    one.element = row_bytes;
    one.size[0] = rows;
    one.stride[0] = stride;
    out.push_back(one);
    return;
  }
  one.memory = Cell::Memory::Sbuf;
  one.count = 1;
  const std::uint64_t window = (base - defs::kAddrCore0Base) % defs::kAddrCore0Size;
  one.core = base >= defs::kAddrCore1Base;
  // Rows one partition apart are the usual case: one rectangle.
  if (stride == static_cast<std::int64_t>(defs::kSbufStride)) {
    one.first = static_cast<std::uint16_t>(window / defs::kSbufStride);
    one.count = static_cast<std::uint16_t>(rows);
    one.addr = window % defs::kSbufStride;
    one.element = row_bytes;
    out.push_back(one);
    return;
  }
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::uint64_t at = window + static_cast<std::uint64_t>(stride * std::int64_t{row});
    one.first = static_cast<std::uint16_t>(at / defs::kSbufStride);
    one.addr = at % defs::kSbufStride;
    one.element = row_bytes;
    out.push_back(one);
  }
}

}  // namespace cmodel
