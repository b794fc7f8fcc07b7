// SPDX-License-Identifier: Apache-2.0
// Stands in for cmodel/tensor_engine.h until that is merged: correct, slow. To be deleted then.
#pragma once
#include <vector>

#include "cmodel/access_pattern.h"
#include "cmodel/commit.h"
#include "cmodel/fp.h"
#include "cmodel/psum.h"
#include "cmodel/sbuf.h"

namespace cmodel {

class TensorEngine {
 public:
  TensorEngine(const defs::Sizes& sizes, const Sbuf& sbuf, Psum& psum, CommitSink& sink,
               const StreamId& stream)
      : sizes_(sizes), sbuf_(sbuf), psum_(psum), sink_(sink), stream_(stream) {}

  defs::ErrorCause execute(const defs::Instr& instr, std::uint32_t pc) {
    const Trips trips = trips_of(instr);
    const std::uint64_t n = std::uint64_t{trips[0]} * trips[1] * trips[2] * trips[3];
    const bool load = instr.opcode == static_cast<std::uint8_t>(defs::Opcode::LoadStationary);
    Faults faults;
    faults.unknown_opcode =
        !load && instr.opcode != static_cast<std::uint8_t>(defs::Opcode::MultiplyMoving);
    faults.reserved_bits = instr.func || instr.imm || instr.reserved || (load && instr.accumulate);
    faults |= operand_faults(sizes_, instr.src0, instr.partitions, trips, kSbufOnly, kBf16Only);
    faults |= operand_faults(sizes_, instr.src1, 1, trips, kMustBeUnused, kFp32Only);
    faults |= operand_faults(sizes_, instr.dst, 1, trips, load ? kMustBeUnused : kPsumOnly, kFp32Only);
    faults.bad_shape |= n > (load ? sizes_.partitions : sizes_.psum_cols);
    if (!load) {
      faults.bad_partition |= instr.dst.partition != 0;
      faults.bad_shape |= weights_.empty() || instr.partitions != rows_ || instr.src0.partition != first_;
    }
    if (const auto cause = faults.first_cause(); cause != defs::ErrorCause::None) return cause;
    if (load) {
      weights_.clear();
      rows_ = instr.partitions;
      first_ = instr.src0.partition;
      for_each_element(instr.src0, trips, [&](std::uint32_t at) {
        weights_.emplace_back(rows_);
        sbuf_.read_column(at, 2, first_, weights_.back());
      });
      return defs::ErrorCause::None;
    }
    std::vector<std::uint32_t> moving(rows_), out(weights_.size());
    PatternWalk dst(instr.dst, trips);
    for_each_element(instr.src0, trips, [&](std::uint32_t at) {
      sbuf_.read_column(at, 2, first_, moving);
      const auto row = psum_.row(dst.addr() / 4);
      for (unsigned m = 0; m < weights_.size(); ++m) {
        fp::Fp32 sum = 0;
        for (unsigned k = 0; k < rows_; ++k)
          sum = fp::fma_bf16(static_cast<fp::Bf16>(weights_[m][k]),
                             static_cast<fp::Bf16>(moving[k]), sum);
        row[m] = out[m] = instr.accumulate ? fp::add(row[m], sum) : sum;
      }
      Commit commit;
      commit.kind = CommitKind::PsumRow;
      commit.stream = stream_;
      commit.pc = pc;
      commit.addr = dst.addr();
      commit.count = static_cast<std::uint16_t>(out.size());
      commit.element_bytes = 4;
      sink_.commit(commit, {reinterpret_cast<const std::uint8_t*>(out.data()), out.size() * 4});
      dst.next();
    });
    return defs::ErrorCause::None;
  }

 private:
  const defs::Sizes& sizes_;
  const Sbuf& sbuf_;
  Psum& psum_;
  CommitSink& sink_;
  StreamId stream_;
  std::vector<std::vector<std::uint32_t>> weights_;
  unsigned rows_ = 0, first_ = 0;
};

}  // namespace cmodel
