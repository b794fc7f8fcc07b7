// SPDX-License-Identifier: Apache-2.0
// Numbers of the scenarios: bf16 patterns, seeded draws, and the naive matmul that judges results.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace tb {

/// bf16 of a finite float, nearest-even.
inline std::uint16_t bf16_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
inline float float_of(std::uint16_t bf16) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bf16) << 16);
}

/// bf16 of a double in one rounding (through float twice would be two): round-to-odd first.
inline std::uint16_t bf16_of(double value) {
  float near = static_cast<float>(value);
  if (static_cast<double>(near) != value) {
    auto bits = std::bit_cast<std::uint32_t>(near);
    if (std::abs(static_cast<double>(near)) > std::abs(value)) --bits;  // towards zero
    near = std::bit_cast<float>(bits | 1u);
  }
  return bf16_of(near);
}

inline std::span<const std::uint8_t> bytes_of(std::span<const std::uint16_t> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}
inline std::span<const std::uint8_t> bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

inline float float_at(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  float value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The streams of a scenario: the same seed and purpose give the same numbers on every machine.
class Random {
 public:
  Random(std::uint64_t seed, std::string_view purpose) {
    std::uint64_t hash = 0xcbf29ce484222325u ^ seed;
    for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    engine_.seed(hash * 0x9e3779b97f4a7c15u + seed);
  }
  /// low .. high, both included.
  unsigned between(unsigned low, unsigned high) {
    return low + static_cast<unsigned>(engine_() % (high - low + 1u));
  }
  bool one_in(unsigned n) { return engine_() % n == 0; }
  std::uint64_t word() { return engine_(); }
  /// Any sign and fraction, magnitude 2^-8 .. 2^1; now and then zero of either sign.
  std::uint16_t bf16() {
    const std::uint64_t bits = engine_();
    const auto sign = static_cast<std::uint16_t>(bits & 0x8000u);
    if ((bits >> 32) % 32 == 0) return sign;
    const auto exponent = static_cast<std::uint16_t>(119 + (bits >> 16) % 9);
    return static_cast<std::uint16_t>(sign | exponent << 7 | (bits & 0x7fu));
  }

 private:
  std::mt19937_64 engine_;
};

/// What the contract says of a matmul: `sum` starts from +0 and takes k = 0, 1, 2, ... in fused
/// steps; then it goes onto the result, or replaces it. Row-major a_t [k][m], b [k][n], c [m][n];
/// only rows k_first .. k_first + k_count - 1.
inline void naive_matmul(std::span<const std::uint16_t> a_t, std::span<const std::uint16_t> b,
                         std::span<float> c, std::size_t m_count, std::size_t n_count,
                         std::size_t k_first, std::size_t k_count, bool accumulate) {
  std::vector<float> sum(n_count), moving(k_count * n_count);
  for (std::size_t i = 0; i < moving.size(); ++i) moving[i] = float_of(b[k_first * n_count + i]);
  for (std::size_t m = 0; m < m_count; ++m) {
    sum.assign(n_count, 0.0f);
    for (std::size_t k = 0; k < k_count; ++k) {
      const float weight = float_of(a_t[(k_first + k) * m_count + m]);
      for (std::size_t n = 0; n < n_count; ++n)
        sum[n] = std::fma(weight, moving[k * n_count + n], sum[n]);
    }
    for (std::size_t n = 0; n < n_count; ++n) {
      float& result = c[m * n_count + n];
      result = accumulate ? result + sum[n] : sum[n];
    }
  }
}

}  // namespace tb
