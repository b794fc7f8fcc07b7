// SPDX-License-Identifier: Apache-2.0
// Twelve fabric nodes on delay lines: every message once, intact, in order; no deadlock; all
// credits home; the published latency.
#include "tb/unit/fabric/fabric_storm.h"

namespace {

using namespace fabric_test;

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

TEST(Deadlock, AntipodeAllToAllAndTornadoOnOneVnDrain) {
  for (unsigned vn = 1; vn < 4; ++vn) {
    FabricRing bench({.latency = 4, .seed = vn, .ready = 0.9, .stall = 60});
    storm(bench, 60, [](unsigned src, unsigned) { return (src + 6) % 12; }, static_cast<int>(vn));
    storm(bench, 60, [](unsigned src, unsigned) { return (src + 5) % 12; }, static_cast<int>(vn));
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

/// Zero-load latency: core cycles from the last beat's handshake to the message commit.
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
