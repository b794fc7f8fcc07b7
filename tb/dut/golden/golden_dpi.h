// SPDX-License-Identifier: Apache-2.0
// C++ side of tb/dut/golden/golden_dpi.sv.
#pragma once
#include "tb/dut/golden/golden_chip.h"

namespace tb {

/// Model chips evaluated on this thread have this inside. Set it before every eval().
void set_golden_chip(GoldenChip* chip);

}  // namespace tb
