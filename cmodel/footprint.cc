// SPDX-License-Identifier: Apache-2.0
#include "cmodel/footprint.h"

#include <algorithm>

#include "cmodel/access_pattern.h"
#include "cmodel/address_map.h"

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
  const Trips trips = trips_of(instr);
  const unsigned n = instr.partitions;
  const auto add = [&](const defs::Operand& operand, const Trips& walk, unsigned partitions,
                       bool write) {
    out.push_back(of_operand(operand, walk, chip, core, partitions, write));
  };
  switch (static_cast<defs::Opcode>(instr.opcode)) {
    case defs::Opcode::LoadStationary:
      add(instr.src0, trips, n, false);
      break;
    case defs::Opcode::MultiplyMoving:
      add(instr.src0, trips, n, false);
      if (instr.accumulate) add(instr.dst, trips, columns, false);
      add(instr.dst, trips, columns, true);
      break;
    case defs::Opcode::TensorCopy:
      add(instr.src0, trips, n, false);
      add(instr.dst, trips, n, true);
      break;
    case defs::Opcode::TensorTensor:
      add(instr.src0, trips, n, false);
      add(instr.src1, trips, n, false);
      add(instr.dst, trips, n, true);
      break;
    case defs::Opcode::TensorReduce:
      add(instr.src0, trips, n, false);
      add(instr.dst, {1, trips[1], trips[2], trips[3]}, n, true);
      break;
    case defs::Opcode::Activate:
      add(instr.src0, trips, n, false);
      if (instr.src1.space != static_cast<std::uint8_t>(defs::Space::None))
        add(instr.src1, kOneElement, n, false);
      add(instr.dst, trips, n, true);
      break;
    default:
      break;
  }
}

void footprints_of_rows(unsigned chip, std::uint64_t base, std::int64_t stride, std::uint32_t rows,
                        std::uint32_t row_bytes, bool write, std::vector<Footprint>& out) {
  Footprint one;
  one.write = write;
  one.chip = static_cast<std::uint8_t>(chip);
  if (!in_core(base)) {
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
  const SbufPlace first = sbuf_place(base);
  one.core = static_cast<std::uint8_t>(first.core);
  // Rows one partition apart are the usual case: one rectangle.
  if (stride == static_cast<std::int64_t>(defs::kSbufStride)) {
    one.first = static_cast<std::uint16_t>(first.partition);
    one.count = static_cast<std::uint16_t>(rows);
    one.addr = first.byte;
    one.element = row_bytes;
    out.push_back(one);
    return;
  }
  for (std::uint32_t row = 0; row < rows; ++row) {
    const SbufPlace at = sbuf_place(base + static_cast<std::uint64_t>(stride * std::int64_t{row}));
    one.first = static_cast<std::uint16_t>(at.partition);
    one.addr = at.byte;
    one.element = row_bytes;
    out.push_back(one);
  }
}

}  // namespace cmodel
