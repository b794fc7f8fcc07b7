// SPDX-License-Identifier: Apache-2.0
// How fast is the golden model? Runs a scenario on it alone, judges the result, prints the rates.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "cmodel/board/board.h"
#include "tb/base/command_line.h"
#include "tb/scenarios/scenario.h"

namespace {

struct NullSink : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int run(const std::string& name, const defs::Sizes& sizes, const tb::ScenarioArgs& args,
        const cmodel::BoardOptions& options) {
  const auto& scenario = tb::find_scenario(name);
  const auto program = scenario.build(args);
  cmodel::validate_program(program, name);
  NullSink sink;
  const auto start = std::chrono::steady_clock::now();
  cmodel::Board board(sizes, program, sink, options);
  board.load();
  const double loaded = seconds_since(start);
  const bool finished = board.run();
  const double total = seconds_since(start);
  std::vector<std::vector<std::uint8_t>> regions;
  for (const auto& region : program.regions) {
    regions.emplace_back(region.bytes);
    board.read(region.chip, region.addr, regions.back());
  }
  const auto& work = board.counters();
  fmt::print(
      "{} {} chips {}: load {:.3f} s, run {:.3f} s, {:.0f} M MAC/s, {} instructions, "
      "{} descriptors, {} messages, {} commits\n",
      name, sizes.name, args.chips, loaded, total - loaded,
      static_cast<double>(work.macs) / (total - loaded) * 1e-6, work.instructions, work.descriptors,
      work.messages, work.commits);
  if (options.detect_races) {
    const auto asked = std::chrono::steady_clock::now();
    const std::string races = board.races();
    fmt::print("races: {:.3f} s\n{}", seconds_since(asked), races);
  }
  if (!finished) {
    fmt::print("{}", board.blocked());
    return 1;
  }
  for (const auto& error : board.errors())
    fmt::print("error: chip {} core {} engine {} {} {}\n", error.stream.chip, error.stream.core,
               error.stream.engine, to_string(error.operation()), defs::to_string(error.cause));
  const auto result = scenario.check(args, program, regions);
  fmt::print("{} {}\n", result.passed ? "passed" : "FAILED: " + result.failure,
             result.metrics.dump());
  return result.passed && board.errors().empty() && board.races().empty() ? 0 : 1;
}

int measure(int argc, char** argv) {
  CLI::App app("runs a scenario on the golden model alone");
  std::string name = "gemm", config = "inf2", data = "tb/scenarios/data";
  unsigned chips = defs::kBoardChips, length = 0;
  std::uint64_t seed = 1;
  cmodel::BoardOptions options;
  app.add_option("scenario", name, "its name");
  app.add_option("--config", config, "inf2 or mini")->check(CLI::IsMember({"inf2", "mini"}));
  app.add_option("--chips", chips, "chips")->check(CLI::Range(1u, defs::kBoardChips));
  app.add_option("--length", length, "work per core, 0: the scenario's default");
  app.add_option("--seed", seed, "seed of the scenario");
  app.add_option("--order-seed", options.order_seed, "order of operations, 0: round robin");
  app.add_option("--data", data, "folder of the scenarios' data");
  app.add_flag("--races", options.detect_races, "look for races");
  app.add_flag("--liveness", options.track_liveness, "keep the access history");
  tb::parse_command_line(app, argc, argv);
  const defs::Sizes& sizes = config == "inf2" ? defs::kInf2 : defs::kMini;
  try {
    return run(name, sizes, {sizes, chips, seed, data, {}, length}, options);
  } catch (const std::exception& error) {
    throw tb::Refused(tb::kBadInput, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) { return tb::exit_status_of(measure, argc, argv); }
