// SPDX-License-Identifier: Apache-2.0
// Vector and activation engine: elementwise operations, casts, reductions. Twin of
// rtl/lanes/lane_engine.sv.
#pragma once
#include "cmodel/machine/lanes.h"
#include "rtl/defs/gen/instructions.h"

namespace cmodel {

/// dst = cast(f(src0)), cast(f(src0, src1)), or f over the innermost dimension of src0, as the
/// instruction's row says; in fp32, element by element in the order of the access patterns: each is
/// read from all its sources, then written, before the next. A src1 of one element is read before
/// anything else; without src1 nothing is added. Instructions whose sources and destination overlap
/// (other than exactly in place) are outside the contract: RTL reads ahead of its writes.
class LaneEngine {
 public:
  /// Commits go to `sink` in stream `stream`, whose engine it is: Vector or Act. All references
  /// must outlive the engine.
  LaneEngine(const defs::Sizes& sizes, Sbuf& sbuf, const Psum& psum, CommitSink& sink,
             const StreamId& stream)
      : sizes_(sizes), port_{sbuf, psum, sink, stream} {}

  /// Checks and executes one instruction: one SbufRow commit per element. On an error nothing has
  /// been done.
  defs::ErrorCause execute(const defs::Instr& instr, std::uint32_t pc);

 private:
  void elementwise(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc);
  void reduce(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc);
  defs::Engine engine() const { return static_cast<defs::Engine>(port_.stream.engine); }

  const defs::Sizes& sizes_;
  LanePort port_;
};

}  // namespace cmodel
