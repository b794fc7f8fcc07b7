// SPDX-License-Identifier: Apache-2.0
// Activation engine: bias and activation function. Twin of rtl/lanes/act_engine.sv.
#pragma once
#include "cmodel/machine/lanes.h"

namespace cmodel {

/// What is wrong with `instr` for this engine; None if it may be executed. Looks at everything but
/// wait and update, which are the sequencer's.
defs::ErrorCause check_act(const defs::Sizes& sizes, const defs::Instr& instr);

/// dst = cast(func(src0 + src1)); src1 is one fp32 element per partition, or none: then nothing is
/// added. Order and overlaps as in VectorEngine; the bias is read before anything else.
class ActEngine {
 public:
  /// Commits go to `sink` in stream `stream`. All references must outlive the engine.
  ActEngine(const defs::Sizes& sizes, Sbuf& sbuf, const Psum& psum, CommitSink& sink,
            const StreamId& stream)
      : sizes_(sizes), port_{sbuf, psum, sink, stream} {}

  /// Checks and executes one instruction: one SbufRow commit per element. On an error nothing has
  /// been done.
  defs::ErrorCause execute(const defs::Instr& instr, std::uint32_t pc);

 private:
  const defs::Sizes& sizes_;
  LanePort port_;
};

}  // namespace cmodel
