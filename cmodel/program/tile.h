// SPDX-License-Identifier: Apache-2.0
// What programs name their data by: blocks of memory for a copy, tiles for an instruction.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// One line: what is wrong and what is allowed.
class AssemblerError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Is first .. first + count - 1 a part of 0 .. whole - 1? No sum: a negative index has no way in.
constexpr bool is_part(std::uint64_t first, std::uint64_t count, std::uint64_t whole) {
  return count != 0 && first < whole && count <= whole - first;
}

/// Bytes of one element.
unsigned element_bytes(defs::Dtype dtype);

/// Rows of contiguous bytes of a chip's HBM or SBUF: what a DMA descriptor moves.
struct Block {
  unsigned chip = 0;
  std::uint64_t addr = 0;  ///< chip-local address of the first row
  std::uint32_t row_bytes = 0;
  std::uint32_t rows = 1;
  std::int64_t stride = 0;  ///< bytes from row to row

  std::uint64_t row_addr(unsigned row) const {
    return addr + static_cast<std::int64_t>(row) * stride;
  }
  /// Rows first .. first + count - 1.
  Block row_range(unsigned first, unsigned count) const;
  /// Bytes first .. first + count - 1 of every row.
  Block byte_range(unsigned first, unsigned count) const;
};

/// A register of one sequencer: 32 bits, zero at its start. Number 0 is always zero.
struct Register {
  unsigned chip = 0, core = 0, engine = 0, number = 0;
};

/// An access pattern in SBUF or PSUM of one core: what an instruction's operand names.
/// `size` and `stride` (in elements) go from the outermost dimension to the innermost, [3].
struct Tile {
  unsigned chip = 0, core = 0;
  defs::Space space = defs::Space::None;
  defs::Dtype dtype = defs::Dtype::Fp32;
  unsigned partition = 0, partitions = 0;
  unsigned offset = 0;  ///< byte in the partition
  std::array<unsigned, 4> size{1, 1, 1, 1};
  std::array<int, 4> stride{0, 0, 0, 0};
  Register index = {};  ///< its bytes are added to offset when the instruction issues
  bool stochastic = false, saturate = false;  ///< how what is cast into it is rounded

  unsigned element_bytes() const;
  /// Elements per partition.
  std::uint64_t elements() const { return std::uint64_t{size[0]} * size[1] * size[2] * size[3]; }
  /// Elements first .. first + count - 1 of the innermost dimension.
  Tile columns(unsigned first, unsigned count) const;
  /// This tile so many bytes further on as the register then holds: what is checked here is this
  /// tile, where it goes is the machine's to check.
  Tile at(Register offset) const;
  /// This tile as a destination whose elements are rounded at random, without bias.
  Tile stochastically() const;
  /// This tile as a destination in which the greatest float stands for what is beyond it.
  Tile saturating() const;
  /// Partitions first .. first + count - 1 of this tile.
  Tile rows(unsigned first, unsigned count) const;
  /// The same first element with other loops, outermost first; both lists have 1 to 4 entries.
  Tile shaped(std::initializer_list<unsigned> sizes, std::initializer_list<int> strides) const;
  /// The same first byte and partitions as `count` elements of another format, contiguous.
  Tile as(defs::Dtype other, unsigned count) const;
};

/// One number for all elements of a partition: the same for all partitions, one word of each out of
/// a tile of [P, 1], or what a register then holds.
struct Scalar {
  Scalar(float value);
  Scalar(const Tile& tile) : kind(defs::ScalarKind::Sbuf), place(tile) {}
  Scalar(Register reg) : kind(defs::ScalarKind::Register), value(reg.number), source(reg) {}
  /// A word for functions of bits.
  static Scalar bits(std::uint32_t word);
  /// On the left of its function.
  Scalar reversed() const;

  defs::ScalarKind kind = defs::ScalarKind::Immediate;
  bool reverse = false;
  std::uint32_t value = 0;
  Tile place;
  Register source;
};

}  // namespace cmodel
