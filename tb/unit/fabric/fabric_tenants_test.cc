// SPDX-License-Identifier: Apache-2.0
// Two tenants on one board: what one does must not show in what the other receives.
#include "tb/fabric/fabric_tenants.h"

namespace {

using namespace tenants;

class SlotMode : public testing::TestWithParam<std::tuple<bool, double>> {};

/// B's chips see the same things in the same cycles, whatever A does.
TEST_P(SlotMode, TracesOfOneTenantDoNotDependOnTheOther) {
  const auto [c12, load] = GetParam();
  const Case what{.c12 = c12, .slots = true, .load = load};
  const Result idle = run(what, Activity::Idle);
  ASSERT_GT(idle.events, 1000u);
  for (const Activity activity :
       {Activity::Saturating, Activity::Violating, Activity::Both, Activity::Trespassing}) {
    const Result busy = run(what, activity);
    EXPECT_EQ(busy.foreign, 0u);
    EXPECT_EQ(differs(idle, busy), "") << "activity " << static_cast<unsigned>(activity);
    const bool own = activity == Activity::Saturating || activity == Activity::Both;
    const bool foreign = activity == Activity::Violating || activity == Activity::Both;
    if (own) EXPECT_GT(busy.others, 500u);  // A gets its own done
    if (foreign) EXPECT_GT(busy.violations, 100u);
  }
}
INSTANTIATE_TEST_SUITE_P(Boards, SlotMode,
                         testing::Combine(testing::Bool(), testing::Values(0.05, 0.3)));

/// Whichever two VNs the tenants have: nothing of an arbiter is common to both.
class SlotPairs : public testing::TestWithParam<std::pair<unsigned, unsigned>> {};
TEST_P(SlotPairs, NoNetworkFeelsAnother) {
  const auto [a, b] = GetParam();
  const Case what{.slots = true, .load = 0.4, .cycles = 2000, .vn_a = a, .vn_b = b};
  const Result idle = run(what, Activity::Idle), busy = run(what, Activity::Saturating);
  ASSERT_GT(idle.events, 500u);
  EXPECT_GT(busy.others, 100u);
  EXPECT_EQ(differs(idle, busy), "");
}
INSTANTIATE_TEST_SUITE_P(Networks, SlotPairs,
                         testing::Values(std::pair{0u, 1u}, std::pair{0u, 2u}, std::pair{0u, 3u},
                                         std::pair{1u, 2u}, std::pair{1u, 3u}, std::pair{2u, 3u}));

/// The same in shared mode differs: the test would see a leak.
TEST(SharedMode, TracesOfOneTenantDependOnTheOther) {
  const Case what{.c12 = false, .slots = false};
  EXPECT_NE(differs(run(what, Activity::Idle), run(what, Activity::Saturating)), "");
}

/// Key violators at full rate beside B, buffers and links shared.
TEST(SharedMode, ViolatorsDeliverNothingAndAreHardlyFelt) {
  const Case what{.split = true, .load = 0.3, .cycles = 12000};
  for (const Activity activity : {Activity::Violating, Activity::Both}) {
    const Result busy = run(what, activity);
    EXPECT_EQ(busy.foreign, 0u);
    EXPECT_GT(busy.violations, 20u);
    EXPECT_LE(p99_growth(what, activity), 0.10);
  }
  EXPECT_EQ(run({.load = 0.05}, Activity::Both).foreign, 0u);  // ways that cross
}

TEST(Arbiter, RoundRobinHalvesTheStreetAtEverySideRoad) {
  EXPECT_LE(jain(parking_lot(kRoundRobin)), 0.65);
}

/// All of them wait for the end of the street, so their packets grow old together.
TEST(Arbiter, AgeFromTheStoreSharesTheStreet) {
  EXPECT_LE(jain(parking_lot(kAge)), 0.5);
  EXPECT_GE(jain(parking_lot(kQueue, 16000)), 0.95);
}

TEST(Arbiter, WeightsShareALink) {
  EXPECT_NEAR(share_of_vn1(1, 1), 0.5, 0.01);
  EXPECT_NEAR(share_of_vn1(3, 1), 0.75, 0.01);
  EXPECT_NEAR(share_of_vn1(2, 14), 0.125, 0.01);
}

/// With a throttle, and with every arbiter, everything still arrives.
TEST(Arbiter, ThrottleAndModesLoseNothing) {
  for (const std::uint64_t arbiter : {std::uint64_t{40} << 2, kRoundRobin, kWeighted | 0x0123u << 9,
                                      kWeighted | std::uint64_t{12} << 2, kQueue}) {
    FabricRing nodes({.latency = 8, .seed = 3, .ready = 0.9, .stall = 60});
    nodes.write_all(6, [&](unsigned) { return arbiter; });
    for (unsigned i = 0; i < 2000; ++i)
      nodes.post(nodes.random_message(nodes.random(12), nodes.random(12)));
    nodes.drain();
  }
}

}  // namespace
