// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/failure_waves.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "tb/base/command_line.h"
#include "tb/base/script.h"

namespace tb {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kBefore = 400, kBehind = 100;  // core cycles around what happened
constexpr std::size_t kMostChips = 4;

}  // namespace

WavePlan plan_waves(const Diagnosis& d, std::optional<std::uint64_t> asserted,
                    std::uint64_t last_progress) {
  WavePlan plan;
  const auto add = [&](unsigned chip) {
    if (std::find(plan.chips.begin(), plan.chips.end(), chip) == plan.chips.end() &&
        plan.chips.size() < kMostChips)
      plan.chips.push_back(chip);
  };
  if (d.cause) add(d.cause->chip);
  for (const Step& step : d.path) add(step.stream.chip);
  std::sort(plan.chips.begin(), plan.chips.end());
  plan.marker = asserted                ? *asserted
                : !d.mismatches.empty() ? d.mismatches.front().cycle
                : d.cause               ? d.cause->last_moved.value_or(last_progress)
                                        : last_progress;
  plan.last = plan.marker + kBehind;
  std::uint64_t from = plan.marker;
  if (d.cause && d.cause->cycle) {
    plan.cause = *d.cause->cycle;
    from = std::min(from, *plan.cause);
  }
  plan.first =
      std::max(from - std::min(from, kBefore), plan.last - std::min(plan.last, Snapshots::kCycles));
  return plan;
}

nlohmann::ordered_json to_json(const WavePlan& plan, const fs::path& run_dir) {
  nlohmann::ordered_json j{
      {"first", plan.first}, {"last", plan.last}, {"from", plan.from}, {"marker", plan.marker}};
  if (plan.cause) j["cause"] = *plan.cause;
  j["files"] = nlohmann::ordered_json::array();
  for (unsigned chip : plan.chips)
    if (const std::string name = fmt::format("waves/chip{:02}.fst", chip);
        fs::exists(run_dir / name))
      j["files"].push_back(name);
  return j;
}

std::string record_waves(WavePlan& plan, Replay& replay, const fs::path& run_dir) {
  if (plan.chips.empty()) return {};
  if (!built_with_waves()) return "no waves: this program counts coverage and has none\n";
  const fs::path waves = run_dir / "waves";
  const auto from = replay.waves(plan, waves);
  if (!from && replay.wave_error())
    return fmt::format("no waves: {}: cannot be written: {}\n", waves.string(),
                       std::strerror(replay.wave_error()));
  if (!from) return "no waves: the repeated run went another way\n";
  plan.from = *from;
  return fmt::format("waves: scripts/dodeca waves {}  # chips {}, core cycles {} .. {}\n",
                     shell_word(run_dir.string()), fmt::join(plan.chips, ", "), plan.first,
                     plan.last);
}

std::string write_views(const fs::path& run_dir) {
  if (!fs::exists(run_dir / "waves")) return {};
  return run_script({"waves", run_dir.string(), "--write"}) == 0
             ? ""
             : fmt::format("no views: scripts/dodeca waves {} says why\n",
                           shell_word(run_dir.string()));
}

}  // namespace tb
