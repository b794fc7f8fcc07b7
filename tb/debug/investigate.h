// SPDX-License-Identifier: Apache-2.0
// What a board program does about a failed run.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cmodel/program/program.h"
#include "tb/board/board.h"
#include "tb/debug/diagnosis.h"
#include "tb/debug/replay.h"

namespace tb {

/// Finds the cause, appends it to the outcome's report, writes divergence.json and waves/ into
/// `run_dir`. Returns what result.json says about it.
nlohmann::ordered_json investigate(Board& board, const cmodel::Program& program, Replay& replay,
                                   const Options& options, const std::filesystem::path& run_dir,
                                   Outcome& outcome);

}  // namespace tb
