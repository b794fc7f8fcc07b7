// SPDX-License-Identifier: Apache-2.0
// Credits that went and did not come back.
//
//   sender: available_o = depth? --flits--> buffer: count_q = 0?
//           '<------------- freed_q, modulo 256 -------------'   and sent by then?
#pragma once
#include <optional>

#include "tb/board/board.h"
#include "tb/debug/cause.h"

namespace tb {

/// A flit buffer that is empty, and whose sender has not got all credits back.
std::optional<Cause> leaked_credit(const Board& board);

}  // namespace tb
