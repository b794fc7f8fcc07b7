// SPDX-License-Identifier: Apache-2.0
// Waves of the last cycles before a failure, of the chips on its way only.
#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tb/debug/diagnosis.h"
#include "tb/debug/replay.h"

namespace tb {

/// What is worth tracing: core cycles and chips.
struct WavePlan {
  std::vector<unsigned> chips;
  std::uint64_t first = 0, last = 0;
  std::uint64_t marker = 0;  ///< the divergence, or what was seen instead
  std::optional<std::uint64_t> cause;
  std::uint64_t from = 0;  ///< where the repeated run began
};

/// From some cycles before the cause until a little behind the divergence; at most
/// Snapshots::kCycles, the last ones. `asserted`: core cycle of an assertion that failed
/// before anything differed. Runs without either: when the engine that never ends did its last, or
/// else the board, `last_progress`.
WavePlan plan_waves(const Diagnosis& diagnosis, std::optional<std::uint64_t> asserted,
                    std::uint64_t last_progress);

/// {first, last, from, marker, cause, files}: files that are there, relative to the run's
/// directory.
nlohmann::ordered_json to_json(const WavePlan& plan, const std::filesystem::path& run_dir);

/// Repeats the run with waves, from `plan.from`, which it sets. Returns one line about the waves,
/// or about what is missing for them.
std::string record_waves(WavePlan& plan, Replay& replay, const std::filesystem::path& run_dir);

/// After divergence.json is there: chipNN.gtkw and .sucl beside the waves, by the command `waves`.
/// Returns one line if they could not be made.
std::string write_views(const std::filesystem::path& run_dir);

}  // namespace tb
