// SPDX-License-Identifier: Apache-2.0
// Vector engine: elementwise operations, casts and copies, reductions. Twin of
// rtl/lanes/vector_engine.sv.
#pragma once
#include "cmodel/machine/lanes.h"

namespace cmodel {

/// What is wrong with `instr` for this engine; None if it may be executed. Looks at everything but
/// wait and update, which are the sequencer's.
defs::ErrorCause check_vector(const defs::Sizes& sizes, const defs::Instr& instr);

/// Computes in fp32, element by element in the order of the access patterns; each element is read
/// from all its sources, then written, before the next. Instructions whose sources and destination
/// overlap (other than exactly in place) are outside the contract: RTL reads ahead of its writes.
class VectorEngine {
 public:
  /// Commits go to `sink` in stream `stream`. All references must outlive the engine.
  VectorEngine(const defs::Sizes& sizes, Sbuf& sbuf, const Psum& psum, CommitSink& sink,
               const StreamId& stream)
      : sizes_(sizes), port_{sbuf, psum, sink, stream} {}

  /// Checks and executes one instruction: one SbufRow commit per element of the destination. On an
  /// error nothing has been done.
  defs::ErrorCause execute(const defs::Instr& instr, std::uint32_t pc);

 private:
  void tensor_copy(const defs::Instr& instr, std::uint32_t pc);
  void tensor_tensor(const defs::Instr& instr, std::uint32_t pc);
  void tensor_reduce(const defs::Instr& instr, std::uint32_t pc);

  const defs::Sizes& sizes_;
  LanePort port_;
};

}  // namespace cmodel
