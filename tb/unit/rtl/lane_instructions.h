// SPDX-License-Identifier: Apache-2.0
// Random instructions that a lane engine takes: functions and formats in turn, its fast cases
// often.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string_view>
#include <tuple>

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/instruction.h"

namespace tb {

/// fp32 bits with the interesting ones often.
std::uint32_t random_word(std::mt19937_64& rng);

class LaneInstructions {
 public:
  static constexpr unsigned kWindow = 4096;  ///< bytes in use at both ends of a partition

  /// Draws from `rng`.
  LaneInstructions(const defs::Sizes& sizes, defs::Engine engine, std::mt19937_64& rng)
      : sizes_(sizes), engine_(engine), rng_(rng) {}

  /// Any legal instruction of the engine.
  defs::Instr next();
  /// Expects that every function of every row was drawn, with `formats` every format of every
  /// operand, too.
  void expect_all_drawn(bool formats) const;

 private:
  /// A legal operand inside `window` bytes at `base` of a partition (PSUM: inside one bank).
  /// `packed`: elements follow each other, innermost dimension first.
  defs::Operand place(const cmodel::Trips& trips, unsigned partitions, defs::Space space,
                      defs::Dtype dtype, unsigned base, unsigned window, bool packed);
  /// They take turns, those of an operand apart.
  defs::Dtype one_of(std::uint64_t formats, const defs::Instr& instr, std::string_view role);
  /// As the row says, in SBUF window `slot` or in PSUM; of its formats those in `formats`.
  defs::Operand random_operand(const defs::OperandRow& row, const defs::Instr& instr,
                               std::uint64_t formats, unsigned slot);
  defs::Scalar random_scalar(unsigned partitions, unsigned slot);
  /// Scalars and a second function that goes with the first, as the row has them.
  void put_scalars(const defs::InstrRow& row, defs::Instr& instr, unsigned slot);
  /// Into one of the cases that take fewer cycles, if the row has one.
  bool make_fast(const defs::InstrRow& row, defs::Instr& instr);
  /// Zeros of two bytes, next to each other.
  void make_zeros(defs::Instr& instr);
  /// A reduction of bf16 in whole words.
  void make_twice(defs::Instr& instr);
  /// Sources of bf16 in whole words, and functions for which they take a cycle for an element. Rows
  /// begin with a word; where they end inside one, the rest of it belongs to nobody.
  bool make_quick(const defs::InstrRow& row, defs::Instr& instr);
  cmodel::Trips random_trips();
  /// Sizes that the row takes.
  cmodel::Trips trips_for(const defs::InstrRow& row);
  static void set_sizes(defs::Instr& instr, const cmodel::Trips& trips);

  unsigned pick(unsigned limit) { return static_cast<unsigned>(rng_() % limit); }
  unsigned window_base(unsigned slot) const {
    return (slot < 4 ? 0 : sizes_.sbuf_bytes - kWindow) + slot % 4 * (kWindow / 4);
  }

  const defs::Sizes& sizes_;
  defs::Engine engine_;
  std::mt19937_64& rng_;
  unsigned rows_split_ = 0;  ///< instructions of make_quick() whose rows end inside a word
  std::map<defs::Opcode, std::array<unsigned, 64>> met_;  ///< by function
  std::map<defs::Opcode, unsigned> turns_;
  std::map<std::tuple<unsigned, std::string_view, std::uint64_t>, unsigned> format_turns_;
  std::map<std::array<unsigned, 3>, unsigned> met_formats_;  ///< by opcode, operand and space
};

}  // namespace tb
