// SPDX-License-Identifier: Apache-2.0
// Vector and activation engine: elementwise operations, casts, reductions. Twin of
// rtl/lanes/lane_engine.sv.
#pragma once
#include "cmodel/machine/lanes.h"
#include "rtl/defs/gen/instructions.h"

namespace cmodel {

/// What the instruction's row says, in fp32 but for functions of bits, element by element in the
/// order of the access patterns: each is read from all its sources, then written, before the next.
/// Scalars and a bias are read before anything else; without a bias nothing is added. Instructions
/// whose sources and destination overlap (other than exactly in place) are outside the contract:
/// RTL reads ahead of its writes.
///
/// Beyond an instruction it keeps, since reset: random generators (random.h), accumulators.
class LaneEngine {
 public:
  /// Commits go to `sink` in stream `stream`, whose engine it is: Vector or Act. All references
  /// must outlive the engine.
  LaneEngine(const defs::Sizes& sizes, Sbuf& sbuf, Psum& psum, CommitSink& sink,
             const StreamId& stream)
      : sizes_(sizes), port_{sbuf, psum, sink, stream, LaneRandom(sizes.partitions)} {}

  /// Checks and executes one instruction: one SbufRow or PsumRow commit per element. On an error
  /// nothing has been done.
  defs::ErrorCause execute(const defs::Instr& instr, std::uint32_t pc);

 private:
  void activate(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc);
  /// Of forms that a unit beside the lanes has.
  void unit(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc);
  /// Where lanes of dst may stay as they are.
  void masked(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc);
  /// Of scalars.
  void fused(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc);
  /// Every element of the destination from `values`.
  void fill(const defs::Instr& instr, std::uint32_t pc, const Lanes& values);
  void elementwise(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc);
  void reduce(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc);
  defs::Engine engine() const { return static_cast<defs::Engine>(port_.stream.engine); }

  const defs::Sizes& sizes_;
  LanePort port_;
  Lanes sums_{};  ///< accumulators of the activation engine
};

}  // namespace cmodel
