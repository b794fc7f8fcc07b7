// SPDX-License-Identifier: Apache-2.0
// bf16 and fp32: the only place of the model that rounds. Twin of rtl/fp.
//
// Values travel as their bits. The host's FPU does the arithmetic where that is proven equal
// (tb/unit/fp_test.cc, against MPFR): round to nearest even, subnormals kept. What differs from
// host to host is the NaN that comes out, so every result is made canonical. Straight-line code:
// loops over these functions vectorise.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace cmodel::fp {

using Bf16 = std::uint16_t;
using Fp32 = std::uint32_t;

inline constexpr Fp32 kNan = 0x7FC00000u;
inline constexpr Bf16 kNanBf16 = 0x7FC0u;
inline constexpr Fp32 kInfinity = 0x7F800000u;

inline float to_float(Fp32 bits) { return std::bit_cast<float>(bits); }

constexpr bool is_nan(Fp32 bits) { return (bits & 0x7FFFFFFFu) > kInfinity; }

/// The word itself, or the one NaN we write.
constexpr Fp32 canonical(Fp32 bits) { return is_nan(bits) ? kNan : bits; }

inline Fp32 from_float(float value) { return canonical(std::bit_cast<Fp32>(value)); }

/// Exact; NaN becomes canonical.
constexpr Fp32 bf16_to_fp32(Bf16 bits) { return canonical(static_cast<Fp32>(bits) << 16); }

/// Nearest-even; overflow goes to infinity; NaN becomes 0x7FC0.
constexpr Bf16 fp32_to_bf16(Fp32 bits) {
  const Fp32 rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  return static_cast<Bf16>(is_nan(bits) ? kNanBf16 : rounded);
}

/// weight * moving + psum, rounded once.
inline Fp32 fma_bf16(Bf16 weight, Bf16 moving, Fp32 psum) {
  return from_float(std::fma(to_float(static_cast<Fp32>(weight) << 16),
                             to_float(static_cast<Fp32>(moving) << 16), to_float(psum)));
}

inline Fp32 add(Fp32 a, Fp32 b) { return from_float(to_float(a) + to_float(b)); }

inline Fp32 sub(Fp32 a, Fp32 b) { return from_float(to_float(a) - to_float(b)); }

/// IEEE 754-2019 maximum: a NaN on either side wins, +0 > -0.
constexpr Fp32 max(Fp32 a, Fp32 b) {
  // Keys order all numbers as unsigned words, -0 just below +0.
  const Fp32 a_key = a ^ ((a >> 31) ? 0xFFFFFFFFu : 0x80000000u);
  const Fp32 b_key = b ^ ((b >> 31) ? 0xFFFFFFFFu : 0x80000000u);
  const Fp32 larger = a_key > b_key ? a : b;
  return is_nan(a) || is_nan(b) ? kNan : larger;
}

/// x > 0 ? x : +0; NaN stays (the canonical) NaN.
constexpr Fp32 relu(Fp32 bits) { return is_nan(bits) ? kNan : (bits >> 31) ? 0u : bits; }

}  // namespace cmodel::fp
