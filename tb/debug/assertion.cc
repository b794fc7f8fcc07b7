// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/assertion.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <tuple>
#include <vector>

#include "cmodel/program/disassemble.h"
#include "tb/debug/assertion_comment.h"
#include "tb/debug/packet_trace.h"

namespace tb {
namespace {

constexpr auto kDma0 = static_cast<unsigned>(defs::Engine::Dma0);

/// The first commit that an engine still owes: its next write, or the update behind its last.
std::optional<cmodel::Commit> owed(const Board& board, unsigned chip, unsigned core,
                                   unsigned engine) {
  std::optional<cmodel::Commit> first;
  const auto order = [](const cmodel::Commit& c) {
    return std::tuple{c.pc, c.kind == cmodel::CommitKind::Semaphore};
  };
  for (const Missing& m : board.scoreboard().missing()) {
    const cmodel::Commit& c = m.expected;
    if (c.stream.chip == chip && c.stream.core == core && c.stream.engine == engine &&
        (!first || order(c) < order(*first)))
      first = c;
  }
  return first;
}

/// Engines that an instance can have been at work for.
std::vector<unsigned> engines(const Board& board, const Cause& cause) {
  std::vector<unsigned> found;
  for (unsigned i = 0; i < defs::kSequencers && cause.core; ++i)
    if (cause.engine == cmodel::engine_name(i)) found.push_back(i);
  if (cause.block == "dma" && cause.core)
    for (unsigned e = 0; e < built_sizes().dma_engines; ++e)
      if (board.chip(cause.chip).state().dma(*cause.core, e).moves) found.push_back(kDma0 + e);
  return found;
}

void add_operations(const Board& board, Diagnosis& found) {
  Cause& cause = *found.cause;
  const auto at = engines(board, cause);
  for (const unsigned engine : at) {
    const cmodel::StreamId id{static_cast<std::uint8_t>(cause.chip),
                              static_cast<std::uint8_t>(*cause.core),
                              static_cast<std::uint8_t>(engine), 0, 0};
    const ChipState& state = board.chip(cause.chip).state();
    if (const auto next = owed(board, cause.chip, *cause.core, engine))
      found.path.push_back(
          {Step::State::Missing, next->stream, next->pc, {}, fields(built_sizes(), *next)});
    else
      found.path.push_back({Step::State::Unseen,
                            id,
                            engine < kDma0 ? state.sequencer(*cause.core, engine).pc
                                           : state.dma(*cause.core, engine - kDma0).pc,
                            {},
                            "is here, all its commits have come"});
    // A sequencer is at the instruction that it issues next, its engine at the oldest one.
    if (cause.block == "sequencer") found.path.back().pc = state.sequencer(*cause.core, engine).pc;
  }
  if (at.size() != 1) return;
  cause.engine = cmodel::engine_name(at.front());
  cause.pc = found.path.back().pc;
  if (found.path.back().state == Step::State::Missing)
    cause.why += fmt::format("; {} owes {}", cause.engine, found.path.back().what);
}

}  // namespace

void blame_assertion(const Board& board, Diagnosis& found) {
  const unsigned number = *board.outcome().faulty_chip;
  const Chip& chip = board.chip(number);
  if (const auto& failed = chip.assertion()) {
    const std::filesystem::path source = failed->file;
    std::string says = failed->name.empty() ? std::string() : comment_above(source, failed->name);
    if (says.ends_with('.')) says.pop_back();
    found.cause = cause_at(
        number, failed->instance,
        fmt::format("assertion {} failed ({}:{}){}{}",
                    failed->name.empty() ? "of a case" : failed->name, source.filename().string(),
                    failed->line, says.empty() ? "" : ": ", says));
  } else {
    found.cause = cause_at(number, "TOP.chip.u_xbar", chip.fault());
  }
  found.cause->cycle = chip.fault_cycle();
  if (found.cause->block == "fabric")
    if (auto broken = broken_on_a_link(board)) {
      broken->why += "; then " + found.cause->why;
      found.cause = broken;
      return;
    }
  add_operations(board, found);
}

}  // namespace tb
