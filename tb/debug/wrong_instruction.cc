// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/wrong_instruction.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "cmodel/program/disassemble.h"
#include "tb/check/issue_check.h"

namespace tb {
namespace {

/// An instruction that waits and is not what the program has there.
std::optional<WrongIssue> at_hand(const Board& board, const cmodel::Program& program,
                                  unsigned chip) {
  for (const cmodel::InstrStream& stream : program.streams) {
    if (stream.chip != chip) continue;
    const SequencerState s = board.chip(chip).state().sequencer(stream.core, stream.engine);
    if (!s.fetched || !s.issuing || s.pc >= stream.count) continue;
    const auto expected = board.scoreboard().model().unpack_at<defs::Instr>(
        chip, stream.base + std::uint64_t{s.pc} * defs::kInstrBytes);
    if (s.instr.words() == expected.words()) continue;
    return WrongIssue{
        {defs::kFabricDivide * board.outcome().cycles, stream.core, stream.engine, s.pc},
        expected,
        s.instr};
  }
  return {};
}

/// The earliest that a check keeps, over all chips.
template <class What>
std::optional<std::pair<unsigned, What>> first_of(const Board& board,
                                                  const std::vector<What>& (IssueCheck::*kept)()
                                                      const) {
  std::optional<std::pair<unsigned, What>> first;
  for (unsigned chip = 0; chip < board.chips(); ++chip)
    for (const What& issue : (board.issues(chip).*kept)())
      if (!first || issue.cycle < first->second.cycle) first = {chip, issue};
  return first;
}

/// What came of it may differ first; the instruction is the cause all the same.
void blame(unsigned chip, const Issue& issue, std::string why, Diagnosis& found) {
  const cmodel::StreamId id{static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(issue.core),
                            static_cast<std::uint8_t>(issue.sequencer), 0, 0};
  if (!found.mismatches.empty()) found.path.push_back(step_of(found.mismatches.front()));
  found.path.push_back({Step::State::Wrong, id, issue.pc, issue.cycle, "instruction"});
  found.cause = cause_by(id, issue.pc, issue.cycle, std::move(why));
  found.cause->block = "sequencer";
}

/// Did a semaphore of the chip refuse an update that the model's took?
bool refused(const Mismatch& m, unsigned chip) {
  return m.actual.stream.chip == chip && m.actual.kind == cmodel::CommitKind::Error &&
         m.actual.delta == static_cast<int>(defs::ErrorCause::SemaphoreOverflow);
}

}  // namespace

bool blame_semaphore(const Board& board, Diagnosis& found) {
  std::optional<std::pair<unsigned, WrongValue>> first;
  for (unsigned chip = 0; chip < board.chips(); ++chip) {
    const auto wrong = board.issues(chip).wrong_value_at_rest();
    if (wrong && !board.chip(chip).is_model() && (!first || wrong->cycle < first->second.cycle))
      first = {chip, *wrong};
  }
  if (!first) return false;
  const auto& [chip, wrong] = *first;
  // What was seen at rest only may have been so before.
  if (!found.mismatches.empty() && found.mismatches.front().cycle < wrong.cycle &&
      !refused(found.mismatches.front(), chip))
    return false;
  if (!found.mismatches.empty()) found.path.push_back(step_of(found.mismatches.front()));
  found.cause = cause_in(chip, {}, "semaphores", to_string(wrong));
  if (board.issues(chip).wrong_value()) found.cause->cycle = wrong.cycle;
  return true;
}

bool blame_instruction(const Board& board, const cmodel::Program& program, Diagnosis& found) {
  auto wrong = first_of(board, &IssueCheck::wrong);
  const auto early = first_of(board, &IssueCheck::early);
  if (early && (!wrong || early->second.cycle < wrong->second.cycle)) {
    blame(early->first, early->second, "it did not wait: it " + to_string(early->second), found);
    if (early->second.held != early->second.value) {
      found.cause = cause_in(early->first, {}, "semaphores",
                             to_string(WrongValue{early->second.cycle, early->second.instr.wait_sem,
                                                  early->second.held, early->second.value}));
      found.cause->cycle = early->second.cycle;
    }
    return true;
  }
  for (unsigned chip = 0; chip < board.chips() && !wrong; ++chip)
    if (const auto waits = at_hand(board, program, chip)) wrong = {chip, *waits};
  if (!wrong) return false;
  blame(wrong->first, wrong->second,
        fmt::format("the program has \"{}\", the sequencer had \"{}\"",
                    cmodel::disassemble(wrong->second.expected),
                    cmodel::disassemble(wrong->second.actual)),
        found);
  return true;
}

}  // namespace tb
