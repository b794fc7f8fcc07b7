// SPDX-License-Identifier: Apache-2.0
// What a link keeps of a packet that went over it.
#pragma once
#include <cstdint>

#include "fabric/model/board.h"
#include "rtl/defs/gen/defs.h"

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

}  // namespace tb
