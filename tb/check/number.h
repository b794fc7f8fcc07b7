// SPDX-License-Identifier: Apache-2.0
// Elements as people read them: bits, value, and how far apart two are.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace tb {

/// An element of 1 (integer), 2 (bf16) or 4 bytes (fp32) as a number.
inline double number_of(std::uint32_t bits, unsigned bytes) {
  if (bytes == 1) return bits;
  return std::bit_cast<float>(bytes == 2 ? bits << 16 : bits);
}

/// Numbers of the format between a and b, the sign of zero not counted: 0 for equal numbers, 1 for
/// neighbours. -1 if one of them is NaN.
inline std::int64_t ulp_distance(std::uint32_t a, std::uint32_t b, unsigned bytes) {
  if (std::isnan(number_of(a, bytes)) || std::isnan(number_of(b, bytes))) return -1;
  const std::uint32_t sign = bytes == 2 ? 0x8000u : 0x80000000u;
  const auto place = [&](std::uint32_t bits) {
    const std::int64_t magnitude = bits & (sign - 1);
    return bits & sign ? -magnitude : magnitude;
  };
  return std::abs(place(a) - place(b));
}

}  // namespace tb
