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

enum class Kind { AllReduce, ReduceScatter, AllGather, AllToAll, Broadcast, Send, Barrier };
inline constexpr unsigned kKinds = 7;
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
  cmodel::Algorithm algorithm = cmodel::Algorithm::Direct;  ///< of AllReduce
  bool in_place = false;                                    ///< of AllReduce
  bool in_sbuf = false;          ///< the input of each rank is brought there first
  std::vector<unsigned> delays;  ///< NOPs of each rank before it comes
  std::vector<Bytes> in, out;    ///< of each rank; out empty: it has none
};

struct Plan {
  std::vector<std::vector<cmodel::Member>> groups;
  std::vector<unsigned> slot_bytes, ring_slots;  ///< of each group
  std::vector<Step> steps;
};

/// Element i as a number.
double element(defs::Dtype dtype, const Bytes& bytes, std::size_t i);
/// How far an element of a ring's sum may be off, all of them: of each addition a rounding. Others
/// are exact: empty.
std::vector<double> allowed_errors(const Step& step);
/// By seed; with a length one all-reduce over cores 0 of all chips, so many times, whose size is
/// the seed's of kSizes.
Plan plan_of(const ScenarioArgs& args);
inline constexpr unsigned kSizes[] = {768, 4096, 65536, 1048576};

}  // namespace tb::collective
