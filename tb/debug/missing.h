// SPDX-License-Identifier: Apache-2.0
// Nothing that came is wrong, but the run failed: what did not come, and who owes it?
//
//   first commit of the model's order that never came
//     an update     --> semaphores      a credit went          --> that router
//     a message     --> broken, or where it stopped (lost_packet.h)
//     anything else --> the engine that has all that it waits for
//     any of an engine that says it is busy with that --> that engine (stuck.h)
//   nothing missing   --> an acknowledgement that broke, or who is not at rest (stuck.h)
#pragma once
#include "cmodel/program/program.h"
#include "tb/debug/diagnosis.h"

namespace tb {

/// Adds path and cause to what was found.
void look_for_missing(const Board& board, const cmodel::Program& program, Diagnosis& found);

}  // namespace tb
