// SPDX-License-Identifier: Apache-2.0
// The array written by hand: the arithmetic of rtl/fp/fma_pkg.sv in plain C++ loops, as reference
// of speed for the Verilated one. Same systolic steps, the same state of a PE (two weights, of
// which the moving operand picks one), no generality.
#pragma once
#include <cstdint>
#include <vector>

namespace tb {

class PlainArray {
 public:
  static constexpr unsigned kSize = 128;

  /// [row][col], elements in the upper bits of words; formats as in fma_pkg::format_t.
  void load(const std::vector<std::uint32_t>& weights, std::uint32_t weight_format,
            std::uint32_t moving_format);
  /// One moving vector per cycle, `distinct` different ones in turn.
  void run(const std::vector<std::uint32_t>& vectors, unsigned cycles, unsigned distinct);
  /// The column sums that left last in run(): of the vector given 2 * kSize cycles before the end.
  const std::uint32_t* last_sums() const { return sum_; }

 private:
  void step(const std::uint32_t* vector);

  std::uint32_t moving_format_ = 0;
  alignas(64) std::uint32_t weight_[2][kSize][kSize];
  alignas(64) std::uint32_t moving_[kSize][kSize];
  alignas(64) std::uint32_t psum_[kSize][kSize];
  alignas(64) std::uint32_t skew_[kSize][kSize];
  alignas(64) std::uint32_t deskew_[kSize][kSize];
  alignas(64) std::uint32_t sum_[kSize];
  unsigned now_ = 0;
};

}  // namespace tb
