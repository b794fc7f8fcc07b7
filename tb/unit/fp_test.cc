// SPDX-License-Identifier: Apache-2.0
// Three witnesses for every rounding: the RTL functions, the model's host arithmetic, and MPFR.
#include "cmodel/fp.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <mpfr.h>

#include <array>
#include <cstdlib>
#include <random>
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
  dut.empty_i = 0;
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
  dut.empty_i = 0;
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
  dut.empty_i = 0;
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

}  // namespace
