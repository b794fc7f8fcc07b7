// SPDX-License-Identifier: Apache-2.0
// Execution observers, if asked for: the access history, the race detector and the trace.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cmodel/analysis/liveness.h"
#include "cmodel/analysis/race.h"
#include "cmodel/analysis/trace.h"
#include "cmodel/board/board.h"
#include "cmodel/machine/chip.h"

namespace cmodel {

/// The stream of what the host does at a chip's port.
StreamId host_stream(unsigned chip);

/// Notified of every operation by the chips and of every write by the board; forwards to the
/// observers that the options ask for.
class Observers final : public ExecutionObserver {
 public:
  Observers(const defs::Sizes& sizes, const Program& program, const BoardOptions& options);

  /// Does anybody observe?
  bool any() const { return track_liveness_ || races_ || keep_trace_ || executed_ || copied_; }
  const LivenessLog& liveness() const { return liveness_; }
  const Trace& trace() const { return trace_; }
  /// RaceDetector::text(); empty without detect_races.
  std::string races() { return races_ ? races_->text() : ""; }

  /// A commit of `stream` that is no semaphore update.
  void wrote(const StreamId& stream) {
    if (track_liveness_) ++positions_[position_of(stream)].now;
  }
  /// Every sequencer has executed END: the host reads the regions. Once.
  void read_regions();

  void begin(const StreamId& stream, const OperationId& operation) override;
  void issued(const StreamId& stream, const OperationId& operation,
              const defs::Instr& instr) override;
  void answered() override;
  void copies(const StreamId& stream, const OperationId& operation,
              const defs::Descriptor& descriptor, const RowPlaces& places) override;
  void received(const StreamId& from) override;
  void updated(const StreamId& stream, unsigned chip, unsigned sem, int delta) override;
  void rang(const StreamId& stream, const StreamId& to, unsigned count) override;
  void end(const StreamId& stream, const OperationId& operation,
           std::span<const Footprint> footprints) override;

 private:
  /// Writes of a stream so far, and when its operation began.
  struct Position {
    std::uint64_t begin = 0, now = 0;
  };
  /// Dense number of a stream: engines of a chip first, the tensor engine's lane 1 in the last
  /// place of a core, then the receivers by source and lane.
  static std::size_t position_of(const StreamId& stream);

  const Program& program_;
  const Executed executed_;
  const Copied copied_;
  const bool track_liveness_, keep_trace_;
  std::vector<Position> positions_;  ///< by position_of; empty unless track_liveness_
  LivenessLog liveness_;
  Trace trace_;
  std::optional<RaceDetector> races_;  ///< only with detect_races
  bool regions_read_ = false;
};

}  // namespace cmodel
