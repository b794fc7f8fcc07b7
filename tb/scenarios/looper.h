// SPDX-License-Identifier: Apache-2.0
// Loops, branches and registers of a random stream. What its registers hold nobody plans; what is
// made of them stays in bounds:
//
//   turns        constant, or a word of HBM that is small
//   offsets      a register & a mask, added or subtracted: room is left on that side
//   sizes        1 + (a register & a mask): at most what the tile has
//   branches     around something that only registers and scratch semaphores see
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/numbers.h"

namespace tb {

/// Words of HBM that a Looper loads.
struct LooperWords {
  static constexpr unsigned kMostTurns = 3, kTurns = 4;
  cmodel::Block any;    ///< of any bits, kBytes of them
  cmodel::Block turns;  ///< turns[n] is n, 0 .. kMostTurns
  static constexpr unsigned kBytes = 1024;

  static std::vector<std::uint8_t> turn_bytes() {
    std::vector<std::uint8_t> bytes(4 * kTurns);
    for (unsigned n = 0; n < kTurns; ++n) bytes[4 * n] = static_cast<std::uint8_t>(n);
    return bytes;
  }
};

template <class S>
class Looper {
 public:
  static constexpr unsigned kRoom = 32;  ///< bytes that an offset may move a tile

  /// `own`: semaphores that nobody else touches.
  Looper(S& stream, Random& random, const LooperWords& words,
         const std::vector<cmodel::Semaphore>& own)
      : s_(stream), random_(random), words_(words), own_(own) {
    for (auto* r :
         {&wild_[0], &wild_[1], &index_[0], &index_[1], &index_[2], &size_, &turns_[0], &turns_[1]})
      *r = s_.reg();
  }

  /// The body so often as a number or a word says, not at all included; often two loops deep.
  template <class Body>
  void loops(Body&& body) {
    const unsigned n = 1 + pick(LooperWords::kMostTurns);
    const bool loaded = pick(2), nested = pick(2);
    if (!nested) return loop(n, loaded, 0, body);
    loop(n, loaded, 0, [&] { loop(pick(LooperWords::kTurns), true, 1, body); });
  }
  /// The body n times, n a number of 1 .. 3 that stands in the code or, if it may, in HBM.
  template <class Body>
  void rounds(unsigned n, bool loaded, Body&& body) {
    loop(n, loaded, 0, body);
  }

  /// Something that only registers see.
  void scribble() {
    const auto op = defs::kEveryRegOp[pick(defs::kEveryRegOp.size())];
    const auto to = wild(), a = wild(), b = pick(2) ? wild() : s_.zero();
    s_.alu(op, to, a, b, static_cast<std::uint32_t>(random_.word()));
    if (pick(3) == 0) load();
    if (pick(2)) branch();
    if (pick(3) == 0) take_own();
  }

  /// What `make` makes of [at, at + bytes), or of a part of it and moved.
  template <class Make>
  cmodel::Tile moved(unsigned at, unsigned bytes, Make&& make) {
    const unsigned way = pick(3);
    if (way == 0) return make(at, bytes);
    const cmodel::Register index = index_[next_index_++ % index_.size()];
    s_.alu(defs::RegOp::And, index, wild(), s_.zero(), kRoom - 4);
    if (way == 1) return make(at, bytes - kRoom).at(index);
    s_.alu(defs::RegOp::Sub, index, s_.zero(), index);
    return make(at + kRoom, bytes - kRoom).at(index);
  }

  /// Often, one of the sizes (outermost first) of the next instruction comes out of a register.
  void sized(const std::array<unsigned, 4>& sizes) {
    const unsigned d = pick(4);
    if (sizes[d] < 2 || pick(4) == 0) return;
    s_.alu(defs::RegOp::And, size_, wild(), s_.zero(), std::bit_floor(sizes[d]) - 1);
    s_.add(size_, 1);
    s_.size_from(size_, 3 - d);
  }

 private:
  unsigned pick(std::size_t n) { return random_.between(0, static_cast<unsigned>(n) - 1); }
  cmodel::Register wild() { return wild_[pick(wild_.size())]; }

  template <class Body>
  void loop(unsigned n, bool loaded, unsigned depth, Body&& body) {
    const bool up = pick(2);
    cmodel::Turns turns(n);
    if (loaded) {
      s_.load(turns_[depth], words_.turns, 4 * n);
      turns = turns_[depth];
    }
    if (up)
      s_.loop(turns, 1 + pick(9), [&](cmodel::Register) { body(); });
    else
      s_.loop(turns, body);
  }

  /// A word before or behind a place.
  void load() {
    const cmodel::Register at = index_[pick(index_.size())];
    s_.alu(defs::RegOp::And, at, wild(), s_.zero(), LooperWords::kBytes / 2 - 4);
    if (pick(2)) s_.alu(defs::RegOp::Sub, at, s_.zero(), at);
    const auto to = wild();
    s_.load(to, words_.any, at, LooperWords::kBytes / 2);
  }

  /// Of two registers of any bits, or of few so that they are often equal.
  void branch() {
    const auto a = wild(), b = pick(2) ? wild() : s_.zero();
    if (pick(2)) s_.alu(defs::RegOp::And, a, a, s_.zero(), 1);
    const auto out = s_.ahead();
    const auto condition = defs::kEveryCondition[pick(defs::kEveryCondition.size())];
    s_.branch(condition, a, b, out, pick(2) ? 0 : static_cast<int>(pick(100)) - 50);
    const auto skipped = wild();
    s_.add(skipped, pick(1000));
    if (pick(2)) s_.nop();
    s_.place(out);
  }

  void take_own() {
    const auto own = own_[pick(own_.size())];
    const unsigned n = 1 + pick(3);
    s_.nop().signal(own, static_cast<int>(n)).take(own, n);
    s_.nop();
  }

  S& s_;
  Random& random_;
  LooperWords words_;
  std::vector<cmodel::Semaphore> own_;
  std::array<cmodel::Register, 2> wild_, turns_;
  std::array<cmodel::Register, 3> index_;
  cmodel::Register size_;
  unsigned next_index_ = 0;
};

}  // namespace tb
