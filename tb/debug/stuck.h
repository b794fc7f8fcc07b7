// SPDX-License-Identifier: Apache-2.0
// Who is at work for ever, when nothing moves.
//
//   engine of a sequencer   busy; sync only if DMA is not, which it may wait for
//   DMA engine              moves, and the fabric, which it may wait for, is at rest
//   sequencer               running, and its next instruction waits for nothing; that of a Sync
//                           engine also if what it should trigger is missing
//   all else                not quiet, and none of these
#pragma once
#include "tb/debug/diagnosis.h"

namespace tb {

/// Fabric cycles: more than anything needs that moves.
inline constexpr std::uint64_t kStill = 2048;

/// The engine of a stream or its sequencer, if one is; `pc`: what the engine owes.
std::optional<Cause> stuck_with(const Board& board, const cmodel::StreamId& id, std::uint32_t pc);

/// All commits have come, and a chip in RTL is not at rest. `found` gets the instruction that has
/// no end.
std::optional<Cause> never_done(const Board& board, Diagnosis& found);

}  // namespace tb
