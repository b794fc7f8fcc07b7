// SPDX-License-Identifier: Apache-2.0
// Who says for ever that it is at work, when nothing moves.
//
//   engine of a sequencer   busy; sync only if DMA is not, which it may wait for
//   DMA engine              moves, and the fabric, which it may wait for, is at rest
//   all else                not quiet, and none of these
#pragma once
#include "tb/debug/diagnosis.h"

namespace tb {

/// The engine of a stream, if it is busy; `pc`: what it owes.
std::optional<Cause> busy_with(const Board& board, const cmodel::StreamId& id, std::uint32_t pc);

/// All commits have come, and a chip in RTL is not at rest.
std::optional<Cause> never_done(const Board& board);

}  // namespace tb
