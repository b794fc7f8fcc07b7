// SPDX-License-Identifier: Apache-2.0
// What must have happened before what, in every legal order of a program, from one run of it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cmodel {

/// Operations of streams, in the order in which a run made them; each with what it waited for and
/// what it did to counters. A stream is a number, given in any order; so is a counter, 0 at the
/// start.
///
/// Let all updates be positive and all waits ">= v". Then doing more never disables anything, so
/// with stream s stopped behind its first c operations there is one greatest set of operations that
/// still run, in whatever order. Operation u needs the first c operations of s exactly if it is in
/// that set, and in none for a smaller c. solve() finds these sets: per stream that updates
/// anything one pass over the program in which its operations are let go one by one. O(streams *
/// operations), no search, exact: if neither of two operations must come before the other, there
/// are orders in which each is first.
///
/// Counters that also count down: if one stream alone waits for a counter and alone decrements it,
/// the wait is for what others have added, and all is as above. Any other counter that counts down,
/// and any that somebody waits for with ==, keeps in all orders the value that it had at each wait
/// of the run: updates before a wait stay before it, those behind it behind. The orders that are
/// left are legal, but not all that there are, so a race may be missed there.
class MustOrder {
 public:
  /// A new operation of `stream`; what follows is about it.
  void begin(std::uint32_t stream);
  /// It begins when `counter` >= value (== value).
  void wait(std::uint32_t counter, std::int64_t value, bool equal = false);
  /// It begins when the last operation of `other` so far is done.
  void after(std::uint32_t other);
  /// Another update at the end of the last operation of `stream`.
  void update(std::uint32_t stream, std::uint32_t counter, std::int32_t delta);

  std::uint32_t operations() const { return static_cast<std::uint32_t>(operations_.size()); }
  std::uint32_t stream_of(std::uint32_t operation) const { return operations_[operation].stream; }
  /// The last operation of a stream that has one.
  std::uint32_t last(std::uint32_t stream) const { return streams_[stream].back(); }

  void solve();
  /// After solve(): must operation `first` be done before `second` begins? Operations are counted
  /// from 0 in the order of begin(); `first` < `second`.
  bool before(std::uint32_t first, std::uint32_t second) const {
    const Operation& a = operations_[first];
    const Operation& b = operations_[second];
    if (a.stream == b.stream) return true;
    const std::size_t slot = slots_[a.stream];
    return slot != kFree && needed_[slot * rows_ + b.row] > a.index;
  }

 private:
  struct Wait {
    std::uint32_t counter;
    std::int64_t value;
    bool equal;
  };
  struct Update {
    std::uint32_t counter;
    std::int32_t delta;
  };
  struct Need {
    std::uint32_t stream, operations;  ///< its first so many operations
  };
  struct Operation {
    std::uint32_t stream, index;  ///< in the stream
    std::size_t row = 0;  ///< of needed_; shared with the operation before if it waits for nothing
    std::vector<Wait> waits;
    std::vector<Update> updates;
    std::vector<Need> needs;
  };
  struct Pass;

  void resolve_waits();

  std::vector<Operation> operations_;
  std::vector<std::vector<std::uint32_t>> streams_;  ///< operations of each
  std::uint32_t counters_ = 0;
  static constexpr std::size_t kFree = ~std::size_t{0};  ///< a stream that nobody ever needs
  std::vector<std::size_t> slots_;                       ///< by stream
  std::size_t rows_ = 0;
  std::vector<std::uint32_t> needed_;  ///< [slot][row]: so many operations of the slot's stream
};

}  // namespace cmodel
