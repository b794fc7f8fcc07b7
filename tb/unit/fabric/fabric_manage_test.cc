// SPDX-License-Identifier: Apache-2.0
// Twelve nodes, managed by packets: tables loaded and switched while messages go on, packets that
// are not obeyed, cables that lose them, and a network that cannot come to rest.
#include <gtest/gtest.h>

#include <map>

#include "tb/fabric/fabric_ring.h"

namespace {

using tb::FabricRing;
using tb::Options;

constexpr unsigned kChips = 12;
enum Index : unsigned {
  kSource,
  kRoute0,
  kRoute1,
  kControl,
  kStatus,
  kSlots,
  kArbiter,
  kSwitch = 12
};

std::uint64_t armed(unsigned at, unsigned limit) {
  return 0x80000000u | limit << 16 | (at & 0xffffu);
}
void run(FabricRing& bench, unsigned cycles) {
  for (unsigned i = 0; i < cycles; ++i) bench.step();
}
void storm(FabricRing& bench, unsigned messages) {
  for (unsigned i = 0; i < messages; ++i)
    bench.post(bench.random_message(bench.random(kChips), bench.random(kChips)));
}

/// Until chip `manager` knows that all chips that `managed_by` gives it have done what they were
/// told.
template <class ManagedBy>
void acknowledged(FabricRing& bench, ManagedBy managed_by) {
  const auto done = [&] {
    for (unsigned dst = 0; dst < kChips; ++dst)
      if (!bench.managed(managed_by(dst), dst)) return false;
    return true;
  };
  for (unsigned i = 0; i < 20000 && !done(); ++i) bench.step();
  ASSERT_TRUE(done()) << "a management packet is not acknowledged";
}

template <class ManagedBy>
void load(FabricRing& bench, const fabric::Tables& tables, ManagedBy managed_by) {
  for (unsigned dst = 0; dst < kChips; ++dst) {
    const fabric::TableWords words = tables.words(dst);
    bench.manage(managed_by(dst), dst, kSource, words.source);
    bench.manage(managed_by(dst), dst, kRoute0, words.route[0]);
    bench.manage(managed_by(dst), dst, kRoute1, words.route[1]);
  }
  acknowledged(bench, managed_by);
}

/// As every chip has counted them.
void expect_switches(FabricRing& bench, unsigned switches) {
  bench.snapshot();
  for (unsigned chip = 0; chip < kChips; ++chip)
    EXPECT_EQ(bench.count(chip, defs::ChipCount::Switches), switches) << "chip " << chip;
}

/// All chips change banks in one fabric cycle, told by packets.
template <class ManagedBy>
void switch_banks(FabricRing& bench, const fabric::Tables& tables, unsigned limit,
                  ManagedBy managed_by) {
  constexpr unsigned kLead = 6000;
  const unsigned at = bench.now(0) + kLead;
  const auto begin = bench.cycle();
  for (unsigned dst = 0; dst < kChips; ++dst)
    bench.manage(managed_by(dst), dst, kSwitch, armed(at, limit));
  acknowledged(bench, managed_by);
  ASSERT_LT(bench.cycle(), begin + kLead) << "told too late";
  while (bench.cycle() < begin + kLead + 2 * limit) bench.step();
  bench.expect_switch(tables);
  run(bench, 20);
  for (unsigned dst = 0; dst < kChips; ++dst) EXPECT_EQ(bench.read(dst, kSwitch) >> 31 & 1, 0u);
}

unsigned by_chip0(unsigned) { return 0; }

TEST(Manage, ASetLoadedByPacketsIsTheSetLoadedByHosts) {
  const fabric::Tables set = fabric::search_tables(fabric::Board::c12().without({2, 2}));
  // What crosses every link, in order: words of data packets, but for the time in the head.
  using Words = std::map<std::pair<unsigned, unsigned>, std::vector<std::array<std::uint32_t, 16>>>;
  std::array<Words, 2> words;
  bool listening = false;
  for (const bool packets : {false, true}) {
    listening = false;
    Options options{.latency = 6, .seed = 5, .tables = fabric::search_tables(fabric::Board::c12())};
    bool heads = false;
    options.tap = [&, packets](unsigned chip, unsigned port, std::uint32_t* rx) {
      const auto type = static_cast<defs::FlitType>(rx[16] & 7u);
      if (!listening || type < defs::FlitType::Head || type > defs::FlitType::HeadTail) return;
      std::array<std::uint32_t, 16> payload;
      std::copy(rx, rx + 16, payload.begin());
      heads = type == defs::FlitType::Head || type == defs::FlitType::HeadTail;
      if (heads && (payload[3] >> 24 & 0x3f) == static_cast<unsigned>(defs::PktOp::Ack)) return;
      if (heads) payload[15] &= 0xffffu;  // the stamp
      words[packets][{chip, port}].push_back(payload);
    };
    FabricRing bench(options);
    if (packets) {
      bench.obey(1);
      load(bench, set, by_chip0);
    } else {
      for (unsigned chip = 0; chip < kChips; ++chip) {
        const fabric::TableWords w = set.words(chip);
        bench.write(chip, kSource, w.source);
        bench.write(chip, kRoute0, w.route[0]);
        bench.write(chip, kRoute1, w.route[1]);
      }
      run(bench, 10);
    }
    for (unsigned chip = 0; chip < kChips; ++chip) {
      const fabric::TableWords w = set.words(chip);
      EXPECT_EQ(bench.read(chip, kSource), w.source);
      EXPECT_EQ(bench.read(chip, kRoute0), w.route[0]);
      EXPECT_EQ(bench.read(chip, kRoute1), w.route[1]);
    }
    if (packets) {
      switch_banks(bench, set, 500, by_chip0);
    } else {
      const unsigned at = bench.now(3) + 100;
      for (unsigned chip = 0; chip < kChips; ++chip) bench.write(chip, kSwitch, armed(at, 500));
      run(bench, 1200);
      bench.expect_switch(set);
    }
    listening = true;
    for (unsigned src = 0; src < kChips; ++src) {
      for (unsigned dst = 0; dst < kChips; ++dst) {
        fabric::Message m;
        m.src = static_cast<std::uint16_t>(src);
        m.dst = static_cast<std::uint16_t>(dst);
        m.bytes = 100;
        bench.post(m);
        bench.drain();
      }
    }
    EXPECT_EQ(bench.errors(), 0u);
  }
  EXPECT_GT(words[0].size(), 40u) << "links in use";
  EXPECT_EQ(words[0], words[1]);
}

class Managed : public testing::TestWithParam<unsigned> {};

TEST_P(Managed, SetsChangeUnderLoadAndCablesLoseWordsAndNothingElse) {
  const unsigned seed = GetParam();
  Options options{.latency = seed % 3 ? 32u : 6u,
                  .seed = seed,
                  .send = 0.7,
                  .flit_errors = seed % 2 ? 0.003 : 0,
                  .spoiled = seed % 2 ? 0.0005 : 0,
                  .timeout = 3000,
                  .tables = fabric::search_tables(fabric::Board::c12())};
  FabricRing bench(options);
  bench.obey(1);
  unsigned switches = 1;  // the host's own, at the start
  for (const fabric::Tables& set : {fabric::search_tables(fabric::Board::c12().without({7, 2})),
                                    fabric::search_tables(fabric::Board::c12().without({3, 0}))}) {
    storm(bench, 400);
    run(bench, bench.random(300));
    load(bench, set, by_chip0);
    storm(bench, 200);
    switch_banks(bench, set, 3000, by_chip0);
    for (unsigned chip = 0; chip < kChips; ++chip)
      EXPECT_EQ(bench.fabric_status(chip) & 64, 0u) << "not empty at the switch";
    expect_switches(bench, ++switches);
  }
  bench.drain();
  EXPECT_EQ(bench.errors(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Managed, testing::Range(1u, 7u));

TEST(Manage, EveryWriteIsDoneOnceInOrderOnCablesThatLoseThem) {
  Options options{.latency = 12, .seed = 3, .send = 0.4, .timeout = 1500};
  options.flit_errors = 0.02;
  options.spoiled = 0.01;
  options.resends = 0.001;
  FabricRing bench(options);
  bench.obey(1 << 4);
  storm(bench, 300);
  constexpr unsigned kWrites = 40;
  std::array<std::vector<std::uint64_t>, kChips> seen;
  for (unsigned i = 1; i <= kWrites; ++i)
    for (unsigned dst = 0; dst < kChips; ++dst) bench.manage(4, dst, kRoute1, 1000 * dst + i);
  bench.watch([&](unsigned dst) {
    auto* root = bench.dut(dst).rootp;
    if (root->fabric_probe__DOT__u_node__DOT__u_ni__DOT__u_manage__DOT__write_o)
      seen[dst].push_back(root->fabric_probe__DOT__u_node__DOT__u_ni__DOT__u_manage__DOT__rx_q[0]);
  });
  acknowledged(bench, [](unsigned) { return 4u; });
  for (unsigned dst = 0; dst < kChips; ++dst) {
    ASSERT_EQ(seen[dst].size(), kWrites) << "chip " << dst;
    for (unsigned i = 0; i < kWrites; ++i) EXPECT_EQ(seen[dst][i], 1000 * dst + i + 1);
    EXPECT_EQ(bench.read(dst, kRoute1), 1000 * dst + kWrites);
  }
  EXPECT_GT(bench.spoiled(), 20u);
  bench.drain();
  EXPECT_EQ(bench.errors(), 0u);
}

TEST(Manage, AChipObeysOnlyThoseItsHostHasNamed) {
  FabricRing bench({.latency = 6, .seed = 2});
  bench.obey(~1u & 0xffff);
  const auto before = bench.read(5, kRoute0);
  bench.manage(0, 5, kRoute0, 0x1234);
  bench.manage(0, 5, kRoute0, 0x5678);
  bench.manage(1, 6, kRoute0, 0x5678);
  run(bench, 600);
  EXPECT_EQ(bench.read(5, kRoute0), before);
  EXPECT_EQ(bench.read(6, kRoute0), 0x5678u);
  EXPECT_TRUE(bench.lost(0, 5));
  EXPECT_FALSE(bench.lost(0, 6));
  EXPECT_FALSE(bench.lost(1, 6));
  EXPECT_EQ(bench.refusals(0).own, 2u) << "the manager's host is told";
  EXPECT_EQ(bench.errors(), 2u);
  EXPECT_GE(bench.dut(5).violations_o, 1u);
  EXPECT_EQ(defs::Header::unpack(bench.dut(5).violation_o.data()).op,
            static_cast<unsigned>(defs::PktOp::Mgmt));
  bench.drain();
}

TEST(Manage, NotInSlotMode) {
  FabricRing bench({.latency = 6, .seed = 2});
  bench.obey(0xfff);
  // Every fabric cycle is VN 0's and every chip's tenant has VN 0: a packet could pass.
  bench.write_all(kSlots, [](unsigned) { return std::uint64_t{1} << 34; });
  bench.manage(0, 5, kRoute0, 0x1234);
  run(bench, 600);
  EXPECT_EQ(bench.read(5, kRoute0), 0u);
  EXPECT_EQ(bench.refusals(0).own, 1u);
  EXPECT_EQ(bench.errors(), 1u);
}

TEST(Manage, AroundADeadCableByTwoManagers) {
  // Each manager writes the chips that it reaches by the old tables, and that reach it.
  const fabric::Board board = fabric::Board::ring(kChips);
  for (unsigned cut = 0; cut < kChips; cut += 3) {
    FabricRing bench({.latency = 6, .seed = cut, .send = 0.8});
    bench.obey(1 << 0 | 1 << 6);
    storm(bench, 300);
    run(bench, bench.random(400));
    bench.kill({cut, 0});
    const fabric::Tables old = bench.tables();
    const auto crosses = [&](unsigned src, unsigned dst) {
      for (const fabric::Channel& c : old.way(src, dst))
        if (const fabric::End end{c.chip, c.port};
            end == fabric::End{cut, 0} || end == board.peer({cut, 0}))
          return true;
      return false;
    };
    const auto by = [&](unsigned dst) { return crosses(0, dst) || crosses(dst, 0) ? 6u : 0u; };
    for (unsigned dst = 0; dst < kChips; ++dst)
      ASSERT_FALSE(crosses(by(dst), dst) || crosses(dst, by(dst)));
    const fabric::Tables set = fabric::search_tables(board.without({cut, 0}));
    load(bench, set, by);
    switch_banks(bench, set, 1500, by);
    bench.drain();
    EXPECT_EQ(bench.errors(), 0u);
  }
}

TEST(Cut, WhatStaysBehindAStuckSinkComesAgain) {
  const fabric::Tables set = fabric::search_tables(fabric::Board::c12());
  FabricRing bench({.latency = 6, .seed = 9, .timeout = 60000, .tables = set});
  bench.obey(1);
  load(bench, set, by_chip0);
  constexpr unsigned kLead = 4000, kLimit = 2000;
  const unsigned at = bench.now(0) + kLead;
  const auto begin = bench.cycle();
  for (unsigned dst = 0; dst < kChips; ++dst) bench.manage(0, dst, kSwitch, armed(at, kLimit));
  acknowledged(bench, by_chip0);
  for (unsigned c = 0; c < 2; ++c) bench.stall(5, c, 60000);
  for (unsigned i = 0; i < 400; ++i)
    bench.post(
        bench.random_message(bench.random(kChips), bench.random(3) ? 5 : bench.random(kChips)));
  while (bench.cycle() < begin + kLead + kLimit) bench.step();
  EXPECT_FALSE(bench.drained()) << "nobody sends, and it does not come to rest";
  for (unsigned dst = 0; dst < kChips; ++dst)
    EXPECT_EQ(bench.read(dst, kControl) & 0x10, 0x10u) << "still the old bank";
  while (bench.cycle() < begin + kLead + 2 * kLimit + 20) bench.step();
  bench.expect_switch(set);
  for (unsigned dst = 0; dst < kChips; ++dst) {
    EXPECT_EQ(bench.read(dst, kControl) & 0x30, 0u) << "the other bank, not stopped";
    EXPECT_EQ(bench.fabric_status(dst) & 64, 0u) << "chip " << dst << " was not empty";
  }
  EXPECT_LT(bench.delivered(), bench.offered());
  bench.drain(80000);
  EXPECT_EQ(bench.errors(), 0u);
}

TEST(Cut, TooShortATimeIsSaid) {
  // The same set in both banks: a switch in a network that is not empty does no harm.
  const fabric::Tables set = fabric::search_tables(fabric::Board::c12());
  FabricRing bench({.latency = 32, .seed = 9, .tables = set});
  for (unsigned dst = 0; dst < kChips; ++dst) {
    const fabric::TableWords w = set.words(dst);
    bench.write(dst, kSource, w.source);
    bench.write(dst, kRoute0, w.route[0]);
    bench.write(dst, kRoute1, w.route[1]);
  }
  storm(bench, 1000);
  run(bench, 200);
  const unsigned at = bench.now(0) + 20;
  for (unsigned dst = 0; dst < kChips; ++dst) bench.write(dst, kSwitch, armed(at, 1));
  run(bench, 40);
  unsigned torn = 0;
  for (unsigned dst = 0; dst < kChips; ++dst) torn += bench.fabric_status(dst) >> 6 & 1;
  EXPECT_EQ(torn, kChips);
  bench.drain();
  EXPECT_EQ(bench.errors(), 0u);
}

TEST(ErrorLimit, TrainsALinkAnewAfterSoManyWords) {
  for (const unsigned limit : {8u, 0xffffu}) {
    FabricRing bench({.latency = 6, .seed = 1, .flit_errors = 0.01});
    for (unsigned chip = 0; chip < kChips; ++chip) bench.set(chip, defs::kCsrLinkErrorLimit, limit);
    run(bench, 4000);
    if (limit == 8)
      EXPECT_GT(bench.status(0, 0).retrains, 0u);
    else
      EXPECT_EQ(bench.status(0, 0).retrains, 0u);
  }
}

}  // namespace
