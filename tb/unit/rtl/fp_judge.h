// SPDX-License-Identifier: Apache-2.0
// What tests of number formats share: MPFR as the judge, and operands that meet the hard cases.
#pragma once
#include <fmt/format.h>
#include <mpfr.h>

#include <cmath>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "Vfp_echo.h"
#include "cmodel/machine/fp.h"

namespace tb {

using cmodel::fp::Bf16;
using cmodel::fp::Fp32;
using defs::Dtype;

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
  Fp32 mul(Fp32 a, Fp32 b) {
    load(a_, a);
    load(b_, b);
    return store(mpfr_mul(r_, a_, b_, MPFR_RNDN));
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

inline void formats(Vfp_echo& dut, Dtype a, Dtype b, bool a_low = false, bool b_low = false) {
  dut.a_dtype_i = static_cast<unsigned>(a), dut.b_dtype_i = static_cast<unsigned>(b);
  dut.a_low_i = a_low, dut.b_low_i = b_low;
  dut.empty_i = 0;
}

struct Triple {
  Bf16 a, b;
  Fp32 c;
};

/// Corners of every format, and their neighbours.
inline const std::vector<Fp32>& corners() {
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

/// An element at an edge of its format: zero, least and largest subnormal, least normal, about one,
/// largest, infinity, NaN; int8: -128, -1, 0, 1, 127 and about.
inline Fp32 corner_element(unsigned exponent_bits, unsigned fraction_bits, std::mt19937& rng) {
  const Fp32 unit = Fp32{1} << fraction_bits, top = (Fp32{1} << exponent_bits) - 1;
  const Fp32 one = (top >> 1) * unit;
  const Fp32 edges[] = {
      0,   1,       unit - 1,       unit,       unit + 1,       one - 1,
      one, one + 1, top * unit - 1, top * unit, top * unit + 1, top * unit + unit - 1};
  return edges[rng() % std::size(edges)] | (rng() & 1) << (exponent_bits + fraction_bits);
}

inline std::string show(Fp32 a, Fp32 b, Fp32 c) {
  return fmt::format("a {:08x} b {:08x} c {:08x}", a, b, c);
}

struct Format {
  Dtype dtype;
  const char* name;
  unsigned exponent_bits, fraction_bits;
  int bias;
};
inline constexpr Format kFormats[] = {{Dtype::Bf16, "bf16", 8, 7, 127},
                                      {Dtype::Fp16, "fp16", 5, 10, 15},
                                      {Dtype::Fp8E5M2, "e5m2", 5, 2, 15},
                                      {Dtype::Fp8E4M3, "e4m3", 4, 3, 7},
                                      {Dtype::Fp8E3M4, "e3m4", 3, 4, 3}};

/// A float format written out as the definition says, with no help from fp.h.
inline double value_of(const Format& f, std::uint32_t bits) {
  const unsigned e = bits >> f.fraction_bits & ((1u << f.exponent_bits) - 1);
  const double fraction =
      std::ldexp(bits & ((1u << f.fraction_bits) - 1), -static_cast<int>(f.fraction_bits));
  const double sign = bits >> (f.exponent_bits + f.fraction_bits) & 1 ? -1 : 1;
  if (e == (1u << f.exponent_bits) - 1) return fraction != 0 ? std::nan("") : sign * HUGE_VAL;
  return sign * (e ? std::ldexp(1 + fraction, static_cast<int>(e) - f.bias)
                   : std::ldexp(fraction, 1 - f.bias));
}

}  // namespace tb
