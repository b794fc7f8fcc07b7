// SPDX-License-Identifier: Apache-2.0
// Damaged and lost words, stuck lanes, outages and dead cables, and packets that are lost behind
// the link's back.
#include "tb/unit/fabric/fabric_storm.h"

namespace {

using namespace fabric_test;

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
  storm(bench, count, [](unsigned src, unsigned) { return 1 - src; }, 1);
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

}  // namespace
