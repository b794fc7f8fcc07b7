// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/lane_engine.h"

#include "cmodel/machine/fp.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/machine/table_function.h"

namespace cmodel {
namespace {

template <class F>
void each(std::span<std::uint32_t> acc, std::span<const std::uint32_t> x, F f) {
  for (std::size_t i = 0; i < acc.size(); ++i) acc[i] = f(acc[i], x[i]);
}

/// acc = f(acc, x) for every lane: the activation engine adds.
void combine(defs::Engine engine, std::uint8_t func, std::span<std::uint32_t> acc,
             std::span<const std::uint32_t> x) {
  switch (engine == defs::Engine::Act ? defs::AluOp::Add : static_cast<defs::AluOp>(func)) {
    case defs::AluOp::Add:
      return each(acc, x, [](auto a, auto b) { return fp::add(a, b); });
    case defs::AluOp::Sub:
      return each(acc, x, [](auto a, auto b) { return fp::sub(a, b); });
    case defs::AluOp::Max:
      return each(acc, x, [](auto a, auto b) { return fp::max(a, b); });
  }
}

/// x = func(x).
void activate(defs::ActFunc func, std::span<std::uint32_t> x) {
  const auto map = [&](auto f) {
    for (auto& lane : x) lane = f(lane);
  };
  switch (func) {
    case defs::ActFunc::Copy:
      return;
    case defs::ActFunc::Relu:
      return map([](auto a) { return fp::relu(a); });
    case defs::ActFunc::Square:
      return map([](auto a) { return fp::fma(a, a, 0x80000000u); });
    case defs::ActFunc::Abs:
      return map([](auto a) { return a & 0x7FFFFFFFu; });
    case defs::ActFunc::Sign:
      return map([](auto a) { return fp::sign(a); });
    default:
      return apply_table(*table_function_of(func), x);
  }
}

}  // namespace

defs::ErrorCause LaneEngine::execute(const defs::Instr& instr, std::uint32_t pc) {
  const auto cause = instr_faults(sizes_, instr, engine()).first_cause();
  if (cause != defs::ErrorCause::None) return cause;
  const defs::InstrRow& row = *defs::row_of(instr.opcode);
  if (row.dst().walk == defs::Walk::Outer)
    reduce(instr, row, pc);
  else
    elementwise(instr, row, pc);
  return defs::ErrorCause::None;
}

void LaneEngine::elementwise(const defs::Instr& instr, const defs::InstrRow& row,
                             std::uint32_t pc) {
  const bool second = instr.src1.space != static_cast<std::uint8_t>(defs::Space::None);
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
    if (engine() == defs::Engine::Act) activate(static_cast<defs::ActFunc>(instr.func), x);
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
