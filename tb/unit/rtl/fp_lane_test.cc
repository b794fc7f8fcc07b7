// SPDX-License-Identifier: Apache-2.0
// Numbers of the vector engine: its operators and every format in and out, against MPFR and against
// what the definitions say.
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "cmodel/machine/random.h"
#include "cmodel/machine/rounding.h"
#include "tb/unit/rtl/fp_judge.h"

namespace tb {
namespace {

using cmodel::fp::to_float;
using defs::AluOp;

/// An operator as its line of isa.toml says, through doubles where those are exact.
Fp32 by_definition(Judge& judge, AluOp op, Fp32 a, Fp32 b) {
  const double x = to_float(a), y = to_float(b);
  const auto truth = [](bool holds) { return holds ? 0x3F800000u : 0u; };
  const auto extreme = [&](double p, double q, bool greatest) {
    if (std::isnan(p) || std::isnan(q)) return cmodel::fp::kNan;
    const bool first = p == q ? std::signbit(q) == greatest : (p > q) == greatest;
    return cmodel::fp::from_float(static_cast<float>(first ? p : q));
  };
  switch (op) {
    case AluOp::Add:
      return judge.add(a, b);
    case AluOp::Sub:
      return judge.add(a, b ^ 0x80000000u);
    case AluOp::Mul:
      return judge.mul(a, b);
    case AluOp::Square:
      return judge.mul(a, a);
    case AluOp::Max:
      return extreme(x, y, true);
    case AluOp::Min:
      return extreme(x, y, false);
    case AluOp::AbsMax:
      return extreme(std::fabs(x), std::fabs(y), true);
    case AluOp::AbsMin:
      return extreme(std::fabs(x), std::fabs(y), false);
    case AluOp::Eq:
      return truth(x == y);
    case AluOp::Ne:
      return truth(std::isnan(x) || std::isnan(y) || x < y || x > y);
    case AluOp::Lt:
      return truth(x < y);
    case AluOp::Le:
      return truth(x < y || x == y);
    case AluOp::Gt:
      return truth(x > y);
    case AluOp::Ge:
      return truth(x > y || x == y);
    case AluOp::And:
      return truth(a << 1 && b << 1);
    case AluOp::Or:
      return truth(a << 1 || b << 1);
    case AluOp::Xor:
      return truth(!(a << 1) != !(b << 1));
    case AluOp::Abs:
      return a & 0x7FFFFFFFu;
    case AluOp::BitNot:
      return 0xFFFFFFFFu - a;
    case AluOp::BitAnd:
      return a - (a & ~b);
    case AluOp::BitOr:
      return b + (a & ~b);
    case AluOp::BitXor:
      return (a & ~b) + (b & ~a);
    case AluOp::ShiftLeft:
      return static_cast<Fp32>(b > 31 ? 0 : a * (std::uint64_t{1} << b));
    case AluOp::ShiftRight:
      return static_cast<Fp32>(b > 31 ? 0 : a / (std::uint64_t{1} << b));
  }
  return 0;
}

TEST(LaneNumbers, EveryOperatorOfTheModelIsItsDefinition) {
  Judge judge;
  Source source(11);
  std::vector<std::pair<Fp32, Fp32>> pairs;
  for (const Fp32 a : corners())
    for (const Fp32 b : corners()) pairs.emplace_back(a, b);
  for (int i = 0; i < 100'000; ++i) {
    const Fp32 a = source.next().c;
    pairs.emplace_back(a, i % 3 ? source.next().c : a ^ (source.rng()() & 0x80000001u));
    pairs.emplace_back(a, source.rng()() % 40);
  }
  for (const AluOp op : defs::kEveryAluOp)
    for (const auto& [a, b] : pairs)
      ASSERT_EQ(cmodel::fp::evaluate(op, a, b), by_definition(judge, op, a, b))
          << to_string(op) << " " << show(a, b, 0);
}

TEST(LaneNumbers, RtlMultipliesLikeTheModel) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  formats(dut, Dtype::Bf16, Dtype::Bf16);
  Source source(12);
  const auto check = [&](Fp32 a, Fp32 b) {
    dut.a_i = a, dut.b_i = b;
    dut.eval();
    ASSERT_EQ(dut.mul_o, cmodel::fp::mul(a, b)) << show(a, b, 0);
  };
  for (const Fp32 a : corners())
    for (const Fp32 b : corners()) check(a, b);
  for (int i = 0; i < 1'000'000 && !testing::Test::HasFatalFailure(); ++i) {
    Fp32 a = source.next().c, b = source.next().c;
    // Products about the least exponents, and ties.
    if (i % 4 == 1)
      b = (b & 0x807FFFFFu) | ((160 - (a >> 23 & 0xFF) - source.rng()() % 64) & 0xFF) << 23;
    if (i % 4 == 2) a &= 0xFFFFF000u, b &= 0xFFFFE000u;
    check(a, b);
  }
}

/// Every number of a format, with the value that its definition gives it; NaN left out.
std::vector<std::pair<double, std::uint32_t>> numbers_of(Dtype dtype) {
  std::vector<std::pair<double, std::uint32_t>> all;
  for (const Format& f : kFormats)
    if (f.dtype == dtype)
      for (std::uint32_t bits = 0; bits >> (1 + f.exponent_bits + f.fraction_bits) == 0; ++bits)
        if (!std::isnan(value_of(f, bits))) all.emplace_back(value_of(f, bits), bits);
  const unsigned at = static_cast<unsigned>(dtype), bytes = defs::kDtypeBytes2 >> at & 1 ? 2 : 1;
  if (defs::kDtypeInteger >> at & 1)
    for (std::int32_t i = 0; i >> (8 * bytes) == 0; ++i)
      all.emplace_back(
          defs::kDtypeSigned >> at & 1 && i >> (8 * bytes - 1) ? i - (1 << 8 * bytes) : i, i);
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return a.first < b.first ||
           (a.first == b.first && std::signbit(a.first) > std::signbit(b.first));
  });
  return all;
}

class Formats : public testing::TestWithParam<Dtype> {
 protected:
  Formats() { formats(dut_, GetParam(), GetParam()); }
  /// Model and RTL make `bits` of x.
  void expect_element(Fp32 x, std::uint32_t bits) {
    ASSERT_EQ(cmodel::fp::fp32_to_element(GetParam(), x), bits) << "model, " << show(x, 0, 0);
    dut_.a_i = x;
    dut_.eval();
    ASSERT_EQ(dut_.element_o, bits) << "RTL, " << show(x, 0, 0);
  }
  void expect_fp32(std::uint32_t bits, Fp32 x) {
    ASSERT_EQ(cmodel::fp::canonical(cmodel::fp::element_to_fp32(GetParam(), bits)), x)
        << "model, " << bits;
    dut_.a_i = bits;
    dut_.eval();
    ASSERT_EQ(dut_.lane_o, x) << "RTL, " << bits;
  }
  VerilatedContext context_;
  Vfp_echo dut_{&context_};
};

/// Of one or two bytes: all numbers, what lies half-way between neighbours and beside that, and
/// what is beyond the last ones.
class Narrow : public Formats {};
TEST_P(Narrow, EveryNumberGoesInAndOutAndTiesGoToEven) {
  const auto all = numbers_of(GetParam());
  const bool integer = defs::kDtypeInteger >> static_cast<unsigned>(GetParam()) & 1;
  ASSERT_GE(all.size(), 200u);
  for (std::size_t i = 0; i < all.size() && !HasFatalFailure(); ++i) {
    const auto [value, bits] = all[i];
    const Fp32 x = cmodel::fp::from_float(static_cast<float>(value));
    expect_fp32(bits, x);
    expect_element(x, bits);
    if (i + 1 == all.size() || value == all[i + 1].first) continue;
    // The middle between the last finite number and infinity is where the next number would be.
    const double next =
        std::isinf(all[i + 1].first) ? 2 * value - all[i - 1].first : all[i + 1].first;
    const double here = std::isinf(value) ? 2 * next - all[i + 2].first : value;
    const float middle = static_cast<float>((here + next) / 2);
    if (std::isinf(middle)) continue;
    const std::uint32_t up = all[i + 1].second;
    const float down = std::nextafter(middle, -HUGE_VALF),
                above = std::nextafter(middle, HUGE_VALF);
    if (static_cast<double>(middle) == (here + next) / 2 && down != here)
      expect_element(cmodel::fp::from_float(middle), bits & 1 ? up : bits);
    if (down > here) expect_element(cmodel::fp::from_float(down), bits);
    if (above < next) expect_element(cmodel::fp::from_float(above), up);
  }
  if (integer) {
    for (const float beyond : {1.0f, 1e9f, HUGE_VALF}) {
      expect_element(std::bit_cast<Fp32>(static_cast<float>(all.back().first) + beyond),
                     all.back().second);
      expect_element(std::bit_cast<Fp32>(static_cast<float>(all.front().first) - beyond),
                     all.front().second);
    }
    expect_element(0x80000000u, 0);
    expect_element(0x7FC00000u, 0);
  } else {
    for (const Fp32 nan : {0x7FC00000u, 0xFF800001u, 0x7FFFFFFFu}) {
      const std::uint32_t bits = cmodel::fp::fp32_to_element(GetParam(), nan);
      expect_element(nan, bits);
      expect_fp32(bits, cmodel::fp::kNan);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Of, Narrow,
                         testing::Values(Dtype::Bf16, Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                                         Dtype::Fp8E3M4, Dtype::Int8, Dtype::Uint8, Dtype::Int16,
                                         Dtype::Uint16),
                         [](const auto& dtype) { return std::string(to_string(dtype.param)); });

class Wide : public Formats {};
TEST_P(Wide, CornersAndRandomWordsGoInAndOut) {
  const bool is_signed = GetParam() == Dtype::Int32;
  const bool integer = is_signed || GetParam() == Dtype::Uint32;
  std::mt19937 rng(5);
  std::vector<Fp32> words = corners();
  for (unsigned bit = 0; bit < 32; ++bit)
    for (int low = -260; low <= 260; ++low) words.push_back((1u << bit) + static_cast<Fp32>(low));
  for (Fp32 e = 0x3D000000u; e < 0x50800000u; e += 0x00400000u)  // numbers about the integers
    for (int low = -3; low <= 3; ++low) words.push_back(e + static_cast<Fp32>(low));
  for (int i = 0; i < 300'000; ++i) words.push_back(static_cast<Fp32>(rng()));
  for (const Fp32 w : words) {
    if (HasFatalFailure()) return;
    for (const Fp32 x : {w, w ^ 0x80000000u}) {
      if (integer) {
        const double value = is_signed ? static_cast<std::int32_t>(x) : static_cast<double>(x);
        expect_fp32(x, cmodel::fp::from_float(static_cast<float>(value)));
        const double v = to_float(x), least = is_signed ? -0x1p31 : 0,
                     greatest = is_signed ? 0x1p31 - 1 : 0x1p32 - 1;
        double rounded = std::floor(v);
        if (v - rounded > 0.5 || (v - rounded == 0.5 && std::fmod(rounded, 2) != 0)) rounded += 1;
        const double kept = std::isnan(v) ? 0 : std::min(std::max(rounded, least), greatest);
        expect_element(x, static_cast<Fp32>(static_cast<std::int64_t>(kept)));
      } else if (GetParam() == Dtype::Fp32) {
        expect_element(x, cmodel::fp::canonical(x));
        expect_fp32(x, cmodel::fp::canonical(x));
      } else {  // tf32: a sum with 2^13 last places rounds to what is left of them
        const Fp32 expected = cmodel::fp::fp32_to_tf32(x);
        expect_element(x, expected);
        expect_fp32(x, expected);
        if ((expected & 0x7FFFFFFFu) < cmodel::fp::kInfinity)
          ASSERT_LE(std::fabs(static_cast<double>(to_float(x)) - to_float(expected)) * 2,
                    std::ldexp(1, std::max<int>(x >> 23 & 0xFF, 1) - 127 - 10))
              << show(x, 0, 0);
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Of, Wide,
                         testing::Values(Dtype::Fp32, Dtype::Tf32, Dtype::Int32, Dtype::Uint32),
                         [](const auto& dtype) { return std::string(to_string(dtype.param)); });

/// Marsaglia's own state, and the first number that everybody gets of it.
TEST(LaneRandom, IsXorwow) {
  cmodel::Xorwow state{123456789, 362436069, 521288629, 88675123, 5783321, 6615241};
  EXPECT_EQ(state.next(), 246875399u);
  cmodel::LaneRandom again(4), other(4);
  const std::vector first(again.draw().begin(), again.draw().end());
  again.seed(0), other.seed(1);
  again.draw();
  EXPECT_TRUE(std::ranges::equal(first, again.draw()));
  other.draw();
  EXPECT_FALSE(std::ranges::equal(first, other.draw()));
}

class Rounding : public Formats {};
INSTANTIATE_TEST_SUITE_P(To, Rounding, testing::ValuesIn(defs::kEveryDtype),
                         [](const auto& dtype) { return std::string(to_string(dtype.param)); });

TEST_P(Rounding, RtlDoesLikeTheModelAndGoesToANeighbour) {
  const Dtype dtype = GetParam();
  std::mt19937 rng(7);
  std::vector<Fp32> words = corners();
  for (int i = 0; i < 200'000; ++i) {
    const auto word = static_cast<Fp32>(rng());
    words.push_back(i % 2 ? word : (word & 0x80FFFFFFu) | (90 + word / 7 % 80) << 23);
  }
  const auto written = [&](Fp32 x) { return cmodel::fp::fp32_to_element(dtype, x); };
  for (const Fp32 x : words) {
    if (HasFatalFailure()) return;
    dut_.a_i = x;
    dut_.random_i = static_cast<Fp32>(rng());
    dut_.eval();
    const Fp32 limited = cmodel::fp::saturated(dtype, x);
    const Fp32 rounded = cmodel::fp::at_random(dtype, x, dut_.random_i);
    ASSERT_EQ(dut_.saturated_o, limited) << show(x, 0, 0);
    ASSERT_EQ(dut_.at_random_o, rounded) << show(x, dut_.random_i, 0);
    // Saturated: never infinite, and else as it is.
    const Fp32 back = cmodel::fp::element_to_fp32(dtype, written(limited));
    if (!cmodel::fp::is_nan(x)) {
      ASSERT_LT(back & 0x7FFFFFFFu, cmodel::fp::kInfinity) << show(x, 0, 0);
      const Fp32 plain = cmodel::fp::element_to_fp32(dtype, written(x));
      if ((plain & 0x7FFFFFFFu) != cmodel::fp::kInfinity) ASSERT_EQ(back, plain) << show(x, 0, 0);
    }
    // At random: down or up, to the nearer one of them as the cast goes, and a second time to none.
    const Fp32 down = cmodel::fp::at_random(dtype, x, 0), up = cmodel::fp::at_random(dtype, x, ~0u);
    ASSERT_TRUE(rounded == down || rounded == up) << show(x, 0, 0);
    ASSERT_EQ(cmodel::fp::at_random(dtype, rounded, ~0u), rounded) << show(x, 0, 0);
    ASSERT_TRUE(written(x) == written(down) || written(x) == written(up)) << show(x, 0, 0);
    if (cmodel::fp::is_nan(x)) continue;
    ASSERT_LE(std::fabs(to_float(down)), std::fabs(to_float(x))) << show(x, 0, 0);
    if (up << 1 || !(x << 1))  // else less than a step of 2^-31 above nothing
      ASSERT_GE(std::fabs(to_float(up)), std::fabs(to_float(x))) << show(x, 0, 0);
  }
}

TEST_P(Rounding, AtRandomIsUnbiasedInTenMillionDraws) {
  constexpr unsigned kValues = 200, kDraws = 50'000;
  const Dtype dtype = GetParam();
  std::mt19937 rng(8);
  cmodel::Xorwow random{1, 2, 3, 4, 5, 6};
  double excess = 0, variance = 0;
  for (unsigned i = 0; i < kValues; ++i) {
    // From far below the last place of the narrow formats to large integers.
    const Fp32 x = (static_cast<Fp32>(rng()) & 0x807FFFFFu) | (100 + i % 48) << 23;
    const double down = to_float(cmodel::fp::at_random(dtype, x, 0));
    const double up = to_float(cmodel::fp::at_random(dtype, x, ~0u));
    const double p = up == down ? 0 : (to_float(x) - down) / (up - down);
    unsigned ups = 0;
    for (unsigned draw = 0; draw < kDraws; ++draw)
      ups += to_float(cmodel::fp::at_random(dtype, x, random.next())) != down;
    excess += ups - p * kDraws;
    variance += p * (1 - p) * kDraws;
    ASSERT_LE(std::fabs(ups - p * kDraws), 6 * std::sqrt(p * (1 - p) * kDraws) + 1)
        << show(x, 0, 0);
  }
  EXPECT_LE(std::fabs(excess), 4 * std::sqrt(variance));
  EXPECT_EQ(variance == 0, dtype == Dtype::Fp32);
}

}  // namespace
}  // namespace tb
