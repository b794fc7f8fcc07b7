// SPDX-License-Identifier: Apache-2.0
// Instructions of one sequencer while they are written: waits, signals, checked operands.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "cmodel/machine/instruction.h"
#include "cmodel/program/program.h"
#include "cmodel/program/tile.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

class Assembler;

/// The line that calls: what every method that makes an instruction notes of it.
using Where = std::source_location;

/// A semaphore of a chip. `id` is {core, semaphore}: both cores of the chip can use it.
struct Semaphore {
  unsigned chip = 0;
  unsigned id = 0;
};

/// Why no chip has `semaphore`; empty if one has.
std::string bad_semaphore(Semaphore semaphore);
/// Why `semaphore` += delta cannot be asked for on `chip`; empty if it can.
std::string bad_signal(unsigned chip, Semaphore semaphore, int delta);

/// Instructions of one sequencer, in order. A wait belongs to the next instruction, a signal to the
/// last one, so that a line reads in the order in which things happen:
///
///   core.tensor().wait_ge(loaded, 2).load_stationary(w).multiply_moving(x, acc).signal(summed);
///
/// An instruction has one wait and one update: a second one costs a NOP, inserted here.
class StreamBase {
 public:
  StreamBase(Assembler& assembler, unsigned chip, unsigned core, unsigned engine)
      : assembler_(assembler), chip_(chip), core_(core), engine_(engine) {}
  StreamBase(const StreamBase&) = delete;

  std::size_t size() const { return instructions_.size(); }

 protected:
  friend class Assembler;
  void add_wait(defs::WaitOp op, Semaphore semaphore, unsigned value);
  void add_signal(Semaphore semaphore, int delta);
  void emit(defs::Instr instr);
  /// What an instruction is given: in the order of its row, null where nothing.
  struct Given {
    std::uint8_t func = 0;
    bool accumulate = false;
    std::array<const Tile*, 3> operands{};
  };
  /// Appends an instruction, checked against its row. What methods are made of.
  void put(const defs::InstrRow& row, const Given& given, Where at);
  /// What depends on older instructions; the formats that it leaves to each operand, as masks.
  virtual std::array<unsigned, 3> check_state(const defs::InstrRow&, const Given&) {
    return {~0u, ~0u, ~0u};
  }
  /// The operand of a tile, checked: on this core, allowed space, partition rule, inside its
  /// buffer.
  defs::Operand operand(const Tile& tile, const defs::OperandRow& row, unsigned formats) const;
  /// Does `tile` go with the first source, as its row says?
  void check_shape(const defs::OperandRow& row, const Tile& source, const Tile& tile) const;
  [[noreturn]] void fail(const std::string& what) const;
  std::string where() const;

  Assembler& assembler_;
  unsigned chip_, core_, engine_;
  std::vector<defs::Instr> instructions_;
  std::vector<SourceNotes::Line> lines_;  ///< of each instruction
  std::optional<defs::Instr> wait_;       ///< only its wait fields
  Where at_;                              ///< who called last
};

template <class Derived>
class Stream : public StreamBase {
 public:
  using StreamBase::StreamBase;
  /// The next instruction issues when semaphore >= value.
  Derived& wait_ge(Semaphore semaphore, unsigned value, Where at = Where::current()) {
    at_ = at;
    add_wait(defs::WaitOp::Ge, semaphore, value);
    return self();
  }
  Derived& wait_eq(Semaphore semaphore, unsigned value, Where at = Where::current()) {
    at_ = at;
    add_wait(defs::WaitOp::Eq, semaphore, value);
    return self();
  }
  /// Adds delta when the last instruction is done.
  Derived& signal(Semaphore semaphore, int delta = 1, Where at = Where::current()) {
    at_ = at;
    add_signal(semaphore, delta);
    return self();
  }
  Derived& nop(Where at = Where::current()) {
    at_ = at;
    emit({});
    return self();
  }

 protected:
  Derived& self() { return static_cast<Derived&>(*this); }
};

}  // namespace cmodel
