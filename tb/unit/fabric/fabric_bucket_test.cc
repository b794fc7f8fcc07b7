// SPDX-License-Identifier: Apache-2.0
// Limits of injection: what leaves a chip stays below the envelope in every window, reaches the
// rate, and nobody else is held up.
#include "tb/fabric/fabric_limits.h"

namespace {

using namespace limits;
using tb::Options;

/// One stream from chip 0 to 1 by port 0; the watch begins with a full bucket.
Watch limited(FabricRing& nodes, Limit limit, unsigned bytes, unsigned cycles) {
  set(nodes, 0, 0, 0, limit);
  const Stream stream{0, 1, 0, 1, bytes};
  Watch watch(nodes, 0, 0, 1);
  for (unsigned i = 0; i < cycles; ++i) feed(nodes, stream), nodes.step(), watch.cycle();
  return watch;
}

class Envelope : public testing::TestWithParam<std::tuple<unsigned, unsigned, unsigned>> {};

TEST_P(Envelope, HoldsInEveryWindowAndTheRateIsReached) {
  const auto [rate, burst, bytes] = GetParam();
  FabricRing nodes({.chips = 3, .latency = 16});
  const unsigned cycles = 64 * 2000 / (20 + rate);
  const Watch watch = limited(nodes, {rate, burst}, bytes, cycles);
  const std::int64_t packet = fabric::flits(bytes);
  EXPECT_LT(watch.most_over(rate), static_cast<std::int64_t>(kPer) * (burst + packet));
  // What a full bucket adds comes once. The pipeline from an engine to the wire is 20 cycles. While
  // a packet is picked a small bucket is full and takes no more: fast ports need a burst.
  const double expected = static_cast<double>(rate) * cycles / kPer;
  const double least = (burst >= kPacket || rate <= 16) ? expected - 20 : expected / 2;
  EXPECT_GE(static_cast<double>(watch.flits() + packet), least);
  EXPECT_LE(static_cast<double>(watch.flits()), expected + burst + static_cast<double>(packet));
  set(nodes, 0, 0, 0, {});
  nodes.drain();
}
INSTANTIATE_TEST_SUITE_P(Rates, Envelope,
                         testing::Combine(testing::Values(1u, 5u, 16u, 33u, 63u),
                                          testing::Values(1u, 17u, 256u),
                                          testing::Values(40u, 256u, 1024u)));

/// The bound is tight: less would be wrong, so the check above sees a flit too many.
TEST(Bound, IsReached) {
  FabricRing nodes({.chips = 3, .latency = 16});
  const Watch watch = limited(nodes, {1, 17}, 1024, 3000);
  EXPECT_GT(watch.most_over(1), static_cast<std::int64_t>(kPer) * (17 + 17 - 2));
}

/// Lengths of packets and of pauses at random: an idle port saves up a burst, no more.
TEST(Bound, HoldsForTrafficThatComesAndGoes) {
  for (const Limit limit : {Limit{3, 2}, Limit{16, 40}, Limit{50, 9}}) {
    FabricRing nodes({.chips = 3, .latency = 16, .seed = 8});
    set(nodes, 0, 0, 0, limit);
    Watch watch(nodes, 0, 0, 1);
    for (unsigned i = 0; i < 12000; ++i) {
      if (nodes.random(8 * (i / 500 % 4 + 1)) == 0 && nodes.waiting(0, 0) < 40 && i / 1000 % 3 != 2)
        nodes.post(message(0, 1, 0, 1, 4 + 4 * nodes.random(256)));
      nodes.step();
      watch.cycle();
    }
    EXPECT_LT(watch.most_over(limit.rate),
              static_cast<std::int64_t>(kPer) * (limit.burst + kPacket));
    EXPECT_GT(watch.flits(), 300u);
    nodes.drain(40000);
  }
}

/// Core 0's limit at port 0 is not that of its other port, nor of core 1.
TEST(Others, KeepTheirFullRate) {
  FabricRing nodes({.latency = 16});
  set(nodes, 0, 0, 0, {4, 1});
  const Stream neighbour{0, 1, 1, 2};
  Watch limited(nodes, 0, 0, 1), other_port(nodes, 0, 1, 2), other_core(nodes, 0, 0, 2);
  for (unsigned i = 0; i < 6000; ++i) {
    // Core 0 has one queue of messages, and a store that they do not fill in this time.
    while (nodes.waiting(0, 0) < 24)
      for (unsigned k = 0; k < 10; ++k)
        nodes.post(message(0, k == 0 ? 1 : 11, 0, k == 0 ? 1 : 2, 1024));
    feed(nodes, neighbour);
    nodes.step();
    limited.cycle(), other_port.cycle(), other_core.cycle();
  }
  EXPECT_NEAR(limited.rate(), 4 / 64.0, 0.003);
  EXPECT_GT(other_port.rate(), 0.95);
  EXPECT_NEAR(other_core.rate(), 1 - limited.rate(), 0.03);
  nodes.drain(80000);
}

/// Tenant A has a quarter, B gets what A may not have.
TEST(Others, GetWhatALimitedTenantLeaves) {
  const auto [a_free, b_free] = shares({});
  EXPECT_NEAR(a_free, 0.5, 0.02);
  const auto [a, b] = shares({16, 17});
  EXPECT_NEAR(a, 0.25, 0.005);
  EXPECT_NEAR(b, b_free + a_free - a, 0.01);
}

/// A chip that may hardly send answers at once what it receives.
TEST(Acknowledgements, AreNotHeldUp) {
  FabricRing nodes({.latency = 16});
  for (unsigned core = 0; core < 2; ++core)
    for (unsigned port = 0; port < 2; ++port) set(nodes, 1, core, port, {1, 1});
  const Stream in{0, 1, 0, 1}, back{1, 0, 0, 1}, back1{1, 0, 1, 2};
  Watch watch(nodes, 0, 0, 1);
  for (unsigned i = 0; i < 6000; ++i) {
    feed(nodes, in), feed(nodes, back), feed(nodes, back1);
    nodes.step();
    watch.cycle();
  }
  EXPECT_GT(watch.rate(), 0.97);
  EXPECT_LT(nodes.wire_flits(1, 1, 1) + nodes.wire_flits(1, 1, 2), 2 * (6200 / 64 + 1 + kPacket));
}

/// A limit takes effect under load and is lifted again; a port at rest has a full bucket.
TEST(Settings, TakeEffectAtAnyTime) {
  FabricRing nodes({.chips = 3, .latency = 16});
  const Stream stream{0, 1, 0, 1};
  const auto rate = [&](unsigned cycles) {
    for (unsigned i = 0; i < 200; ++i) feed(nodes, stream), nodes.step();
    Watch watch(nodes, 0, 0, 1);
    for (unsigned i = 0; i < cycles; ++i) feed(nodes, stream), nodes.step(), watch.cycle();
    return watch.rate();
  };
  EXPECT_GT(rate(2000), 0.99);
  set(nodes, 0, 0, 0, {8, 1});
  EXPECT_NEAR(rate(8000), 0.125, 0.003);
  set(nodes, 0, 0, 0, {48, 17});
  EXPECT_NEAR(rate(4000), 0.75, 0.005);
  set(nodes, 0, 0, 0, {0, 256});
  EXPECT_GT(rate(2000), 0.99);
  nodes.drain();
  set(nodes, 0, 0, 0, {1, 100});
  for (unsigned i = 0; i < 10; ++i) nodes.step();
  Watch watch(nodes, 0, 0, 1);
  for (unsigned i = 0; i < 400; ++i) feed(nodes, stream), nodes.step(), watch.cycle();
  EXPECT_GE(watch.flits(), 100u);
  EXPECT_LT(watch.flits(), 100u + 400 / 64 + kPacket + 1);
  nodes.drain(200000);
}

/// Any limits on all ports, lossy cables, repeats: every message once, in order, and all comes to
/// rest.
TEST(Limits, LoseNothing) {
  for (const bool c12 : {false, true}) {
    Options options{.latency = 8, .seed = 21, .flit_errors = 0.003, .resends = 1e-5};
    if (c12) options.tables = fabric::search_tables(fabric::Board::c12());
    FabricRing nodes(options);
    for (unsigned chip = 0; chip < 12; ++chip)
      for (unsigned core = 0; core < 2; ++core)
        for (unsigned port = 0; port < 2; ++port)
          set(nodes, chip, core, port,
              {nodes.random(64), 1 + nodes.random(256) % (1 << nodes.random(9))});
    for (unsigned i = 0; i < 1500; ++i)
      nodes.post(nodes.random_message(nodes.random(12), nodes.random(12)));
    nodes.drain(200000);
    EXPECT_EQ(nodes.errors(), 0u);
  }
}

}  // namespace
