// SPDX-License-Identifier: Apache-2.0
// FabricRing: what belongs to one node.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "fabric/model/tables.h"
#include "tb/fabric/fabric_pins.h"
#include "tb/fabric/fabric_scoreboard.h"

namespace tb::fabric_ring {

/// What the chip notified its host of so far: of packets that it received, and of its own.
struct Refusals {
  unsigned received = 0, own = 0;
};

/// A message on its way out of an engine.
struct Job {
  fabric::Message message;
  Payload payload;
  unsigned sent;
  std::uint64_t start;
};
/// A node, and the bench around it.
struct Node {
  std::unique_ptr<Probe> dut;
  std::array<Side, 2> side;
  std::array<std::vector<defs::Flit::Words>, defs::kLinkPorts> lines;
  std::array<std::uint64_t, defs::kLinkPorts> flits{};
  std::array<std::array<std::uint64_t, defs::kVirtualNets>, defs::kLinkPorts> vn_flits{};
  std::array<std::uint64_t, defs::kCores> bytes{};
  std::array<std::uint64_t, defs::kVirtualNets> packets{};
  std::array<std::array<std::deque<Job>, kSizes.dma_engines>, 2> engines;
  std::array<unsigned, 2> jobs{};  // in all engines of a core
  std::array<int, 2> offering{-1, -1};
  Refusals refusals;
  std::array<unsigned, 2> stalled{};
  std::uint64_t sink_free = 0;  // with Options::one_sink: core cycle from which it takes more,
  unsigned sink_last = 0;       // and the receiver it served last
  std::mt19937 rng;
  std::array<std::uint8_t, 2> keys{};                                // FabricKey
  std::deque<std::pair<std::uint32_t, std::uint64_t>> writes;        // to come, one a cycle
  std::deque<std::tuple<unsigned, unsigned, std::uint64_t>> manage;  // those of other chips
};

}  // namespace tb::fabric_ring
