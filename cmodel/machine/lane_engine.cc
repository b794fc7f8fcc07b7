// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/lane_engine.h"

#include <algorithm>
#include <array>

#include "cmodel/machine/fp.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/machine/table_function.h"
#include "cmodel/machine/vector_unit.h"

namespace cmodel {
namespace {

/// acc = op(acc, x) for every lane.
void apply(std::uint8_t op, std::span<std::uint32_t> acc, std::span<const std::uint32_t> x,
           bool reverse = false) {
  for (std::size_t i = 0; i < acc.size(); ++i)
    acc[i] = reverse ? fp::evaluate(static_cast<defs::AluOp>(op), x[i], acc[i])
                     : fp::evaluate(static_cast<defs::AluOp>(op), acc[i], x[i]);
}

/// x = func(x).
void apply(defs::ActFunc func, std::span<std::uint32_t> x) {
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
  // A copy between integers of one format keeps their bits, too.
  const bool predicated = row.form == defs::Form::Predicated;
  const auto from = predicated ? instr.src1.dtype : instr.src0.dtype;
  port_.bits = row.is_of_bits(instr.func) || row.moves ||
               (!row.functions && row.scalars == defs::ScalarPlace::None &&
                (predicated || row.form == defs::Form::Elementwise) &&
                defs::kDtypeInteger >> instr.dst.dtype & 1 && from == instr.dst.dtype);
  if (row.form == defs::Form::Seed)
    port_.random.seed(scalars_of(instr).first.value);
  else if (row.form == defs::Form::Sums)
    fill(instr, pc, sums_);
  else if (engine() == defs::Engine::Act)
    activate(instr, row, pc);
  else if (row.dst().walk == defs::Walk::Outer)
    reduce(instr, row, pc);
  else if (row.form >= defs::Form::Transpose)
    unit(instr, row, pc);
  else if (row.is_masked())
    masked(instr, row, pc);
  else if (row.scalars != defs::ScalarPlace::None)
    fused(instr, row, pc);
  else
    elementwise(instr, row, pc);
  return defs::ErrorCause::None;
}

void LaneEngine::activate(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc) {
  const bool scaled = row.scalars != defs::ScalarPlace::None;
  const defs::Scalars scalars = scaled ? scalars_of(instr) : defs::Scalars{};
  const bool biased = scaled ? scalars.second.kind
                             : instr.src1.space != static_cast<std::uint8_t>(defs::Space::None);
  std::array<Lanes, 3> all;
  const auto lanes = [&](unsigned i) { return std::span(all[i]).first(instr.partitions); };
  const auto x = lanes(0), scale = lanes(1), bias = lanes(2);
  port_.read(scalars.first, scale);
  port_.read(scalars.second, bias);
  if (biased && !scaled) port_.read(instr.src1, instr.src1.offset, bias);
  const auto command = reduce_command(instr);
  const auto sums = std::span(sums_).first(instr.partitions);
  if (resets(command)) std::ranges::fill(sums, 0);
  const Trips trips = trips_of(instr);
  PatternWalk dst(instr.dst, trips);
  for (PatternWalk src0(instr.src0, trips); !src0.done(); src0.next(), dst.next()) {
    port_.read(instr.src0, src0.addr(), x);
    if (scaled) apply(static_cast<std::uint8_t>(defs::AluOp::Mul), x, scale);
    if (biased) apply(static_cast<std::uint8_t>(defs::AluOp::Add), x, bias);
    apply(static_cast<defs::ActFunc>(instr.func), x);
    if (reduces(command)) apply(static_cast<std::uint8_t>(defs::AluOp::Add), sums, x);
    port_.write(instr.dst, dst.addr(), pc, x);
  }
}

void LaneEngine::fill(const defs::Instr& instr, std::uint32_t pc, const Lanes& values) {
  const auto used = std::span(values).first(instr.partitions);
  for (PatternWalk dst(instr.dst, trips_of(instr)); !dst.done(); dst.next())
    port_.write(instr.dst, dst.addr(), pc, used);
}

void LaneEngine::elementwise(const defs::Instr& instr, const defs::InstrRow& row,
                             std::uint32_t pc) {
  Lanes left, right;
  const auto x = std::span(left).first(instr.partitions);
  const auto y = std::span(right).first(instr.partitions);
  const Trips trips = trips_of(instr);
  PatternWalk src1(instr.src1, trips), dst(instr.dst, trips);
  for (PatternWalk src0(instr.src0, trips); !src0.done(); src0.next(), dst.next(), src1.next()) {
    port_.read(instr.src0, src0.addr(), x);
    if (row.functions) {
      port_.read(instr.src1, src1.addr(), y);
      apply(instr.func, x, y);
    }
    port_.write(instr.dst, dst.addr(), pc, x);
  }
}

void LaneEngine::unit(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc) {
  Lanes a;
  const auto scalar = std::span(a).first(instr.partitions);
  port_.read(scalars_of(instr).first, scalar);
  PatternWalk src1(instr.src1, trips_of(instr, row.src1().walk)), src0(instr.src0, trips_of(instr)),
      dst(instr.dst, trips_of(instr, row.dst().walk));
  // Values that come first, then elements; the row's destination takes what is made of them.
  const auto next = [&](std::span<std::uint32_t> x) {
    const bool first = row.src1().used() && !src1.done();
    PatternWalk& walk = first ? src1 : src0;
    if (walk.done()) return false;
    if (row.src0().used()) port_.read(first ? instr.src1 : instr.src0, walk.addr(), x);
    walk.next();
    return true;
  };
  const auto put = [&](std::span<const std::uint32_t> y) {
    port_.write(instr.dst, dst.addr(), pc, y);
    dst.next();
  };
  run_unit(row.form, {sizes_.partitions / 4, scalar, port_.random, next, put});
}

void LaneEngine::masked(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc) {
  Lanes left, right, result;
  std::array<bool, left.size()> skip;
  const auto x = std::span(left).first(instr.partitions);
  const auto y = std::span(right).first(instr.partitions);
  const Trips trips = trips_of(instr);
  const unsigned quarter = sizes_.partitions / 4;
  PatternWalk src1(instr.src1, trips_of(instr, row.src1().walk)), dst(instr.dst, trips);
  for (PatternWalk src0(instr.src0, trips); !src0.done(); src0.next(), dst.next(), src1.next()) {
    port_.read(instr.src0, src0.addr(), x);
    port_.read(instr.src1, row.src1_first() ? instr.src1.offset : src1.addr(), y);
    for (unsigned i = 0; i < x.size(); ++i) {
      const bool shuffles = row.form == defs::Form::Shuffle;
      result[i] = shuffles ? x[i / quarter * quarter + y[i] % quarter] : y[i];
      skip[i] = shuffles ? y[i] == 255 : x[i] == 0;
    }
    port_.write(instr.dst, dst.addr(), pc, std::span(result).first(x.size()),
                std::span(skip).first(x.size()));
  }
}

void LaneEngine::fused(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc) {
  const defs::Scalars scalars = scalars_of(instr);
  const auto func1 = second_function(instr);
  std::array<Lanes, 5> all;
  const auto lanes = [&](unsigned i) { return std::span(all[i]).first(instr.partitions); };
  const auto x = lanes(0), y = lanes(1), a = lanes(2), b = lanes(3), before = lanes(4);
  port_.read(scalars.first, a);
  port_.read(scalars.second, b);
  if (row.form == defs::Form::Fill) return fill(instr, pc, all[2]);
  const Trips trips = trips_of(instr);
  PatternWalk src0(instr.src0, trips), src1(instr.src1, trips);
  bool fresh = true;
  for (PatternWalk dst(instr.dst, trips); !dst.done(); dst.next(), src0.next(), src1.next()) {
    port_.read(instr.src0, src0.addr(), x);
    if (row.src1().used()) port_.read(instr.src1, src1.addr(), y);
    if (row.form == defs::Form::Select) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = fp::to_float(x[i]) != 0 ? y[i] : a[i];
    } else {
      const bool running = row.form == defs::Form::Scan && !fresh;
      apply(instr.func, x, running ? before : a, scalars.first.reverse);
      if (func1) apply(*func1, x, row.src1().used() ? y : b, scalars.second.reverse);
      std::ranges::copy(x, before.begin());
      fresh = dst.inner_last();
    }
    port_.write(instr.dst, dst.addr(), pc, x);
  }
}

void LaneEngine::reduce(const defs::Instr& instr, const defs::InstrRow& row, std::uint32_t pc) {
  Lanes sums, lanes;
  const auto acc = std::span(sums).first(instr.partitions);
  const auto x = std::span(lanes).first(instr.partitions);
  const Trips trips = trips_of(instr), outer = trips_of(instr, row.dst().walk);
  std::uint64_t each = 1;  // elements that make one
  for (unsigned d = 0; d < 4; ++d) each *= trips[d] / outer[d];
  const std::uint32_t flip = !defs::Reduction::from({instr.imm}).negate ? 0
                             : port_.bits                               ? ~0u
                                                                        : 0x80000000u;
  PatternWalk src(instr.src0, trips);
  for (PatternWalk dst(instr.dst, outer); !dst.done(); dst.next()) {
    port_.read(instr.src0, src.addr(), acc);
    for (std::uint64_t i = 1; i < each; ++i) {
      src.next();
      port_.read(instr.src0, src.addr(), x);
      apply(instr.func, acc, x);
    }
    src.next();
    for (auto& lane : acc) lane ^= flip;
    port_.write(instr.dst, dst.addr(), pc, acc);
  }
}

}  // namespace cmodel
