// SPDX-License-Identifier: Apache-2.0
// The judgement of scenario `digits`.
#pragma once
#include "tb/scenarios/scenario.h"

namespace tb::digits {

/// Scores of all chips: equal, bit by bit those of the numerics contract, near float64, accurate
/// enough. Leaves predictions.csv in args.out_dir.
ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program, RegionBytes regions);

}  // namespace tb::digits
