// SPDX-License-Identifier: Apache-2.0
// A copy cut into parts for all DMA engines of a core.
#pragma once
#include <utility>
#include <vector>

#include "cmodel/program/tile.h"

namespace cmodel {

/// Source and target of each engine's part, `engines` at most: rows, or, if there are fewer rows
/// than engines, lines of them.
std::vector<std::pair<Block, Block>> parts_of_copy(const Block& source, const Block& target,
                                                   unsigned engines, unsigned line_bytes);

}  // namespace cmodel
