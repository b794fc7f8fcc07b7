// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/footprint.h"

#include <algorithm>

#include "cmodel/machine/address_map.h"
#include "cmodel/machine/instruction.h"

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

std::uint64_t Footprint::lowest() const {
  std::int64_t offset = 0;
  for (unsigned d = 0; d < 4; ++d)
    offset += std::min<std::int64_t>(0, stride[d] * (static_cast<std::int64_t>(size[d]) - 1));
  return addr + static_cast<std::uint64_t>(offset);
}

std::uint64_t Footprint::highest() const {
  std::int64_t offset = 0;
  for (unsigned d = 0; d < 4; ++d)
    offset += std::max<std::int64_t>(0, stride[d] * (static_cast<std::int64_t>(size[d]) - 1));
  return addr + static_cast<std::uint64_t>(offset) + element;
}

bool Footprint::contains(const Cell& location) const {
  if (location.memory != memory || location.chip != chip) return false;
  if (memory != Cell::Memory::Hbm) {
    if (location.core != core) return false;
    if (location.partition < first || location.partition >= first + count) return false;
  }
  if (location.addr < lowest() || location.addr >= highest()) return false;
  // Solve the innermost loop by division, walk the others (few trips in practice).
  for (std::uint32_t i3 = 0; i3 < size[3]; ++i3) {
    for (std::uint32_t i2 = 0; i2 < size[2]; ++i2) {
      for (std::uint32_t i1 = 0; i1 < size[1]; ++i1) {
        const std::int64_t distance = static_cast<std::int64_t>(location.addr - addr) -
                                      (i3 * stride[3] + i2 * stride[2] + i1 * stride[1]);
        const std::int64_t step = stride[0], bytes = element;
        if (step == 0 || size[0] == 1) {
          if (distance >= 0 && distance < bytes) return true;
          continue;
        }
        // Trips i with 0 <= distance - i * step < element.
        const std::int64_t magnitude = step < 0 ? -step : step;
        const std::int64_t forward =
            step > 0 ? distance : distance + magnitude * (static_cast<std::int64_t>(size[0]) - 1);
        if (forward < 0) continue;
        const std::int64_t last = std::min<std::int64_t>(forward / magnitude, size[0] - 1);
        if (forward - last * magnitude < bytes) return true;
      }
    }
  }
  return false;
}

void footprints_of(const defs::Instr& instr, unsigned chip, unsigned core, unsigned columns,
                   std::vector<Footprint>& out) {
  const auto* row = defs::row_of(instr.opcode);
  if (!row) return;
  if (row->overlay == defs::Overlay::RegLoad)
    footprints_of_rows(chip, defs::reg_load_of(instr).address, 0, 1, 4, false, out);
  if (!row->computes()) return;
  const auto add = [&](unsigned i, bool write) {
    const defs::OperandRow& rule = row->operands[i];
    const defs::Operand& operand = *operands_of(instr)[i];
    if (operand.space != static_cast<std::uint8_t>(defs::Space::None))
      out.push_back(of_operand(operand, trips_of(instr, rule.walk), chip, core,
                               rule.columns ? columns : instr.partitions, write));
  };
  const auto scalars = scalars_of(instr);
  for (const defs::Scalar& scalar : {scalars.first, scalars.second}) {
    if (scalar.kind != static_cast<std::uint8_t>(defs::ScalarKind::Sbuf)) continue;
    const defs::Operand place{.space = static_cast<std::uint8_t>(defs::Space::Sbuf),
                              .partition = static_cast<std::uint8_t>(scalar.value >> 24),
                              .offset = scalar.value & 0xff'ffffu};
    out.push_back(of_operand(place, kOneElement, chip, core, instr.partitions, false));
  }
  add(0, false);
  if (row->operands[1].used()) add(1, false);
  if (instr.accumulate || row->is_masked()) add(2, false);
  add(2, true);
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
