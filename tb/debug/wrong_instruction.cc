// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/wrong_instruction.h"

#include <fmt/format.h>

namespace tb {
namespace {

/// An instruction that waits and is not what the program has there.
std::optional<WrongInstruction> at_hand(const Board& board, const cmodel::Program& program,
                                        unsigned chip) {
  const Probe& probe = board.chip(chip).probe();
  for (const cmodel::InstrStream& stream : program.streams) {
    if (stream.chip != chip) continue;
    const auto reg = [&](std::string_view name) {
      return probe.at(
          fmt::format("u_core{}.gen_seq[{}].u_sequencer.{}", stream.core, stream.engine, name));
    };
    if (!reg("u_fetch.instr_valid_q").value() || !reg("issuing_q").value()) continue;
    const auto pc = static_cast<std::uint32_t>(reg("pc_q").value());
    if (pc >= stream.count) continue;
    defs::Instr::Words words, expected;
    const Register instr = reg("u_fetch.instr_q");
    for (unsigned i = 0; i < words.size(); ++i)
      words[i] = static_cast<std::uint32_t>(instr.get(0, 32 * i, 32));
    board.scoreboard().model().read(
        chip, stream.base + std::uint64_t{pc} * defs::kInstrBytes,
        {reinterpret_cast<std::uint8_t*>(expected.data()), defs::kInstrBytes});
    if (words == expected) continue;
    return WrongInstruction{
        chip,
        {defs::kFabricDivide * board.outcome().cycles, stream.core, stream.engine, pc,
         defs::Instr::from(expected), defs::Instr::from(words)}};
  }
  return {};
}

}  // namespace

std::optional<WrongInstruction> wrong_instruction(const Board& board,
                                                  const cmodel::Program& program) {
  std::optional<WrongInstruction> first;
  for (unsigned chip = 0; chip < board.chips(); ++chip)
    for (const WrongIssue& wrong : board.chip(chip).issues().wrong())
      if (!first || wrong.cycle < first->issue.cycle) first = {chip, wrong};
  for (unsigned chip = 0; chip < board.chips() && !first; ++chip)
    first = at_hand(board, program, chip);
  return first;
}

}  // namespace tb
