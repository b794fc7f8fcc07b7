// SPDX-License-Identifier: Apache-2.0
// Bernoulli sources with infinite queues on twelve fabric nodes: patterns, their limits, one point.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "tb/fabric/fabric_ring.h"

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
/// so the last link of a route is its limit too. Sources that would send to themselves are silent.
inline double limit(const Pattern& pattern, const fabric::Tables& tables) {
  std::map<std::pair<unsigned, unsigned>, double> load;
  double most = 0;
  for (unsigned src = 0; src < kChips; ++src) {
    const auto to = pattern.to(src);
    for (const unsigned dst : to) {
      if (dst == src) continue;
      const double share = 1.0 / static_cast<double>(to.size());
      const auto route = tables.way(src, dst);
      for (const fabric::Channel& c : route) most = std::max(most, load[{c.chip, c.port}] += share);
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
  bool one_port = false;   ///< a flit per cycle in and out of a chip, likewise
  bool one_sink = false;   ///< out of it with backpressure, not only in the latency
  defs::Arbiter arbiter = defs::Arbiter::Age;
  unsigned warm = 2000, cycles = 6000, seed = 1;
};
struct Point {
  double accepted, share, jain, mean, p50, p99, hops;
};

/// The only port of a source (Load::one_port): messages made, and when it is free again.
struct Port {
  std::deque<std::pair<std::uint64_t, fabric::Message>> made;
  std::uint64_t free = 0;
};
using SourcePorts = std::array<Port, kChips>;

/// A source makes a message with probability offered / flits in every fabric cycle.
inline void sources(tb::FabricRing& nodes, const Load& load, SourcePorts* ports = nullptr) {
  const auto now = nodes.cycle();
  if (ports)
    for (Port& port : *ports)
      if (!port.made.empty() && port.free <= now) {
        nodes.post(port.made.front().second, now - port.made.front().first);
        port.made.pop_front();
        port.free = now + fabric::flits(load.bytes);
      }
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
    if (!ports) {
      nodes.post(m);
    } else if (Port& port = (*ports)[src]; port.made.empty() && port.free <= now) {
      nodes.post(m);
      port.free = now + fabric::flits(load.bytes);
    } else {
      port.made.emplace_back(now, m);
    }
  }
}

inline Point measure(const Load& load) {
  tb::FabricRing nodes({.latency = load.latency,
                        .seed = load.seed,
                        .one_port = load.one_port && !load.one_sink,
                        .one_sink = load.one_sink,
                        .tables = load.tables});
  if (load.arbiter != defs::Arbiter::Age) {
    for (unsigned i = 0; i < kChips; ++i)
      nodes.set(i, defs::kCsrFabricArbiter, static_cast<unsigned>(load.arbiter));
    nodes.settle();
  }
  SourcePorts queues;
  SourcePorts* const ports = load.one_port ? &queues : nullptr;
  for (unsigned i = 0; i < load.warm; ++i) sources(nodes, load, ports), nodes.step();
  nodes.take_latencies();
  const auto before = nodes.accepted();
  const auto hops_before = nodes.delivered_hops(), delivered_before = nodes.delivered();
  for (unsigned i = 0; i < load.cycles; ++i) sources(nodes, load, ports), nodes.step();
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
  return {
      sum / n,
      *std::min_element(rate.begin(), rate.end()) / (sum / n),
      squares > 0 ? sum * sum / (n * squares) : 0,
      mean,
      rank(0.5),
      rank(0.99),
      static_cast<double>(nodes.delivered_hops() - hops_before) /
          static_cast<double>(std::max<std::uint64_t>(nodes.delivered() - delivered_before, 1))};
}

/// Every chip sends `times` messages of 1 KiB to every other, as a program that knows the tables
/// would: in rounds of one to each chip, far ones first; a round whenever the busiest link has time
/// for it, `bound` message times and an acknowledgement; a core per pair of links, whose lanes then
/// wait for no other link; one after the other. Fabric cycles per round and flit of a message:
/// message times.
inline double all_to_all(const fabric::Tables& tables, unsigned bound, unsigned times,
                         unsigned seed) {
  constexpr unsigned kHandOver = 8;  // fabric cycles that a core needs for 1 KiB
  const unsigned flits = fabric::flits(1024), period = bound * flits + 1;
  tb::FabricRing nodes({.seed = seed, .tables = tables});
  const auto start = nodes.cycle();
  std::multimap<std::uint64_t, fabric::Message> to_post;
  for (unsigned src = 0; src < kChips; ++src) {
    std::vector<std::pair<std::size_t, unsigned>> far_first;
    for (unsigned k = 1; k < kChips; ++k)
      far_first.emplace_back(kChips - tables.way(src, (src + k) % kChips).size(), k);
    std::sort(far_first.begin(), far_first.end());
    for (unsigned time = 0; time < times; ++time) {
      std::array<unsigned, 2> before{};  // of this round, by core
      for (const auto& [near, k] : far_first) {
        const unsigned dst = (src + k) % kChips, port = tables.way(src, dst).front().port;
        fabric::Message m = nodes.random_message(src, dst);
        m.core = static_cast<std::uint8_t>(tables.board().ports() == 2 ? port : port / 2);
        m.engine = static_cast<std::uint8_t>(k);
        m.vn = static_cast<std::uint8_t>(1 + (time + k) % 2);
        m.bytes = 1024;
        m.notify = false;
        m.sem = 0;
        to_post.emplace(start + time * period + kHandOver * before[m.core]++, m);
      }
    }
  }
  const auto all = to_post.size();
  while (nodes.delivered() != all && !testing::Test::HasFailure()) {
    for (; !to_post.empty() && to_post.begin()->first <= nodes.cycle();
         to_post.erase(to_post.begin()))
      nodes.post(to_post.begin()->second);
    nodes.step();
  }
  return static_cast<double>(nodes.cycle() - start) / times / flits;
}

/// Median of five seeds, over the bound.
inline double all_to_all_over_bound(const fabric::Tables& tables, unsigned bound, unsigned times) {
  std::vector<double> runs;
  for (unsigned seed = 1; seed <= 5; ++seed)
    runs.push_back(all_to_all(tables, bound, times, seed) / bound);
  std::sort(runs.begin(), runs.end());
  return runs[2];
}

}  // namespace bench
