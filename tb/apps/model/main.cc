// SPDX-License-Identifier: Apache-2.0
// board_model: a scenario or program file on the golden model alone. No RTL, no clock, both sizes.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "cmodel/board/board.h"
#include "cmodel/program/disassemble.h"
#include "tb/apps/model/hashing_sink.h"
#include "tb/apps/model/options.h"
#include "tb/apps/model/wait_for.h"
#include "tb/base/command_line.h"
#include "tb/base/interrupt.h"
#include "tb/base/npy.h"
#include "tb/base/program_file.h"
#include "tb/base/result.h"
#include "tb/check/epochs.h"
#include "tb/scenarios/knobs.h"

namespace tb {
namespace {

struct Verdict {
  std::string status = "passed", report;
  void fail(const std::string& why) {
    status = "failed";
    report += why;
  }
};

/// The same judgement as after a run of the RTL, but for what only RTL can do wrong.
Verdict judge(const cmodel::Board& board, bool gave_up, const cmodel::Program& program,
              const Scenario* scenario, const ScenarioArgs& args, RegionBytes regions,
              nlohmann::ordered_json& metrics) {
  Verdict verdict;
  for (const auto& e : board.errors())
    metrics["errors"].push_back(fmt::format("chip {} core {} {} {}: {}", e.stream.chip,
                                            e.stream.core, cmodel::engine_name(e.stream.engine),
                                            to_string(e.operation()), to_string(e.cause)));
  if (!board.unwritten().empty()) {
    verdict.fail(board.unwritten_text());
    return verdict;
  }
  if (gave_up) {
    verdict.status = "hang";
    verdict.report = "no end in sight: " + board.busiest() + "\n";
    return verdict;
  }
  if (!board.finished() && board.errors().empty()) {
    verdict.status = "hang";
    verdict.report = "nothing can run any more\n" + wait_for_report(board, program);
    return verdict;
  }
  if (!board.errors().empty() && !(scenario && scenario->stops_engines)) {
    verdict.fail("the program made engines stop:\n");
    for (const auto& line : metrics["errors"])
      verdict.report += "  " + line.get<std::string>() + "\n";
    if (!board.finished()) verdict.report += wait_for_report(board, program);
    return verdict;
  }
  if (board.counters().commits == 0) verdict.fail("the program did nothing\n");
  if (!scenario) return verdict;
  const ScenarioResult result = scenario->check(args, program, regions);
  for (const auto& [name, value] : result.metrics.items()) metrics[name] = value;
  if (!result.passed)
    verdict.fail(fmt::format("scenario {}: {}\n", scenario->name, result.failure));
  return verdict;
}

/// The board counts rejections of the host's accesses as commits; the model has no registers.
bool host_is_refused(const Scenario& scenario, const ScenarioArgs& args,
                     const cmodel::Program& program) {
  if (!scenario.accesses) return false;
  const PortAccesses accesses = scenario.accesses(args, program);
  const auto refused = [](const PortAccess& a) { return a.refusal != defs::ErrorCause::None; };
  return std::any_of(accesses.before.begin(), accesses.before.end(), refused) ||
         std::any_of(accesses.after.begin(), accesses.after.end(), refused);
}

ScenarioArgs arguments_of(const ModelOptions& o, const defs::Sizes& sizes) {
  const char* data = std::getenv("DODECA_DATA");
  ScenarioArgs args{
      sizes, o.chips ? o.chips : defs::kBoardChips, o.seed, data ? data : DODECA_SCENARIO_DATA, {}};
  o.knobs.set(args);
  return args;
}

int run(int argc, char** argv) {
  const ModelOptions o = parse_model_options(argc, argv);
  cmodel::Program program;
  if (!o.program.empty()) {
    check_knobs(nullptr, arguments_of(o, defs::kMini));
    try {
      program = cmodel::load_program(o.program);
    } catch (const std::exception& error) {
      throw Refused(kBadInput, error.what());
    }
    if (!o.config.empty()) require_config(program, o.config);
  }
  const std::string config = o.program.empty() ? o.config : program.config;
  const defs::Sizes& sizes = config == "inf2" ? defs::kInf2 : defs::kMini;
  ScenarioArgs args = arguments_of(o, sizes);
  if (o.scenario == "list") {
    for (const Scenario& s : scenarios())
      if (!host_is_refused(s, args, s.build(args))) fmt::print("{:<10} {}\n", s.name, s.doc);
    return kPassed;
  }
  const Scenario* scenario = nullptr;
  std::string name;
  try {
    if (!o.program.empty()) {
      name = std::filesystem::path(o.program).stem().string();
      if (o.chips && o.chips != program.chips)
        throw std::runtime_error(
            fmt::format("--chips is {}; {} allows {}", o.chips, o.program, program.chips));
    } else {
      scenario = &find_scenario(o.scenario);
      check_knobs(scenario, args);
      name = scenario->name;
      program = scenario->build(args);
      if (o.save.empty() && host_is_refused(*scenario, args, program))
        throw std::runtime_error(fmt::format(
            "{} needs registers that refuse; allowed without --model-only", scenario->name));
    }
    cmodel::validate_program(program, name);
    check_races(o.races, program);
  } catch (const std::exception& error) {
    throw Refused(kBadInput, error.what());
  }
  if (!o.save.empty()) return save_instead(program, o.save, o.json);
  RunDirectory directory(o.out, fmt::format("{}-{}-s{}-model", name, config, o.seed));
  const auto run_dir = directory.path();
  args.out_dir = run_dir;

  const auto start = std::chrono::steady_clock::now();
  std::optional<CommitLog> log;
  if (!o.log.empty()) log.emplace(o.log, config, program.chips);
  std::unique_ptr<Follower> follower;
  if (scenario && scenario->follow && !o.json) follower = scenario->follow(args, program, stdout);
  HashingSink sink(log ? &*log : nullptr, follower.get());
  cmodel::Board board(sizes, program, sink, {.detect_races = o.races, .order_seed = o.order_seed});
  heed_interrupts();
  board.load();
  std::uint64_t left = o.steps;
  while (left && !interrupted() && board.step()) --left;
  const bool gave_up = !left && !board.finished();
  const int cut_short = interrupted();
  follower.reset();  // ends its line: there are no more commits
  const double wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::vector<std::vector<std::uint8_t>> regions;
  for (const auto& region : program.regions) {
    regions.emplace_back(region.bytes);
    board.read(region.chip, region.addr, regions.back());
  }
  if (log) log->finish();
  write_epochs(sink.chains(), 0, run_dir / "epochs.json");
  if (o.npy) write_regions(run_dir, program, regions);
  nlohmann::ordered_json metrics = nlohmann::ordered_json::object();
  Verdict verdict =
      cut_short ? Verdict{"interrupted", fmt::format("interrupted: {}\n", strsignal(cut_short))}
                : judge(board, gave_up, program, scenario, args, regions, metrics);
  const auto& work = board.counters();
  metrics["instructions"] = work.instructions;
  metrics["descriptors"] = work.descriptors;
  metrics["messages"] = work.messages;
  metrics["commits"] = work.commits;
  metrics["macs"] = work.macs;
  metrics["macs_per_s"] = wall_s > 0 ? static_cast<double>(work.macs) / wall_s : 0.0;
  if (o.races && !cut_short) {
    const std::string races = board.races();
    metrics["races"] = std::count(races.begin(), races.end(), '\n');
    if (!races.empty()) verdict.fail(races);
  }
  // No RTL: nothing was compared, nothing took time, no link carried anything.
  const nlohmann::ordered_json result = {
      {"schema", 1},
      {"kind", "model"},
      {"scenario", name},
      {"config", config},
      {"seed", o.seed},
      {"status", verdict.status},
      {"chips", program.chips},
      {"cores", program.chips * defs::kCores},
      {"cycles", 0},
      {"commits_checked", 0},
      {"mismatches", 0},
      {"wall_s", wall_s},
      {"cycles_per_s", 0.0},
      {"threads", 1},
      {"program_hash", fmt::format("{:016x}", cmodel::program_hash(program))},
      {"commit_hash", fmt::format("{:016x}", combined_hash(sink.chains()))},
      {"link_hash", ""},
      {"repro", o.repro},
      {"metrics", metrics}};
  directory.finish(result);
  fmt::print("{}", o.json ? result.dump(2) + "\n" : result_table(result));
  std::fflush(stdout);
  if (!verdict.report.empty()) fmt::print(stderr, "{}", verdict.report);
  if (verdict.status != "passed") fmt::print(stderr, "repro: {}\n", o.repro);
  if (!o.json) fmt::print("report: {}\n", (run_dir / "result.json").string());
  if (cut_short) return 128 + cut_short;
  return verdict.status == "passed" ? kPassed : kCheckFailed;
}

}  // namespace
}  // namespace tb

int main(int argc, char** argv) { return tb::exit_status_of(tb::run, argc, argv); }
