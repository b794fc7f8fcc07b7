// SPDX-License-Identifier: Apache-2.0
// Why does nothing run any more? Who waits for what, its producers, and the cycle.
#pragma once
#include <string>

#include "cmodel/board/board.h"
#include "cmodel/program/program.h"

namespace tb {

/// Several lines about a board that is not finished and whose step() returned false:
///
///   chip 0 core 0 Vector pc 3: waits for semaphore 0.5 >= 1, is 0; next: ...
///     could come from chip 0 core 0 Tensor pc 7, which waits itself
///   cycle: chip 0 core 0 Vector -> chip 0 core 0 Tensor -> chip 0 core 0 Vector
///
/// A producer is an instruction, a descriptor or a notify that may still come, by any way that
/// branches leave open, and adds to the semaphore; "nobody left" says that there is none. The cycle
/// follows first producers.
std::string wait_for_report(const cmodel::Board& board, const cmodel::Program& program);

}  // namespace tb
