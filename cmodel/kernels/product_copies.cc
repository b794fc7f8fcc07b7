// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/product_copies.h"

#include <algorithm>

#include "cmodel/machine/address_map.h"

namespace cmodel {

std::vector<std::pair<Block, Block>> parts_of_copies(
    const std::vector<std::pair<Block, Block>>& copies, unsigned engines, unsigned line_bytes) {
  const auto shares = static_cast<unsigned>(copies.size());
  std::vector<std::vector<std::pair<Block, Block>>> parts(shares);
  for (unsigned share = 0; share < shares; ++share) {
    const auto& [source, target] = copies[share];
    const unsigned pieces = std::min(source.rows, engines / shares),
                   across = engines / shares / pieces;
    const auto bytes = static_cast<unsigned>(
        round_up((source.row_bytes + across - 1) / across, across > 1 ? line_bytes : 4));
    for (unsigned i = 0; i < pieces; ++i) {
      const unsigned first = source.rows * i / pieces,
                     rows = source.rows * (i + 1) / pieces - first;
      for (unsigned at = 0; at < source.row_bytes; at += bytes) {
        const unsigned width = std::min(bytes, source.row_bytes - at);
        parts[share].emplace_back(source.row_range(first, rows).byte_range(at, width),
                                  target.row_range(first, rows).byte_range(at, width));
      }
    }
  }
  std::vector<std::pair<Block, Block>> in_turn;
  for (unsigned i = 0; i < engines; ++i)
    for (const auto& share : parts)
      if (i < share.size()) in_turn.push_back(share[i]);
  return in_turn;
}

}  // namespace cmodel
