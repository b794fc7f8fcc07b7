// SPDX-License-Identifier: Apache-2.0
// The clocks, for what is said in seconds.
#pragma once
#include "rtl/defs/gen/defs.h"

namespace tb {

inline constexpr double kCoreMhz = 1500;
inline constexpr double kFabricMhz = kCoreMhz / defs::kFabricDivide;

}  // namespace tb
