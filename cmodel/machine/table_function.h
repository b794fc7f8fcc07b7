// SPDX-License-Identifier: Apache-2.0
// Functions from tables. Twin of rtl/lanes/table_function.sv; what is computed is explained there.
#pragma once
#include <algorithm>
#include <cmath>
#include <span>

#include "cmodel/machine/fp.h"
#include "rtl/defs/gen/table_functions.h"

namespace cmodel {

/// The description of a function from tables; null: it has none.
constexpr const defs::TableFunction* table_function_of(defs::ActFunc func) {
  for (const auto& f : defs::kTableFunctions)
    if (f.func == func) return &f;
  return nullptr;
}

namespace table {

/// u and k of x.
struct Reduced {
  fp::Fp32 u;
  float k;
};

/// |x| = 1.fraction * 2^exponent, also of subnormal numbers.
struct Split {
  std::uint32_t fraction;
  std::int32_t exponent;
};
inline Split split(fp::Fp32 magnitude) {
  const bool tiny = magnitude < 0x00800000u;
  const fp::Fp32 word = tiny ? std::bit_cast<fp::Fp32>(static_cast<float>(magnitude)) : magnitude;
  return {word & 0x007FFFFFu, static_cast<std::int32_t>(word >> 23) - (tiny ? 127 + 149 : 127)};
}

template <defs::TableReduce kReduce>
inline Reduced reduce(const defs::TableFunction& f, fp::Fp32 x) {
  using defs::TableReduce;
  const Split s = split(x & 0x7FFFFFFFu);
  if constexpr (kReduce == TableReduce::Multiple) {
    constexpr float kRound = 0x1.8p23f;
    const float whole = std::fma(fp::to_float(x), fp::to_float(f.inverse), kRound) - kRound;
    const auto most = static_cast<float>(f.most);
    const float k = whole > most ? most : whole < -most ? -most : whole;
    return {std::bit_cast<fp::Fp32>(std::fma(-k, fp::to_float(f.step_high), fp::to_float(x))), k};
  } else if constexpr (kReduce == TableReduce::Logarithm) {
    const bool upper = s.fraction >= 0x3504F3u;  // sqrt(2)
    const float m = fp::to_float((upper ? 126u : 127u) << 23 | s.fraction);
    return {std::bit_cast<fp::Fp32>(m - 1.0f), static_cast<float>(s.exponent + upper)};
  } else if constexpr (kReduce == TableReduce::Root) {
    const std::uint32_t odd = s.exponent & 1;
    return {(127 + odd) << 23 | s.fraction, static_cast<float>(s.exponent >> 1)};
  } else if constexpr (kReduce == TableReduce::Reciprocal) {
    return {(x & 0x80000000u) | 127u << 23 | s.fraction, static_cast<float>(s.exponent)};
  } else {
    return {x, 0.0f};
  }
}

/// a * 2^n, rounded once, n in -300 .. 300.
inline float scaled(float a, std::int32_t n) {
  const auto power = std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
  return static_cast<float>(static_cast<double>(a) * power);
}

template <defs::TableReduce kReduce>
[[gnu::always_inline]] inline fp::Fp32 apply(const defs::TableFunction& f, fp::Fp32 x) {
  using defs::TableReduce;
  const auto [u, k] = reduce<kReduce>(f, x);
  const fp::Fp32 size = u & 0x7FFFFFFFu, negative = u >> 31;
  const bool sum = kReduce == TableReduce::Logarithm && k != 0.0f;
  const auto& side = f.sides[(sum ? 2 : 0) + (f.one_side ? 0 : negative)];

  // The row, and t.
  const std::int32_t quarter = static_cast<std::int32_t>(size >> (23 - defs::kTableQuarterBits));
  const std::int32_t place = quarter < side.first  ? side.first
                             : quarter > side.last ? side.last
                                                   : quarter;
  const std::uint32_t entry = defs::kTableDirectory[static_cast<std::uint32_t>(place + side.bias)];
  const unsigned shift = entry >> defs::kTableRowBits & 31;
  const auto& c = defs::kTableRows[(entry + ((size & 0x007FFFFFu) >> shift)) &
                                   ((1u << defs::kTableRowBits) - 1)];
  constexpr std::uint32_t kPlaces = 1u << defs::kTablePlaceBits;
  const fp::Fp32 place_of_x0 = (c[3] % kPlaces - kPlaces / 2)
                               << (shift - defs::kTablePlaceBits - 1);
  const fp::Fp32 x0 =
      entry & defs::kTableZero ? 0 : (size >> shift << shift) + (1u << (shift - 1)) + place_of_x0;
  const float low = fp::to_float(f.step_low);
  float t = fp::to_float(size) - fp::to_float(x0);
  if constexpr (kReduce == TableReduce::Multiple) t = std::fma(negative ? k : -k, low, t);

  // The cubic, and the last operation.
  const float p =
      std::fma(std::fma(fp::to_float(c[3]), t, fp::to_float(c[2])), t, fp::to_float(c[1]));
  const float a = std::fma(p, t, sum ? k * low : fp::to_float(c[0]));
  const float near = kReduce == TableReduce::Multiple ? t : fp::to_float(f.one_side ? size : u);
  const float w = entry & defs::kTableWIsU ? near : 1.0f;
  const float v = sum ? std::fma(k, fp::to_float(f.step_high), fp::to_float(c[0]))
                  : entry & defs::kTableVIsHalf ? near * 0.5f
                  : entry & defs::kTableVIsU    ? near
                  : entry & defs::kTableVIsRest ? fp::to_float(f.rest)
                                                : -0.0f;
  const fp::Fp32 flip =
      (f.odd ? negative : 0) ^ (f.alternate ? static_cast<std::int32_t>(k) & 1 : 0);
  const float finished =
      f.scale ? scaled(a, f.scale * static_cast<std::int32_t>(k)) : std::fma(a, w, v);
  const fp::Fp32 y = fp::from_float(finished) ^ flip << 31;

  // What no row holds.
  const auto& limits = f.limits[x >> 31];
  const fp::Fp32 magnitude = x & 0x7FFFFFFFu;
  return fp::canonical(fp::is_nan(x)              ? fp::kNan
                       : magnitude < limits.low   ? limits.low_value
                       : magnitude >= limits.high ? limits.high_value
                                                  : y);
}

}  // namespace table

/// lanes = f(lanes). NaN gives the canonical NaN.
void apply_table(const defs::TableFunction& f, std::span<fp::Fp32> lanes);

}  // namespace cmodel
