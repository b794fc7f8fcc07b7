// SPDX-License-Identifier: Apache-2.0
// Buffers of all ranks, cut alike: into equal parts, or into pieces that fit a slot.
#pragma once
#include <string>
#include <vector>

#include "cmodel/program/tile.h"

namespace cmodel {

/// Of each rank a block of HBM or SBUF of its chip.
using Buffers = std::vector<Block>;

std::uint64_t bytes_of(const Block& block);
/// Are all of them rows without gaps?
bool contiguous(const Buffers& buffers);
/// Bytes of a piece, so that `ranks` of them hold the block and none is greater than `most`: a
/// multiple of a line if the block has that many.
unsigned piece_bytes(const Block& block, unsigned ranks, unsigned line, unsigned most);
/// The block in pieces of `bytes`, the last one of what is left: rows, or parts of rows; with
/// `flat`, of a block without gaps, whatever its rows are. Blocks of one shape are cut alike.
Buffers cut(const Block& block, bool flat, unsigned bytes);
/// Why the block has no `count` equal parts; empty if it has.
std::string bad_parts(const Block& block, unsigned count);
/// Part i of `count` equal ones: rows, or of fewer rows bytes of each.
Block part(const Block& block, unsigned count, unsigned i);

}  // namespace cmodel
