// SPDX-License-Identifier: Apache-2.0
// Twelve fabric nodes on delay lines: every message once, intact, in order; no deadlock; all
// credits home; the published latencies and rates.
#include "tb/unit/fabric_ring.h"

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
double neighbour_rate(unsigned bytes) {
  FabricRing bench({.latency = 32});
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
  const auto before = bench.link_flits();
  for (unsigned i = 0; i < cycles; ++i) bench.step();
  const double rate = static_cast<double>(bench.link_flits() - before) / cycles / 24;
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
  const auto before = bench.delivered_flits();
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
      while (bench.cycle() < 16) bench.step();
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
    bench.upset(3, bit);
    EXPECT_EQ(bench.status(3) >> 5 & 1, 0u);
    bench.post_refused(bench.random_message(3, 9, 40));
    for (unsigned i = 0; i < 200; ++i) bench.step();
    EXPECT_EQ(bench.errors(), 1u) << bit;
    EXPECT_EQ(bench.delivered(), 0u) << bit;
    EXPECT_EQ(bench.status(3) >> 5 & 1, 1u) << bit;
    for (unsigned dst = 0; dst < 9; ++dst) bench.post(bench.random_message(3, dst));
    bench.drain();
  }
}

TEST(TableSets, AnUpsetEntryOnTheWayEndsThePacketThere) {
  const fabric::Tables tables = tables_of("c12");
  const auto way = tables.way(3, 0);  // three links
  ASSERT_EQ(way.size(), 3u);
  FabricRing bench({.latency = 4, .tables = tables});
  bench.upset(way[1].chip, 64 * way[0].cls + 1);
  bench.post_refused(bench.random_message(3, 0, 40));
  for (unsigned i = 0; i < 300; ++i) bench.step();
  EXPECT_EQ(bench.errors(), 1u);
  EXPECT_EQ(bench.delivered(), 0u);
  EXPECT_EQ(bench.status(way[1].chip) >> 5 & 1, 1u);
  EXPECT_TRUE(bench.quiet());
}

class SwitchOver : public testing::TestWithParam<unsigned> {};

TEST_P(SwitchOver, AroundADeadCableUnderLoadLosesNothing) {
  // Sources go on offering all the time; the cable is cut when nothing is on its way.
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
  bench.stop_and_drain();
  const auto before = bench.delivered();
  bench.kill(cut.a);
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
