// SPDX-License-Identifier: Apache-2.0
// Two tenants on twelve chips. Crossing: A owns the odd ones, B the even ones, so both go through
// each other's chips and share every cable. Split: A owns 6 .. 11, B 0 .. 5. Runs B's traffic
// beside different activities of A.
#pragma once
#include <algorithm>

#include "tb/fabric/fabric_ring.h"

namespace tenants {

using tb::FabricRing;

/// Trespassing: on the VN of B, which its own chips reject in slot mode.
enum class Activity { Idle, Saturating, Violating, Both, Trespassing };
struct Case {
  bool c12 = false, slots = false, split = false;
  double load = 0.05;  ///< flits per fabric cycle and chip of B
  unsigned cycles = 6000, seed = 1;
  unsigned vn_a = 1, vn_b = 2;  ///< on which each sends
};
struct Result {
  std::vector<FabricRing::Trace> traces = {};  ///< of B's chips
  std::vector<std::uint32_t> latencies = {};   ///< of B's messages, sorted
  std::uint64_t events = 0, others = 0;        ///< at B's, at A's chips
  std::uint64_t violations = 0, foreign = 0;   ///< packets dropped; delivered to the wrong tenant
};

constexpr unsigned kKey[2] = {0x0b, 0x0a};  // of B, of A
constexpr std::uint64_t kSlotMode = std::uint64_t{1} << 34;
/// B's VN has the even fabric cycles, A's the odd ones.
inline std::uint64_t slots(const Case& what, bool a) {
  return kSlotMode | std::uint64_t{a ? what.vn_a : what.vn_b} << 32 |
         0x11111111u * (what.vn_a << 2 | what.vn_b);
}

inline fabric::Message message(std::mt19937& rng, unsigned src, unsigned dst, unsigned vn) {
  fabric::Message m;
  m.src = static_cast<std::uint16_t>(src);
  m.dst = static_cast<std::uint16_t>(dst);
  m.core = static_cast<std::uint8_t>(rng() % 2);
  m.engine = static_cast<std::uint8_t>(rng() % tb::kSizes.dma_engines);
  m.vn = static_cast<std::uint8_t>(vn);
  m.bytes = static_cast<std::uint16_t>(rng() % 2 ? 1024 : 4 + 4 * (rng() % 255));
  if (vn == 0) m.bytes = static_cast<std::uint16_t>(4 + m.bytes % 192);
  m.addr = defs::kAddrHbm0Base + 1024 * (rng() % 4096);
  m.notify = rng() % 4 == 0;
  m.sem = static_cast<std::uint16_t>(m.notify ? rng() % 512 : 0);
  return m;
}

inline Result run(const Case& what, Activity activity) {
  tb::Options options{.seed = what.seed, .traced = true};
  if (what.c12) options.tables = fabric::search_tables(fabric::Board::c12());
  FabricRing nodes(options);
  const auto of_a = [&](unsigned chip) { return what.split ? chip >= 6 : chip % 2 == 1; };
  for (unsigned i = 0; i < nodes.chips(); ++i) {
    for (unsigned core = 0; core < 2; ++core)
      nodes.set(i, defs::kCsrFabricKey, kKey[of_a(i)], 0, core);
    for (unsigned port = 0; port < defs::kLinkPorts; ++port)
      for (unsigned t = 0; t < 2; ++t)
        nodes.set(i, defs::kCsrFabricKeys, what.split && t != of_a(i) ? 0 : 0x100 | kKey[t],
                  defs::kKeyEntries * port + t);
  }
  if (what.slots) nodes.write_all(5, [&](unsigned chip) { return slots(what, of_a(chip)); });
  while (nodes.cycle() % 256) nodes.step();  // one start for all runs
  nodes.take_latencies();

  const bool trespass = activity == Activity::Trespassing;
  std::mt19937 b_rng(what.seed), a_rng(what.seed + 77);
  const auto post_to = [&](std::mt19937& rng, unsigned src, bool to_a, bool legal) {
    unsigned dst = src;
    while (dst == src || of_a(dst) != to_a) dst = rng() % nodes.chips();
    const fabric::Message m =
        message(rng, src, dst, of_a(src) && !trespass ? what.vn_a : what.vn_b);
    legal ? nodes.post(m) : nodes.post_forbidden(m);
  };
  const double p = what.load / 12;  // flits of a message, about
  for (unsigned i = 0; i < what.cycles; ++i) {
    for (unsigned chip = 0; chip < nodes.chips(); ++chip)
      if (!of_a(chip) && static_cast<double>(b_rng() & 0xffffff) < p * 0x1000000)
        post_to(b_rng, chip, false, true);
    for (unsigned chip = 0; chip < nodes.chips(); ++chip) {
      if (!of_a(chip) || activity == Activity::Idle || nodes.waiting(chip) > 8) continue;
      const bool violate =
          activity == Activity::Violating || (activity == Activity::Both && a_rng() % 2);
      post_to(a_rng, chip, !violate, !violate && !trespass);
    }
    nodes.step();
    if (testing::Test::HasFailure()) break;
  }
  Result result;
  for (unsigned chip = 0; chip < nodes.chips(); ++chip) {
    (of_a(chip) ? result.others : result.events) += nodes.trace(chip).size();
    if (!of_a(chip)) {
      const auto& more = nodes.latencies_at(chip);
      result.traces.push_back(nodes.trace(chip));
      result.latencies.insert(result.latencies.end(), more.begin(), more.end());
    }
    result.violations += nodes.dut(chip).violations_o;
  }
  result.foreign = nodes.foreign();
  std::sort(result.latencies.begin(), result.latencies.end());
  return result;
}

/// Flits per fabric cycle that reach chip 0 from each of `sources`, which all send as fast as they
/// can the same way round the ring: chips 6 to 11 are a street with six side roads.
inline std::vector<double> parking_lot(std::uint64_t arbiter, unsigned cycles = 8000) {
  FabricRing nodes({.seed = 9});
  nodes.write_all(6, [&](unsigned) { return arbiter; });
  std::vector<double> share;
  std::vector<std::uint64_t> before;
  for (unsigned i = 0; i < 2000 + cycles; ++i) {
    if (i == 2000) before = nodes.accepted();
    for (unsigned src = 6; src < 12; ++src) {
      if (nodes.waiting(src) > 4) continue;
      fabric::Message m = nodes.random_message(src, 0);
      m.core = 0, m.vn = 1, m.bytes = 1024, m.notify = false, m.sem = 0;
      nodes.post(m);
    }
    nodes.step();
  }
  for (unsigned src = 6; src < 12; ++src)
    share.push_back(static_cast<double>(nodes.accepted()[src] - before[src]) / cycles);
  return share;
}
inline double jain(const std::vector<double>& x) {
  double sum = 0, squares = 0;
  for (const double v : x) sum += v, squares += v * v;
  return squares > 0 ? sum * sum / (static_cast<double>(x.size()) * squares) : 0;
}
inline constexpr std::uint64_t kAge = 0, kRoundRobin = 1, kWeighted = 2, kQueue = 3;

/// Share of VN 1 when VN 1 and VN 2 of one chip want the same link, by weights.
inline double share_of_vn1(unsigned weight1, unsigned weight2) {
  FabricRing nodes({.seed = 4});
  nodes.write_all(6, [&](unsigned) {
    return kWeighted | std::uint64_t{weight1 - 1} << 13 | std::uint64_t{weight2 - 1} << 17;
  });
  std::uint64_t before[2] = {};
  for (unsigned i = 0; i < 8000; ++i) {
    for (unsigned vn = 1; i == 1000 && vn < 3; ++vn) before[vn - 1] = nodes.delivered_flits_in(vn);
    for (unsigned core = 0; core < 2; ++core) {
      if (nodes.waiting(0, core) > 4) continue;
      fabric::Message m = nodes.random_message(0, 1);
      m.core = static_cast<std::uint8_t>(core), m.vn = static_cast<std::uint8_t>(1 + core);
      m.bytes = 1024, m.notify = false, m.sem = 0;
      nodes.post(m);
    }
    nodes.step();
  }
  const auto one = static_cast<double>(nodes.delivered_flits_in(1) - before[0]);
  return one / (one + static_cast<double>(nodes.delivered_flits_in(2) - before[1]));
}

/// Where B's traces first differ; empty: nowhere.
inline std::string differs(const Result& a, const Result& b) {
  for (unsigned i = 0; i < a.traces.size(); ++i) {
    const auto& x = a.traces[i];
    const auto& y = b.traces[i];
    const auto at = static_cast<std::size_t>(
        std::mismatch(x.begin(), x.end(), y.begin(), y.end()).first - x.begin());
    if (at == x.size() && at == y.size()) continue;
    return fmt::format("B's chip {}, event {} of {} and {}: core cycle {} and {}", i, at, x.size(),
                       y.size(), at < x.size() ? x[at].first : 0, at < y.size() ? y[at].first : 0);
  }
  return "";
}

/// How much longer B's 99th percentile gets when A does something.
inline double p99_growth(const Case& what, Activity activity) {
  const auto p99 = [&](Activity a) {
    const auto latencies = run(what, a).latencies;
    return static_cast<double>(latencies.at(latencies.size() * 99 / 100));
  };
  return p99(activity) / p99(Activity::Idle) - 1;
}

}  // namespace tenants
