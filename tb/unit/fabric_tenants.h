// SPDX-License-Identifier: Apache-2.0
// Two tenants on twelve chips: A owns the odd ones, B the even ones, so both cross each other's
// chips and share every cable. Runs B's traffic beside different activities of A.
#pragma once
#include <algorithm>

#include "tb/unit/fabric_ring.h"

namespace tenants {

using tb::FabricRing;

enum class Activity { Idle, Saturating, Violating, Both };
struct Case {
  bool c12 = false, slots = false;
  double load = 0.05;  ///< flits per fabric cycle and chip of B
  unsigned cycles = 6000, seed = 1;
};
struct Result {
  std::vector<FabricRing::Trace> traces = {};    ///< of B's chips
  std::vector<std::uint32_t> latencies = {};     ///< of B's messages, sorted
  std::uint64_t events = 0, others = 0;          ///< at B's, at A's chips
  std::uint64_t violations = 0, foreign = 0;     ///< packets dropped; delivered to the wrong tenant
};

constexpr unsigned kKey[2] = {0x0b, 0x0a};  // by chip mod 2
constexpr std::uint64_t kSlotMode = std::uint64_t{1} << 34;
/// VN 2 has the even fabric cycles, VN 1 the odd ones; B sends on VN 2.
inline std::uint64_t slots(unsigned chip) {
  return kSlotMode | std::uint64_t{chip % 2 ? 1u : 2u} << 32 | 0x66666666u;
}

inline fabric::Message message(std::mt19937& rng, unsigned src, unsigned dst) {
  fabric::Message m;
  m.src = static_cast<std::uint16_t>(src);
  m.dst = static_cast<std::uint16_t>(dst);
  m.core = static_cast<std::uint8_t>(rng() % 2);
  m.engine = static_cast<std::uint8_t>(rng() % tb::kSizes.dma_engines);
  m.vn = src % 2 ? 1 : 2;
  m.bytes = static_cast<std::uint16_t>(rng() % 2 ? 1024 : 4 + 4 * (rng() % 255));
  m.addr = defs::kAddrHbm0Base + 1024 * (rng() % 4096);
  m.notify = rng() % 4 == 0;
  m.sem = static_cast<std::uint16_t>(m.notify ? rng() % 512 : 0);
  return m;
}

inline Result run(const Case& what, Activity activity) {
  tb::Options options{.seed = what.seed, .traced = true};
  if (what.c12) options.tables = fabric::search_tables(fabric::Board::c12());
  FabricRing nodes(options);
  for (unsigned i = 0; i < nodes.chips(); ++i) {
    auto& dut = nodes.dut(i);
    dut.key_i = static_cast<SData>(kKey[i % 2] * 0x101);
    for (unsigned port = 0; port < defs::kLinkPorts; ++port)
      for (unsigned t = 0; t < 2; ++t)
        defs::put_bits(dut.keys_i.data(), 9 * (defs::kKeyEntries * port + t), 9, 0x100 | kKey[t]);
  }
  if (what.slots) nodes.write_all(5, [](unsigned chip) { return slots(chip); });
  while (nodes.cycle() % 256) nodes.step();  // one start for all runs
  nodes.take_latencies();

  std::mt19937 b_rng(what.seed), a_rng(what.seed + 77);
  const auto post_to = [&](std::mt19937& rng, unsigned src, unsigned parity, bool legal) {
    unsigned dst = src;
    while (dst == src || dst % 2 != parity) dst = rng() % nodes.chips();
    const fabric::Message m = message(rng, src, dst);
    legal ? nodes.post(m) : nodes.post_forbidden(m);
  };
  const double p = what.load / 12;  // flits of a message, about
  for (unsigned i = 0; i < what.cycles; ++i) {
    for (unsigned chip = 0; chip < nodes.chips(); chip += 2)
      if (static_cast<double>(b_rng() & 0xffffff) < p * 0x1000000) post_to(b_rng, chip, 0, true);
    for (unsigned chip = 1; chip < nodes.chips(); chip += 2) {
      if (activity == Activity::Idle || nodes.waiting(chip) > 8) continue;
      const bool violate = activity == Activity::Violating ||
                           (activity == Activity::Both && a_rng() % 2);
      post_to(a_rng, chip, violate ? 0 : 1, !violate);
    }
    nodes.step();
    if (testing::Test::HasFailure()) break;
  }
  Result result;
  for (unsigned chip = 0; chip < nodes.chips(); ++chip) {
    (chip % 2 ? result.others : result.events) += nodes.trace(chip).size();
    if (chip % 2 == 0) result.traces.push_back(nodes.trace(chip));
    result.violations += nodes.dut(chip).violations_o;
  }
  result.foreign = nodes.foreign();
  result.latencies = nodes.take_latencies_at(0);
  std::sort(result.latencies.begin(), result.latencies.end());
  return result;
}

/// Where B's traces first differ; empty: nowhere.
inline std::string differs(const Result& a, const Result& b) {
  for (unsigned i = 0; i < a.traces.size(); ++i) {
    const auto& x = a.traces[i];
    const auto& y = b.traces[i];
    const auto at = static_cast<std::size_t>(
        std::mismatch(x.begin(), x.end(), y.begin(), y.end()).first - x.begin());
    if (at == x.size() && at == y.size()) continue;
    return fmt::format("chip {}, event {} of {} and {}: core cycle {} and {}", 2 * i, at, x.size(),
                       y.size(), at < x.size() ? x[at].first : 0, at < y.size() ? y[at].first : 0);
  }
  return "";
}

}  // namespace tenants
