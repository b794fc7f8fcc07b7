// SPDX-License-Identifier: Apache-2.0
// Reads of bytes that nobody has written: hardware finds there whatever it was powered on with.
#pragma once
#include <algorithm>
#include <cstdint>

#include "cmodel/machine/commit.h"
#include "cmodel/machine/footprint.h"

namespace cmodel {

/// The least rectangle around some bytes of a buffer: partitions first .. last, bytes low .. high.
struct UnwrittenBytes {
  unsigned count = 0;  ///< of words in which bytes are missing
  unsigned first = ~0u, last = 0;
  std::uint32_t low = ~0u, high = 0;

  void add(unsigned partition, std::uint32_t offset, std::uint32_t bytes) {
    ++count;
    first = std::min(first, partition);
    last = std::max(last, partition);
    low = std::min(low, offset);
    high = std::max(high, offset + bytes - 1);
  }
};

/// An operation that read them. Which operation it is that should have written them, nobody knows:
/// it is the program's fault.
struct UnwrittenRead {
  StreamId stream;
  OperationId operation;
  Cell::Memory memory = Cell::Memory::Sbuf;
  std::uint8_t core = 0;  ///< whose buffer
  UnwrittenBytes bytes;
};

}  // namespace cmodel
