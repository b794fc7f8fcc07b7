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
    for (unsigned src = 0; src < bench.ring().size(); ++src) {
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
        const unsigned hops = bench.ring().hops(src, dst);
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
