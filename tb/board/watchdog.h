// SPDX-License-Identifier: Apache-2.0
// Notices that nothing happens any more, and says who waits for what.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cmodel/board/board.h"
#include "tb/board/host.h"
#include "tb/apps/board/options.h"
#include "tb/dut/chip.h"

namespace tb {

/// Progress is a commit, a flit, or a token of the host ports. The watchdog looks at fixed
/// distances from the last progress, whatever the window:
///
///   + kStall cycles   all engines wait for semaphores and nothing is in flight: hang, at once.
///                     Behind an error: the board goes on to its end (see Verdict::give_up)
///   + hang_cycles     hang
class Watchdog {
 public:
  struct Verdict {
    std::string hang;      ///< the report; empty if all is well
    bool give_up = false;  ///< an engine stopped by an error, and nothing else moves any more
  };

  explicit Watchdog(const Options& options) : options_(options) {}

  /// The next fabric cycle at which look() must be called.
  std::uint64_t next_look(std::uint64_t now, std::uint64_t last_progress) const;
  Verdict look(std::uint64_t now, std::uint64_t last_progress,
               const std::vector<std::unique_ptr<Chip>>& chips, const Host& host,
               const cmodel::Board& model) const;

 private:
  std::uint64_t stall() const { return 2048 + 8 * options_.link_latency; }

  const Options& options_;
};

/// What of a chip is busy, one line per part, two spaces deep. Empty if nothing is.
std::string busy_parts(const Chip& chip);

}  // namespace tb
