// SPDX-License-Identifier: Apache-2.0
// A sequencer that let go, or has at hand, what the program does not have there.
//
//   HBM -- fetch --> instr_q -- issue --> engine
//                       |         `-- each compared as it issues (IssueCheck): the earliest one
//                       `-- waits for ever, so it never issues: compared after the run
#pragma once
#include <optional>

#include "cmodel/program.h"
#include "tb/debug/issue_check.h"
#include "tb/system/board.h"

namespace tb {

struct WrongInstruction {
  unsigned chip = 0;
  WrongIssue issue;
};

std::optional<WrongInstruction> wrong_instruction(const Board& board,
                                                  const cmodel::Program& program);

}  // namespace tb
