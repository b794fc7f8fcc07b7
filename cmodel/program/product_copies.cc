// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/product_copies.h"

#include <algorithm>

#include "cmodel/machine/address_map.h"

namespace cmodel {

std::vector<std::pair<Block, Block>> parts_of_copy(const Block& source, const Block& target,
                                                   unsigned engines, unsigned line_bytes) {
  std::vector<std::pair<Block, Block>> parts;
  const unsigned rows = std::min(source.rows, engines), across = engines / rows;
  const auto bytes = static_cast<unsigned>(
      round_up((source.row_bytes + across - 1) / across, across > 1 ? line_bytes : 4));
  for (unsigned e = 0; e < rows; ++e) {
    const unsigned first = source.rows * e / rows, count = source.rows * (e + 1) / rows - first;
    for (unsigned at = 0; at < source.row_bytes; at += bytes) {
      const unsigned width = std::min(bytes, source.row_bytes - at);
      parts.emplace_back(source.row_range(first, count).byte_range(at, width),
                         target.row_range(first, count).byte_range(at, width));
    }
  }
  return parts;
}

}  // namespace cmodel
