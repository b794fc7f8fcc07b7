// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/lane_engine.h"

#include "cmodel/machine/fp.h"
#include "cmodel/machine/instruction.h"

namespace cmodel {
namespace {

/// acc = f(acc, x) for every lane: the activation engine adds.
void combine(defs::Engine engine, std::uint8_t func, std::span<std::uint32_t> acc,
             std::span<const std::uint32_t> x) {
  const auto op = engine == defs::Engine::Act ? defs::AluOp::Add : static_cast<defs::AluOp>(func);
  for (std::size_t i = 0; i < acc.size(); ++i) acc[i] = fp::evaluate(op, acc[i], x[i]);
}

}  // namespace

defs::ErrorCause LaneEngine::execute(const defs::Instr& instr, std::uint32_t pc) {
  const auto cause = instr_faults(sizes_, instr, engine()).first_cause();
  if (cause != defs::ErrorCause::None) return cause;
  const defs::InstrRow& row = *defs::row_of(instr.opcode);
  // A copy between integers of one format keeps their bits, too.
  port_.bits = row.is_of_bits(instr.func) ||
               (!row.functions && defs::kDtypeInteger >> instr.dst.dtype & 1 &&
                instr.src0.dtype == instr.dst.dtype);
  if (row.dst().walk == defs::Walk::Outer)
    reduce(instr, row, pc);
  else
    elementwise(instr, row, pc);
  return defs::ErrorCause::None;
}

void LaneEngine::elementwise(const defs::Instr& instr, const defs::InstrRow& row,
                             std::uint32_t pc) {
  const bool second = instr.src1.space != static_cast<std::uint8_t>(defs::Space::None);
  const bool relu =
      engine() == defs::Engine::Act && instr.func == static_cast<std::uint8_t>(defs::ActFunc::Relu);
  Lanes left, right;
  const auto x = std::span(left).first(instr.partitions);
  const auto y = std::span(right).first(instr.partitions);
  const Trips trips = trips_of(instr);
  PatternWalk src1(instr.src1, trips), dst(instr.dst, trips);
  const bool once = row.src1().walk == defs::Walk::One;
  if (second && once) port_.read(instr.src1, instr.src1.offset, y);
  for (PatternWalk src0(instr.src0, trips); !src0.done(); src0.next(), dst.next()) {
    port_.read(instr.src0, src0.addr(), x);
    if (second && !once) {
      port_.read(instr.src1, src1.addr(), y);
      src1.next();
    }
    if (second) combine(engine(), instr.func, x, y);
    if (relu) {
      for (auto& lane : x) lane = fp::relu(lane);
    }
    port_.write(instr.dst, dst.addr(), pc, x);
  }
}

void LaneEngine::reduce(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc) {
  Lanes sums, lanes;
  const auto acc = std::span(sums).first(instr.partitions);
  const auto x = std::span(lanes).first(instr.partitions);
  PatternWalk src(instr.src0, trips_of(instr));
  for (PatternWalk dst(instr.dst, trips_of(instr, row.dst().walk)); !dst.done(); dst.next()) {
    port_.read(instr.src0, src.addr(), acc);
    for (unsigned i = 1; i < instr.size0; ++i) {
      src.next();
      port_.read(instr.src0, src.addr(), x);
      combine(engine(), instr.func, acc, x);
    }
    src.next();
    port_.write(instr.dst, dst.addr(), pc, acc);
  }
}

}  // namespace cmodel
