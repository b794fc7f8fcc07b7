// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/shrink/shrink_tiles.h"

#include <algorithm>

namespace tb {
namespace {

using Dimension = std::pair<std::uint16_t defs::Instr::*, std::int16_t defs::Operand::*>;
constexpr Dimension kDimensions[] = {{&defs::Instr::size0, &defs::Operand::stride0},
                                     {&defs::Instr::size1, &defs::Operand::stride1},
                                     {&defs::Instr::size2, &defs::Operand::stride2},
                                     {&defs::Instr::size3, &defs::Operand::stride3}};

void limit(defs::Instr& instr, const Dimension& dimension, std::uint64_t to) {
  auto& size = instr.*dimension.first;
  if (size <= to) return;
  size = static_cast<std::uint16_t>(to);
  if (size == 1)  // a loop that is none has no stride
    for (auto* operand : {&instr.src0, &instr.src1, &instr.dst}) operand->*dimension.second = 0;
}

bool works(const defs::Instr& instr) { return instr.partitions != 0; }

/// A size of one instruction, by its name, or of all (UINT32_MAX).
template <class Get, class Limit>
Size of_code(std::uint32_t id, Get get, Limit set) {
  const auto each = [id](auto& image, auto visit) {
    for (std::size_t s = 0; s < image.code.size(); ++s)
      for (std::size_t i = 0; i < image.code[s].size(); ++i)
        if (works(image.code[s][i]) && (id == UINT32_MAX || image.code_ids[s][i] == id))
          visit(image.code[s][i]);
  };
  return {1,
          [=](const Image& image) {
            std::uint64_t most = 0;
            each(image, [&](const defs::Instr& instr) {
              most = std::max(most, std::uint64_t{get(instr)});
            });
            return most;
          },
          [=](Image& image, std::uint64_t to) {
            each(image, [&](defs::Instr& instr) { set(instr, to); });
          }};
}

template <class Field>
Size of_moves(std::uint64_t least, Field field) {
  return {least,
          [=](const Image& image) {
            std::uint64_t most = 0;
            for (const auto& ring : image.moves)
              for (const auto& d : ring) most = std::max(most, std::uint64_t{d.*field});
            return most;
          },
          [=](Image& image, std::uint64_t to) {
            for (auto& ring : image.moves)
              for (auto& d : ring)
                d.*field = static_cast<std::remove_reference_t<decltype(d.*field)>>(
                    std::min<std::uint64_t>(d.*field, to));
          }};
}

}  // namespace

std::vector<Size> sizes_of(const Image& image) {
  std::vector<Size> sizes;
  const auto add = [&](std::uint32_t id) {
    sizes.push_back(of_code(
        id, [](const defs::Instr& instr) { return instr.partitions; },
        [](defs::Instr& instr, std::uint64_t to) {
          instr.partitions =
              static_cast<std::uint8_t>(std::min<std::uint64_t>(instr.partitions, to));
        }));
    for (const Dimension& d : kDimensions)
      sizes.push_back(of_code(
          id, [=](const defs::Instr& instr) { return instr.*d.first; },
          [=](defs::Instr& instr, std::uint64_t to) { limit(instr, d, to); }));
  };
  add(UINT32_MAX);
  sizes.push_back(of_moves(1, &defs::Descriptor::rows));
  sizes.push_back(of_moves(4, &defs::Descriptor::row_bytes));
  for (std::size_t s = 0; s < image.code.size(); ++s)
    for (std::size_t i = 0; i < image.code[s].size(); ++i)
      if (works(image.code[s][i])) add(image.code_ids[s][i]);
  return sizes;
}

}  // namespace tb
