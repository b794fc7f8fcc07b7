// SPDX-License-Identifier: Apache-2.0
// The 2 x 256 semaphores of a chip. Twin of rtl/control/semaphores.sv.
#pragma once
#include <array>
#include <cstdint>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Counters 0 .. 65535, named {core, semaphore}. Every engine of the chip sees all of them.
class Semaphores {
 public:
  static constexpr unsigned kCount = defs::kCores * defs::kSemaphores;

  unsigned value(unsigned sem) const { return values_[sem % kCount]; }

  /// Adds `delta`. False, and no change, if the value would leave 0 .. 65535: the updating engine
  /// then stops with SemaphoreOverflow and there is no Semaphore commit.
  bool add(unsigned sem, int delta) {
    const int next = static_cast<int>(value(sem)) + delta;
    if (next < 0 || next >= 1 << defs::kSemaphoreBits) return false;
    values_[sem % kCount] = static_cast<std::uint16_t>(next);
    return true;
  }

  /// Condition of an instruction.
  bool holds(unsigned wait_op, unsigned sem, unsigned wait_value) const {
    switch (static_cast<defs::WaitOp>(wait_op)) {
      case defs::WaitOp::None:
        return true;
      case defs::WaitOp::Ge:
      case defs::WaitOp::Take:
        return value(sem) >= wait_value;
      case defs::WaitOp::Eq:
        return value(sem) == wait_value;
    }
    return false;
  }

 private:
  std::array<std::uint16_t, kCount> values_{};
};

}  // namespace cmodel
