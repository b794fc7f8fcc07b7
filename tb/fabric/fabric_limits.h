// SPDX-License-Identifier: Apache-2.0
// Limits of injection (register FabricRate), and what leaves a chip under them.
#pragma once
#include <algorithm>

#include "tb/fabric/fabric_ring.h"

namespace limits {

using tb::FabricRing;

inline constexpr unsigned kPer = 64;  ///< cycles that a rate counts in
inline constexpr unsigned kPacket = defs::kBodyFlits + 1;

/// rate: flits per 64 fabric cycles, 0: no limit; burst: flits, 1 .. 256.
struct Limit {
  unsigned rate = 0, burst = 1;
  std::uint64_t word() const { return (burst - 1) << 6 | rate; }
};
/// FabricRate of (core, port).
inline void set(FabricRing& nodes, unsigned chip, unsigned core, unsigned port, Limit limit) {
  nodes.set(chip, defs::kCsrFabricRate, limit.word(), port, core);
}

inline fabric::Message message(unsigned src, unsigned dst, unsigned core, unsigned vn,
                               unsigned bytes) {
  fabric::Message m;
  m.src = static_cast<std::uint16_t>(src);
  m.dst = static_cast<std::uint16_t>(dst);
  m.core = static_cast<std::uint8_t>(core);
  m.vn = static_cast<std::uint8_t>(vn);
  m.bytes = static_cast<std::uint16_t>(bytes);
  m.addr = defs::kAddrHbm0Base + 4096 * (src + 16 * core);
  return m;
}

/// A stream that never ends, at its source.
struct Stream {
  unsigned src, dst, core, vn, bytes = 1024;
};
inline void feed(FabricRing& nodes, const Stream& s) {
  while (nodes.waiting(s.src, s.core) < 24)
    nodes.post(message(s.src, s.dst, s.core, s.vn, s.bytes));
}

/// Flits of one VN that left a chip by one link port, cycle by cycle. They do so a fixed time after
/// they were injected, while nothing else uses the link.
class Watch {
 public:
  Watch(FabricRing& nodes, unsigned chip, unsigned port, unsigned vn)
      : nodes_(nodes), chip_(chip), port_(port), vn_(vn), last_(now()) {}

  void cycle() {
    const std::uint64_t flits = now();
    sent_.push_back(static_cast<unsigned>(flits - std::exchange(last_, flits)));
    total_ += sent_.back();
  }
  std::uint64_t flits() const { return total_; }
  double rate() const { return static_cast<double>(total_) / static_cast<double>(sent_.size()); }

  /// Flits beyond rate * T / 64, in 64ths, of the window that has most of them.
  std::int64_t most_over(unsigned rate) const {
    std::int64_t over = 0, most = 0;
    for (const unsigned flits : sent_) {
      over = std::max<std::int64_t>(over, 0) + static_cast<std::int64_t>(kPer * flits) - rate;
      most = std::max(most, over);
    }
    return most;
  }

 private:
  std::uint64_t now() const { return nodes_.wire_flits(chip_, port_, vn_); }
  FabricRing& nodes_;
  unsigned chip_, port_, vn_;
  std::uint64_t last_, total_ = 0;
  std::vector<unsigned> sent_;
};

/// Shares of a link that core 0 (limited) and core 1 of chip 0 get when both want all of it.
inline std::pair<double, double> shares(Limit of_core0, unsigned cycles = 12000) {
  FabricRing nodes({.latency = 16, .seed = 5});
  set(nodes, 0, 0, 0, of_core0);
  const Stream a{0, 1, 0, 1}, b{0, 1, 1, 2};
  for (unsigned i = 0; i < 2000; ++i) feed(nodes, a), feed(nodes, b), nodes.step();
  Watch of_a(nodes, 0, 0, 1), of_b(nodes, 0, 0, 2);
  for (unsigned i = 0; i < cycles; ++i) {
    feed(nodes, a), feed(nodes, b);
    nodes.step();
    of_a.cycle(), of_b.cycle();
  }
  return {of_a.rate(), of_b.rate()};
}

}  // namespace limits
