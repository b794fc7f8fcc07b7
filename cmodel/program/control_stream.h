// SPDX-License-Identifier: Apache-2.0
// Registers, loops and branches of one sequencer while they are written.
//
//   auto& v = core.vector();
//   v.loop(tiles, tile_bytes, [&](Register at) {      // at = 0, tile_bytes, 2 * tile_bytes, ..
//     v.take(loaded).copy(x.at(at), y).signal(copied);
//   });
//   const Register n = v.reg();
//   v.load(n, lengths);                                // 4 bytes of HBM
//   v.size_from(n).copy(x, y);                         // the innermost size
//   const Label again = v.here();
//   v.add(n, -1);
//   v.branch(defs::Condition::Ne, n, v.zero(), again);
#pragma once
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "cmodel/program/instr_stream.h"

namespace cmodel {

/// A place in a stream that branches go to.
struct Label {
  const void* stream = nullptr;  ///< whose
  std::size_t number = 0;
};

/// How often a loop turns: a number, or what a register holds when the loop begins (0: not at all).
struct Turns {
  Turns(unsigned n) : number(n) {}
  Turns(Register r) : from(r) {}
  unsigned number = 0;
  std::optional<Register> from;
};

class ControlStream : public StreamBase {
 public:
  using StreamBase::StreamBase;

  /// A register that nobody else has, up to the end of the loop around the call.
  Register reg(Where at = Where::current());
  /// The one that is always zero.
  Register zero() const { return {chip_, core_, engine_, 0}; }

  /// to = a op (b + value), mod 2^32.
  void alu(defs::RegOp op, Register to, Register a, Register b, std::uint32_t value = 0,
           Where at = Where::current());
  void set(Register to, std::uint32_t value, Where at = Where::current()) {
    alu(defs::RegOp::Add, to, zero(), zero(), value, at);
  }
  /// to += value, mod 2^32.
  void add(Register to, std::int64_t value, Where at = Where::current());
  /// to = the 4 bytes at `byte` + index of a block of this chip's HBM.
  void load(Register to, const Block& from, unsigned byte = 0, Where at = Where::current()) {
    load(to, from, zero(), byte, at);
  }
  void load(Register to, const Block& from, Register index, unsigned byte = 0,
            Where at = Where::current());

  Label here(Where at = Where::current());
  /// One that place() puts somewhere later.
  Label ahead() { return {this, add_label()}; }
  void place(Label label, Where at = Where::current());
  /// a += add; if a `condition` b, the stream goes on at the label.
  void branch(defs::Condition condition, Register a, Register b, Label to, std::int64_t add = 0,
              Where at = Where::current());

  /// The body again and again. It may have a parameter, the Register that is 0, step, 2 * step, ..
  /// in its turns. One Branch a turn closes the loop. Copies that are written in it need DMA
  /// engines of its own, whose rings then go round with it.
  template <class Body>
  void loop(Turns turns, unsigned step, Body&& body, Where at = Where::current()) {
    const OpenLoop open = open_loop(turns, step, at);
    body(open.counter);
    close_loop(open, at);
  }
  template <class Body>
  void loop(Turns turns, Body&& body, Where at = Where::current()) {
    if constexpr (std::is_invocable_v<Body, Register>)
      return loop(turns, 1, body, at);
    else {
      const OpenLoop open = open_loop(turns, 0, at);
      body();
      close_loop(open, at);
    }
  }

 protected:
  /// The size of a dimension of the next instruction, 0: the innermost, is what the register holds;
  /// the size that its tiles have is the most.
  void add_size(Register size, unsigned dimension);
  /// All labels have a place.
  void check_labels();
  friend class Assembler;

 private:
  /// Without step the counter goes down to zero, else up to the bound.
  struct OpenLoop {
    Register counter, bound;
    unsigned step;
    Label top, out;
    unsigned registers;  ///< what reg() was
  };
  OpenLoop open_loop(Turns turns, unsigned step, Where at);
  void close_loop(const OpenLoop& open, Where at);
  std::size_t add_label();
  void emit_control(const defs::Instr& instr);

  struct Target {
    std::optional<std::uint32_t> pc;
    std::vector<std::pair<std::uint32_t, Where>> branches;  ///< that wait for it
  };
  std::vector<Target> labels_;
  unsigned registers_ = 0;  ///< given out
};

}  // namespace cmodel
