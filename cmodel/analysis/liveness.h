// SPDX-License-Identifier: Apache-2.0
// Who touches a memory cell next? The evidence behind "this injected fault could not matter".
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cmodel/machine/commit.h"
#include "cmodel/machine/footprint.h"

namespace cmodel {

/// Commits of each stream seen so far, without the Semaphore commits (the "writes" list).
using StreamPositions = std::map<StreamId, std::uint64_t>;

struct NextAccess {
  enum class Kind : std::uint8_t { None, Overwritten, Read };
  Kind kind = Kind::None;
  StreamId by;            ///< not for None
  OperationId operation;  ///< a read-back region counts as engine Host
};
std::string to_string(const NextAccess& access);

/// Compact access history of a run of the model. Off unless BoardOptions::track_liveness.
///
/// The order of the records is the model's, a legal order of the program: for a program without
/// races, any two accesses to one byte of which one writes have the same order in every run.
class LivenessLog {
 public:
  /// An access of an operation of `stream`; the stream had made `begin` commits (Semaphore not
  /// counted) before the operation and `end` after it.
  void add(const Footprint& footprint, const StreamId& stream, const OperationId& operation,
           std::uint64_t begin, std::uint64_t end);

  /// The first access to `location` that may still come when the streams stand at `after`.
  /// Doubts are resolved towards "it matters": an instruction that is possibly still running counts
  /// as a pending read, but as an overwrite only if it has certainly not begun to write.
  NextAccess next_access(const Cell& location, const StreamPositions& after) const;

  struct Record {
    Footprint footprint;
    StreamId stream;
    OperationId operation;
    std::uint64_t begin, end;  ///< commits of the stream before the operation and behind it
  };
  /// In the model's order; an operation's records stand together, reads first.
  const std::vector<Record>& records() const { return records_; }
  /// The last write to `location` among the records before number `before`.
  std::optional<std::uint32_t> last_write(const Cell& location, std::uint32_t before) const;

 private:
  static std::uint64_t bucket(Cell::Memory memory, unsigned chip, unsigned core,
                              std::uint64_t addr);

  std::vector<Record> records_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> buckets_;  ///< 4 KiB -> records
};

}  // namespace cmodel
