// SPDX-License-Identifier: Apache-2.0
// The address generator and the operand rules in RTL against their twin, on random operands, and
// the rules against a walk over every element.
#include "cmodel/machine/access_pattern.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

#include "Vaccess_pattern_inf2.h"
#include "Vaccess_pattern_mini.h"
#include "tb/base/seed.h"

namespace {

using cmodel::Trips;

template <class Model, const defs::Sizes& kSizes>
struct Config {
  using Dut = Model;
  static constexpr const defs::Sizes& sizes = kSizes;
};

template <class C>
class AccessPattern : public testing::Test {
 protected:
  AccessPattern() {
    dut.rst_ni = 0;
    dut.clk_i = 0;
    dut.eval();
    clock();
    dut.rst_ni = 1;
  }
  void clock() {
    dut.clk_i = 1;
    dut.eval();
    dut.clk_i = 0;
    dut.eval();
  }
  void drive(const defs::Operand& op, const Trips& trips) {
    const auto words = op.words();
    for (unsigned i = 0; i < words.size(); ++i) dut.operand_i[i] = words[i];
    dut.sizes_i = trips[0] | std::uint64_t{trips[1]} << 16 | std::uint64_t{trips[2]} << 32 |
                  std::uint64_t{trips[3]} << 48;
  }
  unsigned pick(unsigned limit) { return static_cast<unsigned>(rng() % limit); }

  /// Mostly legal operands, with every kind of slip now and then.
  defs::Operand random_operand(Trips& trips) {
    defs::Operand op;
    op.space = static_cast<std::uint8_t>(pick(8) ? 1 + pick(2) : pick(4));
    const std::uint8_t formats[] = {0, 2, 2, 0, 0, static_cast<std::uint8_t>(pick(16))};
    op.dtype = op.space == 2 && pick(8) ? 0 : formats[pick(6)];
    op.partition =
        static_cast<std::uint8_t>(pick(6) ? pick(4) * C::sizes.partitions / 4 : pick(256));
    const unsigned bytes =
        op.space == 2 ? C::sizes.psum_banks * C::sizes.psum_cols * 4 : C::sizes.sbuf_bytes;
    op.offset = pick(10) ? pick(bytes) : static_cast<std::uint32_t>(rng() & 0xffffff);
    if (pick(10)) op.offset &= ~3u;
    const bool huge = pick(8) == 0, far = huge || pick(8) == 0;
    std::int16_t strides[4];
    for (unsigned i = 0; i < 4; ++i) {
      trips[i] = static_cast<std::uint16_t>(pick(40) == 0 ? 0
                                            : huge        ? rng()
                                                          : 1 + pick(i ? 3 : 20));
      strides[i] = static_cast<std::int16_t>(far ? rng() : pick(4) ? pick(8) : pick(200) - 100u);
      if (trips[i] == 1 && pick(30)) strides[i] = 0;
    }
    op.stride0 = strides[0], op.stride1 = strides[1], op.stride2 = strides[2];
    op.stride3 = strides[3];
    if (pick(40) == 0) op.reserved = static_cast<std::uint8_t>(pick(4));
    if (pick(30) == 0) op = {};
    return op;
  }

  std::uint64_t seed = tb::seed();
  std::mt19937_64 rng{seed};
  VerilatedContext context;
  typename C::Dut dut{&context};
};

using Configs = testing::Types<Config<Vaccess_pattern_mini, defs::kMini>,
                               Config<Vaccess_pattern_inf2, defs::kInf2>>;
TYPED_TEST_SUITE(AccessPattern, Configs);

TYPED_TEST(AccessPattern, RulesAgreeWithTheTwinAndEveryCauseIsMet) {
  SCOPED_TRACE(tb::repro(this->seed));
  std::array<unsigned, 9> met{};
  for (unsigned round = 0; round < 40000; ++round) {
    Trips trips;
    const defs::Operand op = this->random_operand(trips);
    const unsigned kinds[] = {1, 2, 4, 6, 3}, formats[] = {1, 4, 5};
    const unsigned spaces = kinds[this->pick(4 + (round & 1))], dtypes = formats[this->pick(3)];
    const unsigned partitions =
        this->pick(6) ? 1 + this->pick(TypeParam::sizes.partitions) : this->pick(256);
    this->drive(op, trips);
    this->dut.spaces_i = spaces;
    this->dut.dtypes_i = dtypes;
    this->dut.partitions_i = partitions;
    this->dut.eval();
    const auto expected =
        cmodel::operand_faults(TypeParam::sizes, op, partitions, trips, spaces, dtypes)
            .first_cause();
    ASSERT_EQ(to_string(static_cast<defs::ErrorCause>(this->dut.cause_o)), to_string(expected))
        << "round " << round;
    ++met[static_cast<unsigned>(expected)];
  }
  for (auto cause : {0, 2, 3, 4, 5, 6, 7, 8}) {
    EXPECT_GT(met[cause], 20u) << to_string(static_cast<defs::ErrorCause>(cause));
  }
}

TYPED_TEST(AccessPattern, BoundsAreThoseOfAWalkOverEveryElement) {
  SCOPED_TRACE(tb::repro(this->seed));
  unsigned inside = 0, outside = 0;
  for (unsigned round = 0; round < 20000; ++round) {
    Trips trips;
    const defs::Operand op = this->random_operand(trips);
    std::uint64_t elements = 1;
    for (auto trip : trips) elements *= trip;
    if (op.space == 0 || op.space == 3 || elements == 0 || elements > 2000) continue;
    const std::int64_t bytes = cmodel::element_bytes(op.dtype);
    const auto strides = cmodel::strides_of(op);
    const std::int64_t bank = TypeParam::sizes.psum_cols * 4;
    const std::int64_t limit =
        op.space == 2 ? bank * TypeParam::sizes.psum_banks : TypeParam::sizes.sbuf_bytes;
    bool bad = false;
    std::int64_t first_bank = -1;
    for (int a = 0; a < trips[3]; ++a)
      for (int b = 0; b < trips[2]; ++b)
        for (int c = 0; c < trips[1]; ++c)
          for (int d = 0; d < trips[0]; ++d) {
            const std::int64_t at =
                op.offset + bytes * (std::int64_t{a} * strides[3] + std::int64_t{b} * strides[2] +
                                     std::int64_t{c} * strides[1] + std::int64_t{d} * strides[0]);
            for (std::int64_t byte : {at, at + bytes - 1}) {
              bad |= byte < 0 || byte >= limit;
              if (first_bank < 0) first_bank = byte / bank;
              bad |= op.space == 2 && byte / bank != first_bank;
            }
          }
    EXPECT_EQ(cmodel::outside(TypeParam::sizes, op, trips), bad) << "round " << round;
    ++(bad ? outside : inside);
  }
  EXPECT_GT(inside, 500u);
  EXPECT_GT(outside, 500u);
}

TYPED_TEST(AccessPattern, WalksEveryElementInOrder) {
  SCOPED_TRACE(tb::repro(this->seed));
  auto& dut = this->dut;
  for (unsigned round = 0; round < 3000; ++round) {
    Trips trips;
    const defs::Operand op = this->random_operand(trips);
    std::uint64_t elements = 1;
    for (auto trip : trips) elements *= trip;
    if (elements == 0 || elements > 4000) continue;
    const bool step4 = this->pick(3) == 0;
    this->drive(op, trips);
    dut.start_i = 1;
    dut.step4_i = step4;
    dut.next_i = 0;
    this->clock();
    dut.start_i = 0;
    std::vector<std::uint32_t> addrs;
    cmodel::for_each_element(op, trips,
                             [&](std::uint32_t addr) { addrs.push_back(addr & 0xffffff); });
    ASSERT_EQ(addrs.size(), elements);
    cmodel::PatternWalk walk(op, trips);
    unsigned in_run = 0;
    for (std::uint64_t at = 0; at < elements;) {
      dut.next_i = 0;
      while (this->pick(4) == 0) this->clock();  // a stalled step stays
      dut.eval();
      ASSERT_TRUE(dut.valid_o);
      ASSERT_EQ(dut.addr_o, addrs[at]) << "round " << round << " element " << at;
      ASSERT_EQ(walk.addr(), addrs[at]);
      const unsigned step = step4 ? std::min(4u, trips[0] - in_run) : 1;
      ASSERT_EQ(dut.count_o, step);
      in_run += step;
      ASSERT_EQ(dut.inner_last_o, in_run == trips[0]);
      if (in_run == trips[0]) in_run = 0;
      at += step;
      ASSERT_EQ(dut.last_o, at == elements);
      for (unsigned i = 0; i < step; ++i) walk.next();
      dut.next_i = 1;
      this->clock();
    }
    dut.next_i = 0;
    dut.eval();
    ASSERT_FALSE(dut.valid_o);
    ASSERT_TRUE(walk.done());
  }
}

}  // namespace
