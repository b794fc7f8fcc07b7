// SPDX-License-Identifier: Apache-2.0
// A 4 x 4 array read by two tools, Verilator and Yosys (write_cxxrtl), gives the same bits.
#include "tensor_array_cxxrtl.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cstring>
#include <random>

#include "Vtensor_array_4x4.h"
#include "tb/base/seed.h"

namespace {

constexpr unsigned kSize = 4;
/// {integer8, round, low, fraction, rebias}: bf16, fp32 high, fp32 low, tf32, fp16, e4m3, e3m4,
/// int8.
constexpr unsigned kFormats[] = {
    23 << 9 | 257, 23 << 9 | 257, 1 << 14 | 23 << 9 | 257, 1 << 15 | 23 << 9 | 257,
    26 << 9 | 369, 27 << 9 | 377, 28 << 9 | 381,           1 << 16 | 23 << 9 | 257};

/// On a stack that holds what Yosys wrote: one function, and unoptimised each of its values has a
/// place.
void on_large_stack(void (*body)()) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, std::size_t{256} << 20), 0);
  pthread_t thread;
  const auto start = [](void* function) -> void* {
    (*static_cast<void (**)()>(function))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, start, &body), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

void compare() {
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
  unsigned last_target[2][2] = {}, sums = 0, lower_sums = 0;  // by half and plane
  for (unsigned t = 1; t < 800; ++t) {
    const bool lull = t / 40 % 5 == 4;
    // Weights: at first both planes, then now and then, in one half of the rows or both.
    const unsigned planes = t < 20 ? t / 10 * 3 : rng() % 4, ahead = rng() % (kSize + 1);
    unsigned load = t == 1 || t == 10 ? 3 : t >= 20 && rng() % 8 == 0 ? 1 + rng() % 3 : 0;
    for (unsigned half = 0; half < 2; ++half) {
      unsigned& last = last_target[half][planes >> half & 1];
      if ((load >> half & 1) && t + ahead <= last) load = 0;
    }
    for (unsigned half = 0; half < 2; ++half)
      if (load >> half & 1) last_target[half][planes >> half & 1] = t + ahead;
    const bool whole = t < 20 || rng() % 2;
    const unsigned first = whole ? 0 : rng() % kSize;
    const unsigned count = whole ? kSize : 1 + rng() % (kSize - first);
    std::uint32_t group[4 * kSize], vector[kSize], lower[kSize / 2];
    for (auto& x : lower) x = std::uint32_t{bf16()} << 16 | (rng() & 0xFFFF);
    for (auto& x : group) x = std::uint32_t{bf16()} << 16 | (rng() & 0xFFFF);
    for (auto& x : vector) x = std::uint32_t{bf16()} << 16 | (rng() & 0xFFFF);
    // bf16 at first, then any mixture of fma_pkg::format_of.
    const unsigned load_format = kFormats[t < 400 ? 0 : rng() % std::size(kFormats)];
    const unsigned moving_format = kFormats[t < 400 ? 0 : rng() % std::size(kFormats)];
    const unsigned lower_format = kFormats[t < 400 ? 0 : rng() % std::size(kFormats)];
    // A vector through all rows, or one in either half, or in both.
    const unsigned moving = t > 30 && !lull ? rng() % 4 : 0;
    const bool full = moving == 3 && rng() % 3;
    const unsigned moving_planes = rng() % 4;

    a.load_valid_i = load, a.load_plane_i = planes, a.load_group_i = 0, a.load_ahead_i = ahead;
    a.load_first_i = first, a.load_count_i = count;
    a.load_format_i = load_format, a.moving_format_i = moving_format;
    b.p_load__format__i.set(load_format), b.p_moving__format__i.set(moving_format);
    a.moving_valid_i = moving, a.moving_plane_i = moving_planes, a.moving_full_i = full;
    a.lower_format_i = lower_format;
    std::memcpy(&a.lower_i, lower, sizeof(lower));
    b.p_moving__full__i.set(unsigned{full}), b.p_lower__format__i.set(lower_format);
    std::memcpy(b.p_lower__i.data, lower, sizeof(lower));
    std::memcpy(&a.load_i, group, sizeof(group));
    std::memcpy(&a.moving_i, vector, sizeof(vector));
    b.p_load__valid__i.set(load), b.p_load__plane__i.set(planes);
    b.p_load__group__i.set(0u), b.p_load__ahead__i.set(ahead);
    b.p_load__first__i.set(first), b.p_load__count__i.set(count);
    b.p_moving__valid__i.set(moving), b.p_moving__plane__i.set(moving_planes);
    std::memcpy(b.p_load__i.data, group, sizeof(group));
    std::memcpy(b.p_moving__i.data, vector, sizeof(vector));
    clock();

    ASSERT_EQ(a.sum_valid_o, b.p_sum__valid__o.get<unsigned>()) << "cycle " << t;
    ASSERT_EQ(a.busy_o, b.p_busy__o.get<unsigned>()) << "cycle " << t;
    ASSERT_EQ(a.lower_sum_valid_o, b.p_lower__sum__valid__o.get<unsigned>()) << "cycle " << t;
    std::uint32_t left[kSize];
    if (a.sum_valid_o) {
      ++sums;
      std::memcpy(left, &a.sum_o, sizeof(left));
      for (unsigned c = 0; c < kSize; ++c)
        ASSERT_EQ(left[c], b.p_sum__o.curr.data[c]) << "cycle " << t << " column " << c;
    }
    if (a.lower_sum_valid_o) {
      ++lower_sums;
      std::memcpy(left, &a.lower_sum_o, sizeof(left));
      for (unsigned c = 0; c < kSize; ++c)
        ASSERT_EQ(left[c], b.p_lower__sum__o.curr.data[c]) << "cycle " << t << " column " << c;
    }
  }
  EXPECT_GT(sums, 200u);
  EXPECT_GT(lower_sums, 100u);
}

TEST(TensorArray, VerilatorAndYosysAgree) { on_large_stack(compare); }

}  // namespace
