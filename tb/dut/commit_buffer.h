// SPDX-License-Identifier: Apache-2.0
// Commits of one chip in one window, kept until the barrier.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cmodel/machine/commit.h"

namespace tb {

class CommitBuffer : public cmodel::CommitSink {
 public:
  struct Entry {
    cmodel::Commit commit;
    std::uint64_t cycle;  ///< core cycle
    std::size_t offset;
    std::uint32_t bytes;
  };

  void set_cycle(std::uint64_t core_cycle) { cycle_ = core_cycle; }
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    ++total_;
    entries_.push_back({commit, cycle_, bytes_.size(), static_cast<std::uint32_t>(data.size())});
    bytes_.insert(bytes_.end(), data.begin(), data.end());
  }
  void clear() {
    entries_.clear();
    bytes_.clear();
  }

  const std::vector<Entry>& entries() const { return entries_; }
  /// Commits since the start, cleared ones included.
  std::uint64_t total() const { return total_; }
  std::span<const std::uint8_t> data(const Entry& entry) const {
    return {bytes_.data() + entry.offset, entry.bytes};
  }

 private:
  std::uint64_t cycle_ = 0, total_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace tb
