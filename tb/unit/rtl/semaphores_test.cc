// SPDX-License-Identifier: Apache-2.0
// Semaphores against a plain array: sums within a cycle, rejections, latency of two edges.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <optional>
#include <random>

#include "Vsemaphores.h"
#include "rtl/defs/gen/defs.h"

namespace {

constexpr unsigned kPorts = 13, kWaitPorts = 16;
using Updates = std::array<std::optional<defs::SemUpdate>, kPorts>;

class Semaphores : public ::testing::Test {
 protected:
  Semaphores() {
    dut.clk_i = 0;
    dut.rst_ni = 0;
    offer({});
    tick();
    dut.rst_ni = 1;
    dut.eval();
  }
  void tick() {
    dut.clk_i = 1;
    dut.eval();
    dut.clk_i = 0;
    dut.eval();
  }
  void offer(const Updates& updates) {
    std::array<std::uint32_t, 11> words{};
    dut.upd_valid_i = 0;
    for (unsigned port = 0; port < kPorts; ++port) {
      if (!updates[port]) continue;
      dut.upd_valid_i |= 1u << port;
      updates[port]->pack(words.data(), port * defs::SemUpdate::kBits);
    }
    std::memcpy(&dut.upd_i, words.data(), sizeof(words));
  }
  /// Looks at `sem` on wait port `port`.
  unsigned value(unsigned sem, unsigned port = 0) {
    std::array<std::uint32_t, 5> sems{};
    defs::put_bits(sems.data(), port * 9, 9, sem);
    std::memcpy(&dut.wait_sem_i, sems.data(), sizeof(sems));
    dut.eval();
    std::array<std::uint32_t, 8> values{};
    std::memcpy(values.data(), &dut.wait_value_o, sizeof(values));
    return static_cast<unsigned>(defs::get_bits(values.data(), port * 16, 16));
  }
  VerilatedContext context;
  Vsemaphores dut{&context};
};

defs::SemUpdate update(unsigned sem, int delta) {
  defs::SemUpdate u;
  u.sem = static_cast<std::uint16_t>(sem);
  u.delta = delta;
  return u;
}

TEST_F(Semaphores, UpdatesOfOneCycleAddUpAndShowAfterTwoEdges) {
  Updates updates;
  for (auto& u : updates) u = update(300, 7);
  offer(updates);
  tick();
  offer({});
  EXPECT_EQ(value(300), 0u);
  EXPECT_FALSE(dut.quiet_o);
  tick();
  EXPECT_EQ(value(300, 7), 91u);
  EXPECT_TRUE(dut.quiet_o);
}

TEST_F(Semaphores, RefusesAnUpdateOutOfRangeAndNamesItsPort) {
  Updates updates;
  updates[3] = update(5, -1);
  updates[4] = update(6, 32767);
  offer(updates);
  tick();
  EXPECT_EQ(dut.error_o, 1u << 3);
  updates[3].reset();
  offer(updates);
  tick();
  EXPECT_EQ(dut.error_o, 0u);
  tick();  // the third: 98,301
  EXPECT_EQ(dut.error_o, 1u << 4);
  offer({});
  tick();
  EXPECT_EQ(value(5), 0u);
  EXPECT_EQ(value(6), 65534u);
}

TEST_F(Semaphores, RandomUpdatesMatchAnArray) {
  std::mt19937 rng(1);
  std::array<int, 512> expected{};
  for (unsigned cycle = 0; cycle < 5000; ++cycle) {
    Updates updates;
    unsigned errors = 0;
    for (unsigned port = 0; port < kPorts; ++port) {
      if (rng() % 3) continue;
      const unsigned sem = cycle < 2500 ? rng() % 4 + 254 : rng() % 512;
      const int delta = static_cast<int>(rng() % 0x1ffff) - 0xffff;
      updates[port] = update(sem, delta);
      const int next = expected[sem] + delta;
      if (next < 0 || next > 65535)
        errors |= 1u << port;
      else
        expected[sem] = next;
    }
    offer(updates);
    tick();
    ASSERT_EQ(dut.error_o, errors) << "cycle " << cycle;
  }
  offer({});
  tick();
  for (unsigned sem = 0; sem < 512; ++sem) {
    ASSERT_EQ(value(sem, sem % kWaitPorts), static_cast<unsigned>(expected[sem])) << sem;
  }
}

}  // namespace
