// SPDX-License-Identifier: Apache-2.0
// What a run of the model leaves behind beside its commits: states, errors, amounts of work.
#pragma once
#include <compare>
#include <cstdint>

#include "cmodel/machine/commit.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// An engine that stopped.
struct ErrorRecord {
  StreamId stream;
  std::uint32_t pc = 0;  ///< instruction or descriptor index
  defs::ErrorCause cause = defs::ErrorCause::None;
  std::uint32_t serial = 0, visit = 1;  ///< likewise of its operation
  OperationId operation() const { return {pc, serial, visit}; }
  auto operator<=>(const ErrorRecord&) const = default;
};

/// State of a sequencer, as the registers SeqState, SeqPc and SeqError show it.
struct SequencerStatus {
  defs::SeqState state = defs::SeqState::Idle;
  std::uint32_t pc = 0;  ///< next instruction to issue, or that of the error
  defs::ErrorCause cause = defs::ErrorCause::None;
};

/// Work done so far.
struct WorkCounters {
  std::uint64_t instructions = 0, descriptors = 0, messages = 0, commits = 0, macs = 0;
};

}  // namespace cmodel
