// SPDX-License-Identifier: Apache-2.0
// Packets as they went over the links: on which link was one first broken?
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fabric/board.h"
#include "rtl/defs/gen/defs.h"
#include "tb/system/link.h"

namespace tb {

/// A packet on one link.
struct PacketSeen {
  fabric::End from;         ///< who sent it over this link
  std::uint64_t cycle = 0;  ///< fabric cycle of its head
  std::uint64_t end = 0;    ///< of its last flit
  defs::HeadPayload head;
  bool whole = false;   ///< all flits are in the history
  bool intact = false;  ///< its end-to-end CRC holds
};

/// Packets in the history of a link, in no order. Repeats of the link layer count again.
std::vector<PacketSeen> packets_on(const Link& link, fabric::End from);

/// Two sightings of one packet: the fields that no router changes.
bool same_packet(const defs::HeadPayload& a, const defs::HeadPayload& b);

}  // namespace tb
