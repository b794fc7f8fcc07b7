// SPDX-License-Identifier: Apache-2.0
// An assertion of the RTL failed, or a pin broke its contract, before anything differed.
//
//   its instance --> block, core, engine --> the operation at which that engine is
//   its name     --> the comment above it in the source
//   fabric only: a packet that was broken on a link before
#pragma once
#include "tb/debug/diagnosis.h"

namespace tb {

/// Adds path and cause to what was found. Board::outcome() names the chip.
void blame_assertion(const Board& board, Diagnosis& found);

}  // namespace tb
