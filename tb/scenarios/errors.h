// SPDX-License-Identifier: Apache-2.0
// Which engines the scenario `errors` stops, for those who judge it from outside.
#pragma once
#include <cstdint>
#include <vector>

#include "cmodel/machine/commit.h"
#include "tb/scenarios/scenario.h"

namespace tb {

struct Stop {
  cmodel::StreamId stream;
  std::uint32_t pc = 0, visit = 1;
  defs::ErrorCause cause = defs::ErrorCause::None;
  auto operator<=>(const Stop&) const = default;
};

/// Every error of the run, sorted.
std::vector<Stop> planned_stops(const ScenarioArgs& args);

}  // namespace tb
