// SPDX-License-Identifier: Apache-2.0
// What the scenario `collective` does: groups, collectives one after the other, their numbers, and
// what must come of them, by loops over ranks.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cmodel/collectives/communicator.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb::collective {

using Bytes = std::vector<std::uint8_t>;

enum class Kind {
  AllReduce,
  ReduceScatter,
  AllGather,
  AllToAll,
  Broadcast,
  Send,
  Barrier,
  OrderIndependentSum,
};
inline constexpr unsigned kKinds = 8;
const char* name_of(Kind kind);

/// Rows x row_bytes, without gaps.
struct Shape {
  unsigned rows = 1, row_bytes = 4;
  unsigned bytes() const { return rows * row_bytes; }
};

struct Step {
  Kind kind{};
  unsigned group = 0;
  defs::Combine op = defs::Combine::Add;
  defs::Dtype dtype = defs::Dtype::Fp32;
  Shape in_shape, out_shape;
  unsigned from = 0, to = 0;                                ///< of Send; root of Broadcast: from
  unsigned turns = 1;                                       ///< in a loop, if more
  cmodel::Algorithm algorithm = cmodel::Algorithm::Direct;  ///< of all that reduce for everybody
  bool in_place = false;                                    ///< likewise
  bool in_sbuf = false;          ///< the input of each rank is brought there first
  std::vector<unsigned> delays;  ///< NOPs of each rank before it comes
  std::vector<Bytes> in, out;    ///< of each rank; out empty: it has none
};

struct Plan {
  std::vector<std::vector<cmodel::Member>> groups;
  std::vector<unsigned> slot_bytes, ring_slots, sum_bytes;  ///< of each group
  std::vector<Step> steps;
};

/// By seed; with a length one all-reduce over cores 0 of all chips, or of ScenarioArgs::group, so
/// many times, whose size is the seed's of kSizes. Throws std::runtime_error, one line, for a group
/// that is not written as it should be.
Plan plan_of(const ScenarioArgs& args);
inline constexpr unsigned kSizes[] = {768, 4096, 65536, 1048576};

}  // namespace tb::collective
