// SPDX-License-Identifier: Apache-2.0
// Bernoulli sources with infinite queues on twelve fabric nodes: patterns, their limits, one point.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "tb/unit/fabric_ring.h"

namespace bench {

constexpr unsigned kChips = defs::kBoardChips;

/// Where a source sends: to one chip, or to any with equal chance.
struct Pattern {
  std::string name;
  std::function<std::vector<unsigned>(unsigned src)> to;
};

inline std::vector<Pattern> patterns() {
  const auto fixed = [](auto f) {
    return [f](unsigned src) { return std::vector<unsigned>{f(src)}; };
  };
  // A random permutation without fixed points, always the same one.
  static constexpr unsigned kShuffled[kChips] = {7, 4, 11, 8, 0, 10, 2, 5, 1, 6, 3, 9};
  return {
      {"uniform",
       [](unsigned src) {
         std::vector<unsigned> others;
         for (unsigned i = 1; i < kChips; ++i) others.push_back((src + i) % kChips);
         return others;
       }},
      {"neighbour", fixed([](unsigned src) { return (src + 1) % kChips; })},
      {"tornado", fixed([](unsigned src) { return (src + 5) % kChips; })},
      {"antipode", fixed([](unsigned src) { return (src + 6) % kChips; })},
      {"complement", fixed([](unsigned src) { return kChips - 1 - src; })},
      {"transpose", fixed([](unsigned src) { return src % 4 * 3 + src / 4; })},
      {"permutation", fixed([](unsigned src) { return kShuffled[src]; })},
      {"hotspot", fixed([](unsigned) { return 0u; })},
  };
}

/// Flits per cycle and source at which the first link is full; a receiver has an output per link,
/// so the last link of a way is its limit too. Sources that would send to themselves are silent.
inline double limit(const Pattern& pattern, const fabric::Tables& tables) {
  std::map<std::pair<unsigned, unsigned>, double> load;
  double most = 0;
  for (unsigned src = 0; src < kChips; ++src) {
    const auto to = pattern.to(src);
    for (const unsigned dst : to) {
      if (dst == src) continue;
      const double share = 1.0 / static_cast<double>(to.size());
      const auto way = tables.way(src, dst);
      for (const fabric::Channel& c : way) most = std::max(most, load[{c.chip, c.port}] += share);
    }
  }
  return 1 / most;
}

struct Load {
  double offered;  ///< flits per fabric cycle and source
  Pattern pattern;
  std::optional<fabric::Tables> tables = {};
  unsigned bytes = 1024, cores = 2, latency = defs::kLinkLatency;
  bool with_self = false;  ///< uniform over all twelve, as the reference has it
  unsigned warm = 2000, cycles = 6000, seed = 1;
};
struct Point {
  double accepted, share, jain, mean, p50, p99;
};

/// A source posts a message with probability offered / flits in every fabric cycle.
inline void sources(tb::FabricRing& nodes, const Load& load) {
  const double p = load.offered / fabric::flits(load.bytes);
  for (unsigned src = 0; src < kChips; ++src) {
    if (static_cast<double>(nodes.rng()() & 0xffffff) >= p * 0x1000000) continue;
    const auto to = load.pattern.to(src);
    unsigned dst = to[nodes.random(static_cast<unsigned>(to.size()))];
    if (load.with_self) dst = nodes.random(kChips);
    if (dst == src && !load.with_self) continue;
    fabric::Message m = nodes.random_message(src, dst);
    m.core = static_cast<std::uint8_t>(nodes.random(load.cores));
    m.vn = static_cast<std::uint8_t>(1 + nodes.random(2));
    m.bytes = static_cast<std::uint16_t>(load.bytes);
    m.notify = false;
    m.sem = 0;
    nodes.post(m);
  }
}

inline Point measure(const Load& load) {
  tb::FabricRing nodes({.latency = load.latency, .seed = load.seed, .tables = load.tables});
  for (unsigned i = 0; i < load.warm; ++i) sources(nodes, load), nodes.step();
  nodes.take_latencies();
  const auto before = nodes.accepted();
  for (unsigned i = 0; i < load.cycles; ++i) sources(nodes, load), nodes.step();
  std::vector<double> rate;
  for (unsigned i = 0; i < kChips; ++i)
    if (load.with_self || load.pattern.to(i) != std::vector<unsigned>{i})
      rate.push_back(static_cast<double>(nodes.accepted()[i] - before[i]) / load.cycles);
  const double sum = std::accumulate(rate.begin(), rate.end(), 0.0);
  const double squares = std::inner_product(rate.begin(), rate.end(), rate.begin(), 0.0);
  auto latency = nodes.take_latencies();
  std::sort(latency.begin(), latency.end());
  const auto rank = [&](double q) {
    return latency.empty()
               ? 0.0
               : latency[static_cast<std::size_t>(q * static_cast<double>(latency.size() - 1))];
  };
  const double mean = std::accumulate(latency.begin(), latency.end(), 0.0) /
                      static_cast<double>(std::max<std::size_t>(latency.size(), 1));
  const auto n = static_cast<double>(rate.size());
  return {sum / n,
          *std::min_element(rate.begin(), rate.end()) / (sum / n),
          squares > 0 ? sum * sum / (n * squares) : 0,
          mean,
          rank(0.5),
          rank(0.99)};
}

/// Every chip sends `rounds` messages of 1 KiB to every other, at distances k and -k in turn.
/// Fabric cycles per round and flit of a message: message times.
inline double all_to_all(const std::optional<fabric::Tables>& tables, unsigned rounds) {
  tb::FabricRing nodes({.seed = 2, .tables = tables});
  const auto start = nodes.cycle();
  for (unsigned round = 0; round < rounds; ++round)
    for (unsigned step = 1; step < kChips; ++step)
      for (unsigned src = 0; src < kChips; ++src) {
        const unsigned k = (step + 1) / 2;
        fabric::Message m = nodes.random_message(src, (src + (step % 2 ? k : kChips - k)) % kChips);
        m.core = static_cast<std::uint8_t>(step % 2);
        m.vn = static_cast<std::uint8_t>(1 + (round + step / 2) % 2);
        m.bytes = 1024;
        m.notify = false;
        m.sem = 0;
        nodes.post(m);
      }
  while (nodes.delivered() != nodes.offered() && !testing::Test::HasFailure()) nodes.step();
  return static_cast<double>(nodes.cycle() - start) / rounds / fabric::flits(1024);
}

}  // namespace bench
