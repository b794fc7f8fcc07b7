// SPDX-License-Identifier: Apache-2.0
// Partial-sum buffer of one core: banks x columns x partitions of fp32 words. Twin of
// rtl/mem/psum.sv.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Words are fp32 bits, zero at first. A row is one column of one bank, of every partition.
class Psum {
 public:
  explicit Psum(const defs::Sizes& sizes)
      : partitions_(sizes.partitions),
        words_(std::size_t{sizes.psum_banks} * sizes.psum_cols * sizes.partitions) {}

  /// `word_index` = bank * PsumCols + column, a byte offset in the partition / 4.
  std::span<std::uint32_t> row(unsigned word_index) {
    return std::span(words_).subspan(std::size_t{word_index} * partitions_, partitions_);
  }
  std::span<const std::uint32_t> row(unsigned word_index) const {
    return std::span(words_).subspan(std::size_t{word_index} * partitions_, partitions_);
  }

 private:
  unsigned partitions_;
  std::vector<std::uint32_t> words_;
};

}  // namespace cmodel
