// SPDX-License-Identifier: Apache-2.0
// Notices that nothing happens any more, and says who waits for what.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cmodel/board/board.h"
#include "tb/board/host.h"
#include "tb/board/settings.h"
#include "tb/dut/chip.h"

namespace tb {

/// Progress is a commit (so, a delivery) or a request of the host. Flits and tokens of the host
/// ports only move: chips that repeat themselves get nowhere. What a program commits is finite, so
/// every run ends. The watchdog looks at fixed distances, whatever the window:
///
///   movement + stall()        all engines wait for semaphores and nothing is in flight: hang, at
///                             once. Behind an error: the board goes on to its end
///                             (see Verdict::give_up)
///   progress + hang_cycles    hang
class Watchdog {
 public:
  /// Fabric cycles.
  struct Last {
    std::uint64_t progress, movement;
  };
  struct Verdict {
    std::string hang;      ///< the report; empty if all is well
    bool give_up = false;  ///< an engine stopped by an error, and nothing else moves any more
  };

  explicit Watchdog(const Settings& settings) : settings_(settings) {}

  /// The next fabric cycle at which look() must be called.
  std::uint64_t next_look(std::uint64_t now, Last last) const;
  Verdict look(std::uint64_t now, Last last, const std::vector<std::unique_ptr<Chip>>& chips,
               const Host& host, const cmodel::Board& model) const;

 private:
  std::uint64_t stall() const { return 2048 + 8 * settings_.link_latency; }

  const Settings& settings_;
};

/// What of a chip is busy, one line per part, two spaces deep. Empty if nothing is.
std::string busy_parts(const Chip& chip);

}  // namespace tb
