// SPDX-License-Identifier: Apache-2.0
// What a core may touch: all that is its own, and what the other core shares. Twin of
// rtl/prim/guard_pkg.sv.
#pragma once
#include <cstdint>

#include "fabric/model/message.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// As reset leaves it: everything is shared.
inline constexpr defs::PeerAccess kAllShared{
    .limit = (std::uint64_t{1} << 48) - 1, .base = 0, .shared = 1};

constexpr bool in_window(std::uint64_t base, std::uint64_t limit, std::uint64_t addr,
                         std::uint64_t bytes) {
  return addr >= base && addr <= limit && bytes <= limit - addr;
}

/// May `core` read and write these bytes? They lie in one memory.
inline bool reaches(const defs::PeerAccess& peer, unsigned core, std::uint64_t addr,
                    std::uint64_t bytes) {
  return fabric::local_port(addr) == core ||
         (peer.shared && in_window(peer.base, peer.limit, addr, bytes));
}

/// May `core` wait for the semaphore {core, number} and update it?
constexpr bool reaches_semaphore(const defs::PeerAccess& peer, unsigned core, unsigned sem) {
  return sem / defs::kSemaphores == core || peer.shared;
}

}  // namespace cmodel
