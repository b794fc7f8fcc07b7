// SPDX-License-Identifier: Apache-2.0
// Three witnesses for every rounding: the RTL functions, the model's host arithmetic, and MPFR.
#include "cmodel/fp.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <mpfr.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "Vfp_echo.h"

namespace {

using cmodel::fp::Bf16;
using cmodel::fp::Fp32;

/// fp32 by MPFR: one rounding to 24 bits in fp32's exponent range, then to subnormal precision.
class Judge {
 public:
  Judge() {
    mpfr_set_emin(-148);
    mpfr_set_emax(128);
    for (auto* x : {&a_, &b_, &c_, &r_}) mpfr_init2(*x, 24);
  }
  ~Judge() {
    for (auto* x : {&a_, &b_, &c_, &r_}) mpfr_clear(*x);
  }
  Fp32 fma(Bf16 a, Bf16 b, Fp32 c) {
    load(a_, static_cast<Fp32>(a) << 16);
    load(b_, static_cast<Fp32>(b) << 16);
    load(c_, c);
    return store(mpfr_fma(r_, a_, b_, c_, MPFR_RNDN));
  }
  /// The same of any three floats.
  Fp32 fma_fp32(Fp32 a, Fp32 b, Fp32 c) {
    load(a_, a);
    load(b_, b);
    load(c_, c);
    return store(mpfr_fma(r_, a_, b_, c_, MPFR_RNDN));
  }
  Fp32 add(Fp32 a, Fp32 b) {
    load(a_, a);
    load(b_, b);
    return store(mpfr_add(r_, a_, b_, MPFR_RNDN));
  }
  /// bf16 has fp32's exponents and 8 bits.
  Bf16 to_bf16(Fp32 a) {
    mpfr_t r;
    mpfr_init2(r, 8);
    load(a_, a);
    mpfr_set_emin(-132);
    int t = mpfr_set(r, a_, MPFR_RNDN);
    t = mpfr_check_range(r, t, MPFR_RNDN);
    mpfr_subnormalize(r, t, MPFR_RNDN);
    mpfr_set_emin(-148);
    const Fp32 bits = cmodel::fp::from_float(mpfr_get_flt(r, MPFR_RNDN));
    mpfr_clear(r);
    return static_cast<Bf16>(bits >> 16);
  }

 private:
  static void load(mpfr_t& x, Fp32 bits) { mpfr_set_flt(x, cmodel::fp::to_float(bits), MPFR_RNDN); }
  Fp32 store(int ternary) {
    ternary = mpfr_check_range(r_, ternary, MPFR_RNDN);
    mpfr_subnormalize(r_, ternary, MPFR_RNDN);
    return cmodel::fp::from_float(mpfr_get_flt(r_, MPFR_RNDN));
  }
  mpfr_t a_, b_, c_, r_;
};

using defs::Dtype;

void formats(Vfp_echo& dut, Dtype a, Dtype b, bool a_low = false, bool b_low = false) {
  dut.a_dtype_i = static_cast<unsigned>(a), dut.b_dtype_i = static_cast<unsigned>(b);
  dut.a_low_i = a_low, dut.b_low_i = b_low;
  dut.empty_i = 0;
}
void bf16_pins(Vfp_echo& dut) { formats(dut, Dtype::Bf16, Dtype::Bf16); }

struct Triple {
  Bf16 a, b;
  Fp32 c;
};

/// Corners of every format, and their neighbours.
const std::vector<Fp32>& corners() {
  static const std::vector<Fp32> list = [] {
    std::vector<Fp32> v;
    for (Fp32 base :
         {0x00000000u, 0x00000001u, 0x00000002u, 0x00400000u, 0x007FFFFFu, 0x00800000u, 0x00800001u,
          0x00FFFFFFu, 0x01000000u, 0x0C000000u, 0x33800000u, 0x34000000u, 0x3F7FFFFFu, 0x3F800000u,
          0x3F800001u, 0x3FFFFFFFu, 0x40000000u, 0x4B7FFFFFu, 0x4B800000u, 0x7F000000u, 0x7F7F0000u,
          0x7F7FFFFFu, 0x7F800000u, 0x7F800001u, 0x7FC00000u, 0x7FFFFFFFu, 0x00010000u, 0x007F0000u,
          0x00808000u, 0x3F808000u, 0x3F818000u, 0x7F7F8000u, 0x00008000u, 0x00018000u}) {
      v.push_back(base);
      v.push_back(base | 0x80000000u);
    }
    return v;
  }();
  return list;
}

/// Random triples that meet the interesting cases often: everything, subnormal results, near
/// cancellation (c close to -a*b), ties (c far below or above the product), overflow.
class Source {
 public:
  explicit Source(unsigned seed) : rng_(seed) {}
  Triple next() {
    const Fp32 kind = rng_() % 8;
    Triple t{static_cast<Bf16>(rng_()), static_cast<Bf16>(rng_()), static_cast<Fp32>(rng_())};
    switch (kind) {
      case 0:
        break;
      case 1:  // all from the corner list
        t = {static_cast<Bf16>(pick() >> 16), static_cast<Bf16>(pick() >> 16), pick()};
        break;
      case 2:  // product near the subnormals, c there too
        t.a = with_exponent(t.a, rng_() % 128);
        t.b = with_exponent(t.b, (60 + rng_() % 80) - (t.a >> 7 & 0x7F) / 2);
        t.c &= 0x81FFFFFFu;
        break;
      case 3:  // cancellation
        t.a = with_exponent(t.a, 64 + rng_() % 128);
        t.b = with_exponent(t.b, 64 + rng_() % 128);
        t.c = (cmodel::fp::fma_bf16(t.a, t.b, 0) ^ 0x80000000u) + (rng_() % 9) - 4;
        break;
      case 4:  // exponents of product and c within 30
        t.a = with_exponent(t.a, 96 + rng_() % 64);
        t.b = with_exponent(t.b, 96 + rng_() % 64);
        t.c = (t.c & 0x807FFFFFu) |
              ((((t.a >> 7) & 0xFF) + ((t.b >> 7) & 0xFF) - 127 + rng_() % 61 - 30) & 0xFF) << 23;
        break;
      case 5:  // few bits set: ties
        t.a = with_exponent(t.a & 0xFFF0, 110 + rng_() % 34);
        t.b = with_exponent(t.b & 0xFFF8, 110 + rng_() % 34);
        t.c = (t.c & 0x80000003u) | ((110 + rng_() % 34) << 23) | ((rng_() & 1) ? 0x7FFFFCu : 0u);
        break;
      case 6:  // near overflow
        t.a = with_exponent(t.a, 180 + rng_() % 75);
        t.b = with_exponent(t.b, 380 - (t.a >> 7 & 0xFF));
        t.c = (t.c & 0x80FFFFFFu) | 0x7E000000u;
        break;
      default:  // subnormal operand
        t.a &= 0x807F;
        t.b = with_exponent(t.b, rng_() % 256);
        t.c = (t.c & 0x807FFFFFu) | ((rng_() % 160) << 23);
        break;
    }
    if (rng_() & 1) std::swap(t.a, t.b);
    return t;
  }
  std::mt19937& rng() { return rng_; }

 private:
  static Bf16 with_exponent(Bf16 x, Fp32 exponent) {
    return static_cast<Bf16>((x & 0x807F) | (exponent & 0xFF) << 7);
  }
  Fp32 pick() { return corners()[rng_() % corners().size()]; }
  std::mt19937 rng_;
};

std::string show(Fp32 a, Fp32 b, Fp32 c) {
  return fmt::format("a {:08x} b {:08x} c {:08x}", a, b, c);
}

TEST(Fp, RtlEqualsModelOnRandomAndCornerTriples) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  bf16_pins(dut);
  Source source(1);
  for (int i = 0; i < 3'000'000; ++i) {
    const Triple t = source.next();
    dut.a_i = t.a, dut.b_i = t.b, dut.c_i = t.c;
    dut.eval();
    ASSERT_EQ(dut.fma_o, cmodel::fp::fma_bf16(t.a, t.b, t.c)) << "fma " << show(t.a, t.b, t.c);
    ASSERT_EQ(dut.fp32_o, cmodel::fp::bf16_to_fp32(t.a)) << show(t.a, 0, 0);
  }
  for (int i = 0; i < 3'000'000; ++i) {
    const Triple t = source.next();
    const Fp32 c = (i & 1) ? static_cast<Fp32>(t.a) << 16 : source.next().c;
    const Fp32 x = t.c;
    const Fp32 y = (i & 2) ? c : (x ^ (source.rng()() & 0x80800003u));  // near cancellation
    dut.a_i = x, dut.b_i = y;
    dut.eval();
    ASSERT_EQ(dut.add_o, cmodel::fp::add(x, y)) << "add " << show(x, y, 0);
    ASSERT_EQ(dut.sub_o, cmodel::fp::sub(x, y)) << "sub " << show(x, y, 0);
    ASSERT_EQ(dut.max_o, cmodel::fp::max(x, y)) << "max " << show(x, y, 0);
    ASSERT_EQ(dut.relu_o, cmodel::fp::relu(x)) << "relu " << show(x, 0, 0);
    ASSERT_EQ(dut.bf16_o, cmodel::fp::fp32_to_bf16(x)) << "bf16 " << show(x, 0, 0);
  }
}

TEST(Fp, EmptyWeightPassesEverySumUntouched) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  bf16_pins(dut);
  dut.empty_i = 1;
  for (Fp32 moving : corners()) {
    for (Fp32 sum : corners()) {
      dut.b_i = moving >> 16, dut.c_i = sum;
      dut.eval();
      ASSERT_EQ(dut.fma_o, sum) << show(0, moving, sum);
    }
  }
}

TEST(Fp, ModelAndRtlEqualMpfrOnCorners) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  bf16_pins(dut);
  Judge judge;
  for (Fp32 a : corners()) {
    for (Fp32 b : corners()) {
      ASSERT_EQ(cmodel::fp::add(a, b), judge.add(a, b)) << show(a, b, 0);
      for (Fp32 c : corners()) {
        const Bf16 x = static_cast<Bf16>(a >> 16), y = static_cast<Bf16>(b >> 16);
        const Fp32 expected = judge.fma(x, y, c);
        ASSERT_EQ(cmodel::fp::fma_bf16(x, y, c), expected) << show(x, y, c);
        dut.a_i = x, dut.b_i = y, dut.c_i = c;
        dut.eval();
        ASSERT_EQ(dut.fma_o, expected) << show(x, y, c);
      }
    }
  }
}

TEST(Fp, ModelEqualsMpfrOnRandomTriples) {
  Judge judge;
  Source source(2);
  for (int i = 0; i < 1'000'000; ++i) {
    const Triple t = source.next();
    ASSERT_EQ(cmodel::fp::fma_bf16(t.a, t.b, t.c), judge.fma(t.a, t.b, t.c)) << show(t.a, t.b, t.c);
    const Fp32 other = t.c ^ (source.rng()() & 0x80FFFFFFu);
    ASSERT_EQ(cmodel::fp::add(t.c, other), judge.add(t.c, other)) << show(t.c, other, 0);
    ASSERT_EQ(cmodel::fp::fp32_to_bf16(t.c), judge.to_bf16(t.c)) << show(t.c, 0, 0);
  }
}

/// Every bf16 meets a slice of partners: 65,536 x 97, products rounded to fp32 with c = +-0.
TEST(Fp, EveryBf16AgainstASliceOfPartnersEqualsMpfr) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  bf16_pins(dut);
  Judge judge;
  for (Fp32 a = 0; a < 65536; ++a) {
    for (Fp32 k = 0; k < 97; ++k) {
      const Bf16 x = static_cast<Bf16>(a), y = static_cast<Bf16>(a * 40503u + k * 683u);
      const Fp32 c = k % 3 == 0 ? 0x80000000u : 0u;
      const Fp32 model = cmodel::fp::fma_bf16(x, y, c);
      dut.a_i = x, dut.b_i = y, dut.c_i = c;
      dut.eval();
      ASSERT_EQ(dut.fma_o, model) << show(x, y, c);
      if (k % 16 == 0) {
        ASSERT_EQ(model, judge.fma(x, y, c)) << show(x, y, c);
      }
    }
  }
}

// ------------------------------------------------------------------------------- other formats
struct Format {
  Dtype dtype;
  const char* name;
  unsigned exponent_bits, fraction_bits;
  int bias;
};
constexpr Format kFormats[] = {{Dtype::Bf16, "bf16", 8, 7, 127},
                               {Dtype::Fp16, "fp16", 5, 10, 15},
                               {Dtype::Fp8E5M2, "e5m2", 5, 2, 15},
                               {Dtype::Fp8E4M3, "e4m3", 4, 3, 7},
                               {Dtype::Fp8E3M4, "e3m4", 3, 4, 3}};

/// A float format written out as the definition says, with no help from fp.h.
double value_of(const Format& f, std::uint32_t bits) {
  const unsigned e = bits >> f.fraction_bits & ((1u << f.exponent_bits) - 1);
  const double fraction =
      std::ldexp(bits & ((1u << f.fraction_bits) - 1), -static_cast<int>(f.fraction_bits));
  const double sign = bits >> (f.exponent_bits + f.fraction_bits) & 1 ? -1 : 1;
  if (e == (1u << f.exponent_bits) - 1) return fraction != 0 ? std::nan("") : sign * HUGE_VAL;
  return sign * (e ? std::ldexp(1 + fraction, static_cast<int>(e) - f.bias)
                   : std::ldexp(fraction, 1 - f.bias));
}

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

/// DODECA_NIGHTLY=1: 10^8 per format instead of 10^6.
std::uint64_t triples() { return std::getenv("DODECA_NIGHTLY") ? 100'000'000 : 1'000'000; }

TEST(Formats, RandomTriplesOfEveryFormatEqualTheModel) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  Source source(3);
  std::mt19937& rng = source.rng();
  struct Pair {
    Dtype a, b;
    bool a_low, b_low;
  };
  const Pair pairs[] = {{Dtype::Bf16, Dtype::Bf16, false, false},
                        {Dtype::Fp16, Dtype::Fp16, false, false},
                        {Dtype::Fp8E5M2, Dtype::Fp8E5M2, false, false},
                        {Dtype::Fp8E4M3, Dtype::Fp8E4M3, false, false},
                        {Dtype::Fp8E3M4, Dtype::Fp8E3M4, false, false},
                        {Dtype::Fp16, Dtype::Bf16, false, false},
                        {Dtype::Bf16, Dtype::Fp8E4M3, false, false},
                        {Dtype::Fp8E3M4, Dtype::Fp16, false, false},
                        {Dtype::Tf32, Dtype::Tf32, false, false},
                        {Dtype::Fp32, Dtype::Fp32, true, true},
                        {Dtype::Fp32, Dtype::Fp32, true, false},
                        {Dtype::Fp32, Dtype::Fp32, false, true},
                        {Dtype::Fp32, Dtype::Fp32, false, false}};
  for (const Pair& pair : pairs) {
    formats(dut, pair.a, pair.b, pair.a_low, pair.b_low);
    for (std::uint64_t i = 0; i < triples(); ++i) {
      Triple t = source.next();
      // Sixteen-bit patterns of the source fill the upper bits of wide formats, the rest is random.
      Fp32 a = t.a, b = t.b;
      if (pair.a == Dtype::Tf32 || pair.a == Dtype::Fp32) {
        a = a << 16 | (rng() & 0xFFFF), b = b << 16 | (rng() & 0xFFFF);
        if (rng() % 8 == 0) a &= 0xFFFFF000u;  // no low half; ties of tf32 too
        if (rng() % 8 == 0) b &= 0xFFFFF000u;
      }
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
      const Fp32 expected = empty ? c : cmodel::fp::fma(wide_a, wide_b, c);
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

/// Sixteen-bit pairs, golden product against MPFR. DODECA_NIGHTLY=1: all 2^32 of both formats, cut
/// into DODECA_SHARDS parts of which this run takes DODECA_SHARD; else every 65,536 against 64
/// partners.
TEST(Formats, PairsOfSixteenBitsEqualMpfr) {
  const auto number = [](const char* name, unsigned otherwise) {
    const char* text = std::getenv(name);
    return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
  };
  const bool all = std::getenv("DODECA_NIGHTLY") != nullptr;
  const unsigned shards = number("DODECA_SHARDS", 1), shard = number("DODECA_SHARD", 0);
  Judge judge;
  for (Dtype dtype : {Dtype::Bf16, Dtype::Fp16}) {
    std::vector<Fp32> wide(65536);
    for (Fp32 x = 0; x < 65536; ++x) wide[x] = cmodel::fp::operand_to_fp32(dtype, x, false);
    for (Fp32 a = shard; a < 65536; a += shards)
      for (Fp32 k = 0; k < (all ? 65536u : 64u); ++k) {
        const Fp32 b = all ? k : (a * 40503u + k * 1031u) & 0xFFFF;
        ASSERT_EQ(cmodel::fp::fma(wide[a], wide[b], 0), judge.fma_fp32(wide[a], wide[b], 0))
            << show(a, b, 0);
      }
  }
}

/// 4,096 terms in order: |sum - exact| <= 4096 * 2^-24 / (1 - 4096 * 2^-24) * sum |w x|
/// (rtl/tensor_engine.md).
TEST(Formats, LongSumsStayWithinTheBound) {
  std::mt19937 rng(5);
  constexpr unsigned kTerms = 4096;
  for (const Format& f : kFormats)
    for (int round = 0; round < 200; ++round) {
      Fp32 sum = 0;
      mpfr_t exact, term;
      mpfr_init2(exact, 2000);
      mpfr_init2(term, 64);
      mpfr_set_zero(exact, 1);
      double size = 0;
      for (unsigned k = 0; k < kTerms; ++k) {
        Fp32 w, x;
        do
          w = cmodel::fp::operand_to_fp32(
              f.dtype, rng() & ((2u << (f.exponent_bits + f.fraction_bits)) - 1), false);
        while (std::abs(cmodel::fp::to_float(w)) > 1e15 || cmodel::fp::is_nan(w));
        do
          x = cmodel::fp::operand_to_fp32(
              f.dtype, rng() & ((2u << (f.exponent_bits + f.fraction_bits)) - 1), false);
        while (std::abs(cmodel::fp::to_float(x)) > 1e15 || cmodel::fp::is_nan(x));
        if (std::isinf(cmodel::fp::to_float(w)) || std::isinf(cmodel::fp::to_float(x))) continue;
        sum = cmodel::fp::fma(w, x, sum);
        const double product = double{cmodel::fp::to_float(w)} * double{cmodel::fp::to_float(x)};
        size += std::abs(product);
        mpfr_set_emin(mpfr_get_emin_min());
        mpfr_set_emax(mpfr_get_emax_max());
        mpfr_set_d(term, product, MPFR_RNDN);
        mpfr_add(exact, exact, term, MPFR_RNDN);
      }
      mpfr_set_d(term, double{cmodel::fp::to_float(sum)}, MPFR_RNDN);
      mpfr_sub(exact, exact, term, MPFR_RNDN);
      const double u = kTerms * 0x1p-24, error = std::abs(mpfr_get_d(exact, MPFR_RNDU));
      EXPECT_LE(error, u / (1 - u) * size + kTerms * 0x1p-150) << f.name;
      mpfr_clear(exact);
      mpfr_clear(term);
    }
}

}  // namespace
