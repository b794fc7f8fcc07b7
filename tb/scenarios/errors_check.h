// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "tb/scenarios/scenario.h"

namespace tb {

/// Items before an illegal one were done, the others not; everybody else went on.
ScenarioResult check_errors(const ScenarioArgs& args, const cmodel::Program& program,
                            RegionBytes regions);

}  // namespace tb
