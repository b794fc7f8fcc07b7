// SPDX-License-Identifier: Apache-2.0
// Loaded tables: other boards than the ring, unreachable chips, upset entries, a change of sets.
#include "tb/unit/fabric/fabric_storm.h"

namespace {

using namespace fabric_test;

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

TEST(TableSets, AnUpsetOfAnyCopyOfLoadedIsOutvoted) {
  for (unsigned copy = 0; copy < 3; ++copy) {
    SCOPED_TRACE(copy);
    FabricRing bench({.latency = 4, .seed = 4, .tables = tables_of("c12")});
    bench.upset_loaded(5, copy);
    storm(bench, 24, [](unsigned src, unsigned i) { return (src + i) % 12; });
    bench.drain();
    EXPECT_EQ(bench.fabric_status(5) >> 5 & 1, 1u);
    EXPECT_EQ(bench.errors(), 0u);
  }
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

}  // namespace
