// SPDX-License-Identifier: Apache-2.0
// Twelve fabric nodes on delay lines: every message once, intact, in order; no deadlock; all
// credits home; the published latencies and rates.
#include "tb/fabric/fabric_ring.h"

namespace {

using fabric::Message;
using tb::FabricRing;
using tb::Options;

class RingSize : public testing::TestWithParam<unsigned> {};

TEST_P(RingSize, EveryChipReachesEveryChip) {
  FabricRing bench({.chips = GetParam(),
                    .latency = 4,
                    .seed = GetParam(),
                    .send = 0.7,
                    .ready = 0.8,
                    .settled = 0.7});
  for (unsigned round = 0; round < 3; ++round)
    for (unsigned src = 0; src < GetParam(); ++src)
      for (unsigned dst = 0; dst < GetParam(); ++dst) bench.post(bench.random_message(src, dst));
  bench.drain();
  EXPECT_EQ(bench.errors(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Chips, RingSize, testing::Range(1u, 13u));

class Latency : public testing::TestWithParam<unsigned> {};

TEST_P(Latency, UniformTrafficWithStallingSinksArrives) {
  FabricRing bench({.latency = GetParam(),
                    .seed = 7 + GetParam(),
                    .send = 0.9,
                    .ready = 0.7,
                    .settled = 0.5,
                    .stall = 200});
  for (unsigned i = 0; i < 3000; ++i)
    bench.post(bench.random_message(bench.random(12), bench.random(12)));
  bench.drain();
}
INSTANTIATE_TEST_SUITE_P(Cycles, Latency, testing::Values(4u, 5u, 32u, 56u));

/// Everybody sends `count` messages, the i-th from src to to(src, i), of one VN or of all.
template <class To>
void storm(FabricRing& bench, unsigned count, To to, int vn = -1, unsigned most = 1024) {
  for (unsigned i = 0; i < count; ++i) {
    for (unsigned src = 0; src < bench.chips(); ++src) {
      Message m = bench.random_message(src, to(src, i), most);
      if (vn > 0) {
        m.vn = static_cast<std::uint8_t>(vn);
        m.bytes = static_cast<std::uint16_t>(most);
      }
      bench.post(m);
    }
  }
}

TEST(Deadlock, AntipodeAllToAllAndTornadoOnOneVnDrain) {
  for (unsigned vn = 1; vn < 4; ++vn) {
    FabricRing bench({.latency = 4, .seed = vn, .ready = 0.9, .stall = 60});
    storm(
        bench, 60, [](unsigned src, unsigned) { return (src + 6) % 12; }, static_cast<int>(vn));
    storm(
        bench, 60, [](unsigned src, unsigned) { return (src + 5) % 12; }, static_cast<int>(vn));
    storm(
        bench, 66, [](unsigned src, unsigned i) { return (src + 1 + i % 11) % 12; },
        static_cast<int>(vn));
    bench.drain();
  }
}

TEST(Deadlock, MixedVnsAndSizesDrain) {
  FabricRing bench({.latency = 32, .seed = 5, .ready = 0.9, .stall = 400});
  storm(bench, 150, [](unsigned src, unsigned) { return (src + 6) % 12; });
  storm(bench, 150, [](unsigned src, unsigned) { return (src + 7) % 12; });
  bench.drain();
}

TEST(Hotspot, TwelveToOneIsDeliveredToTheLast) {
  FabricRing bench({.latency = 32, .seed = 3, .ready = 0.9});
  storm(bench, 100, [](unsigned, unsigned) { return 0u; });
  bench.drain();
}

TEST(Fairness, LongPacketsPassShortOnes) {
  // Short packets of chip 0 ride over chip 1, whose long ones need 17 credits at once.
  FabricRing bench({.latency = 32, .seed = 4});
  for (unsigned i = 0; i < 2000; ++i) {
    Message m = bench.random_message(0, 2, 40);
    m.vn = 3;
    m.core = 0;
    bench.post(m);
  }
  for (unsigned i = 0; i < 10; ++i) {
    Message m = bench.random_message(1, 2);
    m.vn = 3;
    m.bytes = 1024;
    m.core = 1;
    bench.post(m);
  }
  for (unsigned i = 0; i < 1200; ++i) bench.step();
  // 10 long ones by then, not behind 2,000 short ones: at least 10 * 17 flits beyond the short.
  EXPECT_GE(bench.delivered_flits(), bench.delivered() + 10 * 16);
  bench.drain();
}

/// Zero-load latency: core cycles from the last piece's handshake to the message commit.
TEST(ZeroLoad, IsSourcePlusDestinationPlusHops) {
  constexpr unsigned kEnds = 12;  // T_src + T_dst for a single-flit packet, core cycles, even phase
  for (unsigned latency : {4u, 32u}) {
    FabricRing bench({.latency = latency});
    for (unsigned src = 0; src < 12; ++src) {
      for (unsigned dst = 0; dst < 12; ++dst) {
        Message m;
        m.src = static_cast<std::uint16_t>(src);
        m.dst = static_cast<std::uint16_t>(dst);
        m.bytes = 40;
        m.addr = 0x100;
        bench.post(m);
        bench.drain();
        const unsigned hops = bench.hops(src, dst);
        EXPECT_EQ(bench.last_latency(), kEnds + 2 * hops * (7 + latency))
            << src << " to " << dst << " at L = " << latency;
      }
    }
    fmt::print("zero load, L = {}: {} + H * 2 * (7 + L) core cycles, 40 bytes\n", latency, kEnds);
  }
}

/// Both directions at once, `bytes` per packet: flits per cycle and link in the steady state.
double neighbour_rate(unsigned bytes, double flit_errors = 0) {
  FabricRing bench({.latency = 32, .flit_errors = flit_errors, .lost_words = false});
  const unsigned flits = fabric::flits(bytes), cycles = 3000;
  for (unsigned i = 0; i < (cycles + 600) / flits + 20; ++i) {
    for (unsigned src = 0; src < 12; ++src) {
      for (unsigned core = 0; core < 2; ++core) {
        Message m;
        m.src = static_cast<std::uint16_t>(src);
        m.dst = static_cast<std::uint16_t>((src + (core ? 11 : 1)) % 12);
        m.core = static_cast<std::uint8_t>(core);
        m.engine = static_cast<std::uint8_t>(i % tb::kSizes.dma_engines);
        m.bytes = static_cast<std::uint16_t>(bytes);
        m.addr = (core ? defs::kAddrHbm1Base : defs::kAddrHbm0Base) + 1024 * i;
        bench.post(m);
      }
    }
  }
  for (unsigned i = 0; i < 400; ++i) bench.step();
  const auto before = bench.delivered_flits();
  for (unsigned i = 0; i < cycles; ++i) bench.step();
  const double rate = static_cast<double>(bench.delivered_flits() - before) / cycles / 24;
  bench.drain();
  return rate;
}

TEST(Rate, NeighbourStreamsFillTheLinks) {
  for (unsigned bytes : {1024u, 40u}) {
    const double rate = neighbour_rate(bytes);
    fmt::print("neighbour streams of {} bytes, L = 32: {:.3f} of the link rate\n", bytes, rate);
    EXPECT_GE(rate, 0.95) << bytes;
  }
}

TEST(Rate, ADamagedFlitCostsARoundTrip) {
  for (const double p : {3e-3, 1e-2}) {
    const double formula = (1 - p) / (1 - p + p * (2 * 32 + 8)), rate = neighbour_rate(1024, p);
    fmt::print("flit error rate {}: {:.3f} of the link rate, formula {:.3f}\n", p, rate, formula);
    EXPECT_NEAR(rate / formula, 1, 0.04) << p;  // few errors: three standard deviations
  }
}

TEST(Rate, UniformSaturation) {
  FabricRing bench({.latency = 32, .seed = 11});
  for (unsigned i = 0; i < 500; ++i) {
    for (unsigned src = 0; src < 12; ++src) {
      Message m = bench.random_message(src, (src + 1 + bench.random(11)) % 12);
      m.vn = static_cast<std::uint8_t>(1 + bench.random(2));
      m.bytes = 1024;
      m.notify = false;
      bench.post(m);
    }
  }
  for (unsigned i = 0; i < 1500; ++i) bench.step();
  const auto before = bench.delivered_flits(), flits = bench.link_flits(), acks = bench.ack_flits();
  constexpr unsigned kCycles = 6000;
  const double ns = FabricRing::nanoseconds([&] {
    for (unsigned i = 0; i < kCycles; ++i) bench.step();
  });
  const double rate = static_cast<double>(bench.delivered_flits() - before) / kCycles / 12;
  fmt::print(
      "uniform saturation, 1 KiB, L = 32: {:.3f} flits per cycle and node; "
      "{:.0f} fabric cycles/s of twelve nodes with test bench\n",
      rate, 1e9 * kCycles / ns);
  EXPECT_GE(rate, 0.55);  // the ring's limit is 0.611
  const double share = static_cast<double>(bench.ack_flits() - acks) /
                       static_cast<double>(bench.link_flits() - flits);
  fmt::print("acknowledgements: {:.4f} of the flits on links\n", share);
  EXPECT_LE(share, 0.02);
  EXPECT_GT(share, 0);
  bench.drain();
}

class Lossy : public testing::TestWithParam<unsigned> {};

TEST_P(Lossy, DamagedAndLostWordsChangeNothing) {
  const double errors[] = {1e-4, 1e-3, 1e-2, 5e-2};
  FabricRing bench({.latency = GetParam() % 2 ? 4u : 32u,
                    .seed = GetParam(),
                    .send = 0.9,
                    .ready = 0.8,
                    .settled = 0.7,
                    .stall = 50,
                    .flit_errors = errors[GetParam() % 4]});
  for (unsigned i = 0; i < 600; ++i)
    bench.post(bench.random_message(bench.random(12), bench.random(12)));
  bench.drain(200000);
  EXPECT_GT(bench.damaged(), 0u);
  EXPECT_EQ(bench.errors(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Lossy, testing::Range(1u, 9u));

TEST(Lossy, CreditReportsThatComeAgainFreeNothingTwice) {
  // One word in twenty says again what was true of a VC up to 64 words ago.
  std::array<std::array<std::deque<std::uint32_t>, defs::kLinkPorts>, 12> said;
  std::mt19937 rng(1);
  Options options{.latency = 8, .seed = 3, .send = 0.9, .ready = 0.7, .stall = 50};
  options.tap = [&](unsigned chip, unsigned port, std::uint32_t* word) {
    if ((word[16] >> 19 & 3u) == 0 || tb::type_of(word) > 5) return;
    auto& past = said[chip][port];
    past.push_back(word[16] >> 8 & 0x7ffu);
    if (past.size() > 64) past.pop_front();
    if (rng() % 20 == 0) tb::set_control(word, 8, 11, past[rng() % past.size()]);
  };
  FabricRing bench(options);
  for (unsigned i = 0; i < 1500; ++i)
    bench.post(bench.random_message(bench.random(12), bench.random(12)));
  bench.drain();
  EXPECT_EQ(bench.errors(), 0u);
}

TEST(Lossy, ALinkThatMissesNothingAsksForNothing) {
  FabricRing bench({.chips = 2, .latency = 4, .seed = 2, .flit_errors = 0.02});
  for (unsigned i = 0; i < 20; ++i) bench.post(bench.random_message(i % 2, 1 - i % 2));
  bench.drain();
  for (unsigned i = 0; i < 2000; ++i) bench.step();  // NULL words are damaged
  EXPECT_GT(bench.repeats_asked(), 0u);
  bench.options().flit_errors = 0;
  for (unsigned i = 0; i < 40; ++i) bench.step();
  const auto before = bench.repeats_asked();
  for (unsigned i = 0; i < 2000; ++i) bench.step();
  EXPECT_EQ(bench.repeats_asked(), before);
}

/// Both ends of chip 0's cable up.
std::pair<defs::LinkStatus, defs::LinkStatus> cable(const FabricRing& bench) {
  return {bench.status(0, 0), bench.status(1, 1)};
}
bool is(const defs::LinkStatus& status, defs::LinkState state) {
  return status.state == static_cast<unsigned>(state);
}

/// Chip 0 streams to chip 1 and back, whatever happens to their cable.
void stream(FabricRing& bench, unsigned count) {
  storm(
      bench, count, [](unsigned src, unsigned) { return 1 - src; }, 1);
}

class StuckLane : public testing::TestWithParam<std::pair<std::vector<int>, unsigned>> {};

TEST_P(StuckLane, CostsHalfTheLinkOrThreeQuarters) {
  const auto& [lanes, slice] = GetParam();
  FabricRing bench({.chips = 2, .seed = 6});
  stream(bench, 600);
  for (const int lane : lanes)
    bench.add({.chip = 0, .port = 0, .lane = lane, .value = lane % 2 == 0, .from = 400});
  for (unsigned i = 0; i < 3000; ++i) bench.step();
  const auto [sender, receiver] = cable(bench);
  EXPECT_TRUE(is(sender, defs::LinkState::Degraded) && is(receiver, defs::LinkState::Degraded));
  EXPECT_EQ(receiver.rx_slice, slice);
  EXPECT_EQ(sender.tx_slice, slice);
  EXPECT_EQ(receiver.tx_slice, 0u) << "the other direction has all its lanes";
  unsigned bad = 0;
  for (const int lane : lanes) bad |= 1u << lane;
  EXPECT_EQ(receiver.bad_lanes, bad);
  EXPECT_EQ(sender.bad_lanes, 0u);
  EXPECT_GE(receiver.retrains, 1u);
  const auto before = bench.accepted()[0];
  for (unsigned i = 0; i < 3000; ++i) bench.step();
  const double rate = static_cast<double>(bench.accepted()[0] - before) / 3000;
  fmt::print("{} lanes: {:.3f} of the link rate\n", slice < 4 ? 8 : 4, rate);
  EXPECT_NEAR(rate, slice < 4 ? 0.5 : 0.25, 0.01);
  EXPECT_GT(cable(bench).second.degraded, 5000u);
  bench.drain();
}
INSTANTIATE_TEST_SUITE_P(
    Lanes, StuckLane,
    testing::Values(std::pair{std::vector{3}, 3u}, std::pair{std::vector{8, 15}, 2u},
                    std::pair{std::vector{5, 9}, 4u}, std::pair{std::vector{0, 13}, 5u},
                    std::pair{std::vector{1, 4, 15}, 6u}, std::pair{std::vector{2, 7, 10}, 7u}));

class Outage : public testing::TestWithParam<unsigned> {};

TEST_P(Outage, OfAnyLengthAtAnyPhaseIsHealed) {
  FabricRing bench({.chips = 3, .latency = GetParam() % 2 ? 32u : 5u, .seed = GetParam()});
  for (unsigned i = 0; i < 400; ++i)
    bench.post(bench.random_message(bench.random(3), bench.random(3)));
  std::uint64_t at = 300;
  for (unsigned i = 0; i < 3; ++i) {
    const std::uint64_t length = 1 + bench.random(i % 2 ? 1500 : 300);
    const auto broken = bench.random(3);  // one direction, or both
    if (broken != 1) bench.add({.chip = 0, .port = 0, .from = at, .to = at + length});
    if (broken != 0) bench.add({.chip = 1, .port = 1, .from = at, .to = at + length});
    at += length + 200 + bench.random(1200);
  }
  for (std::uint64_t i = 0; i < at; ++i) bench.step();
  bench.drain();
  const auto [sender, receiver] = cable(bench);
  EXPECT_TRUE(is(sender, defs::LinkState::Active) && is(receiver, defs::LinkState::Active));
  EXPECT_EQ(sender.dropped + receiver.dropped + bench.errors(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Outage, testing::Range(1u, 25u));

TEST(Retrain, TooManyErrorsTrainTheLinkAndLoseNothing) {
  FabricRing bench({.chips = 2, .latency = 4, .seed = 8, .flit_errors = 0.05});
  storm(bench, 1500, [](unsigned src, unsigned) { return 1 - src; });
  bench.drain();
  const auto [a, b] = cable(bench);
  EXPECT_GE(a.failures, 1024u);
  EXPECT_GE(a.retrains + b.retrains, 1u);
  EXPECT_EQ(a.bad_lanes | b.bad_lanes, 0u) << "no lane is to blame";
}

TEST(Dead, ACableThatWasNeverThere) {
  FabricRing bench({.chips = 3, .defects = {{.chip = 0, .port = 0}, {.chip = 1, .port = 1}}});
  const auto [sender, receiver] = cable(bench);
  EXPECT_TRUE(is(sender, defs::LinkState::Dead) && is(receiver, defs::LinkState::Dead));
}

class Death : public testing::TestWithParam<unsigned> {};

TEST_P(Death, LeavesNothingHangingAndCutsPacketsCleanly) {
  // The cable dies under load, in one or both directions, by silence or for want of a good quarter.
  FabricRing bench(
      {.latency = GetParam() % 2 ? 4u : 32u, .seed = GetParam(), .stall = 50, .timeout = 1000});
  for (unsigned i = 0; i < 1500; ++i)
    bench.post(bench.random_message(bench.random(12), bench.random(12)));
  const std::uint64_t at = 200 + bench.random(400);
  if (GetParam() % 3 == 0)
    for (const int lane : {1, 6, 8, 14})
      bench.add({.chip = 0, .port = 0, .lane = lane, .from = at});
  else
    bench.add({.chip = 0, .port = 0, .from = at});
  if (GetParam() % 3 == 1) bench.add({.chip = 1, .port = 1, .from = at});
  for (unsigned i = 0; i < 40000 && (bench.idle_sources() < 12 || !bench.quiet()); ++i)
    bench.step();
  for (unsigned i = 0; i < 400; ++i) bench.step();
  const auto [sender, receiver] = cable(bench);
  EXPECT_TRUE(is(sender, defs::LinkState::Dead) && is(receiver, defs::LinkState::Dead));
  EXPECT_TRUE(bench.quiet());
  EXPECT_GT(sender.dropped, 0u);
  EXPECT_LT(bench.delivered(), bench.offered());
  EXPECT_GT(bench.errors(), 0u) << "sources report what they could not deliver";
}
INSTANTIATE_TEST_SUITE_P(Seeds, Death, testing::Range(1u, 10u));

/// Packets and acknowledgements that are lost behind the link's back, and everything sent again at
/// any time: every message once, in order.
class EndToEnd : public testing::TestWithParam<unsigned> {};

TEST_P(EndToEnd, WhatIsLostOrSentTwiceArrivesOnce) {
  const unsigned seed = GetParam();
  FabricRing bench({.latency = seed % 2 ? 4u : 32u,
                    .seed = seed,
                    .send = 0.9,
                    .ready = 0.8,
                    .settled = 0.7,
                    .stall = 50,
                    .flit_errors = seed % 3 ? 0 : 1e-3,
                    .spoiled = seed % 4 == 3 ? 0 : 3e-3,
                    .resends = seed % 4 ? 2e-3 : 0,
                    .timeout = 1500});
  for (unsigned i = 0; i < 800; ++i)
    bench.post(bench.random_message(bench.random(12), bench.random(12)));
  bench.drain(200000);
  if (seed % 4 != 3) EXPECT_GT(bench.spoiled(), 0u);
  EXPECT_EQ(bench.errors(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, EndToEnd, testing::Range(1u, 13u));

TEST(EndToEnd, TimeoutsShorterThanTheWayOnlyRepeat) {
  // The farthest answer takes 6 * 2 * (7 + 32) cycles: most packets are sent again, or twice.
  FabricRing bench({.latency = 32, .seed = 21, .timeout = 500});
  storm(bench, 40, [](unsigned src, unsigned i) { return (src + 1 + i % 11) % 12; });
  bench.drain();
  EXPECT_EQ(bench.errors(), 0u);
}

/// Boards other than the plain ring, by name: what the tables are.
fabric::Tables tables_of(const std::string& name) {
  const fabric::Board c12 = fabric::Board::c12();
  if (name == "ring") return fabric::ring_tables(12);
  if (name == "c12") return fabric::search_tables(c12);
  if (name == "ring_a") return fabric::ring_a_tables();
  if (name == "ring_b") return fabric::ring_b_tables();
  if (name == "c12_without_2_7") return fabric::search_tables(c12.without(c12.between(2, 7)));
  const fabric::Board ring = fabric::Board::ring(12);
  if (name == "ring_without_11_0") return fabric::search_tables(ring.without(ring.between(11, 0)));
  return fabric::search_tables(fabric::Board::ring(12), {3, 4, 5, 6, 7});  // chips_3_7
}

class Loaded : public testing::TestWithParam<const char*> {};

TEST_P(Loaded, ZeroLoadLatencyOfEveryPairIsExact) {
  FabricRing bench({.latency = 32, .tables = tables_of(GetParam())});
  for (const unsigned src : bench.tables().members)
    for (const unsigned dst : bench.tables().members) {
      Message m;
      m.src = static_cast<std::uint16_t>(src);
      m.dst = static_cast<std::uint16_t>(dst);
      m.bytes = 40;
      m.addr = 0x100;
      bench.post(m);
      bench.drain();
      EXPECT_EQ(bench.last_latency(), 12 + 2 * bench.hops(src, dst) * (7 + 32))
          << src << ' ' << dst;
    }
}

TEST_P(Loaded, StormsDrainAndArriveInOrder) {
  FabricRing bench({.latency = 5,
                    .seed = 21,
                    .send = 0.9,
                    .ready = 0.8,
                    .settled = 0.6,
                    .stall = 100,
                    .tables = tables_of(GetParam())});
  const auto& members = bench.tables().members;
  const auto n = static_cast<unsigned>(members.size());
  for (unsigned i = 0; i < 1500; ++i)
    bench.post(bench.random_message(members[bench.random(n)], members[bench.random(n)]));
  for (unsigned vn = 1; vn < 4; ++vn)  // all to all, one VN: every wait that the tables allow
    for (unsigned i = 0; i < 6 * n; ++i)
      for (unsigned at = 0; at < n; ++at) {
        Message m = bench.random_message(members[at], members[(at + 1 + i % (n - 1)) % n]);
        m.vn = static_cast<std::uint8_t>(vn);
        bench.post(m);
      }
  bench.drain();
  EXPECT_EQ(bench.errors(), 0u);
}

TEST_P(Loaded, DamagedAndLostWordsChangeNothing) {
  FabricRing bench({.seed = 5, .ready = 0.8, .flit_errors = 2e-3, .tables = tables_of(GetParam())});
  const auto& members = bench.tables().members;
  const auto n = static_cast<unsigned>(members.size());
  for (unsigned i = 0; i < 400; ++i)
    bench.post(bench.random_message(members[bench.random(n)], members[bench.random(n)]));
  bench.drain(200000);
  EXPECT_GT(bench.damaged(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Tables, Loaded,
                         testing::Values("ring", "c12", "ring_a", "ring_b", "c12_without_2_7",
                                         "ring_without_11_0", "chips_3_7"),
                         [](const auto& info) { return std::string(info.param); });

TEST(TableSets, RingTablesAreTheRingThatAnEmptyBankComputes) {
  for (unsigned chips = 1; chips <= 12; ++chips) {
    std::array<std::uint64_t, 2> hash{};
    for (const bool loaded : {false, true}) {
      Options options{.chips = chips, .latency = 8, .seed = 9};
      if (loaded) options.tables = fabric::ring_tables(chips);
      FabricRing bench(options);
      while (bench.cycle() < 5000) bench.step();  // links are up, or dead (one chip)
      bench.hash_links();
      storm(bench, 2 * chips, [&](unsigned src, unsigned n) { return (src + n) % chips; });
      bench.drain();
      hash[loaded] = bench.link_hash();
    }
    EXPECT_EQ(hash[0], hash[1]) << chips;
  }
}

TEST(TableSets, UnreachableDestinationIsRefusedBySender) {
  FabricRing bench({.latency = 4, .tables = tables_of("chips_3_7")});
  bench.post_refused(bench.random_message(3, 9, 40));
  for (unsigned i = 0; i < 200; ++i) bench.step();
  EXPECT_EQ(bench.errors(), 1u);
  EXPECT_EQ(bench.delivered(), 0u);
  bench.post(bench.random_message(3, 7));
  bench.drain();
}

TEST(TableSets, AnUpsetEntryIsADeclaredErrorAndNothingCircles) {
  // A bit of chip 3's entries for chip 9: the source table, and the class in which it sends there.
  const fabric::Tables tables = tables_of("c12");
  const auto cls = static_cast<unsigned>(tables.source[3][9]);
  for (const unsigned bit :
       {128u + 18, 128u + 19, 64 * cls + 36, 64 * cls + 37, 64 * cls + 38, 64 * cls + 39}) {
    FabricRing bench({.latency = 4, .tables = tables});
    EXPECT_EQ(bench.fabric_status(3) >> 5 & 1, 0u);
    bench.upset(3, bit);
    bench.post_refused(bench.random_message(3, 9, 40));
    for (unsigned i = 0; i < 200; ++i) bench.step();
    EXPECT_EQ(bench.errors(), 1u) << bit;
    EXPECT_EQ(bench.delivered(), 0u) << bit;
    EXPECT_EQ(bench.fabric_status(3) >> 5 & 1, 1u) << bit;
    for (unsigned dst = 0; dst < 9; ++dst) bench.post(bench.random_message(3, dst));
    bench.drain();
  }
}

TEST(TableSets, AnUpsetOfLoadedIsOutvoted) {
  FabricRing bench({.latency = 4, .seed = 4, .tables = tables_of("c12")});
  bench.upset(5, 208);
  storm(bench, 24, [](unsigned src, unsigned i) { return (src + i) % 12; });
  bench.drain();
  EXPECT_EQ(bench.fabric_status(5) >> 5 & 1, 1u);
  EXPECT_EQ(bench.errors(), 0u);
}

TEST(TableSets, AnUpsetEntryOnTheWayEndsThePacketThere) {
  const fabric::Tables tables = tables_of("c12");
  const auto way = tables.way(3, 0);  // three links
  ASSERT_EQ(way.size(), 3u);
  FabricRing bench({.latency = 4, .timeout = 100, .tables = tables});
  bench.upset(way[1].chip, 64 * way[0].cls + 1);
  bench.post_refused(bench.random_message(3, 0, 40));
  for (unsigned i = 0; i < 1500; ++i) bench.step();
  // At every repeat there, and at last at the source: unreachable.
  EXPECT_EQ(bench.errors(), 1u + defs::kRetryTries + 1u);
  EXPECT_EQ(bench.delivered(), 0u);
  EXPECT_EQ(bench.fabric_status(way[1].chip) >> 5 & 1, 1u);
  EXPECT_TRUE(bench.quiet());
}

class SwitchOver : public testing::TestWithParam<unsigned> {};

TEST_P(SwitchOver, AroundADeadCableUnderLoadLosesNothing) {
  // Sources go on offering all the time. What was on the cable or went there is sent again.
  const unsigned seed = GetParam();
  const bool c12 = seed % 2;
  const fabric::Board board = c12 ? fabric::Board::c12() : fabric::Board::ring(12);
  Options options{.latency = seed % 3 ? 32u : 6u, .seed = seed, .send = 0.9, .ready = 0.9};
  if (c12) options.tables = fabric::search_tables(board);
  FabricRing bench(options);
  for (unsigned i = 0; i < 2000; ++i)
    bench.post(bench.random_message(bench.random(12), bench.random(12)));
  const unsigned at = bench.random(4000);
  while (bench.cycle() < at) bench.step();
  const auto cables = board.cables();
  const fabric::Cable cut = cables[bench.random(static_cast<unsigned>(cables.size()))];
  bench.kill(cut.a);
  const auto before = bench.delivered();
  bench.switch_to(fabric::search_tables(board.without(cut.a)));
  for (unsigned i = 0; i < 500; ++i)
    bench.post(bench.random_message(bench.random(12), bench.random(12)));
  bench.drain();
  EXPECT_EQ(bench.errors(), 0u);
  EXPECT_GT(bench.delivered(), before);
}
INSTANTIATE_TEST_SUITE_P(Seeds, SwitchOver, testing::Range(1u, 13u));

TEST(TableSets, BackAndForthBetweenSetsKeepsOrder) {
  const char* const sets[] = {"c12", "ring_a", "ring_b", "c12_without_2_7"};
  FabricRing bench({.latency = 6, .seed = 8, .send = 0.8, .tables = tables_of("c12")});
  for (unsigned round = 1; round < 9; ++round) {
    for (unsigned i = 0; i < 300; ++i)
      bench.post(bench.random_message(bench.random(12), bench.random(12)));
    for (unsigned i = 0; i < 200; ++i) bench.step();
    bench.switch_to(tables_of(sets[round % 4]));
  }
  bench.drain();
}

TEST(Rate, C12UniformWithOneSenderAndTwo) {
  for (const unsigned cores : {1u, 2u}) {
    FabricRing bench({.latency = 32, .seed = 11, .tables = tables_of("c12")});
    for (unsigned i = 0; i < 900 * cores; ++i)
      for (unsigned src = 0; src < 12; ++src) {
        Message m = bench.random_message(src, (src + 1 + bench.random(11)) % 12);
        m.vn = static_cast<std::uint8_t>(1 + bench.random(2));
        m.core = static_cast<std::uint8_t>(i % cores);
        m.bytes = 1024;
        m.notify = false;
        bench.post(m);
      }
    for (unsigned i = 0; i < 1500; ++i) bench.step();
    const auto before = bench.delivered_flits();
    constexpr unsigned kCycles = 5000;
    const double ns = FabricRing::nanoseconds([&] {
      for (unsigned i = 0; i < kCycles; ++i) bench.step();
    });
    const double rate = static_cast<double>(bench.delivered_flits() - before) / kCycles / 12;
    fmt::print(
        "C12(1,5) uniform, 1 KiB, {} cores send: {:.3f} flits per cycle and node; "
        "{:.0f} fabric cycles/s\n",
        cores, rate, 1e9 * kCycles / ns);
    EXPECT_GE(rate, cores == 1 ? 0.88 : 1.45);
  }
}

TEST(Speed, IdleNodesAreCheap) {
  FabricRing bench({.latency = 32});
  constexpr unsigned kCycles = 20000;
  const double ns = FabricRing::nanoseconds([&] {
    for (unsigned i = 0; i < kCycles; ++i) bench.step();
  });
  fmt::print("idle: {:.0f} ns per fabric cycle and node, test bench included\n", ns / kCycles / 12);
}

TEST(Determinism, ResetValuesOfDataRegistersDoNotMatter) {
  std::array<std::uint64_t, 2> hash{};
  for (int i = 0; i < 2; ++i) {
    FabricRing bench({.latency = 8, .seed = 9, .send = 0.8, .ready = 0.8, .reset_seed = 100 + i});
    bench.hash_links();
    storm(bench, 20, [](unsigned src, unsigned n) { return (src + n) % 12; });
    bench.drain();
    hash[static_cast<unsigned>(i)] = bench.link_hash();
  }
  EXPECT_EQ(hash[0], hash[1]);
}

}  // namespace
