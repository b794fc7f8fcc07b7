// SPDX-License-Identifier: Apache-2.0
// Twelve fabric nodes under Bernoulli sources with infinite queues: rates, fairness, latencies.
// Prints JSON: rows {name, target, measured, met} and, for the sweep, a curve. --speed: only how
// fast twelve saturated nodes are simulated. Exit status 4 if a target is missed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "tb/unit/fabric_ring.h"

namespace {

using tb::FabricRing;
constexpr unsigned kChips = defs::kBoardChips;
bool all_met = true;
std::vector<std::string> rows, curve;

void row(const std::string& name, const std::string& target, double limit, bool at_least,
         double measured) {
  const bool met = at_least ? measured >= limit : measured <= limit;
  all_met = all_met && met;
  rows.push_back(fmt::format(R"({{"name": "{}", "target": "{}", "measured": {:.4f}, "met": {}}})",
                             name, target, measured, met));
}

struct Load {
  double offered;                                         ///< flits per fabric cycle and node
  std::function<unsigned(unsigned src, FabricRing&)> to;  ///< destination of a new message
  unsigned bytes = 1024, warm = 2000, cycles = 8000, seed = 1;
};
struct Point {
  double accepted, share, jain, mean, p50, p99;
};

unsigned uniform(unsigned src, FabricRing& bench) {
  return (src + 1 + bench.random(kChips - 1)) % kChips;
}

/// A source posts a message with probability offered / flits in every fabric cycle.
void sources(FabricRing& bench, const Load& load, unsigned flits) {
  for (unsigned src = 0; src < kChips; ++src) {
    const double p = load.offered / flits;
    if (static_cast<double>(bench.rng()() & 0xffffff) >= p * 0x1000000) continue;
    fabric::Message m = bench.random_message(src, load.to(src, bench));
    m.vn = static_cast<std::uint8_t>(1 + bench.random(2));
    m.bytes = static_cast<std::uint16_t>(load.bytes);
    m.notify = false;
    m.sem = 0;
    bench.post(m);
  }
}

Point measure(const Load& load) {
  FabricRing bench({.seed = load.seed});
  const unsigned flits = fabric::flits(load.bytes);
  for (unsigned i = 0; i < load.warm; ++i) sources(bench, load, flits), bench.step();
  bench.take_latencies();
  const auto before = bench.accepted();
  for (unsigned i = 0; i < load.cycles; ++i) sources(bench, load, flits), bench.step();
  std::vector<double> rate(kChips);
  for (unsigned i = 0; i < kChips; ++i)
    rate[i] = static_cast<double>(bench.accepted()[i] - before[i]) / load.cycles;
  const double sum = std::accumulate(rate.begin(), rate.end(), 0.0);
  const double squares = std::inner_product(rate.begin(), rate.end(), rate.begin(), 0.0);
  auto latency = bench.take_latencies();
  std::sort(latency.begin(), latency.end());
  const auto rank = [&](double q) {
    return latency.empty() ? 0.0 : latency[static_cast<std::size_t>(q * (latency.size() - 1))];
  };
  const double mean = std::accumulate(latency.begin(), latency.end(), 0.0) /
                      static_cast<double>(std::max<std::size_t>(latency.size(), 1));
  return {sum / kChips,
          *std::min_element(rate.begin(), rate.end()) / (sum / kChips),
          sum * sum / (kChips * squares),
          mean,
          rank(0.5),
          rank(0.99)};
}

/// Pairs whose latency is not 12 + hops * 2 * (7 + L) core cycles.
unsigned zero_load_misses() {
  unsigned misses = 0;
  for (unsigned latency : {4u, 32u}) {
    FabricRing bench({.latency = latency});
    for (unsigned src = 0; src < kChips; ++src)
      for (unsigned dst = 0; dst < kChips; ++dst) {
        fabric::Message m;
        m.src = static_cast<std::uint16_t>(src);
        m.dst = static_cast<std::uint16_t>(dst);
        m.bytes = 40;
        m.addr = 0x100;
        bench.post(m);
        bench.drain();
        misses += bench.last_latency() != 12 + 2 * bench.ring().hops(src, dst) * (7 + latency);
      }
  }
  return misses;
}

/// Core 0 to chip + 1, core 1 to chip - 1, everything at once: share of the link rate.
double neighbour(unsigned bytes, double flit_errors = 0, unsigned cycles = 3000) {
  FabricRing bench({.flit_errors = flit_errors, .lost_words = false});
  const unsigned flits = fabric::flits(bytes);
  for (unsigned i = 0; i < (cycles + 600) / flits + 20; ++i)
    for (unsigned src = 0; src < kChips; ++src)
      for (unsigned core = 0; core < 2; ++core) {
        fabric::Message m;
        m.src = static_cast<std::uint16_t>(src);
        m.dst = static_cast<std::uint16_t>((src + (core ? kChips - 1 : 1)) % kChips);
        m.core = static_cast<std::uint8_t>(core);
        m.engine = static_cast<std::uint8_t>(i % tb::kSizes.dma_engines);
        m.bytes = static_cast<std::uint16_t>(bytes);
        m.addr = defs::kAddrHbm0Base + 1024 * i;
        bench.post(m);
      }
  for (unsigned i = 0; i < 400; ++i) bench.step();
  const auto before = bench.delivered_flits();
  for (unsigned i = 0; i < cycles; ++i) bench.step();
  return static_cast<double>(bench.delivered_flits() - before) / cycles / (2 * kChips);
}

void figures() {
  row("zero_load_misses", "0 of 288 pairs", 0, false, zero_load_misses());
  double peak = 0, stable = 0, first_mean = 0;
  for (double offered :
       {0.05, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.52, 0.54, 0.56, 0.58, 0.6, 0.7, 0.9}) {
    const Point p = measure({.offered = offered, .to = uniform, .cycles = 20000});
    if (first_mean == 0) first_mean = p.mean;
    peak = std::max(peak, p.accepted);
    if (p.accepted >= 0.98 * offered && p.mean < 3 * first_mean) stable = offered;
    curve.push_back(fmt::format(
        R"({{"offered": {}, "accepted": {:.4f}, "mean": {:.1f}, "p50": {}, "p99": {}, "min_mean": {:.4f}, "jain": {:.5f}}})",
        offered, p.accepted, p.mean, p.p50, p.p99, p.share, p.jain));
    if (offered == 0.9) {
      row("uniform_saturation", ">= 0.50, limit 0.611: last stable offered load", 0.50, true,
          stable);
      row("uniform_peak", ">= 0.50, limit 0.611: most accepted", 0.50, true, peak);
      row("overload_0.9_of_peak", ">= 0.87", 0.87, true, p.accepted / peak);
      row("overload_0.9_min_mean", ">= 0.9", 0.9, true, p.share);
      row("overload_0.9_jain", ">= 0.98", 0.98, true, p.jain);
    }
  }
  row("neighbour_1_flit", ">= 0.95 of the link rate", 0.95, true, neighbour(40));
  row("neighbour_17_flits", ">= 0.95 of the link rate", 0.95, true, neighbour(1024));
  // Go-back-N: a damaged flit costs a round trip, 2 (L + 4) fabric cycles.
  for (double p : {1e-5, 1e-4, 1e-3}) {
    const double formula = (1 - p) / (1 - p + p * 72);
    const double off = neighbour(1024, p, 20000) / formula - 1;
    row(fmt::format("goodput_at_{}", p), "within 0.02 of (1 - p) / (1 - p + 72 p)", 0.02, false,
        std::abs(off));
  }
  const auto shifted = [](unsigned by) {
    return [by](unsigned src, FabricRing&) { return (src + by) % kChips; };
  };
  row("tornado", ">= 0.90 of 0.200", 0.90, true,
      measure({.offered = 0.4, .to = shifted(5)}).accepted / 0.2);
  row("antipode", ">= 0.90 of 0.333", 0.90, true,
      measure({.offered = 0.6, .to = shifted(6)}).accepted * 3);
}

void speed() {
  FabricRing bench({.seed = 3});
  const Load load{.offered = 0.9, .to = uniform};
  for (unsigned i = 0; i < 1500; ++i) sources(bench, load, 17), bench.step();
  const auto hops = bench.link_flits();
  constexpr unsigned kCycles = 10000;
  const double ns = FabricRing::nanoseconds([&] {
    for (unsigned i = 0; i < kCycles; ++i) sources(bench, load, 17), bench.step();
  });
  row("saturated_fabric_cycles_per_s", ">= 8000, test bench included", 8000, true,
      1e9 * kCycles / ns);
  rows.push_back(fmt::format(R"({{"name": "flit_hops_per_s", "measured": {:.0f}}})",
                             1e9 * static_cast<double>(bench.link_flits() - hops) / ns));
}

}  // namespace

int main(int argc, char** argv) {
  bool only_speed = false;
  CLI::App app{"Rates, fairness and latencies of twelve fabric nodes, as JSON."};
  app.add_flag("--speed", only_speed, "only the speed of the simulation");
  CLI11_PARSE(app, argc, argv);
  if (only_speed)
    speed();
  else
    figures();
  fmt::print("{{\"rows\": [\n{}\n], \"curve\": [\n{}\n]}}\n", fmt::join(rows, ",\n"),
             fmt::join(curve, ",\n"));
  if (testing::Test::HasFailure()) return 1;
  return all_met ? 0 : 4;
}
