// SPDX-License-Identifier: Apache-2.0
// Partial-sum buffer of one core: banks x columns x partitions of fp32 words. Twin of
// rtl/mem/psum.sv.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "cmodel/machine/written.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Words are fp32 bits. A row is one column of one bank, of every partition. Words that nobody has
/// written are zero here, and anything in hardware: written_ says which are.
class Psum {
 public:
  explicit Psum(const defs::Sizes& sizes)
      : partitions_(sizes.partitions),
        words_(std::size_t{sizes.psum_banks} * sizes.psum_cols * sizes.partitions),
        written_(words_.size()) {}

  /// `word_index` = bank * PsumCols + column, a byte offset in the partition / 4.
  std::span<std::uint32_t> row(unsigned word_index) {
    return std::span(words_).subspan(std::size_t{word_index} * partitions_, partitions_);
  }
  std::span<const std::uint32_t> row(unsigned word_index) const {
    return std::span(words_).subspan(std::size_t{word_index} * partitions_, partitions_);
  }

  /// `count` words of a row from `first` are written.
  void mark(unsigned word_index, unsigned first, std::size_t count) {
    std::ranges::fill(std::span(written_).subspan(at(word_index, first), count), true);
  }
  /// An operation reads them: notes those that nobody has written.
  void check(unsigned word_index, unsigned first, std::size_t count) const {
    const auto words = std::span(written_).subspan(at(word_index, first), count);
    if (std::ranges::count(words, 0) == 0) return;
    for (unsigned i = 0; i < count; ++i)
      if (!words[i]) unwritten_.add(first + i, 4 * word_index, 4);
  }
  /// What has been noted since the last call.
  UnwrittenBytes take_unwritten() const { return std::exchange(unwritten_, {}); }
  bool written(unsigned word_index, unsigned partition) const {
    return written_[at(word_index, partition)];
  }

 private:
  std::size_t at(unsigned word_index, unsigned partition) const {
    return std::size_t{word_index} * partitions_ + partition;
  }

  unsigned partitions_;
  std::vector<std::uint32_t> words_;
  std::vector<std::uint8_t> written_;
  mutable UnwrittenBytes unwritten_;
};

}  // namespace cmodel
