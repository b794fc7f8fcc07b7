// SPDX-License-Identifier: Apache-2.0
// Units of the vector engine that take a stream of elements and make another one. Twin of
// rtl/lanes/vector_unit.sv; what is computed, and in which order, is explained in its parts.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "rtl/defs/gen/instructions.h"

namespace cmodel {

class VectorUnit {
 public:
  using Row = std::span<const std::uint32_t>;
  /// Fills the lanes with the next element; false: there is none.
  using Next = std::function<bool(std::span<std::uint32_t>)>;
  using Put = std::function<void(Row)>;

  /// Of a core with so many partitions, as after reset.
  explicit VectorUnit(unsigned partitions);

  /// What an instruction of this form makes of a stream. `scalar`: its first one, of each lane.
  void run(defs::Form form, Row scalar, const Next& next, const Put& put);

 private:
  void transpose(std::size_t lanes, const Next& next, const Put& put) const;
  /// All lanes begin with seed 0, or those of `seeds` with theirs.
  void seed(Row seeds);
  /// A step of all generators; the bits of each lane.
  Row step();

  unsigned partitions_;
  std::vector<std::array<std::uint32_t, 6>> generators_;
  std::vector<std::uint32_t> bits_;
};

}  // namespace cmodel
