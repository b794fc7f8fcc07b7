// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/vector_engine.h"

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/fp.h"

namespace cmodel {
namespace {

/// TENSOR_REDUCE walks its destination without the innermost dimension.
Trips outer_trips(const defs::Instr& instr) { return {1, instr.size1, instr.size2, instr.size3}; }

/// acc = func(acc, x) for every lane.
void apply(defs::AluOp func, std::span<std::uint32_t> acc, std::span<const std::uint32_t> x) {
  switch (func) {
    case defs::AluOp::Add:
      for (std::size_t i = 0; i < acc.size(); ++i) acc[i] = fp::add(acc[i], x[i]);
      break;
    case defs::AluOp::Sub:
      for (std::size_t i = 0; i < acc.size(); ++i) acc[i] = fp::sub(acc[i], x[i]);
      break;
    case defs::AluOp::Max:
      for (std::size_t i = 0; i < acc.size(); ++i) acc[i] = fp::max(acc[i], x[i]);
      break;
  }
}

}  // namespace

defs::ErrorCause check_vector(const defs::Sizes& sizes, const defs::Instr& instr) {
  const auto opcode = static_cast<defs::Opcode>(instr.opcode);
  const auto func = static_cast<defs::AluOp>(instr.func);
  const Trips trips = trips_of(instr);
  Faults faults;
  switch (opcode) {
    case defs::Opcode::TensorCopy:
      faults.reserved_bits = instr.func != 0;
      break;
    case defs::Opcode::TensorTensor:
      faults.unknown_opcode = func > defs::AluOp::Max;
      break;
    case defs::Opcode::TensorReduce:
      faults.unknown_opcode = func != defs::AluOp::Add && func != defs::AluOp::Max;
      break;
    default:
      faults.unknown_opcode = true;
      break;
  }
  faults.reserved_bits |= instr.accumulate || instr.imm || instr.reserved;
  const bool read_out = opcode == defs::Opcode::TensorCopy &&
                        instr.src0.space == static_cast<std::uint8_t>(defs::Space::Psum);
  faults |= operand_faults(sizes, instr.src0, instr.partitions, trips, kSbufOrPsum,
                           read_out ? kReadOut : kFp32OrBf16);
  faults |= operand_faults(sizes, instr.src1, instr.partitions, trips,
                           opcode == defs::Opcode::TensorTensor ? kSbufOrPsum : kMustBeUnused,
                           kFp32OrBf16);
  faults |= operand_faults(sizes, instr.dst, instr.partitions,
                           opcode == defs::Opcode::TensorReduce ? outer_trips(instr) : trips,
                           kSbufOnly, kFp32OrBf16);
  return faults.first_cause();
}

defs::ErrorCause VectorEngine::execute(const defs::Instr& instr, std::uint32_t pc) {
  if (const auto cause = check_vector(sizes_, instr); cause != defs::ErrorCause::None) return cause;
  switch (static_cast<defs::Opcode>(instr.opcode)) {
    case defs::Opcode::TensorCopy:
      tensor_copy(instr, pc);
      break;
    case defs::Opcode::TensorTensor:
      tensor_tensor(instr, pc);
      break;
    default:
      tensor_reduce(instr, pc);
      break;
  }
  return defs::ErrorCause::None;
}

void VectorEngine::tensor_copy(const defs::Instr& instr, std::uint32_t pc) {
  const Trips trips = trips_of(instr);
  Lanes lanes;
  const auto x = std::span(lanes).first(instr.partitions);
  PatternWalk dst(instr.dst, trips);
  for (PatternWalk src(instr.src0, trips); !src.done(); src.next(), dst.next()) {
    port_.read(instr.src0, src.addr(), x);
    port_.write(instr.dst, dst.addr(), pc, x);
  }
}

void VectorEngine::tensor_tensor(const defs::Instr& instr, std::uint32_t pc) {
  const Trips trips = trips_of(instr);
  Lanes left, right;
  const auto x = std::span(left).first(instr.partitions);
  const auto y = std::span(right).first(instr.partitions);
  PatternWalk src1(instr.src1, trips), dst(instr.dst, trips);
  for (PatternWalk src0(instr.src0, trips); !src0.done(); src0.next(), src1.next(), dst.next()) {
    port_.read(instr.src0, src0.addr(), x);
    port_.read(instr.src1, src1.addr(), y);
    apply(static_cast<defs::AluOp>(instr.func), x, y);
    port_.write(instr.dst, dst.addr(), pc, x);
  }
}

void VectorEngine::tensor_reduce(const defs::Instr& instr, std::uint32_t pc) {
  const Trips trips = trips_of(instr);
  Lanes sums, lanes;
  const auto acc = std::span(sums).first(instr.partitions);
  const auto x = std::span(lanes).first(instr.partitions);
  PatternWalk src(instr.src0, trips);
  for (PatternWalk dst(instr.dst, outer_trips(instr)); !dst.done(); dst.next()) {
    port_.read(instr.src0, src.addr(), acc);
    for (unsigned i = 1; i < instr.size0; ++i) {
      src.next();
      port_.read(instr.src0, src.addr(), x);
      apply(static_cast<defs::AluOp>(instr.func), acc, x);
    }
    src.next();
    port_.write(instr.dst, dst.addr(), pc, acc);
  }
}

}  // namespace cmodel
