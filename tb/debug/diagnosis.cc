// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "cmodel/disassemble.h"
#include "tb/debug/missing.h"
#include "tb/debug/way_back.h"
#include "tb/debug/wrong_instruction.h"

namespace tb {
namespace {

/// What came of it may differ first; the instruction is the cause all the same.
void blame(const WrongInstruction& wrong, Diagnosis& found) {
  const WrongIssue& issue = wrong.issue;
  const cmodel::StreamId id{static_cast<std::uint8_t>(wrong.chip),
                            static_cast<std::uint8_t>(issue.core),
                            static_cast<std::uint8_t>(issue.sequencer), 0, 0};
  found.path.push_back({Step::State::Wrong, id, issue.pc, issue.cycle, "instruction"});
  found.cause =
      cause_by(id, issue.pc, issue.cycle,
               fmt::format("the program has \"{}\", the sequencer had \"{}\"",
                           cmodel::disassemble(issue.expected), cmodel::disassemble(issue.actual)));
  found.cause->block = "sequencer";
}

}  // namespace

Diagnosis diagnose(const Board& board, const cmodel::Program& program, const WatchAgain& watch) {
  Diagnosis found;
  found.mismatches = board.scoreboard().mismatches();
  std::sort(found.mismatches.begin(), found.mismatches.end(),
            [](const Mismatch& a, const Mismatch& b) {
              return std::tuple{a.cycle, a.actual.stream, a.ordinal} <
                     std::tuple{b.cycle, b.actual.stream, b.ordinal};
            });
  const bool nothing_wrong = found.mismatches.empty();
  if (const auto instruction = wrong_instruction(board, program)) {
    if (!nothing_wrong) found.path.push_back(step_of(found.mismatches.front()));
    blame(*instruction, found);
  } else if (nothing_wrong) {
    look_for_missing(board, program, found);
  } else {
    go_back(board, program, watch, found);
  }
  return found;
}

}  // namespace tb
