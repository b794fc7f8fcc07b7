// SPDX-License-Identifier: Apache-2.0
// Isolation: which packets arrive. Partition keys and address windows, fabric/doc/transport.md.
#pragma once
#include <array>
#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

#include "cmodel/machine/commit.h"
#include "cmodel/machine/guard.h"
#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Every link port admits the same keys, so the route of a packet does not matter.
class Guard {
 public:
  explicit Guard(const Program& program);

  /// What the other core shares with this one.
  defs::PeerAccess peer(unsigned chip, unsigned core) const;
  /// What this core stamps on its packets.
  std::uint8_t key(unsigned chip, unsigned core) const {
    return static_cast<std::uint8_t>(cores_[chip][core].key);
  }
  /// May the next packet of its flow be delivered? The first that may not ends the flow.
  bool lets_pass(const StreamId& from, const defs::Header& header);
  /// Those that ended a flow.
  const std::vector<defs::Header>& forbidden() const { return forbidden_; }

 private:
  bool allowed(const defs::Header& header) const;

  std::array<std::array<Partition, defs::kCores>, defs::kBoardChips> cores_{};
  std::set<std::uint32_t> keys_;
  std::set<std::tuple<unsigned, unsigned, unsigned, unsigned>> ended_;  ///< {source, core, dst, vn}
  std::vector<defs::Header> forbidden_;
};

}  // namespace cmodel
