// SPDX-License-Identifier: Apache-2.0
// Instructions of one sequencer while they are written: waits, signals, checked operands.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
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
  /// A loop around what is written next.
  struct Loop {
    unsigned id = 0;          ///< of this stream, from 1
    std::uint64_t turns = 0;  ///< 0: a register says how many
  };
  /// The outermost one first.
  const std::vector<Loop>& loops() const { return around_; }
  /// Turns of all of them; 0: a register says how many.
  std::uint64_t often() const;
  /// "chip 0 core 1 Vector pc 3 (a.cc:7)": what is written next, and who called last.
  std::string where() const;

  /// What an instruction is given: in the order of its row, null where nothing. What methods are
  /// made of.
  struct Given {
    std::uint8_t func = 0;
    std::optional<std::uint8_t> func1 = {};
    std::array<const Scalar*, 2> scalars{};
    std::uint32_t imm = 0;
    bool accumulate = false;
    std::array<const Tile*, 3> operands{};
  };
  /// Appends an instruction, checked against its row.
  void put(const defs::InstrRow& row, const Given& given, Where at);

 protected:
  friend class Assembler;
  void add_wait(defs::WaitOp op, Semaphore semaphore, unsigned value);
  void add_signal(Semaphore semaphore, int delta);
  void emit(defs::Instr instr);
  /// What depends on the function and on older instructions; the formats that it leaves to each
  /// operand, as masks.
  virtual std::array<unsigned, 3> check_state(const defs::InstrRow& row, const Given& given);
  /// The operand of a tile, checked: on this core, allowed space, partition rule, inside its
  /// buffer.
  defs::Operand operand(const Tile& tile, const defs::OperandRow& row, unsigned formats) const;
  /// A scalar for so many partitions, checked.
  defs::Scalar scalar(const Scalar& given, const Tile& source) const;
  /// Puts scalars and the second function where the row has them.
  void put_scalars(const defs::InstrRow& row, const Given& given, const Tile& source,
                   defs::Instr& instr) const;
  /// Does `tile` go with the first source, as its row says?
  void check_shape(const defs::OperandRow& row, const Tile& source, const Tile& tile,
                   unsigned reduced = 1) const;
  /// Do sizes, partitions and places suit the row as a whole?
  void check_whole(const defs::InstrRow& row, const Tile& source, const Given& given) const;
  /// Of a register of this stream.
  std::uint8_t number(const Register& reg) const;
  /// A number mod 2^32 that was given with a sign.
  std::uint32_t word(std::int64_t value) const;
  /// The next instruction has no operands.
  void check_no_size() const;
  [[noreturn]] void fail(const std::string& what) const;

  Assembler& assembler_;
  unsigned chip_, core_, engine_;
  std::vector<defs::Instr> instructions_;
  std::vector<SourceNotes::Line> lines_;               ///< of each instruction
  std::optional<defs::Instr> wait_;                    ///< only its wait fields
  std::optional<std::pair<unsigned, unsigned>> size_;  ///< register and dimension
  std::size_t closed_ = 0;  ///< instructions that a signal must not change: others come here, too
  /// The innermost loop around what is written, 0: none.
  unsigned innermost() const { return around_.empty() ? 0 : around_.back().id; }
  std::vector<Loop> around_;
  unsigned loops_ = 0;  ///< so many were opened
  Where at_;            ///< who called last
};

}  // namespace cmodel
