// SPDX-License-Identifier: Apache-2.0
// Where did a packet stop that never was delivered?
//
//   DMA engine --> interface --> link --> chip --> link --> interface --> memory
//                   taken                                    accepted     delivered
//
//   delivered < accepted   its receiver took it and did not deliver it
//   taken == accepted      its sender's engine never handed it over
//   on no link             its sender's interface kept it
//   else                   the first chip from which only a part of it came,
//                          or the chip that it reached last
//
// Packets of a flow are accepted in the order of their numbers, so the lost one is the next.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "fabric/model/board.h"
#include "tb/debug/packet_seen.h"

namespace tb {

/// Packets with numbers of one sequence.
struct Flow {
  unsigned src = 0, core = 0, dst = 0, vn = 0;
  bool operator==(const Flow&) const = default;
};

/// Packets of a flow that came so far. Taken and accepted are the RTL's numbers, mod 2^16;
/// delivered those that the scoreboard has seen.
struct FlowProgress {
  std::uint16_t taken = 0, accepted = 0, delivered = 0;
};

struct LostAt {
  enum class Where { Engine, Sender, Route, Receiver } where = Where::Engine;
  unsigned chip = 0;
  std::string why;  ///< one line
};

/// `seen`: packets on all links, by cycle (packet_trace.h).
LostAt where_lost(const Flow& flow, const FlowProgress& progress,
                  const std::vector<PacketSeen>& seen, const fabric::Board& cables);

}  // namespace tb
