// SPDX-License-Identifier: Apache-2.0
// Copies of the running process, one every so often: what failed last is not far behind one.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "tb/debug/standby.h"

namespace tb {

/// The newest two are kept, so one of them lies at least a whole interval before a failure, if that
/// is not one of the first.
///
///   core cycle ----------- S1 -------- S2 ------------- S3 ------- failure
///                      killed when     |<-- at least -->|
///                      S3 was made         an interval
///
/// Unless told in cycles, the interval is so long that its copy costs 1 / kShare of the process's
/// time, the pages that the run must copy afterwards included, and a second and kCycles at least.
class Snapshots {
 public:
  /// Core cycles that waves of a failure may need.
  static constexpr std::uint64_t kCycles = 20'000;

  /// `interval`: core cycles; 0: there are none.
  explicit Snapshots(std::optional<std::uint64_t> interval) : asked_(interval), due_(after(0)) {}

  /// Between two windows: makes a copy if it is time. In the copy, when woken, returns the request.
  std::optional<std::vector<std::uint8_t>> take(std::uint64_t core_cycle);
  /// In the copy: the reply.
  [[noreturn]] void reply(const std::vector<std::uint8_t>& bytes) {
    copies_.back().process->reply(bytes);
  }

  struct Copy {
    std::uint64_t core_cycle = 0;
    std::unique_ptr<Standby> process;
  };
  /// The newest one that is not behind a core cycle, or null.
  const Copy* before(std::uint64_t core_cycle) const;
  /// The oldest one, or null.
  const Copy* oldest() const { return copies_.empty() ? nullptr : &copies_.front(); }

 private:
  static constexpr double kShare = 200, kLeastSeconds = 1;
  bool time_for_one(std::uint64_t core_cycle) const;
  /// When the next one is due, after one that cost so many seconds; in CPU seconds of the process,
  /// so that a busy machine does not make copies more frequent.
  static double after(double cost);

  std::optional<std::uint64_t> asked_;
  double due_;
  std::deque<Copy> copies_;
};

}  // namespace tb
