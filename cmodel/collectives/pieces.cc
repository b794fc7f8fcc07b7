// SPDX-License-Identifier: Apache-2.0
#include "cmodel/collectives/pieces.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/machine/address_map.h"

namespace cmodel {

namespace {
constexpr unsigned kGrain = 4;  ///< what a descriptor's rows are multiples of
}

std::uint64_t bytes_of(const Block& block) { return std::uint64_t{block.rows} * block.row_bytes; }

bool contiguous(const Buffers& buffers) {
  return std::ranges::all_of(buffers, [](const Block& block) {
    return block.rows == 1 || block.stride == std::int64_t{block.row_bytes};
  });
}

unsigned piece_bytes(const Block& block, unsigned ranks, unsigned line, unsigned most) {
  const std::uint64_t whole = bytes_of(block);
  unsigned grain = line;
  while (grain > kGrain && (std::uint64_t{grain} * ranks > whole || grain > most)) grain /= 2;
  const std::uint64_t even = round_up((whole + ranks - 1) / ranks, grain);
  return static_cast<unsigned>(std::min<std::uint64_t>(even, most / grain * grain));
}

Buffers cut(const Block& block, bool flat, unsigned bytes) {
  Buffers out;
  if (!flat && bytes >= block.row_bytes) {
    const unsigned rows = bytes / block.row_bytes;
    for (unsigned row = 0; row < block.rows; row += rows)
      out.push_back(block.row_range(row, std::min(rows, block.rows - row)));
    return out;
  }
  const std::uint64_t row_bytes = flat ? bytes_of(block) : block.row_bytes;
  for (unsigned row = 0; row < (flat ? 1 : block.rows); ++row)
    for (std::uint64_t at = 0; at < row_bytes; at += bytes)
      out.push_back({block.chip, block.row_addr(row) + at,
                     static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, row_bytes - at))});
  return out;
}

std::string bad_parts(const Block& block, unsigned count) {
  if (block.rows % count == 0 || block.row_bytes % (kGrain * count) == 0) return {};
  return fmt::format("{} x {} bytes, allowed rows in multiples of {} or of {} bytes", block.rows,
                     block.row_bytes, count, kGrain * count);
}

Block part(const Block& block, unsigned count, unsigned i) {
  if (block.rows % count == 0) return block.row_range(i * (block.rows / count), block.rows / count);
  return block.byte_range(i * (block.row_bytes / count), block.row_bytes / count);
}

}  // namespace cmodel
