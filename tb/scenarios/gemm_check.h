// SPDX-License-Identifier: Apache-2.0
// The judgement of scenario `gemm`.
#pragma once
#include "tb/scenarios/scenario.h"

namespace tb::gemm {

/// Every element of C: bit by bit that of the numerics contract in naive loops, and near float64.
ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program, RegionBytes regions);

}  // namespace tb::gemm
