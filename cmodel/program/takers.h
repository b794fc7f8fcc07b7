// SPDX-License-Identifier: Apache-2.0
// Who takes from a semaphore, who gives, and who else counts it down: two could both find the value
// there.
#pragma once
#include <map>
#include <string>

#include "cmodel/program/tile.h"

namespace cmodel {

struct Semaphore;
class StreamBase;

/// Of all semaphores of the board. All throw AssemblerError: a semaphore has one taker, a stream,
/// and with a taker nobody counts it down and somebody gives.
class Takers {
 public:
  void take(const StreamBase& stream, Semaphore semaphore, unsigned value);
  void give(Semaphore semaphore);
  /// `where`: who says so.
  void count_down(const std::string& where, Semaphore semaphore);
  /// At the end of the program.
  void check() const;

 private:
  struct Use {
    const StreamBase* taker = nullptr;
    bool waits = false;               ///< the taker may
    bool given = false;               ///< by anybody
    std::string taken, counted_down;  ///< where first
  };
  std::map<std::pair<unsigned, unsigned>, Use> uses_;  ///< by chip and number
};

}  // namespace cmodel
