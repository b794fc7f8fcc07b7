// SPDX-License-Identifier: Apache-2.0
// From what was seen to what caused it.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tb/board/board.h"
#include "tb/debug/cause.h"
#include "tb/debug/watch.h"

namespace tb {

/// One step of the root-cause trace: an operation, and what is known of it.
struct Step {
  enum class State { Wrong, Right, Unseen, Missing };
  State state = State::Unseen;
  cmodel::StreamId stream;
  std::uint32_t pc = 0;
  std::optional<std::uint64_t> cycle;
  std::string what;  ///< the element or message that it passed on
};

/// Of a commit that differs.
inline Step step_of(const Mismatch& m) {
  return {Step::State::Wrong, m.actual.stream, m.actual.pc, m.cycle, describe(m.actual)};
}

/// Runs the program again and watches bytes of one chip until a core cycle.
using WatchAgain = std::function<std::optional<WatchFinding>(
    unsigned chip, const std::vector<cmodel::Cell>& cells, std::uint64_t until)>;

/// What was found. The trace starts at what was seen first and ends at the cause.
struct Diagnosis {
  std::vector<Mismatch> mismatches;  ///< by cycle
  std::vector<Step> path;
  std::optional<Cause> cause;
};

/// After a failed run. The model is run again for the producers of every byte, and the whole board
/// if memories must be watched: only then.
///
///   the program reads bytes that nobody has written        --> the program
///   a semaphore holds what its updates do not make         --> semaphores
///   a sequencer let go what is not in the program          --> sequencer
///   an assertion before anything differed                  --> the block it stands in
///   a wrong commit: which operations fed the wrong element?
///     one of them is wrong itself                          --> go there
///     a packet: on which link was it broken first?         --> fabric of that link's sender
///     a byte between producer and consumer changed, or
///     was written and did not change                       --> that memory
///     none of these                                        --> the engine that made it
///   nothing wrong, something missing: the first commit, in the model's order, that never came
///
///   wrong_instruction  root_cause --+-- packet_trace    which link broke a packet
///        |                 |        +-- Provenance      (cmodel) which bytes, by whom
///   diagnosis.cc ----------+        +-- WatchAgain
///        |             missing --+-- leaked_credit
///     assertion                  +-- stuck             who is busy for ever
Diagnosis diagnose(const Board& board, const cmodel::Program& program, const WatchAgain& watch);

}  // namespace tb
