// SPDX-License-Identifier: Apache-2.0
// Which bytes does an instruction or descriptor touch? For liveness and races.
#pragma once
#include <cstdint>
#include <vector>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// One byte of a memory.
struct Cell {
  enum class Memory : std::uint8_t { Sbuf, Psum, Hbm };
  Memory memory = Memory::Sbuf;
  std::uint8_t chip = 0;
  std::uint8_t core = 0;        ///< Sbuf, Psum
  std::uint16_t partition = 0;  ///< Sbuf, Psum
  std::uint64_t addr = 0;       ///< Sbuf, Psum: byte in the partition; Hbm: chip-local address
};

/// A rectangle of bytes touched by one instruction, descriptor, packet or host transfer.
///
///   SBUF, PSUM  `count` partitions from `first`; in each the bytes of the loops below
///   HBM         first = count = 0
///
/// bytes addr + i3*stride[3] + .. + i0*stride[0] + (0 .. element-1), i_d < size[d].
struct Footprint {
  Cell::Memory memory = Cell::Memory::Sbuf;
  bool write = false;
  std::uint8_t chip = 0, core = 0;
  std::uint16_t first = 0, count = 0;
  std::uint64_t addr = 0;
  std::uint32_t element = 0;  ///< contiguous bytes, innermost
  std::uint32_t size[4] = {1, 1, 1, 1};
  std::int64_t stride[4] = {0, 0, 0, 0};  ///< bytes

  std::uint64_t lowest() const;   ///< least byte address touched
  std::uint64_t highest() const;  ///< one beyond the greatest
  bool contains(const Cell& location) const;
};

/// Appends what a legal `instr` reads and writes, reads first. `columns` is M, the columns of the
/// last LOAD_STATIONARY (MULTIPLY_MOVING writes that many PSUM partitions).
void footprints_of(const defs::Instr& instr, unsigned chip, unsigned core, unsigned columns,
                   std::vector<Footprint>& out);

/// Appends rows x row_bytes at chip-local addresses base, base + stride, ..: HBM rows as one
/// footprint, rows in an SBUF window as one per run inside a partition.
void footprints_of_rows(unsigned chip, std::uint64_t base, std::int64_t stride, std::uint32_t rows,
                        std::uint32_t row_bytes, bool write, std::vector<Footprint>& out);

}  // namespace cmodel
