// SPDX-License-Identifier: Apache-2.0
#include "tb/check/final_memories.h"

#include <bit>

namespace tb {
namespace {

using cmodel::Cell;

/// Of a word of up to 8 bytes, the first byte that differs where `mask` has ones.
struct WrongWord {
  std::uint64_t expected = 0, actual = 0, mask = 0;
  WrongByte byte(Cell cell) const {
    const auto shift = static_cast<unsigned>(std::countr_zero((expected ^ actual) & mask)) / 8 * 8;
    cell.addr += shift / 8;
    return {cell, static_cast<std::uint8_t>(expected >> shift),
            static_cast<std::uint8_t>(actual >> shift)};
  }
};

std::optional<WrongByte> in_sbuf(const Chip& chip, unsigned core, const cmodel::Sbuf& model) {
  const Register memory = chip.state().sbuf(core);
  const auto* words = static_cast<const std::uint64_t*>(memory.data);
  const unsigned p = model.partitions();
  for (std::uint32_t offset = 0; offset < model.bytes(); offset += defs::kSbufWordBytes)
    for (unsigned partition = 0; partition < p; ++partition) {
      const std::uint8_t written = model.written(partition, offset);
      if (!written) continue;
      WrongWord w{.actual = words[std::size_t{offset} / defs::kSbufWordBytes * p + partition]};
      model.read(partition, offset, {reinterpret_cast<std::uint8_t*>(&w.expected), 8});
      if (w.actual == w.expected) continue;
      for (unsigned i = 0; i < 8; ++i)
        if (written >> i & 1) w.mask |= std::uint64_t{0xff} << (8 * i);
      if ((w.actual ^ w.expected) & w.mask)
        return w.byte({Cell::Memory::Sbuf, static_cast<std::uint8_t>(chip.id()),
                       static_cast<std::uint8_t>(core), static_cast<std::uint16_t>(partition),
                       offset});
    }
  return {};
}

std::optional<WrongByte> in_psum(const Chip& chip, unsigned core, const cmodel::Psum& model) {
  const Register memory = chip.state().psum(core);
  const auto* words = static_cast<const std::uint32_t*>(memory.data);
  const unsigned p = built_sizes().partitions;
  for (unsigned row = 0; row < built_sizes().psum_banks * built_sizes().psum_cols; ++row)
    for (unsigned partition = 0; partition < p; ++partition) {
      const WrongWord w{model.row(row)[partition], words[std::size_t{row} * p + partition],
                        ~std::uint64_t{0}};
      if (w.actual != w.expected && model.written(row, partition))
        return w.byte({Cell::Memory::Psum, static_cast<std::uint8_t>(chip.id()),
                       static_cast<std::uint8_t>(core), static_cast<std::uint16_t>(partition),
                       std::uint64_t{4} * row});
    }
  return {};
}

}  // namespace

std::optional<WrongByte> wrong_byte(const Chip& chip, const cmodel::Chip& model) {
  if (chip.is_model()) return {};
  for (unsigned core = 0; core < defs::kCores; ++core) {
    if (const auto wrong = in_sbuf(chip, core, model.core(core).sbuf)) return wrong;
    if (const auto wrong = in_psum(chip, core, model.core(core).psum)) return wrong;
  }
  const cmodel::Hbm& hbm = chip.hbm().memory();
  const auto addr = hbm.first_difference(model.hbm());
  if (!addr) return {};
  WrongByte wrong;
  wrong.cell = {Cell::Memory::Hbm, static_cast<std::uint8_t>(chip.id()), 0, 0, *addr};
  hbm.read(*addr, {&wrong.actual, 1});
  model.hbm().read(*addr, {&wrong.expected, 1});
  return wrong;
}

}  // namespace tb
