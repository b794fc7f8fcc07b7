// SPDX-License-Identifier: Apache-2.0
// What becomes of disturbed sums: does an addition hide the difference, in the array or on PSUM?
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmodel/program/program.h"
#include "tb/dut/chip.h"

namespace tb {

/// Follows sums down the array of one core, PE by PE, as they should be and as they are. Where an
/// addition gives the same bits for both (rounding, an infinity, a NaN), nobody can see it any
/// more.
class SumTrails {
 public:
  SumTrails(unsigned chip, unsigned core) : chip_(chip), core_(core) {}

  /// After every clock edge from the first one, before all else: it also counts rows.
  void step(Chip& chip);

  /// Whose vector stands at this distance (see tensor_array.sv) in row r: a lower tile's (1), that
  /// of another one (0), or nobody's.
  std::optional<unsigned> lane_at(unsigned r, unsigned distance) const;
  /// Which PsumRow of its stream that vector becomes.
  std::uint64_t row_of(unsigned lane, unsigned distance) const;

  /// The sum below PE (r, c) was just changed; it was `good`, and goes on to PE (r + 1, c).
  void follow_sum(unsigned r, unsigned c, std::uint32_t good);
  /// A weight of PE (r, c) was just changed: follows every sum made with it.
  void follow_weight(unsigned plane, unsigned r, unsigned c, std::uint32_t good);

  /// After the run: where the differences were hidden; empty if one was not.
  std::string why(const cmodel::Program& program) const;

 private:
  /// One sum on its way into PE (r, c_), and what it will be below that.
  struct Sum {
    unsigned lane, r, last_r;
    std::uint64_t row;
    std::uint32_t good, bad;
  };
  struct Weight {
    unsigned plane, r;
    std::uint32_t good, bad;
  };
  void bind(Chip& chip);
  std::size_t pe(unsigned r) const;
  std::uint32_t operand(unsigned r) const;
  std::uint32_t weight(unsigned plane, unsigned r) const;
  Sum sum_into(unsigned r) const;
  void add(Sum& sum) const;
  void meet_weight();
  std::string onto_psum(const cmodel::Program& program) const;

  unsigned chip_, core_, c_ = 0;
  const Probe* probe_ = nullptr;  ///< of the chip when bound: another one when its model changes
  Register in_flight_, full_flight_, lower_flight_, moving_, sums_;
  std::array<Register, 2> weights_;
  std::array<std::uint64_t, 2> gone_{};  ///< by lane: vectors whose sums left the array
  std::array<bool, 2> going_{};

  std::optional<Weight> weight_;  ///< the changed one, until it is replaced
  std::vector<Sum> flying_, left_;
  bool unclear_ = false;
  std::string hidden_;  ///< where the latest sum became equal in the array
};

}  // namespace tb
