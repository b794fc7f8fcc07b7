// SPDX-License-Identifier: Apache-2.0
// What becomes of a disturbed sum: does an addition swallow the difference, in the array or on
// PSUM?
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "cmodel/program.h"
#include "tb/system/chip.h"

namespace tb {

/// Follows one sum down the array of one core, PE by PE, as it should be and as it is. Sums that
/// are lost in rounding, or beside an infinity or NaN, are equal from there on: nobody can see it.
class SumTrail {
 public:
  SumTrail(unsigned chip, unsigned core) : chip_(chip), core_(core) {}

  /// After every clock edge from the first one, before follow(): it also counts rows.
  void step(Chip& chip);

  /// Which PsumRow of its stream the vector at this distance (see tensor_array.sv) becomes.
  std::uint64_t row(unsigned lane, unsigned distance) const;

  /// The sum below PE (r, c) was just changed; it was `good`, and goes on to PE (r + 1, c).
  void follow(unsigned lane, unsigned r, unsigned c, std::uint32_t good);

  /// After the run: where the difference was lost; empty if it was not.
  std::string why(const cmodel::Program& program) const;

 private:
  enum class State { None, Flying, Equal, Left, Unclear };
  void bind(Chip& chip);
  void look_ahead();
  std::string onto_psum(const cmodel::Program& program) const;

  unsigned chip_, core_;
  Register in_flight_, full_flight_, lower_flight_, moving_, sums_;
  std::array<Register, 2> weights_;
  std::array<std::uint64_t, 2> left_{};  ///< by lane: vectors whose sums left the array
  std::array<bool, 2> leaving_{};

  State state_ = State::None;
  unsigned lane_ = 0, r_ = 0, last_r_ = 0, c_ = 0;
  std::uint64_t row_ = 0;
  /// The sum below PE (r_, c_), and below the next one after the next edge.
  std::uint32_t good_ = 0, bad_ = 0, next_good_ = 0, next_bad_ = 0;
};

}  // namespace tb
