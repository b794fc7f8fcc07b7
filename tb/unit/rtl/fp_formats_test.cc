// SPDX-License-Identifier: Apache-2.0
// The tensor engine's formats, one by one and in pairs: RTL, model and MPFR.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "tb/unit/rtl/fp_judge.h"

namespace tb {
namespace {

TEST(Formats, EveryPatternHasTheValueThatItsDefinitionSays) {
  for (const Format& f : kFormats)
    for (std::uint32_t bits = 0; bits >> (1 + f.exponent_bits + f.fraction_bits) == 0; ++bits) {
      const double expected = value_of(f, bits);
      const float got = cmodel::fp::to_float(cmodel::fp::operand_to_fp32(f.dtype, bits, false));
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(got)) << f.name << " " << bits;
      } else {
        ASSERT_EQ(static_cast<double>(got), expected) << f.name << " " << bits;
        ASSERT_EQ(std::signbit(got), std::signbit(expected)) << f.name << " " << bits;
      }
    }
  // Limits by name.
  EXPECT_EQ(value_of(kFormats[3], 0x77), 240);
  EXPECT_EQ(value_of(kFormats[4], 0x6F), 15.5);
  EXPECT_EQ(value_of(kFormats[2], 0x7B), 57344);
  EXPECT_EQ(value_of(kFormats[1], 0x7BFF), 65504);
}

/// Accumulators for a product: each rounding case relative to its last places, and the specials.
void accumulators(Fp32 product, std::vector<Fp32>& out) {
  out.clear();
  const Fp32 exponent = product >> 23 & 0xFF;
  for (Fp32 base : {0u, 0x80000000u, 1u, 0x007FFFFFu, 0x7F7FFFFFu, 0xFF800000u, 0x7FC00000u})
    out.push_back(base);
  out.push_back(product);                // doubling
  out.push_back(product ^ 0x80000000u);  // cancellation to zero
  out.push_back((product ^ 0x80000000u) + 1);
  // Product 22 .. 26 places below the accumulator: ties, sticky, carries.
  for (Fp32 up : {12u, 21u, 22u, 23u, 24u, 25u, 26u})
    if (exponent + up < 255) {
      out.push_back((exponent + up) << 23 | 0x000001u);
      out.push_back((exponent + up) << 23 | 0x7FFFFFu);
      out.push_back(0x80000000u | (exponent + up) << 23);
    }
  for (Fp32 down : {3u, 24u, 25u})  // accumulator far below the product
    if (exponent > down) out.push_back((exponent - down) << 23 | 0x400001u);
}

TEST(Formats, EveryPairOfFp8WithAccumulatorsForEachRoundingCase) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  Judge judge;
  std::vector<Fp32> sums;
  std::uint64_t count = 0;
  for (const Format& a : kFormats)
    for (const Format& b : kFormats) {
      if (a.exponent_bits + a.fraction_bits != 7 || b.exponent_bits + b.fraction_bits != 7)
        continue;
      formats(dut, a.dtype, b.dtype);
      for (Fp32 x = 0; x < 256; ++x)
        for (Fp32 y = 0; y < 256; ++y) {
          const Fp32 wide_x = cmodel::fp::operand_to_fp32(a.dtype, x, false);
          const Fp32 wide_y = cmodel::fp::operand_to_fp32(b.dtype, y, false);
          accumulators(cmodel::fp::fma(wide_x, wide_y, 0), sums);
          dut.a_i = x, dut.b_i = y;
          for (const Fp32 c : sums) {
            dut.c_i = c;
            dut.eval();
            const Fp32 expected = judge.fma_fp32(wide_x, wide_y, c);
            ASSERT_EQ(cmodel::fp::fma(wide_x, wide_y, c), expected)
                << a.name << b.name << show(x, y, c);
            ASSERT_EQ(dut.fma_o, expected) << a.name << " " << b.name << " " << show(x, y, c);
            ++count;
          }
        }
    }
  EXPECT_GT(count, 10'000'000u);
}

bool nightly() { return std::getenv("DODECA_NIGHTLY") != nullptr; }

struct Pair {
  Dtype a, b;
  bool a_low, b_low;
};
constexpr Pair kPairs[] = {
    {Dtype::Bf16, Dtype::Bf16, false, false},       {Dtype::Fp16, Dtype::Fp16, false, false},
    {Dtype::Fp8E5M2, Dtype::Fp8E5M2, false, false}, {Dtype::Fp8E4M3, Dtype::Fp8E4M3, false, false},
    {Dtype::Fp8E3M4, Dtype::Fp8E3M4, false, false}, {Dtype::Fp16, Dtype::Bf16, false, false},
    {Dtype::Bf16, Dtype::Fp8E4M3, false, false},    {Dtype::Fp8E3M4, Dtype::Fp16, false, false},
    {Dtype::Tf32, Dtype::Tf32, false, false},       {Dtype::Fp32, Dtype::Fp32, true, true},
    {Dtype::Fp32, Dtype::Fp32, true, false},        {Dtype::Fp32, Dtype::Fp32, false, true},
    {Dtype::Fp32, Dtype::Fp32, false, false},       {Dtype::Int8, Dtype::Int8, false, false}};

/// One of eight elements is a corner of its format. The source's sixteen bits fill the upper bits
/// of wide formats, the rest is random.
Fp32 element(Dtype dtype, Fp32 sixteen, std::mt19937& rng) {
  const bool wide = dtype == Dtype::Tf32 || dtype == Dtype::Fp32;
  const Fp32 kind = rng() % 8;
  if (kind == 0) {
    for (const Format& f : kFormats)
      if (f.dtype == dtype) return corner_element(f.exponent_bits, f.fraction_bits, rng);
    if (wide) return corner_element(8, 23, rng);
    return static_cast<Fp32>(rng() % 5 - 2) ^ (rng() & 0x80);  // int8: about 0 and -128
  }
  if (!wide) return sixteen;
  const Fp32 bits = sixteen << 16 | (rng() & 0xFFFF);
  return kind == 1 ? bits & 0xFFFFF000u : bits;  // no low half; ties of tf32 too
}

/// 10^6 per pair of formats and, of fp32, of halves; DODECA_NIGHTLY=1: 10^8.
TEST(Formats, RandomTriplesOfEveryFormatEqualTheModel) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  Source source(3);
  std::mt19937& rng = source.rng();
  const std::uint64_t triples = nightly() ? 100'000'000 : 1'000'000;
  for (const Pair& pair : kPairs) {
    formats(dut, pair.a, pair.b, pair.a_low, pair.b_low);
    for (std::uint64_t i = 0; i < triples; ++i) {
      const Triple t = source.next();
      const Fp32 a = element(pair.a, t.a, rng), b = element(pair.b, t.b, rng);
      const Fp32 wide_a = cmodel::fp::operand_to_fp32(pair.a, a, pair.a_low);
      const Fp32 wide_b = cmodel::fp::operand_to_fp32(pair.b, b, pair.b_low);
      const bool empty = (pair.a_low && (wide_a << 1) == 0) || (pair.b_low && (wide_b << 1) == 0);
      Fp32 c = t.c;
      if (i % 2) {  // near the product, whatever the format's range
        const Fp32 product = cmodel::fp::fma(wide_a, wide_b, 0);
        c = (product ^ (rng() & 0x80000000u)) + (rng() % 9) - 4 +
            ((rng() % 61 - 30) << 23) * (i % 4 == 1);
      }
      dut.a_i = a, dut.b_i = b, dut.c_i = c;
      dut.eval();
      const Fp32 expected =
          pair.a == Dtype::Int8
              ? c + static_cast<Fp32>(static_cast<std::int8_t>(a) * static_cast<std::int8_t>(b))
          : empty ? c
                  : cmodel::fp::fma(wide_a, wide_b, c);
      ASSERT_EQ(dut.fma_o, expected)
          << defs::to_string(pair.a) << pair.a_low << " " << defs::to_string(pair.b) << pair.b_low
          << " " << show(a, b, c);
    }
  }
}

/// The halves of fp32 add up to it; both have 12 bits.
TEST(Formats, HalvesOfFp32AddUp) {
  Source source(4);
  for (int i = 0; i < 2'000'000; ++i) {
    const Fp32 x =
        i < static_cast<int>(corners().size()) ? corners()[i] : static_cast<Fp32>(source.rng()());
    const float high = cmodel::fp::to_float(cmodel::fp::high_half(x));
    const float low = cmodel::fp::to_float(cmodel::fp::low_half(x));
    if (cmodel::fp::is_nan(x)) {
      ASSERT_TRUE(std::isnan(high) && low == 0);
      continue;
    }
    ASSERT_EQ(high + low, cmodel::fp::to_float(x)) << show(x, 0, 0);
    if (std::isinf(high)) continue;
    int e;
    const float h = std::ldexp(std::frexp(high, &e), 12), l = std::ldexp(std::frexp(low, &e), 12);
    ASSERT_EQ(h, std::trunc(h)) << show(x, 0, 0);
    ASSERT_EQ(l, std::trunc(l)) << show(x, 0, 0);
    ASSERT_TRUE(high != 0 || cmodel::fp::to_float(x) == 0) << show(x, 0, 0);
  }
}

TEST(Formats, Tf32RoundsToNearestEvenOnLoad) {
  const std::pair<Fp32, Fp32> table[] = {
      {0x3F800FFF, 0x3F800000}, {0x3F801000, 0x3F800000}, {0x3F801001, 0x3F802000},
      {0x3F803000, 0x3F804000}, {0x7F7FEFFF, 0x7F7FE000}, {0x7F7FF000, 0x7F800000},
      {0xFF7FFFFF, 0xFF800000}, {0x00001000, 0x00000000}, {0x00001001, 0x00002000},
      {0x007FF000, 0x00800000}, {0x80000FFF, 0x80000000}, {0x7F800001, 0x7FC00000},
      {0xFFFFFFFF, 0x7FC00000}, {0x7F800000, 0x7F800000}};
  VerilatedContext context;
  Vfp_echo dut(&context);
  formats(dut, Dtype::Tf32, Dtype::Tf32);
  Judge judge;
  for (const auto& [x, rounded] : table) {
    EXPECT_EQ(cmodel::fp::fp32_to_tf32(x), rounded) << show(x, 0, 0);
    dut.a_i = x, dut.b_i = 0x3F800000, dut.c_i = 0;
    dut.eval();
    EXPECT_EQ(dut.fma_o, judge.fma_fp32(rounded, 0x3F800000, 0)) << show(x, 0, 0);
  }
}

TEST(Formats, EveryPairOfInt8AddsUpModulo2To32) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  formats(dut, Dtype::Int8, Dtype::Int8);
  for (int a = -128; a < 128; ++a)
    for (int b = -128; b < 128; ++b)
      for (const std::uint32_t c :
           {0u, 1u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu, 0x7FC00000u, 0x12345678u}) {
        dut.a_i = static_cast<std::uint8_t>(a), dut.b_i = static_cast<std::uint8_t>(b), dut.c_i = c;
        dut.eval();
        ASSERT_EQ(dut.fma_o, c + static_cast<std::uint32_t>(a * b)) << a << " " << b << " " << c;
      }
}

/// Golden products of sixteen-bit pairs against MPFR: every 65,536 against 64 partners, or
/// (DODECA_NIGHTLY=1) all 2^32.
void sixteen_bit_pairs(Dtype dtype) {
  Judge judge;
  std::vector<Fp32> wide(65536);
  for (Fp32 x = 0; x < 65536; ++x) wide[x] = cmodel::fp::operand_to_fp32(dtype, x, false);
  const Fp32 partners = nightly() ? 65536 : 64;
  std::uint64_t count = 0;
  for (Fp32 a = 0; a < 65536; ++a)
    for (Fp32 k = 0; k < partners; ++k, ++count) {
      const Fp32 b = nightly() ? k : (a * 40503u + k * 1031u) & 0xFFFF;
      ASSERT_EQ(cmodel::fp::fma(wide[a], wide[b], 0), judge.fma_fp32(wide[a], wide[b], 0))
          << show(a, b, 0);
    }
  EXPECT_EQ(count, std::uint64_t{65536} * partners);
}

TEST(Formats, PairsOfBf16EqualMpfr) { sixteen_bit_pairs(Dtype::Bf16); }
TEST(Formats, PairsOfFp16EqualMpfr) { sixteen_bit_pairs(Dtype::Fp16); }

/// A finite element below 10^15; zero for other patterns.
Fp32 moderate(Dtype dtype, std::mt19937& rng) {
  const unsigned bytes = dtype == Dtype::Tf32 || dtype == Dtype::Fp32   ? 4
                         : dtype == Dtype::Bf16 || dtype == Dtype::Fp16 ? 2
                                                                        : 1;
  const Fp32 bits = rng() >> (32 - 8 * bytes);
  const Fp32 wide = dtype == Dtype::Fp32 ? bits : cmodel::fp::operand_to_fp32(dtype, bits, false);
  return std::abs(cmodel::fp::to_float(wide)) < 1e15f ? bits : 0;
}

/// 4,096 terms in order: |sum - exact| <= 4096 u / (1 - 4096 u) * sum |w x|, u = 2^-24; fp32, in
/// four passes, with 4,099 for 4,096 (rtl/tensor/tensor_engine.md).
TEST(Formats, LongSumsStayWithinTheBound) {
  std::mt19937 rng(5);
  constexpr unsigned kTerms = 4096;
  for (const Dtype dtype : {Dtype::Bf16, Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                            Dtype::Fp8E3M4, Dtype::Tf32, Dtype::Fp32})
    for (int round = 0; round < 200; ++round) {
      const bool halves = dtype == Dtype::Fp32;
      mpfr_t exact, term;
      mpfr_set_emin(mpfr_get_emin_min());
      mpfr_set_emax(mpfr_get_emax_max());
      mpfr_init2(exact, 2000);
      mpfr_init2(term, 64);
      mpfr_set_zero(exact, 1);
      double size = 0;
      std::array<Fp32, 4> pass{};  // low x low, low x high, high x low, high x high; else the last
      for (unsigned k = 0; k < kTerms; ++k) {
        const Fp32 w = moderate(dtype, rng), x = moderate(dtype, rng);
        const auto part = [&](Fp32 bits, bool low) {
          return cmodel::fp::operand_to_fp32(dtype, bits, low);
        };
        const double product =
            halves ? double{cmodel::fp::to_float(w)} * double{cmodel::fp::to_float(x)}
                   : double{cmodel::fp::to_float(part(w, false))} *
                         double{cmodel::fp::to_float(part(x, false))};
        for (unsigned i = halves ? 0 : 3; i < 4; ++i) {
          const Fp32 a = part(w, i < 2), b = part(x, i % 2 == 0);
          if (halves && ((i < 2 && a << 1 == 0) || (i % 2 == 0 && b << 1 == 0))) continue;
          pass[i] = cmodel::fp::fma(a, b, pass[i]);
        }
        size += std::abs(product);
        mpfr_set_d(term, product, MPFR_RNDN);  // exact: 24 x 24 bits
        mpfr_add(exact, exact, term, MPFR_RNDN);
      }
      Fp32 sum = pass[0];
      for (unsigned i = 1; i < 4; ++i) sum = cmodel::fp::add(sum, pass[i]);
      mpfr_set_d(term, double{cmodel::fp::to_float(sum)}, MPFR_RNDN);
      mpfr_sub(exact, exact, term, MPFR_RNDN);
      const double u = (kTerms + (halves ? 3 : 0)) * 0x1p-24;
      EXPECT_LE(std::abs(mpfr_get_d(exact, MPFR_RNDU)), u / (1 - u) * size + 4 * kTerms * 0x1p-150)
          << defs::to_string(dtype);
      mpfr_clear(exact);
      mpfr_clear(term);
    }
}

}  // namespace
}  // namespace tb
