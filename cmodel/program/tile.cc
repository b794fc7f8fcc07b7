// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/tile.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "cmodel/machine/access_pattern.h"

namespace cmodel {
namespace {

/// Throws unless part first .. first + count - 1 is one of 0 .. whole - 1; `what` are the parts,
/// `of` the whole.
void check_part(unsigned first, unsigned count, unsigned whole, const char* what, const char* of) {
  if (!is_part(first, count, whole))
    throw AssemblerError(fmt::format("{} {}+{} of a {}, allowed 0..{}", what,
                                     static_cast<int>(first), count, of, whole));
}

}  // namespace

unsigned element_bytes(defs::Dtype dtype) {
  return element_bytes(static_cast<std::uint8_t>(dtype));
}

Block Block::row_range(unsigned first, unsigned count) const {
  check_part(first, count, rows, "rows", "block");
  Block part = *this;
  part.addr = row_addr(first);
  part.rows = count;
  return part;
}

Block Block::byte_range(unsigned first, unsigned count) const {
  check_part(first, count, row_bytes, "bytes", "row");
  Block part = *this;
  part.addr += first;
  part.row_bytes = count;
  return part;
}

unsigned Tile::element_bytes() const { return cmodel::element_bytes(dtype); }

Tile Tile::columns(unsigned first, unsigned count) const {
  check_part(first, count, size[3], "columns", "tile");
  Tile part = *this;
  const std::int64_t offset =
      part.offset + std::int64_t{first} * element_bytes() * std::int64_t{stride[3]};
  if (offset < 0 || offset > UINT32_MAX)
    throw AssemblerError(
        fmt::format("column {} of a tile at byte {}, allowed in its partition", first, offset));
  part.offset = static_cast<unsigned>(offset);
  part.size[3] = count;
  return part;
}

Tile Tile::at(Register by) const {
  if (index.number)
    throw AssemblerError(fmt::format("tile at register {}, allowed one register, it is at {}",
                                     by.number, index.number));
  Tile moved = *this;
  moved.index = by;
  return moved;
}

Tile Tile::stochastically() const {
  Tile rounded = *this;
  rounded.stochastic = true;
  return rounded;
}

Tile Tile::saturating() const {
  Tile rounded = *this;
  rounded.saturate = true;
  return rounded;
}

Tile Tile::rows(unsigned first, unsigned count) const {
  check_part(first, count, partitions, "partitions", "tile");
  Tile part = *this;
  part.partition += first;
  part.partitions = count;
  return part;
}

Tile Tile::shaped(std::initializer_list<unsigned> sizes, std::initializer_list<int> strides) const {
  if (sizes.size() == 0 || sizes.size() > 4 || sizes.size() != strides.size())
    throw AssemblerError(fmt::format("a tile of {} sizes and {} strides, allowed 1..4 of each",
                                     sizes.size(), strides.size()));
  Tile other = *this;
  other.size = {1, 1, 1, 1};
  other.stride = {0, 0, 0, 0};
  std::copy(sizes.begin(), sizes.end(), other.size.end() - sizes.size());
  std::copy(strides.begin(), strides.end(), other.stride.end() - strides.size());
  return other;
}

Scalar::Scalar(float number) : value(std::bit_cast<std::uint32_t>(number)) {}

Scalar Scalar::bits(std::uint32_t word) {
  Scalar scalar(0.0f);
  scalar.value = word;
  return scalar;
}

Scalar Scalar::reversed() const {
  Scalar other = *this;
  other.reverse = true;
  return other;
}

Tile Tile::as(defs::Dtype other_dtype, unsigned count) const {
  Tile other = shaped({count}, {1});
  other.dtype = other_dtype;
  return other;
}

}  // namespace cmodel
