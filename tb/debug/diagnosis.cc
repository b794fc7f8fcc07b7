// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/diagnosis.h"

#include <algorithm>
#include <tuple>

#include "tb/debug/assertion.h"
#include "tb/debug/missing.h"
#include "tb/debug/root_cause.h"
#include "tb/debug/wrong_answer.h"
#include "tb/debug/wrong_instruction.h"

namespace tb {
Diagnosis diagnose(const Board& board, const cmodel::Program& program, const WatchAgain& watch) {
  Diagnosis found;
  found.mismatches = board.scoreboard().mismatches();
  std::sort(found.mismatches.begin(), found.mismatches.end(),
            [](const Mismatch& a, const Mismatch& b) {
              return std::tuple{a.cycle, a.actual.stream, a.ordinal} <
                     std::tuple{b.cycle, b.actual.stream, b.ordinal};
            });
  if (const auto& unwritten = board.scoreboard().model().unwritten(); !unwritten.empty()) {
    found.cause =
        cause_by(unwritten.front().stream, unwritten.front().operation.pc, {},
                 "reads bytes that nobody has written: the program does this, not the RTL");
    found.cause->block = "program";
    return found;
  }
  if (blame_semaphore(board, found) || blame_instruction(board, program, found)) return found;
  if (found.mismatches.empty() && blame_answer(board, found)) return found;
  if (board.outcome().faulty_chip)
    blame_assertion(board, found);
  else if (found.mismatches.empty())
    look_for_missing(board, program, found);
  else
    trace_root_cause(board, program, watch, found);
  return found;
}

}  // namespace tb
