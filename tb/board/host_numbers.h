// SPDX-License-Identifier: Apache-2.0
// Numbers of the host port and of what the host reads at the end.
#pragma once
#include "rtl/defs/gen/defs.h"

namespace tb::host {

inline constexpr unsigned kCredits = defs::kHostRequests;
inline constexpr unsigned kBlock = 64;  // bytes of a host token
inline constexpr unsigned kCounts = defs::kEveryTensorCount.size();
inline constexpr unsigned kViolationReads = 3;  // the count, two halves of a header

}  // namespace tb::host
