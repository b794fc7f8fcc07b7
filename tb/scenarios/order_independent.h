// SPDX-License-Identifier: Apache-2.0
// What an order-independent sum must give, in plain double and 64-bit arithmetic: the contract of
// cmodel/collectives/order_independent.h, block by block.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace tb {

inline constexpr std::size_t kSharedExponent = 16;  ///< numbers of a block

/// Bits of a fraction for so many ranks.
inline int shared_fraction(std::size_t ranks) { return ranks > 16 ? 25 : 26; }

/// Of a block: E, the largest exponent; 128 if a number is infinite or NaN.
inline int shared_exponent(const std::vector<std::vector<float>>& of_ranks, std::size_t first) {
  int exponent = -126;
  for (const auto& numbers : of_ranks)
    for (std::size_t i = first; i < std::min(first + kSharedExponent, numbers.size()); ++i) {
      if (!std::isfinite(numbers[i])) return 128;
      if (numbers[i] != 0) exponent = std::max(exponent, std::ilogb(numbers[i]));
    }
  return exponent;
}

/// of_ranks [ranks][n], n a multiple of 16; sums [n].
inline std::vector<float> order_independent_sum(const std::vector<std::vector<float>>& of_ranks) {
  std::vector<float> sums;
  for (std::size_t i = 0; i < of_ranks[0].size(); ++i) {
    const int exponent = shared_exponent(of_ranks, i / kSharedExponent * kSharedExponent);
    const int places = shared_fraction(of_ranks.size()) - exponent;
    std::int64_t sum = 0;
    if (exponent == 128) {
      sums.push_back(std::numeric_limits<float>::quiet_NaN());
      continue;
    }
    for (const auto& numbers : of_ranks)
      sum += std::llrint(std::ldexp(static_cast<double>(numbers[i]), places));
    sums.push_back(static_cast<float>(std::ldexp(static_cast<double>(sum), -places)));
  }
  return sums;
}

}  // namespace tb
