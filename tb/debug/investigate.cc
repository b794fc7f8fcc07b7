// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/investigate.h"

#include "cmodel/files/output_file.h"
#include "tb/debug/failure_waves.h"
#include "tb/debug/report.h"
#include "tb/debug/wait_graph.h"

namespace tb {
nlohmann::ordered_json investigate(Board& board, const cmodel::Program& program, Replay& replay,
                                   bool with_waves, const std::filesystem::path& run_dir,
                                   Outcome& outcome) {
  board.scoreboard().finish();  // what is missing, if the run did not come to its end
  const Diagnosis found = diagnose(board, program, [&](auto chip, const auto& cells, auto until) {
    // A model's memory is what it wrote.
    return board.chip(chip).is_model() ? std::nullopt : replay.watch(chip, cells, until);
  });
  outcome.report = cause_text(found) + outcome.report + to_text(found, program);
  nlohmann::ordered_json file = to_json(found, program), brief = summary(found);
  if (outcome.status == Outcome::Status::Hang) {
    const WaitGraph graph(board, program);
    outcome.report += graph.text();
    file["hang"] = graph.json();
    if (!board.scoreboard().model().finished()) {
      outcome.report += "the golden model stalls as well: the program does this, not the RTL\n";
      brief["model_stands_still"] = file["hang"]["model_stands_still"] = true;
    }
  }
  if (with_waves) {
    std::optional<std::uint64_t> asserted;
    if (const auto& chip = outcome.faulty_chip) asserted = board.chip(*chip).fault_cycle();
    WavePlan plan = plan_waves(found, asserted, defs::kFabricDivide * board.last_movement());
    std::erase_if(plan.chips, [&](unsigned chip) { return board.chip(chip).is_model(); });
    outcome.report += record_waves(plan, replay, run_dir);
    brief["waves"] = file["waves"] = to_json(plan, run_dir);
  }
  cmodel::write_file(run_dir / "divergence.json", file.dump(2) + "\n");
  outcome.report += write_views(run_dir);
  return brief;
}

}  // namespace tb
