// SPDX-License-Identifier: Apache-2.0
// Rates of the fabric under load, and the cost of idle nodes.
#include "tb/fabric/fabric_limits.h"
#include "tb/unit/fabric/fabric_storm.h"

namespace {

using namespace fabric_test;

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

/// Chip 1 takes VN 1 with pauses: the lane that both networks share picks what has room, so VN 2
/// does not pay for them.
TEST(Rate, ANetworkWithoutRoomLeavesTheLaneToAnother) {
  FabricRing bench({.chips = 4, .latency = 16});
  const limits::Stream slow{0, 1, 0, 1}, free{0, 2, 0, 2};
  for (unsigned i = 0; i < 9000; ++i) {
    if (i % 200 == 0) bench.stall(1, 1, 300);
    while (bench.waiting(0, 0) < 24)
      for (const auto& to : {slow, free})
        bench.post(limits::message(to.src, to.dst, to.core, to.vn, to.bytes));
    bench.step();
  }
  const auto of_slow = bench.wire_flits(0, 0, slow.vn), of_free = bench.wire_flits(0, 0, free.vn);
  EXPECT_GT(of_slow + of_free, 0.9 * 9000);
  EXPECT_GT(static_cast<double>(of_free), 1.05 * static_cast<double>(of_slow));
  bench.drain();
}

TEST(Speed, IdleNodesAreCheap) {
  FabricRing bench({.latency = 32});
  constexpr unsigned kCycles = 20000;
  const double ns = FabricRing::nanoseconds([&] {
    for (unsigned i = 0; i < kCycles; ++i) bench.step();
  });
  fmt::print("idle: {:.0f} ns per fabric cycle and node, test bench included\n", ns / kCycles / 12);
}

}  // namespace
