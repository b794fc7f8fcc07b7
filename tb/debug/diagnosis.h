// SPDX-License-Identifier: Apache-2.0
// From what was seen to what caused it: chip, core, block.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cmodel/provenance.h"
#include "tb/debug/watch.h"
#include "tb/system/board.h"

namespace tb {

/// The earliest thing that went wrong, as far as the evidence reaches.
struct Cause {
  unsigned chip = 0;
  std::optional<unsigned> core;  ///< none for what the cores share
  std::string block;             ///< "psum", "fabric", ..: kBlocks
  std::string engine;            ///< whose work, "Tensor", "Dma3"; empty if nobody's
  std::optional<std::uint32_t> pc;
  std::optional<std::uint64_t> cycle;
  std::string why;  ///< one line
};

/// One edge of the way back: a unit of work, and what is known of it.
struct Step {
  enum class State { Wrong, Right, Unseen, Missing };
  State state = State::Unseen;
  cmodel::StreamId stream;
  std::uint32_t pc = 0;
  std::optional<std::uint64_t> cycle;
  std::string what;  ///< the element or message that it passed on
};

/// Runs the program again and watches bytes of one chip until a core cycle.
using WatchAgain = std::function<std::optional<WatchFinding>(
    unsigned chip, const std::vector<cmodel::Cell>& cells, std::uint64_t until)>;

/// What was found. The way back starts at what was seen first and ends at the cause.
struct Diagnosis {
  std::vector<Mismatch> mismatches;  ///< by cycle
  std::vector<Step> path;
  std::optional<Cause> cause;
};

/// After a failed run. The model is run again for the producers of every byte, and the whole board
/// if memories must be watched: only then.
///
///   a sequencer let go what is not in the program          --> sequencer
///   a wrong commit: which units fed the wrong element?
///     one of them is wrong itself                          --> go there
///     a packet: on which link was it broken first?         --> fabric of that link's sender
///     a byte between producer and consumer changed, or
///     was written and did not change                       --> that memory
///     none of these                                        --> the engine that made it
///   nothing wrong, something missing: the first commit, in the model's order, that never came
Diagnosis diagnose(const Board& board, const cmodel::Program& program, const WatchAgain& watch);

/// The instance below the chip that a block's name stands for.
std::string instance_of(const Cause& cause);

}  // namespace tb
