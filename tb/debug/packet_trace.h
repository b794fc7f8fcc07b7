// SPDX-License-Identifier: Apache-2.0
// Packets as they went over the links: on which link was one first broken?
//
//   chip a --link--> chip b --link--> chip c    every link keeps its last flits; the end-to-end CRC
//          intact           broken              of each packet tells that chip b broke it
//
// What breaks in its last chip crosses no link any more: the chip has counted it (Damaged).
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "tb/board/board.h"
#include "tb/debug/cause.h"
#include "tb/debug/packet_seen.h"

namespace tb {

/// Packets in the histories of all links, in the order of their heads. Repeats of the link layer
/// count again.
std::vector<PacketSeen> sightings(const Board& board);

/// The first link on which some packet is broken: its sender broke it.
std::optional<Cause> broken_on_a_link(const Board& board);

/// Packets that failed their end-to-end check in this chip.
std::uint64_t damaged_packets(const Board& board, unsigned chip);
/// A chip that dropped packets, none of which was broken on a link.
std::optional<Cause> broken_at_its_end(const Board& board);

}  // namespace tb
