// SPDX-License-Identifier: Apache-2.0
// The core's clock, for what is said in seconds.
#pragma once
#include "rtl/defs/gen/defs.h"
#include "rtl/defs/gen/rates.h"

namespace tb {

inline constexpr double kCoreMhz = defs::kFabricDivide * defs::kFabricMhz;

}  // namespace tb
