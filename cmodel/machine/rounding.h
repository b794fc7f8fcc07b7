// SPDX-License-Identifier: Apache-2.0
// What a destination asks for before its cast. Twin of rtl/fp/rounding_pkg.sv.
#pragma once
#include <algorithm>
#include <cstdint>

#include "cmodel/machine/fp.h"

namespace cmodel::fp {

/// Bits of exponent and fraction of a float.
struct Shape {
  unsigned exponent, fraction;
};
constexpr Shape shape_of(defs::Dtype dtype) {
  switch (dtype) {
    case defs::Dtype::Tf32:
      return {8, 10};
    case defs::Dtype::Bf16:
      return {8, 7};
    case defs::Dtype::Fp16:
      return {5, 10};
    case defs::Dtype::Fp8E5M2:
      return {5, 2};
    case defs::Dtype::Fp8E4M3:
      return {4, 3};
    case defs::Dtype::Fp8E3M4:
      return {3, 4};
    default:
      return {8, 23};
  }
}
constexpr bool is_integer(defs::Dtype dtype) {
  return defs::kDtypeInteger >> static_cast<unsigned>(dtype) & 1;
}

/// Beyond the greatest number of the format, infinity too: that number. NaN stays; integers
/// saturate in their cast.
constexpr Fp32 saturated(defs::Dtype dtype, Fp32 bits) {
  const Shape shape = shape_of(dtype);
  const std::uint32_t exponent = 127 + (1u << (shape.exponent - 1)) - 1;
  const Fp32 greatest = exponent << 23 | ((1u << shape.fraction) - 1) << (23 - shape.fraction);
  if (is_nan(bits) || (bits & 0x7FFFFFFFu) <= greatest) return bits;
  return (bits & 0x80000000u) | greatest;
}

/// One of the two numbers of the format next to x, the upper one with the probability of how near
/// x is to it, in steps of 2^-31; a number of the format stays. Behind the last one is what would
/// be next: infinity, in its cast.
constexpr Fp32 at_random(defs::Dtype dtype, Fp32 bits, std::uint32_t random) {
  const Shape shape = shape_of(dtype);
  const Fp32 sign = bits & 0x80000000u, size = bits ^ sign;
  const std::uint32_t exponent = std::max(size >> 23, 1u);
  const std::uint32_t least = 128 - ((1u << (shape.exponent - 1)) - 1);
  const std::uint32_t last =  // place, and those of x that are right of it
      is_integer(dtype) ? 150 : std::max(exponent, least) + 23 - shape.fraction;
  if (exponent == 255 || last <= exponent) return bits;
  const std::uint32_t right = last - exponent;
  if (right <= 23) {
    const std::uint32_t ones = (1u << right) - 1;
    return sign | ((size + (random & ones)) & ~ones);
  }
  // x is less than the last place.
  const std::uint32_t significand = (size & 0x7FFFFFu) | (size >> 23 ? 0x800000u : 0);
  const std::uint32_t places = std::min(right, 31u), gone = std::min(right - places, 31u);
  const bool up = ((significand >> gone) + (random & ((1u << places) - 1))) >> places;
  return sign | (up ? (last - 23) << 23 : 0);
}

}  // namespace cmodel::fp
