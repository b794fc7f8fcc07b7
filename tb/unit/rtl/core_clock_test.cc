// SPDX-License-Identifier: Apache-2.0
// core_clock: stands still after `Hold` calm cycles, goes on in the cycle in which something comes.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "Vcore_clock.h"

namespace {

constexpr unsigned kHold = 16;

class CoreClock : public ::testing::Test {
 protected:
  CoreClock() {
    dut.rst_ni = 0;
    EXPECT_TRUE(ticks(false, false));
    dut.rst_ni = 1;
  }
  ~CoreClock() override { dut.final(); }

  /// One cycle of clk_i: does it end with an edge of clk_o?
  bool ticks(bool asleep, bool wake) {
    dut.clk_i = 0;
    dut.asleep_i = asleep;
    dut.wake_i = wake;
    dut.eval();
    EXPECT_FALSE(dut.clk_o);
    dut.clk_i = 1;
    dut.eval();
    const bool edge = dut.clk_o;
    dut.asleep_i = !asleep;  // while the clock is high, nothing reaches the gate
    dut.wake_i = !wake;
    dut.eval();
    EXPECT_EQ(dut.clk_o, edge);
    dut.asleep_i = asleep;
    dut.wake_i = wake;
    dut.eval();
    return edge;
  }

  VerilatedContext context;
  Vcore_clock dut{&context};
};

TEST_F(CoreClock, RestsAfterHoldAndWakesAtOnce) {
  for (const bool by_wake : {false, true}) {
    for (unsigned i = 0; i < kHold; ++i) EXPECT_TRUE(ticks(true, false)) << i;
    for (unsigned i = 0; i < 100; ++i) EXPECT_FALSE(ticks(true, false)) << i;
    EXPECT_TRUE(ticks(by_wake, by_wake));
  }
}

TEST_F(CoreClock, EdgesAreThoseOfTheRule) {
  std::mt19937 rng(1);
  unsigned calm = 0, missing = 0;
  for (unsigned i = 0; i < 20000; ++i) {
    const unsigned often = i / 1000 % 2 ? 2 : 40;
    const bool asleep = rng() % often != 0, wake = rng() % often == 0;
    const bool awake = !asleep || wake;
    ASSERT_EQ(ticks(asleep, wake), awake || calm < kHold) << "cycle " << i;
    missing += !awake && calm == kHold;
    calm = awake ? 0 : std::min(calm + 1, kHold);
  }
  EXPECT_GT(missing, 1000u);
}

}  // namespace
