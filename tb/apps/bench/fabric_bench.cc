// SPDX-License-Identifier: Apache-2.0
// Rates, fairness and latencies of twelve fabric nodes, on the ring and on C12(1,5). Prints JSON:
// rows {name, target, want, measured, met} and curves of one part: zero, ring, c12, their patterns,
// cable, reference, speed (how fast saturated nodes are simulated). Exit status 4 if a target is
// missed.
#include <CLI/CLI.hpp>

#include "Vcrc_echo.h"
#include "tb/apps/bench/fabric_isolation.h"
#include "tb/apps/bench/fabric_reference.h"
#include "tb/apps/bench/fabric_traffic.h"
#include "tb/base/command_line.h"

namespace {

using namespace bench;
using tb::FabricRing;
bool all_met = true;
std::vector<std::string> rows, curves;

void row(const std::string& name, const std::string& target, double limit, bool at_least,
         double measured, double want = -1) {
  const bool met = at_least ? measured >= limit : measured <= limit;
  all_met = all_met && met;
  const std::string wanted = want < 0 ? ""
                                      : fmt::format(R"("want": {}, "want_met": {}, )", want,
                                                    at_least ? measured >= want : measured <= want);
  rows.push_back(fmt::format(R"({{"name": "{}", "target": "{}", {}"measured": {:.4f}, "met": {}}})",
                             name, target, wanted, measured, met));
}

/// Pairs of the set's members whose latency is not 12 + hops * 2 * (7 + L) core cycles.
unsigned zero_load_misses(const std::optional<fabric::Tables>& tables, unsigned latency) {
  unsigned misses = 0;
  FabricRing nodes({.latency = latency, .tables = tables});
  for (const unsigned src : nodes.tables().members)
    for (const unsigned dst : nodes.tables().members) {
      fabric::Message m;
      m.src = static_cast<std::uint16_t>(src);
      m.dst = static_cast<std::uint16_t>(dst);
      m.bytes = 40;
      m.addr = 0x100;
      nodes.post(m);
      nodes.drain();
      misses += nodes.last_latency() != 12 + 2 * nodes.hops(src, dst) * (7 + latency);
    }
  return misses;
}

void zero_load() {
  row("ring_zero_load_misses", "0 of 144 pairs at L = 4 and 32", 0, false,
      zero_load_misses({}, 4) + zero_load_misses({}, 32));
  const fabric::Board ring = fabric::Board::ring(12), c12 = fabric::Board::c12();
  unsigned misses = 0, sets = 3;
  for (const auto& tables :
       {fabric::search_tables(c12), fabric::ring_a_tables(), fabric::ring_b_tables()})
    misses += zero_load_misses(tables, 32);
  for (const fabric::Board& board : {ring, c12})
    for (const fabric::Cable& cable : board.cables())
      misses += zero_load_misses(fabric::search_tables(board.without(cable.a)), 8), ++sets;
  row("tables_zero_load_misses", fmt::format("0 of {} pairs of {} sets", 144 * sets, sets), 0,
      false, misses);
}

/// Core 0 to chip + 1, core 1 to chip - 1, everything at once: share of the link rate.
double neighbour(unsigned bytes, double flit_errors = 0, unsigned cycles = 3000) {
  FabricRing nodes({.flit_errors = flit_errors, .lost_words = false});
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
        nodes.post(m);
      }
  for (unsigned i = 0; i < 400; ++i) nodes.step();
  const auto before = nodes.delivered_flits();
  for (unsigned i = 0; i < cycles; ++i) nodes.step();
  return static_cast<double>(nodes.delivered_flits() - before) / cycles / (2 * kChips);
}

struct Curve {
  double stable = 0, peak = 0;  ///< last load that is accepted whole; most accepted
  Point last{};
};

/// Sweeps the offered load, in shares of `full`.
Curve sweep(const std::string& topology, const std::string& name, Load load, double full,
            const std::vector<double>& shares) {
  Curve curve;
  double first_mean = 0;
  std::vector<std::string> points;
  for (const double share : shares) {
    load.offered = share * full;
    const Point p = curve.last = measure(load);
    if (first_mean == 0) first_mean = p.mean;
    curve.peak = std::max(curve.peak, p.accepted);
    if (p.accepted >= 0.98 * load.offered && p.mean < 3 * first_mean) curve.stable = load.offered;
    points.push_back(fmt::format(
        R"({{"offered": {:.4f}, "accepted": {:.4f}, "mean": {:.1f}, "p50": {}, "p99": {}, "min_mean": {:.4f}, "jain": {:.5f}}})",
        load.offered, p.accepted, p.mean, p.p50, p.p99, p.share, p.jain));
  }
  curves.push_back(
      fmt::format(R"({{"topology": "{}", "pattern": "{}", "limit": {:.4f}, "points": [{}]}})",
                  topology, name, full, fmt::join(points, ", ")));
  return curve;
}

void ring_figures(const std::vector<Pattern>& all) {
  const fabric::Tables ring = fabric::ring_tables(kChips);
  const double full = limit(all[0], ring);
  const Curve uniform = sweep(
      "ring", "uniform", {.offered = 0, .pattern = all[0], .cycles = 12000}, full,
      {0.08, 0.2, 0.33, 0.5, 0.65, 0.74, 0.82, 0.855, 0.885, 0.92, 0.95, 0.98, 1.15, 0.9 / full});
  row("ring_uniform_saturation", ">= 0.50, limit 0.611: last stable offered load", 0.50, true,
      uniform.stable, 0.55);
  row("ring_uniform_peak", ">= 0.50, limit 0.611: most accepted", 0.50, true, uniform.peak, 0.55);
  row("ring_overload_of_peak", ">= 0.87 at 0.9 offered", 0.87, true,
      uniform.last.accepted / uniform.peak, 0.95);
  row("ring_overload_min_mean", ">= 0.9", 0.9, true, uniform.last.share);
  row("ring_overload_jain", ">= 0.98", 0.98, true, uniform.last.jain);
  row("neighbour_1_flit", ">= 0.95 of the link rate", 0.95, true, neighbour(40), 0.98);
  row("neighbour_17_flits", ">= 0.95 of the link rate", 0.95, true, neighbour(1024), 0.98);
  // Go-back-N: a damaged flit costs a round trip, 2 (L + 4) fabric cycles.
  for (double p : {1e-5, 1e-4, 1e-3}) {
    const double formula = (1 - p) / (1 - p + p * 72);
    const double off = neighbour(1024, p, 20000) / formula - 1;
    row(fmt::format("goodput_at_{}", p), "within 0.02 of (1 - p) / (1 - p + 72 p)", 0.02, false,
        std::abs(off));
  }
  row("ring_all_to_all", "<= 1.15 x 18 message times, 12 rounds of 1 KiB, median of 5 seeds", 1.15,
      false, all_to_all_over_bound(ring, 18, 12), 1.10);
}

void c12_figures(const std::vector<Pattern>& all, const fabric::Tables& c12) {
  const double full = limit(all[0], c12);
  const std::vector<double> shares{0.05, 0.15, 0.3,  0.45,  0.6, 0.7, 0.775,
                                   0.8,  0.82, 0.84, 0.865, 0.9, 1.0, 1.2};
  const Load load{.offered = 0, .pattern = all[0], .tables = c12, .cycles = 8000};
  const Curve four = sweep("c12", "uniform", load, full, shares);
  row("c12_uniform_four_ports", ">= 1.7, limit 2.2: last stable offered load", 1.7, true,
      four.stable, 1.9);
  row("c12_uniform_peak", ">= 1.7, limit 2.2: most accepted", 1.7, true, four.peak, 1.9);
  Load one = load;
  one.cores = 1;
  const Curve single =
      sweep("c12", "uniform, one core", one, 1, {0.1, 0.5, 0.8, 0.88, 0.9, 0.95, 1});
  row("c12_uniform_one_port", ">= 0.88 of 1: one core sends, last stable offered load", 0.88, true,
      single.stable, 0.90);
  row("c12_all_to_all", "<= 1.25 x 5 message times, 12 rounds of 1 KiB, median of 5 seeds", 1.25,
      false, all_to_all_over_bound(c12, 5, 12), 1.15);
}

void other_patterns(const std::vector<Pattern>& all, const fabric::Tables& tables, bool big) {
  for (unsigned i = 1; i < all.size(); ++i) {
    Load load{.offered = 0, .pattern = all[i], .tables = tables, .cycles = 4000};
    const double full = limit(all[i], tables);
    const Curve curve =
        sweep(big ? "c12" : "ring", all[i].name, load, full, {0.1, 0.4, 0.7, 0.85, 0.95, 1.2});
    const bool asked = !big && (all[i].name == "tornado" || all[i].name == "antipode");
    if (asked)
      row("ring_" + all[i].name, fmt::format(">= 0.90 of {:.3f}", full), 0.90, true,
          curve.peak / full, 0.95);
  }
}

/// A cable of C12(1,5) falls silent under load. The host waits until both ends know, then does what
/// a host does: stop, drain, other tables, resume. The scoreboard asks for every message exactly
/// once.
void cable_dies() {
  const fabric::Board c12 = fabric::Board::c12();
  const fabric::End end{3, 0}, far = c12.peer(end);
  const fabric::Tables whole = fabric::search_tables(c12),
                       rest = fabric::search_tables(c12.without(end));
  const Load load{.offered = 1.2, .pattern = patterns()[0]};
  const auto recover = [&] {  // these nodes must be gone before others are made
    FabricRing nodes({.tables = whole});
    for (unsigned i = 0; i < 3000; ++i) sources(nodes, load), nodes.step();
    const auto silent = nodes.cycle();
    for (const fabric::End e : {end, far})
      nodes.add({.chip = e.chip, .port = e.port, .from = silent});
    const auto dead = [&](fabric::End e) {
      return nodes.state(e.chip, e.port) == defs::LinkState::Dead;
    };
    while (!(dead(end) && dead(far)) && nodes.cycle() - silent < 20000)
      sources(nodes, load), nodes.step();
    const auto known = nodes.cycle();
    nodes.stop_and_drain();
    const auto drained = nodes.cycle();
    nodes.switch_to(rest);
    const auto resumed = nodes.cycle();
    for (unsigned i = 0; i < 1000; ++i) sources(nodes, load), nodes.step();
    nodes.drain(60000);
    // 15,000 fabric cycles of 750 MHz.
    row("cable_dies_recovery_us",
        fmt::format("<= 20 us from silence to resumption, besides {} cycles of drain",
                    drained - known),
        20, false, static_cast<double>(known - silent + resumed - drained) / 750);
    row("cable_dies_lost_or_doubled", "0 messages", 0, false,
        static_cast<double>(nodes.offered() - nodes.delivered()) + testing::Test::HasFailure());
  };
  recover();
  const double full = limit(load.pattern, rest);
  const Curve curve =
      sweep("c12", "uniform, a cable less", {.offered = 0, .pattern = load.pattern, .tables = rest},
            full, {0.5, 0.8, 0.9, 0.955, 1, 1.1, 1.4});
  row("c12_uniform_a_cable_less",
      fmt::format(">= 1.5: most accepted; {:.2f} if all pairs get the same", full), 1.5, true,
      curve.peak);
}

/// Mean latency against the reference simulator, its assumptions taken over: links of hop 35 (L is
/// 28 here: 7 + 28), its own node among the destinations, one sender, one port per chip that takes
/// and gives a flit per cycle. Both are taken to routes of 3 links, the exact mean, from those that
/// chance drew. What is left is a constant of the ends: a packet is stored at its source and
/// reported whole. Beyond the loads that are judged, the same with an exit that holds packets back
/// and with the reference's order of service, as experiments.
void reference(const std::vector<Theirs>& curve) {
  constexpr unsigned kBytes = defs::kPacketBytes;
  // A packet alone over six links, without them and without the reference's own zero load,
  // 6 + H (L + 3) and the body. (Its nodes must be gone before others are made.)
  const auto alone = [] {
    FabricRing nodes({.latency = 28});
    fabric::Message m;
    m.dst = 6;
    m.vn = 1;
    m.bytes = kBytes;
    nodes.post(m);
    nodes.drain();
    return nodes.take_latencies().front();
  };
  const double ends = alone() - 6.0 * 35 - (6 + fabric::flits(kBytes) - 1);
  const auto at = [](double offered) {
    return Load{.offered = offered,
                .pattern = patterns()[0],
                .bytes = kBytes,
                .cores = 1,
                .latency = 28,
                .with_self = true,
                .one_port = true,
                .warm = 6000,
                .cycles = 60000};
  };
  const auto on_mean_routes = [&](const Point& p) { return p.mean - 35 * (p.hops - 3) - ends; };

  const double zero = measure(at(curve.front().offered)).mean;
  const double saturation = last_stable(2.0 / 3, [&](double offered) {
    const Point p = measure(at(offered));
    return p.accepted >= 0.98 * offered && p.mean < 3 * zero;
  });
  std::vector<Compared> compared;
  std::vector<std::string> points;
  for (const auto& [offered, mean, routers] : curve) {
    const Load load = at(offered);
    const Compared& p = compared.emplace_back(
        Compared{offered, on_mean_routes(measure(load)), mean - 35 * (routers - 4)});
    std::string experiments;
    if (offered > kJudgedShare * saturation) {
      Load sink = load, in_turn = load;
      sink.one_sink = true;
      in_turn.arbiter = defs::Arbiter::RoundRobin;
      experiments = fmt::format(R"(, "one_sink": {:.2f}, "round_robin": {:.2f})",
                                on_mean_routes(measure(sink)), on_mean_routes(measure(in_turn)));
    }
    points.push_back(fmt::format(R"({{"offered": {}, "mean": {:.2f}, "reference": {:.2f}{}}})",
                                 offered, p.own, p.reference, experiments));
  }
  const Verdict verdict = judge(compared, saturation);
  row("reference_latency",
      fmt::format("within {} of the reference's mean latency up to {} of saturation, {:.3f}",
                  kMostOff, kJudgedShare, saturation),
      kMostOff, false, verdict.worst);
  row("reference_points", fmt::format(">= {} of {} loads judged", kLeastPoints, curve.size()),
      kLeastPoints, true, verdict.points);
  curves.push_back(fmt::format(
      R"({{"topology": "reference", "pattern": "Packets of 17 flits; reference with 4 VCs of 80 flits", )"
      R"("saturation": {:.4f}, "points": [{}]}})",
      saturation, fmt::join(points, ", ")));
}

/// Nanoseconds of one CRC over a payload, changed words and all.
double crc_nanoseconds() {
  VerilatedContext context;
  Vcrc_echo crc(&context);
  constexpr unsigned kTimes = 300000;
  std::uint32_t sum = 0;
  const double ns = FabricRing::nanoseconds([&] {
    for (unsigned i = 0; i < kTimes; ++i) {
      crc.payload_i[i % 16] += 0x9e3779b9u + sum;
      crc.eval();
      sum += crc.crc_o;
    }
  });
  return ns / kTimes;
}

/// The shortest of five times: what else the machine does only adds. Nanoseconds.
double shortest(const std::function<void()>& work) {
  double ns = FabricRing::nanoseconds(work);
  for (unsigned again = 1; again < 5; ++again) ns = std::min(ns, FabricRing::nanoseconds(work));
  return ns;
}

/// Microseconds that a node with nothing to do takes for a fabric cycle, test bench included.
double idle_microseconds() {
  FabricRing nodes({.seed = 3});
  for (unsigned i = 0; i < 100; ++i) nodes.step();
  constexpr unsigned kCycles = 10000;
  const double ns = shortest([&] {
    for (unsigned i = 0; i < kCycles; ++i) nodes.step();
  });
  return ns / (1e3 * kCycles * kChips);
}

void speed() {
  row("idle_node_us_per_fabric_cycle", "<= 2, test bench included", 2, false, idle_microseconds(),
      1.5);
  const double crc_ns = crc_nanoseconds();
  const fabric::Tables c12 = fabric::search_tables(fabric::Board::c12());
  for (const bool big : {false, true}) {
    Load load{.offered = big ? 2.2 : 0.9, .pattern = patterns()[0]};
    if (big) load.tables = c12;
    FabricRing nodes({.seed = 3, .tables = load.tables});
    for (unsigned i = 0; i < 1500; ++i) sources(nodes, load), nodes.step();
    const auto hops = nodes.link_flits(), since = nodes.cycle();
    constexpr unsigned kCycles = 4000;
    const double ns = shortest([&] {
      for (unsigned i = 0; i < kCycles; ++i) sources(nodes, load), nodes.step();
    });
    const std::string name = big ? "c12" : "ring";
    const double must = big ? 4000 : 8000;
    row(name + "_fabric_cycles_per_s", fmt::format(">= {:.0f}, test bench included", must), must,
        true, 1e9 * kCycles / ns, 20000);
    const double crossed = static_cast<double>(nodes.link_flits() - hops) * kCycles /
                           static_cast<double>(nodes.cycle() - since);
    rows.push_back(fmt::format(R"({{"name": "{}_flit_hops_per_s", "measured": {:.0f}}})", name,
                               1e9 * crossed / ns));
    // One when a flit is sent, one when it is received.
    rows.push_back(fmt::format(R"({{"name": "{}_crc_share", "measured": {:.4f}}})", name,
                               2 * crossed * crc_ns / ns));
  }
}

int run(int argc, char** argv) {
  const auto all = patterns();
  const fabric::Tables c12 = fabric::search_tables(fabric::Board::c12());
  std::string part, reference_file;
  const std::map<std::string, std::function<void()>> parts{
      {"zero", zero_load},
      {"ring", [&] { ring_figures(all); }},
      {"c12", [&] { c12_figures(all, c12); }},
      {"ring-patterns", [&] { other_patterns(all, fabric::ring_tables(kChips), false); }},
      {"c12-patterns", [&] { other_patterns(all, c12, true); }},
      {"cable", cable_dies},
      {"reference", [&] { reference(read_reference(reference_file)); }},
      {"isolation", [] { isolation([](auto... a) { row(a...); }); }},
      {"speed", speed},
  };
  CLI::App app{"Rates, fairness and latencies of twelve fabric nodes, as JSON."};
  app.add_option("part", part, "what to measure")->required()->check(CLI::IsMember(parts));
  app.add_option("--reference", reference_file, "part reference: the other simulator's curve, CSV");
  tb::parse_command_line(app, argc, argv);
  if (part == "reference" && reference_file.empty())
    throw tb::Refused(tb::kBadInput, "part reference: --reference FILE is missing");
  parts.at(part)();
  fmt::print("{{\"rows\": [\n{}\n], \"curves\": [\n{}\n]}}\n", fmt::join(rows, ",\n"),
             fmt::join(curves, ",\n"));
  if (testing::Test::HasFailure()) return 1;
  return all_met ? 0 : 4;
}

}  // namespace

int main(int argc, char** argv) { return tb::exit_status_of(run, argc, argv); }
