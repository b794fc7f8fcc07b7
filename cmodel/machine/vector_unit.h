// SPDX-License-Identifier: Apache-2.0
// Units of the vector engine that take a stream of elements and make another one. Twin of
// rtl/lanes/vector_unit.sv; what is computed, and in which order, is explained in its parts.
#pragma once
#include <cstdint>
#include <functional>
#include <span>

#include "cmodel/machine/random.h"
#include "rtl/defs/gen/instructions.h"

namespace cmodel {

/// What a unit works on.
struct UnitStream {
  using Row = std::span<const std::uint32_t>;

  unsigned quarter;  ///< of the partitions
  Row scalar;        ///< the first one, of each lane
  LaneRandom& random;
  std::function<bool(std::span<std::uint32_t>)> next;  ///< fills the lanes; false: no element left
  std::function<void(Row)> put;
};

/// All of a stream through the unit of `form`.
void run_unit(defs::Form form, const UnitStream& stream);

}  // namespace cmodel
