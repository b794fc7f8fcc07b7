// SPDX-License-Identifier: Apache-2.0
// A 4 x 4 array read by two tools, Verilator and Yosys (write_cxxrtl), gives the same bits.
#include "tensor_array_cxxrtl.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "Vtensor_array_4x4.h"
#include "tb/harness/seed.h"

namespace {

constexpr unsigned kSize = 4;

TEST(TensorArray, VerilatorAndYosysAgree) {
  const std::uint64_t seed = tb::seed();
  SCOPED_TRACE(tb::repro(seed));
  std::mt19937_64 rng(seed);
  VerilatedContext context;
  context.randReset(2);
  Vtensor_array_4x4 a(&context);
  cxxrtl_design::p_tensor__array b;

  const auto clock = [&] {
    a.clk_i = 0;
    a.eval();
    b.p_clk__i.set(0u);
    b.step();
    a.clk_i = 1;
    a.eval();
    b.p_clk__i.set(1u);
    b.step();
    b.step();  // outputs follow the registers one evaluation later
  };
  a.rst_ni = 0;
  b.p_rst__ni.set(0u);
  clock();
  a.rst_ni = 1;
  b.p_rst__ni.set(1u);

  const auto bf16 = [&]() -> std::uint16_t {
    const auto bits = static_cast<std::uint16_t>(rng());
    switch (rng() % 64) {
      case 0:
        return bits;
      case 1:
        return bits & 0x807F;
      case 2:
        return bits & 0x8000;
      default:
        return static_cast<std::uint16_t>((bits & 0x807F) | (119 + rng() % 16) << 7);
    }
  };
  unsigned last_target[2] = {0, 0}, sums = 0;
  for (unsigned t = 1; t < 800; ++t) {
    const bool lull = t / 40 % 5 == 4;
    // Weights: at first both planes, then now and then.
    const unsigned plane = t < 20 ? t / 10 : rng() % 2, ahead = rng() % (kSize + 1);
    const bool load =
        (t == 1 || t == 10 || (t >= 20 && rng() % 8 == 0)) && t + ahead > last_target[plane];
    if (load) last_target[plane] = t + ahead;
    const bool whole = t < 20 || rng() % 2;
    const unsigned first = whole ? 0 : rng() % kSize;
    const unsigned count = whole ? kSize : 1 + rng() % (kSize - first);
    std::uint16_t group[4 * kSize], vector[kSize];
    for (auto& x : group) x = bf16();
    for (auto& x : vector) x = bf16();
    const bool moving = t > 30 && !lull && rng() % 4;
    const unsigned moving_plane = rng() % 2;

    a.load_valid_i = load, a.load_plane_i = plane, a.load_group_i = 0, a.load_ahead_i = ahead;
    a.load_first_i = first, a.load_count_i = count;
    a.moving_valid_i = moving, a.moving_plane_i = moving_plane;
    std::memcpy(&a.load_i, group, sizeof(group));
    std::memcpy(&a.moving_i, vector, sizeof(vector));
    b.p_load__valid__i.set(unsigned{load}), b.p_load__plane__i.set(plane);
    b.p_load__group__i.set(0u), b.p_load__ahead__i.set(ahead);
    b.p_load__first__i.set(first), b.p_load__count__i.set(count);
    b.p_moving__valid__i.set(unsigned{moving}), b.p_moving__plane__i.set(moving_plane);
    std::memcpy(b.p_load__i.data, group, sizeof(group));
    std::memcpy(b.p_moving__i.data, vector, sizeof(vector));
    clock();

    ASSERT_EQ(a.sum_valid_o, b.p_sum__valid__o.get<unsigned>()) << "cycle " << t;
    ASSERT_EQ(a.busy_o, b.p_busy__o.get<unsigned>()) << "cycle " << t;
    if (!a.sum_valid_o) continue;
    ++sums;
    std::uint32_t left[kSize], right[kSize];
    std::memcpy(left, &a.sum_o, sizeof(left));
    for (unsigned c = 0; c < kSize; ++c) {
      right[c] = b.p_sum__o.curr.data[c];
      ASSERT_EQ(left[c], right[c]) << "cycle " << t << " column " << c;
    }
  }
  EXPECT_GT(sums, 200u);
}

}  // namespace
