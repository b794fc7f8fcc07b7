// SPDX-License-Identifier: Apache-2.0
// Three witnesses for every rounding: the RTL functions, the model's host arithmetic, and MPFR.
#include <gtest/gtest.h>

#include "tb/unit/rtl/fp_judge.h"

namespace tb {
namespace {

void bf16_pins(Vfp_echo& dut) { formats(dut, Dtype::Bf16, Dtype::Bf16); }

/// A word that is often subnormal or small.
Fp32 small_word(Fp32 bits) { return bits & (bits >> 30 & 1 ? 0x807FFFFFu : 0x9FFFFFFFu); }

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

/// a * b + c of any words; the host's fused operation is the model.
TEST(Fp, WideFmaIsTheHosts) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  const auto check = [&](Fp32 a, Fp32 b, Fp32 c) {
    dut.a_i = a, dut.b_i = b, dut.c_i = c;
    dut.eval();
    ASSERT_EQ(dut.wide_o, cmodel::fp::fma(a, b, c)) << "fma " << show(a, b, c);
  };
  for (Fp32 a : corners())
    for (Fp32 b : corners())
      for (Fp32 c : corners()) check(a, b, c);
  std::mt19937_64 rng(8);
  for (int i = 0; i < 3'000'000; ++i) {
    const auto a = static_cast<Fp32>(rng()), b = static_cast<Fp32>(rng());
    const Fp32 product = cmodel::fp::fma(a, b, 0);
    // c anywhere, near the product's negative, or some places away from it.
    const auto bits = static_cast<Fp32>(rng());
    const Fp32 near = (product ^ 0x80000000u) + bits % 5 - 2;
    const Fp32 away = product + (bits % 64 << 23) - (32u << 23) + (bits >> 9);
    check(a, b, i % 3 == 0 ? bits : i % 3 == 1 ? near : away);
    // Subnormal factors and sums.
    check(a & 0x80FFFFFFu, (b & 0x80FFFFFFu) | (0x3F000000u & bits), small_word(bits));
  }
}

/// Every power of two and what lies around it, ties included, and random words.
TEST(Fp, Int32BecomesTheNearestFp32) {
  VerilatedContext context;
  Vfp_echo dut(&context);
  bf16_pins(dut);
  mpfr_t exact, rounded;
  mpfr_init2(exact, 64);
  mpfr_init2(rounded, 24);
  std::mt19937 rng(6);
  std::vector<Fp32> words{0, 0x80000000u, 0x7FFFFFFFu};
  for (unsigned bit = 0; bit < 32; ++bit)
    for (int low = -300; low <= 300; ++low) {
      words.push_back((1u << bit) + static_cast<Fp32>(low));
      words.push_back((3u << bit) + static_cast<Fp32>(low));
    }
  for (int i = 0; i < 1'000'000; ++i) words.push_back(static_cast<Fp32>(rng()) >> rng() % 32);
  for (const Fp32 x : words)
    for (const Fp32 word : {x, 0 - x}) {
      mpfr_set_emin(mpfr_get_emin_min());
      mpfr_set_emax(mpfr_get_emax_max());
      mpfr_set_si(exact, static_cast<std::int32_t>(word), MPFR_RNDN);
      mpfr_set(rounded, exact, MPFR_RNDN);
      const Fp32 expected = word ? cmodel::fp::from_float(mpfr_get_flt(rounded, MPFR_RNDN)) : 0;
      dut.a_i = word;
      dut.eval();
      ASSERT_EQ(dut.int32_o, expected) << show(word, 0, 0);
      ASSERT_EQ(cmodel::fp::int32_to_fp32(word), expected) << show(word, 0, 0);
    }
  mpfr_clear(exact);
  mpfr_clear(rounded);
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

}  // namespace
}  // namespace tb
