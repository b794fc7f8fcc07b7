// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/stuck.h"

#include <fmt/format.h>

namespace tb {
namespace {

constexpr auto kSync = static_cast<unsigned>(defs::Engine::Sync);
constexpr auto kDma0 = static_cast<unsigned>(defs::Engine::Dma0);

bool still(const Board& board) {
  if (board.outcome().status != Outcome::Status::Hang) return true;
  return board.now() >= board.last_movement() + kStill;
}

bool busy(const ChipState& state, unsigned core, unsigned engine) {
  if (engine >= kDma0) return state.dma(core, engine - kDma0).moves && state.fabric_quiet();
  return (state.busy_engines(core) >> engine & 1) && (engine != kSync || !state.dma_busy(core));
}

std::string says(const Board& board, std::string_view what) {
  const std::uint64_t cycles = defs::kFabricDivide * (board.now() - board.last_movement());
  return fmt::format("{}, and nothing has moved for {} core cycles", what, cycles);
}

/// Of one that says so in instruction `pc`.
Cause stuck_in(const Board& board, const cmodel::StreamId& id, std::uint32_t pc,
               std::string_view what) {
  Cause cause = cause_by(id, pc, {}, says(board, what));
  if (const auto last = board.scoreboard().last_of(id)) {
    cause.last_moved = last->cycle;
    cause.why += fmt::format("; its last commit, of {}, came in core cycle {}",
                             cmodel::pc_text(last->commit.pc), last->cycle);
  } else {
    cause.why += "; it has done nothing yet";
  }
  return cause;
}

bool goes_on(const ChipState& state, unsigned core, unsigned engine) {
  const SequencerState at = state.sequencer(core, engine);
  return at.running() && !at.in_flight && !at.waits(state.semaphore(at.instr.wait_sem));
}

/// Of a sequencer that goes_on().
Cause stopped_before(const Board& board, const cmodel::StreamId& id) {
  Cause cause =
      stuck_in(board, id, board.chip(id.chip).state().sequencer(id.core, id.engine).pc,
               "it is running, its next instruction waits for nothing and does not issue");
  cause.block = "sequencer";
  return cause;
}

/// What of a chip is not at rest, beside its engines.
std::optional<Cause> other_part(const Board& board, unsigned chip) {
  const ChipState& state = board.chip(chip).state();
  const auto part = [&](std::optional<unsigned> core, const char* block) {
    return cause_in(chip, core, block, says(board, "it is busy"));
  };
  for (unsigned core = 0; core < defs::kCores; ++core)
    if (state.dma_busy(core) && state.fabric_quiet()) return part(core, "dma");
  if (!state.semaphores_quiet()) return part({}, "semaphores");
  if (!state.fabric_quiet()) return part({}, "fabric");
  if (!state.host_quiet()) return part({}, "host_if");
  return {};
}

}  // namespace

std::optional<Cause> stuck_with(const Board& board, const cmodel::StreamId& id, std::uint32_t pc) {
  if (id.engine == static_cast<unsigned>(defs::Engine::Host) || board.chip(id.chip).is_model() ||
      !still(board))
    return {};
  const ChipState& state = board.chip(id.chip).state();
  if (busy(state, id.core, id.engine)) return stuck_in(board, id, pc, "it is busy");
  if (id.engine < defs::kSequencers && goes_on(state, id.core, id.engine))
    return stopped_before(board, id);
  // Not triggered, by a Sync engine that should go on.
  if (id.engine >= kDma0 && !state.dma(id.core, id.engine - kDma0).work &&
      goes_on(state, id.core, kSync))
    return stopped_before(board, {id.chip, id.core, kSync, 0, 0});
  return {};
}

std::optional<Cause> never_done(const Board& board, Diagnosis& found) {
  if (!still(board) || !board.scoreboard().model().finished()) return {};
  std::optional<Cause> first;
  unsigned others = 0;
  for (unsigned chip = 0; chip < board.chips(); ++chip) {
    if (board.chip(chip).is_model()) continue;
    const ChipState& state = board.chip(chip).state();
    for (unsigned core = 0; core < defs::kCores; ++core)
      for (unsigned engine = 0; engine < kDma0 + built_sizes().dma_engines; ++engine) {
        if (engine >= defs::kSequencers && engine < kDma0) continue;
        const bool works = busy(state, core, engine);
        if (!works && (engine >= kDma0 || !goes_on(state, core, engine))) continue;
        if (first) {
          ++others;
          continue;
        }
        const std::uint32_t next =
            engine < kDma0 ? state.sequencer(core, engine).pc : state.dma(core, engine - kDma0).pc;
        const cmodel::StreamId id{static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(core),
                                  static_cast<std::uint8_t>(engine), 0, 0};
        // Behind the one it works on; a DMA engine goes on when that is done.
        const std::uint32_t pc = engine < kDma0 && next ? next - 1 : next;
        first = works ? stuck_in(board, id, pc, "it is busy, all its commits have come")
                      : stopped_before(board, id);
        found.path.push_back({Step::State::Missing, id, *first->pc, {}, "its end"});
      }
  }
  if (first && others) first->why += fmt::format(" (so of {} more engines)", others);
  for (unsigned chip = 0; chip < board.chips() && !first; ++chip)
    if (!board.chip(chip).is_model()) first = other_part(board, chip);
  return first;
}

}  // namespace tb
