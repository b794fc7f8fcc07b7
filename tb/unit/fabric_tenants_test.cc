// SPDX-License-Identifier: Apache-2.0
// Two tenants on one board: what one does must not show in what the other receives.
#include "tb/unit/fabric_tenants.h"

namespace {

using namespace tenants;

class SlotMode : public testing::TestWithParam<bool> {};

/// B's chips see the same things in the same cycles, whatever A does.
TEST_P(SlotMode, TracesOfOneTenantDoNotDependOnTheOther) {
  const Case what{.c12 = GetParam(), .slots = true};
  const Result idle = run(what, Activity::Idle);
  ASSERT_GT(idle.events, 1000u);
  for (const Activity activity : {Activity::Saturating, Activity::Violating, Activity::Both}) {
    const Result busy = run(what, activity);
    EXPECT_EQ(busy.foreign, 0u);
    EXPECT_EQ(differs(idle, busy), "") << "activity " << static_cast<unsigned>(activity);
    if (activity != Activity::Violating) EXPECT_GT(busy.others, 500u);  // A gets its own done
    if (activity != Activity::Saturating) EXPECT_GT(busy.violations, 100u);
  }
}
INSTANTIATE_TEST_SUITE_P(Boards, SlotMode, testing::Bool());

/// The same in shared mode differs: the test would see a leak.
TEST(SharedMode, TracesOfOneTenantDependOnTheOther) {
  const Case what{.c12 = false, .slots = false};
  EXPECT_NE(differs(run(what, Activity::Idle), run(what, Activity::Saturating)), "");
}

}  // namespace
