// SPDX-License-Identifier: Apache-2.0
// Items of the scenario `errors` as turns of a loop, and registers that make one of them illegal.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/errors_plan.h"
#include "tb/scenarios/numbers.h"

namespace tb {

/// The first line of a core's HBM is its own, the next one both may read.
struct Edge {
  cmodel::Block mine, others;
};

/// What an item takes from registers.
struct ItemRegisters {
  cmodel::Register source, target;  ///< bytes that this turn is behind the first
  cmodel::Register size;
};

/// Operation and visit where it stops.
struct At {
  std::uint32_t pc = 0, visit = 1;
  auto operator<=>(const At&) const = default;
};

struct Shape {
  unsigned turns, per_turn;           ///< items are per_turn * turn + j
  unsigned index;                     ///< of the illegal one
  unsigned columns;                   ///< of an item
  unsigned source_step, target_step;  ///< bytes from turn to turn
};

/// Bytes from the edge of its own HBM, or from the first line that the other core shares, at which
/// a load is rejected.
template <class S>
void set_illegal_address(S& s, cmodel::Register address, defs::ErrorCause cause, Random& random) {
  s.set(address,
        cause == defs::ErrorCause::Misaligned ? random.between(1, 3) : -4u * random.between(1, 16));
}

/// item(j, registers) writes an item, as one instruction.
template <class S, class Item>
At write_turns(S& s, const Shape& shape, defs::ErrorCause cause, const Edge& edge, Random& random,
               Item&& item) {
  using defs::ErrorCause;
  const ItemRegisters of{s.reg(), s.reg(), s.reg()};
  const auto last = s.reg(), address = s.reg(), loaded = s.reg();
  const unsigned at_turn = shape.index / shape.per_turn;
  At stop{.visit = at_turn + 1};
  const bool loads = cause == ErrorCause::UnmappedAddress || cause == ErrorCause::Forbidden;
  const auto moved = random.one_in(2) ? of.source : of.target;
  const auto make_illegal = [&] {
    if (loads) return set_illegal_address(s, address, cause, random);
    if (cause == ErrorCause::Misaligned) return s.add(moved, 1);
    if (cause == ErrorCause::BadShape)
      return s.set(of.size, random.one_in(2) ? 0 : 65536 + random.between(0, 65535));
    constexpr std::array<std::uint32_t, 4> kFar{0x40000, 0xff0000, 0x7ffffffc, 0x80000000};
    return s.set(moved, kFar[random.between(0, kFar.size() - 1)]);
  };
  s.set(last, at_turn);
  s.loop(shape.turns, [&](cmodel::Register turn) {
    s.alu(defs::RegOp::Mul, of.source, turn, s.zero(), shape.source_step);
    s.alu(defs::RegOp::Mul, of.target, turn, s.zero(), shape.target_step);
    s.set(of.size, shape.columns);
    for (unsigned j = 0; j < shape.per_turn; ++j) {
      if (j == shape.index % shape.per_turn) {
        const auto legal = s.ahead();
        s.branch(defs::Condition::Ne, turn, last, legal);
        make_illegal();
        s.place(legal);
        if (loads)
          s.load(loaded, cause == ErrorCause::Forbidden ? edge.others : edge.mine, address);
        stop.pc = static_cast<std::uint32_t>(s.size()) - loads;
      }
      item(j, of);
    }
  });
  return stop;
}

}  // namespace tb
