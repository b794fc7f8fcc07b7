// SPDX-License-Identifier: Apache-2.0
// A sequencer that let go, or has at hand, what the program does not have there; or let it go
// early.
//
//   HBM -- fetch --> instr_q -- issue --> engine
//                       |         `-- each looked at as it issues (IssueCheck): the earliest one
//                       |-- waits for ever, so it never issues: compared after the run
//                       `-- waits for a semaphore whose register is not what its updates make
#pragma once
#include "cmodel/program/program.h"
#include "tb/debug/diagnosis.h"

namespace tb {

/// Adds step and cause to what was found, if there is such an instruction.
bool blame_instruction(const Board& board, const cmodel::Program& program, Diagnosis& found);

/// Adds a semaphore that holds another value than its committed updates make, before any mismatch.
bool blame_semaphore(const Board& board, Diagnosis& found);

}  // namespace tb
