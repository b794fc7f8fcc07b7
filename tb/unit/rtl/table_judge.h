// SPDX-License-Identifier: Apache-2.0
// What the functions from tables are, in MPFR and in SLEEF's doubles, and how far a result is from
// that.
#pragma once
#include <fmt/format.h>
#include <immintrin.h>
#include <mpfr.h>
#include <sleef.h>

#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "cmodel/machine/table_function.h"

namespace tb {

/// A number of 120 bits.
class Real {
 public:
  Real(double value = 0) { mpfr_init2(value_, kBits), mpfr_set_d(value_, value, MPFR_RNDN); }
  Real(const Real& other) : Real() { mpfr_set(value_, other.value_, MPFR_RNDN); }
  Real& operator=(const Real& other) { return mpfr_set(value_, other.value_, MPFR_RNDN), *this; }
  ~Real() { mpfr_clear(value_); }
  double to_double() const { return mpfr_get_d(value_, MPFR_RNDN); }

  template <class F>
  static Real of(F f, const Real& a) {
    Real out;
    f(out.value_, a.value_, MPFR_RNDN);
    return out;
  }
  template <class F>
  static Real of(F f, const Real& a, const Real& b) {
    Real out;
    f(out.value_, a.value_, b.value_, MPFR_RNDN);
    return out;
  }
  static Real pi() {
    Real out;
    mpfr_const_pi(out.value_, MPFR_RNDN);
    return out;
  }

 private:
  static constexpr mpfr_prec_t kBits = 120;
  mpfr_t value_;
};

inline Real operator+(const Real& a, const Real& b) { return Real::of(mpfr_add, a, b); }
inline Real operator-(const Real& a, const Real& b) { return Real::of(mpfr_sub, a, b); }
inline Real operator*(const Real& a, const Real& b) { return Real::of(mpfr_mul, a, b); }
inline Real operator/(const Real& a, const Real& b) { return Real::of(mpfr_div, a, b); }
inline Real max(const Real& a, const Real& b) { return Real::of(mpfr_max, a, b); }
inline Real exp(const Real& a) { return Real::of(mpfr_exp, a); }
inline Real log(const Real& a) { return Real::of(mpfr_log, a); }
inline Real log1p(const Real& a) { return Real::of(mpfr_log1p, a); }
inline Real sqrt(const Real& a) { return Real::of(mpfr_sqrt, a); }
inline Real sin(const Real& a) { return Real::of(mpfr_sin, a); }
inline Real atan(const Real& a) { return Real::of(mpfr_atan, a); }
inline Real tanh(const Real& a) { return Real::of(mpfr_tanh, a); }
inline Real erf(const Real& a) { return Real::of(mpfr_erf, a); }
inline Real erfc(const Real& a) { return Real::of(mpfr_erfc, a); }
inline Real pi_of(const Real&) { return Real::pi(); }

/// As many doubles as the host computes at once.
#ifdef __AVX512F__
using Vector = __m512d;
#define DODECA_SLEEF(function, ulp) Sleef_##function##d8_##ulp
inline Vector sqrt(Vector a) { return _mm512_sqrt_pd(a); }
inline Vector max(Vector a, Vector b) { return _mm512_max_pd(a, b); }
#else
using Vector = __m256d;
#define DODECA_SLEEF(function, ulp) Sleef_##function##d4_##ulp
inline Vector sqrt(Vector a) { return _mm256_sqrt_pd(a); }
inline Vector max(Vector a, Vector b) { return _mm256_max_pd(a, b); }
#endif
inline constexpr std::size_t kDoubles = sizeof(Vector) / sizeof(double);

struct Doubles {
  Vector v;
  Doubles(Vector value) : v(value) {}
  Doubles(double value) : v(Vector{} + value) {}
};

inline Doubles operator+(Doubles a, Doubles b) { return a.v + b.v; }
inline Doubles operator-(Doubles a, Doubles b) { return a.v - b.v; }
inline Doubles operator*(Doubles a, Doubles b) { return a.v * b.v; }
inline Doubles operator/(Doubles a, Doubles b) { return a.v / b.v; }
inline Doubles max(Doubles a, Doubles b) { return max(a.v, b.v); }
inline Doubles exp(Doubles a) { return DODECA_SLEEF(exp, u10)(a.v); }
inline Doubles log(Doubles a) { return DODECA_SLEEF(log, u10)(a.v); }
inline Doubles log1p(Doubles a) { return DODECA_SLEEF(log1p, u10)(a.v); }
inline Doubles sqrt(Doubles a) { return sqrt(a.v); }
inline Doubles sin(Doubles a) { return DODECA_SLEEF(sin, u10)(a.v); }
inline Doubles atan(Doubles a) { return DODECA_SLEEF(atan, u10)(a.v); }
inline Doubles tanh(Doubles a) { return DODECA_SLEEF(tanh, u10)(a.v); }
inline Doubles erf(Doubles a) { return DODECA_SLEEF(erf, u10)(a.v); }
inline Doubles erfc(Doubles a) { return DODECA_SLEEF(erfc, u15)(a.v); }
inline Doubles pi_of(Doubles) { return std::numbers::pi; }

/// What the function is, of finite x.
template <class T>
T exact(defs::ActFunc func, const T& x) {
  using enum defs::ActFunc;
  const T one(1.0), half(0.5), wide(1.702);
  // 1.702 and 0.044715 are decimal: these doubles are within 2^-53 of them.
  const auto sigmoid = [&](const T& a) { return one / (one + exp(T(0.0) - a)); };
  const auto softplus = [&](const T& a) {
    return max(a, T(0.0)) + log1p(exp(T(0.0) - max(a, T(0.0) - a)));
  };
  const auto with_slope = [&](const T& a, const T& s) { return s * (one + a * (one - s)); };
  switch (func) {
    case Exp:
      return exp(x);
    case Log:
      return log(x);
    case Sqrt:
      return sqrt(x);
    case Rsqrt:
      return one / sqrt(x);
    case Reciprocal:
      return one / x;
    case Sin:
      return sin(x);
    case Arctan:
      return atan(x);
    case Tanh:
      return tanh(x);
    case Sigmoid:
      return sigmoid(x);
    case Erf:
      return erf(x);
    case Gelu:
      return x * half * erfc(T(0.0) - x * sqrt(half));
    case GeluApprxTanh:
      return x * sigmoid(T(2.0) * sqrt(T(2.0) / pi_of(x)) * (x + T(0.044715) * x * x * x));
    case GeluApprxSigmoid:
      return x * sigmoid(wide * x);
    case Silu:
      return x * sigmoid(x);
    case Softplus:
      return softplus(x);
    case Mish:
      return x * tanh(softplus(x));
    case GeluDx:
      return half * erfc(T(0.0) - x * sqrt(half)) +
             x * exp(T(0.0) - half * x * x) / sqrt(T(2.0) * pi_of(x));
    case SiluDx:
      return with_slope(x, sigmoid(x));
    case ErfDx:
      return T(2.0) / sqrt(pi_of(x)) * exp(T(0.0) - x * x);
    case GeluApprxSigmoidDx:
      return with_slope(wide * x, sigmoid(wide * x));
    default:
      return x;
  }
}

/// Is x where the function promises its error?
inline bool inside(defs::ActFunc func, cmodel::fp::Fp32 x) {
  const auto size = x & 0x7FFFFFFFu;
  return size < 0x7F800000u && (func != defs::ActFunc::Sin || size <= 0x40490FDBu);
}

/// Distance of y from r: in ulps of fp32 at r, and as it is. NaN and infinity are right or
/// infinitely far.
struct Distance {
  double ulps, absolute;
};
inline Distance distance(cmodel::fp::Fp32 y_bits, double r) {
  const double y = cmodel::fp::to_float(y_bits);
  if (std::isnan(r) || std::isnan(y)) {
    const double far = std::isnan(r) && std::isnan(y) ? 0 : HUGE_VAL;
    return {far, far};
  }
  if (std::isinf(y)) {
    const double far = static_cast<double>(static_cast<float>(r)) == y ? 0 : HUGE_VAL;
    return {far, far};
  }
  int exponent = -125;
  if (r != 0) std::frexp(r, &exponent);
  const double absolute = std::fabs(y - r);
  return {std::ldexp(absolute, 24 - std::max(exponent, -125)), absolute};
}

/// Worst of a function by where x is: 2^-6, 1 and 8 part the magnitudes.
class TableErrors {
 public:
  struct Worst {
    double ulps = -1, absolute = -1;  // ulps: where they count; absolute: where they do not
    cmodel::fp::Fp32 ulps_at = 0, absolute_at = 0;
  };
  static constexpr double kVanishing = 0.75;  // ulps; what is farther off may be within the bound
  static constexpr unsigned kRegions = 8;
  static constexpr std::array<const char*, kRegions> kNames{
      "x >= 8",     "1 .. 8",      "2^-6 .. 1", "0 .. 2^-6",
      "-2^-6 .. 0", "-1 .. -2^-6", "-8 .. -1",  "x <= -8"};

  explicit TableErrors(const defs::TableFunction& f) : f_(&f) {}

  /// f(x) came out as y and is r.
  void add(cmodel::fp::Fp32 x, cmodel::fp::Fp32 y, double r) {
    if (!inside(f_->func, x)) return;
    const Distance d = distance(y, r);
    Worst& worst = regions_[region(x)];
    if (d.ulps > kVanishing && d.absolute <= f_->absolute) {
      if (d.absolute > worst.absolute) worst.absolute = d.absolute, worst.absolute_at = x;
    } else if (d.ulps > worst.ulps) {
      worst.ulps = d.ulps, worst.ulps_at = x;
    }
  }
  void add(const TableErrors& other) {
    for (unsigned i = 0; i < kRegions; ++i) {
      const Worst& from = other.regions_[i];
      Worst& to = regions_[i];
      if (from.ulps > to.ulps) to.ulps = from.ulps, to.ulps_at = from.ulps_at;
      if (from.absolute > to.absolute)
        to.absolute = from.absolute, to.absolute_at = from.absolute_at;
    }
  }
  /// What is not farther off than so many ulps changes nothing, for x from `first` to `last`.
  double threshold(cmodel::fp::Fp32 first, cmodel::fp::Fp32 last) const {
    return region(first) == region(last) ? regions_[region(first)].ulps : -1;
  }
  double worst_ulps() const {
    double worst = 0;
    for (const Worst& one : regions_) worst = std::max(worst, one.ulps);
    return worst;
  }
  const std::array<Worst, kRegions>& regions() const { return regions_; }

 private:
  static unsigned region(cmodel::fp::Fp32 x) {
    const auto size = x & 0x7FFFFFFFu;
    const unsigned from_top = size >= 0x41000000u   ? 0
                              : size >= 0x3F800000u ? 1
                              : size >= 0x3C800000u ? 2
                                                    : 3;
    return x >> 31 ? 7 - from_top : from_top;
  }

  const defs::TableFunction* f_;
  std::array<Worst, kRegions> regions_;
};

/// Of `x`, by MPFR.
inline double exact_by_mpfr(defs::ActFunc func, cmodel::fp::Fp32 x) {
  return exact(func, Real(cmodel::fp::to_float(x))).to_double();
}

/// Of the model's result for `x`, by MPFR.
inline Distance distance_at(const defs::TableFunction& f, cmodel::fp::Fp32 x) {
  cmodel::fp::Fp32 y = x;
  cmodel::apply_table(f, std::span(&y, 1));
  return distance(y, exact_by_mpfr(f.func, x));
}

/// Rows and directory that belong to a function alone.
inline std::size_t bytes_of(const defs::TableFunction& f) {
  std::size_t bytes = 0;
  std::vector<bool> seen(1u << defs::kTableRowBits);
  std::vector<bool> entries(defs::kTableDirectory.size());
  for (const auto& side : f.sides)
    for (auto place = side.first; place <= side.last; ++place) {
      const auto at = static_cast<std::size_t>(place + side.bias);
      if (entries[at]) continue;
      entries[at] = true;
      bytes += sizeof(defs::kTableDirectory[0]);
      const auto entry = defs::kTableDirectory[at];
      const unsigned shift = entry >> defs::kTableRowBits & 31,
                     quarter = 23 - defs::kTableQuarterBits;
      const std::uint32_t first = static_cast<std::uint32_t>(place) << quarter & 0x007FFFFFu;
      for (std::uint32_t from = first >> shift; from <= (first + (1u << quarter) - 1) >> shift;
           ++from) {
        const auto row = (entry + from) & ((1u << defs::kTableRowBits) - 1);
        bytes += seen[row] ? 0 : sizeof(defs::kTableRows[0]);
        seen[row] = true;
      }
    }
  return bytes;
}

}  // namespace tb
