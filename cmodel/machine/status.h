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
  auto operator<=>(const ErrorRecord&) const = default;
};

/// State of a sequencer, as the registers SeqState, SeqPc and SeqError show it.
struct SequencerStatus {
  enum class State : std::uint8_t { Idle, Running, Done, Error };
  State state = State::Idle;
  std::uint32_t pc = 0;  ///< next instruction to issue, or that of the error
  defs::ErrorCause cause = defs::ErrorCause::None;
};

/// Work done so far.
struct WorkCounters {
  std::uint64_t instructions = 0, descriptors = 0, messages = 0, commits = 0, macs = 0;
};

}  // namespace cmodel
