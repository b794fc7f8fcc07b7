// SPDX-License-Identifier: Apache-2.0
// Number formats: the only place of the model that rounds. Twin of rtl/fp.
//
// Values travel as their bits. The host's FPU does the arithmetic where that is proven equal
// (tb/unit/rtl/fp_test.cc, against MPFR): round to nearest even, subnormals kept. What differs from
// host to host is the NaN that comes out, so every result is made canonical. Straight-line code:
// loops over these functions vectorise.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "rtl/defs/gen/defs.h"

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

/// A format with `exponent_bits` and `fraction_bits`, bias 2^(exponent_bits - 1) - 1 and the top
/// exponent for infinity and NaN, as fp32: exact. NaN becomes canonical.
constexpr Fp32 small_to_fp32(std::uint32_t bits, unsigned exponent_bits, unsigned fraction_bits) {
  const std::uint32_t top = (1u << exponent_bits) - 1, bias = top >> 1;
  const std::uint32_t sign = (bits >> (exponent_bits + fraction_bits) & 1u) << 31;
  const std::uint32_t exponent = bits >> fraction_bits & top;
  const std::uint32_t fraction = bits & ((1u << fraction_bits) - 1);
  if (exponent == top) return fraction ? kNan : sign | kInfinity;
  if (exponent) return sign | (exponent + 127 - bias) << 23 | fraction << (23 - fraction_bits);
  // Subnormal: fraction * 2^(1 - bias - fraction_bits), a normal number of fp32.
  const float unit = std::bit_cast<float>((128 - bias - fraction_bits) << 23);
  return sign | std::bit_cast<Fp32>(static_cast<float>(fraction) * unit);
}

/// fp32 to tf32 in 32 bits: the lower 13 bits are rounded away, nearest-even; overflow goes to
/// infinity, NaN becomes canonical.
constexpr Fp32 fp32_to_tf32(Fp32 bits) {
  return is_nan(bits) ? kNan : (bits + 0xFFFu + ((bits >> 13) & 1u)) & ~0x1FFFu;
}

/// The upper 12 bits of x's normalised significand. Infinity, NaN and zero stay what they are.
inline Fp32 high_half(Fp32 x) {
  if (x & kInfinity) return is_nan(x) ? kNan : x & ~0xFFFu;
  // Subnormal: 2^32 and back are exact.
  const Fp32 scaled = std::bit_cast<Fp32>(to_float(x) * 0x1p32f) & ~0xFFFu;
  return std::bit_cast<Fp32>(to_float(scaled) * 0x1p-32f);
}
/// x minus its high half, exact; +0, which means "no product at all", for infinity and NaN.
inline Fp32 low_half(Fp32 x) {
  return (x & kInfinity) == kInfinity ? 0
                                      : std::bit_cast<Fp32>(to_float(x) - to_float(high_half(x)));
}

/// An element of a tensor operand as fp32, as one pass of the array takes it: exact but for tf32's
/// rounding. int8 becomes the float of the same value; `low` chooses the half of an fp32 element.
inline Fp32 operand_to_fp32(defs::Dtype dtype, std::uint32_t bits, bool low) {
  switch (dtype) {
    case defs::Dtype::Fp32:
      return low ? low_half(bits) : high_half(bits);
    case defs::Dtype::Tf32:
      return fp32_to_tf32(bits);
    case defs::Dtype::Fp16:
      return small_to_fp32(bits, 5, 10);
    case defs::Dtype::Fp8E5M2:
      return small_to_fp32(bits, 5, 2);
    case defs::Dtype::Fp8E4M3:
      return small_to_fp32(bits, 4, 3);
    case defs::Dtype::Fp8E3M4:
      return small_to_fp32(bits, 3, 4);
    case defs::Dtype::Int8:
      return std::bit_cast<Fp32>(static_cast<float>(static_cast<std::int8_t>(bits)));
    default:
      return bits << 16;  // bf16
  }
}

/// weight * moving + psum, rounded once; all three are fp32 bits. The product of two operands of
/// the array is exact, so this is one fused operation of the host.
inline Fp32 fma(Fp32 weight, Fp32 moving, Fp32 psum) {
  return from_float(std::fma(to_float(weight), to_float(moving), to_float(psum)));
}

/// weight * moving + psum, rounded once.
inline Fp32 fma_bf16(Bf16 weight, Bf16 moving, Fp32 psum) {
  return fma(static_cast<Fp32>(weight) << 16, static_cast<Fp32>(moving) << 16, psum);
}

/// The other way, to nearest even: overflow goes to infinity, NaN is positive and quiet.
inline std::uint32_t fp32_to_small(Fp32 bits, unsigned exponent_bits, unsigned fraction_bits) {
  const std::uint32_t top = (1u << exponent_bits) - 1, bias = top >> 1;
  const std::uint32_t infinity = top << fraction_bits;
  const std::uint32_t sign = bits >> 31 << (exponent_bits + fraction_bits);
  if (is_nan(bits)) return infinity | 1u << (fraction_bits - 1);
  const Fp32 magnitude = bits & 0x7FFFFFFFu;
  const std::uint32_t least = 128 - bias;  // fp32's exponent of the least normal number
  const std::uint32_t exponent = std::max(magnitude >> 23, least);
  if (exponent >= 127 + bias + 1) return sign | infinity;
  // The last place of this sum is that of the result.
  const float magic = std::bit_cast<float>((exponent + 23 - fraction_bits) << 23 | 0x400000u);
  const Fp32 rounded = std::bit_cast<Fp32>((to_float(magnitude) + magic) - magic);
  if (rounded >> 23 >= least)
    return sign |
           std::min(infinity, (rounded >> (23 - fraction_bits)) - ((least - 1) << fraction_bits));
  const float unit = std::bit_cast<float>((least - fraction_bits) << 23);
  return sign | static_cast<std::uint32_t>(to_float(rounded) / unit);
}

/// To the nearest integer, ties to even, in `width` bits; what is beyond the least or the greatest
/// becomes that one, NaN 0.
inline std::uint32_t fp32_to_integer(Fp32 bits, unsigned width, bool is_signed) {
  if (is_nan(bits)) return 0;
  const double greatest = std::exp2(is_signed ? width - 1 : width) - 1;
  const double least = is_signed ? -greatest - 1 : 0;
  const double rounded = std::nearbyint(static_cast<double>(to_float(bits)));
  const auto whole = static_cast<std::int64_t>(std::min(std::max(rounded, least), greatest));
  return static_cast<std::uint32_t>(whole) & (~0u >> (32 - width));
}

/// Nearest-even: exact up to 2^24.
inline Fp32 uint32_to_fp32(std::uint32_t bits) {
  return std::bit_cast<Fp32>(static_cast<float>(bits));
}

/// Nearest-even: exact up to 2^24.
inline Fp32 int32_to_fp32(std::uint32_t bits) {
  return std::bit_cast<Fp32>(static_cast<float>(static_cast<std::int32_t>(bits)));
}

/// An element of a lane engine as fp32: exact but for tf32's rounding and integers beyond 2^24.
inline Fp32 element_to_fp32(defs::Dtype dtype, std::uint32_t bits) {
  switch (dtype) {
    case defs::Dtype::Fp32:
      return bits;
    case defs::Dtype::Bf16:
      return bf16_to_fp32(static_cast<Bf16>(bits));
    case defs::Dtype::Int32:
      return int32_to_fp32(bits);
    case defs::Dtype::Int16:
      return int32_to_fp32(static_cast<std::uint32_t>(static_cast<std::int16_t>(bits)));
    case defs::Dtype::Uint8:
    case defs::Dtype::Uint16:
    case defs::Dtype::Uint32:
      return uint32_to_fp32(bits);
    default:
      return operand_to_fp32(dtype, bits, false);
  }
}

/// fp32 as an element: fp32_to_small() and fp32_to_integer() say how.
inline std::uint32_t fp32_to_element(defs::Dtype dtype, Fp32 bits) {
  const unsigned f = static_cast<unsigned>(dtype);
  if (defs::kDtypeInteger >> f & 1)
    return fp32_to_integer(bits,
                           defs::kDtypeBytes4 >> f & 1   ? 32
                           : defs::kDtypeBytes2 >> f & 1 ? 16
                                                         : 8,
                           defs::kDtypeSigned >> f & 1);
  switch (dtype) {
    case defs::Dtype::Bf16:
      return fp32_to_bf16(bits);
    case defs::Dtype::Tf32:
      return fp32_to_tf32(bits);
    case defs::Dtype::Fp16:
      return fp32_to_small(bits, 5, 10);
    case defs::Dtype::Fp8E5M2:
      return fp32_to_small(bits, 5, 2);
    case defs::Dtype::Fp8E4M3:
      return fp32_to_small(bits, 4, 3);
    case defs::Dtype::Fp8E3M4:
      return fp32_to_small(bits, 3, 4);
    default:
      return canonical(bits);
  }
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
