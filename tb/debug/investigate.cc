// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/investigate.h"

#include <fstream>
#include <systemc>

#include "tb/debug/failure_waves.h"
#include "tb/debug/report.h"
#include "tb/debug/wait_graph.h"
#include "tb/debug/watch.h"

namespace tb {
namespace {

using nlohmann::json;

json to_json(const cmodel::Cell& cell) {
  return {static_cast<int>(cell.memory), cell.chip, cell.core, cell.partition, cell.addr};
}
cmodel::Cell cell_from(const json& j) {
  return {static_cast<cmodel::Cell::Memory>(j[0].get<int>()), j[1].get<std::uint8_t>(),
          j[2].get<std::uint8_t>(), j[3].get<std::uint16_t>(), j[4].get<std::uint64_t>()};
}

std::optional<WatchFinding> ask(Standby& standby, unsigned chip,
                                const std::vector<cmodel::Cell>& cells, std::uint64_t until) {
  json request{{"chip", chip}, {"until", until}, {"cells", json::array()}};
  for (const auto& cell : cells) request["cells"].push_back(to_json(cell));
  const auto bytes = standby.ask(json::to_cbor(request));
  if (bytes.empty()) return {};
  const json reply = json::from_cbor(bytes);
  if (reply.is_null()) return {};
  WatchFinding f;
  f.kind = static_cast<WatchFinding::Kind>(reply["kind"].get<int>());
  f.cell = cell_from(reply["cell"]);
  f.cycle = reply["cycle"];
  f.expected = reply["expected"];
  f.actual = reply["actual"];
  return f;
}

}  // namespace

nlohmann::ordered_json investigate(Board& board, const cmodel::Program& program, Standby& standby,
                                   const Options& options, const std::vector<std::string>& command,
                                   const std::filesystem::path& run_dir, Outcome& outcome) {
  board.scoreboard().finish();  // what is missing, if the run did not come to its end
  const Diagnosis found = diagnose(board, program, [&](auto chip, const auto& cells, auto until) {
    // A model's memory is what it wrote.
    return board.chip(chip).is_model() ? std::nullopt : ask(standby, chip, cells, until);
  });
  outcome.report += to_text(found, program);
  nlohmann::ordered_json file = to_json(found, program), brief = summary(found);
  if (outcome.status == Outcome::Status::Hang) {
    const WaitGraph graph(board, program);
    outcome.report += graph.text();
    file["hang"] = graph.json();
    if (!board.scoreboard().model().finished()) {
      outcome.report +=
          "the golden model stands still as well: the program does this, not the RTL\n";
      brief["model_stands_still"] = file["hang"]["model_stands_still"] = true;
    }
  }
  if (!options.waves && options.failure_waves) {
    WavePlan plan = plan_waves(found, board.last_progress());
    std::erase_if(plan.chips, [&](unsigned chip) { return board.chip(chip).is_model(); });
    outcome.report += record_waves(plan, command, run_dir);
    brief["waves"] = file["waves"] = to_json(plan, run_dir);
  }
  std::ofstream(run_dir / "divergence.json") << file.dump(2) << "\n";
  outcome.report += write_views(run_dir);
  return brief;
}

void watch_again(Standby& standby, const Options& options, const Wiring& wiring,
                 const cmodel::Program& program, Injector* injector) {
  const json request = json::from_cbor(standby.request());
  Options quiet = options;
  quiet.waves = false;
  Board board("board", quiet, wiring, program, {});
  if (injector) injector->arm(board);
  std::vector<cmodel::Cell> cells;
  for (const auto& cell : request["cells"]) cells.push_back(cell_from(cell));
  const Watch watch(board.chip(request["chip"].get<unsigned>()), std::move(cells),
                    request["until"].get<std::uint64_t>());
  sc_core::sc_start();
  json reply;
  if (const auto f = watch.finding())
    reply = {{"kind", static_cast<int>(f->kind)},
             {"cell", to_json(f->cell)},
             {"cycle", f->cycle},
             {"expected", f->expected},
             {"actual", f->actual}};
  standby.reply(json::to_cbor(reply));
}

}  // namespace tb
