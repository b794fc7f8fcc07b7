// SPDX-License-Identifier: Apache-2.0
// Copies cut into parts for all DMA engines of a core.
#pragma once
#include <utility>
#include <vector>

#include "cmodel/program/tile.h"

namespace cmodel {

/// Source and target of each engine's part, `engines` at most; as many for each of the copies, in
/// turn: engines have their cycles one after the other, and two cores that read two stacks in turn
/// get out of each other's way. Parts are rows, or, if there are fewer rows than engines, lines.
std::vector<std::pair<Block, Block>> parts_of_copies(
    const std::vector<std::pair<Block, Block>>& copies, unsigned engines, unsigned line_bytes);

}  // namespace cmodel
