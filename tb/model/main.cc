// SPDX-License-Identifier: Apache-2.0
// board_model: a scenario or program file on the golden model alone. No RTL, no clock, both sizes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <unordered_map>

#include "cmodel/access_pattern.h"
#include "cmodel/board.h"
#include "cmodel/disassemble.h"
#include "tb/model/wait_for.h"
#include "tb/scenarios/knobs.h"
#include "tb/system/commit_chain.h"
#include "tb/system/commit_log.h"
#include "tb/system/npy.h"
#include "tb/system/options.h"
#include "tb/system/result.h"

namespace tb {
namespace {

/// Hashes every commit as the scoreboard does those of the RTL.
class HashingSink : public cmodel::CommitSink {
 public:
  explicit HashingSink(CommitLog* log) : log_(log) {}
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    if (!recent_ || recent_->id != commit.stream) {
      auto& slot = streams_[stream_key(commit.stream)];
      if (!slot) slot = std::make_unique<Stream>();
      slot->id = commit.stream;
      recent_ = slot.get();
    }
    const bool semaphore = commit.kind == cmodel::CommitKind::Semaphore;
    (semaphore ? recent_->semaphores : recent_->writes).add(commit, data);
    if (log_) log_->add(commit, 0, data);
  }
  std::uint64_t hash() const {
    std::map<cmodel::StreamId, StreamChains> chains;
    for (const auto& [key, stream] : streams_)
      chains[stream->id] = {&stream->writes, &stream->semaphores};
    return combined_hash(chains);
  }

 private:
  struct Stream {
    cmodel::StreamId id;
    CommitChain writes, semaphores;
  };
  std::unordered_map<std::uint32_t, std::unique_ptr<Stream>> streams_;
  Stream* recent_ = nullptr;
  CommitLog* log_;
};

struct ModelOptions {
  std::string scenario, program, config = "inf2", format, size, log, out = "out";
  std::uint32_t seed = 1, length = 0;
  std::uint64_t order_seed = 0;
  unsigned chips = 0;  ///< 0: all of the scenario, those of the program
  bool races = false, npy = false, json = false;
};

std::uint64_t number(const std::string& name, const std::string& text, std::uint64_t low,
                     std::uint64_t high) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end || text.empty() || value < low || value > high)
    throw Refused(kBadInput, fmt::format("{} is \"{}\"; allowed {} .. {}", name, text, low, high));
  return value;
}

ModelOptions parse(int argc, char** argv) {
  ModelOptions o;
  std::string seed = "1", order = "0", chips, length, threads;
  bool model_only = false;
  CLI::App app{"Runs a program on the golden model alone: the same commits as the board, no time."};
  app.option_defaults()->take_last();
  app.add_option("scenario", o.scenario, "what to run (digits)")->type_name("SCENARIO");
  app.add_option("--program", o.program, "run a program file instead")->type_name("FILE");
  app.add_option("--config", o.config, "sizes: inf2, mini (inf2)");
  app.add_option("--seed", seed, "0 .. 2^32-1 (1): the scenario's data");
  app.add_option("--order-seed", order, "pick the next engine at random (0: in turns)");
  app.add_option("--chips", chips, "2 .. 12 (12): consecutive chips on a smaller ring");
  app.add_option("--length", length, "work per core, for scenarios with that knob");
  app.add_option("--format", o.format, "of gemm's operands: bf16, fp16, fp8e4m3, int8 ...");
  app.add_option("--size", o.size, "of gemm's product: M,K,N, or one number for all three")
      ->type_name("M,K,N");
  app.add_option("--threads", threads, "without effect: the model has one");
  app.add_flag("--model-only", model_only, "what this program does anyway");
  app.add_flag("--races", o.races,
               "fail if two engines touch the same bytes with no semaphore path between them");
  app.add_option("--commit-log", o.log, "write every commit, for `dodeca compare`")
      ->type_name("FILE");
  app.add_flag("--npy", o.npy, "write what the host would read back as NAME.npy");
  app.add_flag("--json", o.json, "print result.json instead of the table");
  app.add_option("--out", o.out, "directory of run directories (out)")->type_name("DIR");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    throw Refused(kPassed, "");
  } catch (const CLI::ParseError& error) {
    std::string line = error.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    throw Refused(kBadInput,
                  fmt::format("--model-only: {}; --help shows what is allowed without RTL", line));
  }
  if (o.config != "inf2" && o.config != "mini")
    throw Refused(kBadInput, fmt::format("--config is \"{}\"; allowed inf2, mini", o.config));
  if (!o.scenario.empty() && !o.program.empty())
    throw Refused(kBadInput, "both a scenario and --program given; allowed one of them");
  o.seed = static_cast<std::uint32_t>(number("--seed", seed, 0, 0xffffffffu));
  o.order_seed = number("--order-seed", order, 0, 0xffffffffu);
  if (!threads.empty()) number("--threads", threads, 1, 256);
  if (!chips.empty())
    o.chips = static_cast<unsigned>(number("--chips", chips, 2, defs::kBoardChips));
  if (!length.empty()) o.length = static_cast<unsigned>(number("--length", length, 1, 1u << 20));
  if (o.program.empty() && o.scenario.empty()) o.scenario = "digits";
  return o;
}

std::optional<defs::Dtype> format_of(const std::string& text) {
  if (text.empty()) return {};
  std::string allowed;
  for (const defs::Dtype dtype : defs::kEveryDtype) {
    if (!(cmodel::kTensorInputs >> static_cast<unsigned>(dtype) & 1)) continue;
    std::string name(to_string(dtype));
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    if (name == text) return dtype;
    allowed += (allowed.empty() ? "" : ", ") + name;
  }
  throw Refused(kBadInput, fmt::format("--format is \"{}\"; allowed {}", text, allowed));
}

std::string repro_line(const ModelOptions& o) {
  std::string line = "scripts/dodeca run ";
  line += o.program.empty() ? o.scenario : "--program " + o.program;
  line += fmt::format(" --model-only --config {} --seed {}", o.config, o.seed);
  if (o.chips) line += fmt::format(" --chips {}", o.chips);
  if (o.length) line += fmt::format(" --length {}", o.length);
  if (!o.format.empty()) line += " --format " + o.format;
  if (!o.size.empty()) line += " --size " + o.size;
  if (o.order_seed) line += fmt::format(" --order-seed {}", o.order_seed);
  return line + (o.races ? " --races" : "");
}

struct Verdict {
  std::string status = "passed", report;
  void fail(const std::string& why) {
    status = "failed";
    report += why;
  }
};

/// The same judgement as after a run of the RTL, but for what only RTL can do wrong.
Verdict judge(const cmodel::Board& board, const cmodel::Program& program, const Scenario* scenario,
              const ScenarioArgs& args, RegionBytes regions, nlohmann::ordered_json& metrics) {
  Verdict verdict;
  for (const auto& e : board.errors())
    metrics["errors"].push_back(fmt::format("chip {} core {} {} pc {}: {}", e.stream.chip,
                                            e.stream.core, cmodel::engine_name(e.stream.engine),
                                            e.pc, to_string(e.cause)));
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

/// The board counts refusals of the host's accesses as commits; the model has no registers.
bool host_is_refused(const Scenario& scenario, const ScenarioArgs& args,
                     const cmodel::Program& program) {
  if (!scenario.accesses) return false;
  const PortAccesses accesses = scenario.accesses(args, program);
  const auto refused = [](const PortAccess& a) { return a.refusal != defs::ErrorCause::None; };
  return std::any_of(accesses.before.begin(), accesses.before.end(), refused) ||
         std::any_of(accesses.after.begin(), accesses.after.end(), refused);
}

int run(int argc, char** argv) {
  const ModelOptions o = parse(argc, argv);
  const defs::Sizes& sizes = o.config == "inf2" ? defs::kInf2 : defs::kMini;
  const char* data = std::getenv("DODECA_DATA");
  ScenarioArgs args{sizes,
                    o.chips ? o.chips : defs::kBoardChips,
                    o.seed,
                    data ? data : DODECA_SCENARIO_DATA,
                    {},
                    o.length,
                    format_of(o.format)};
  if (o.scenario == "list") {
    for (const Scenario& s : scenarios())
      if (!host_is_refused(s, args, s.build(args))) fmt::print("{:<10} {}\n", s.name, s.doc);
    return kPassed;
  }
  const Scenario* scenario = nullptr;
  cmodel::Program program;
  std::string name;
  try {
    if (!o.size.empty()) args.size = product_size(o.size);
    if (!o.program.empty()) {
      check_knobs(nullptr, args);
      name = std::filesystem::path(o.program).stem().string();
      program = cmodel::load_program(o.program);
      if (program.config != o.config)
        throw std::runtime_error(fmt::format("{}: config is {}; --config allows {}", o.program,
                                             program.config, o.config));
      if (o.chips && o.chips != program.chips)
        throw std::runtime_error(
            fmt::format("--chips is {}; {} allows {}", o.chips, o.program, program.chips));
    } else {
      scenario = &find_scenario(o.scenario);
      check_knobs(scenario, args);
      name = scenario->name;
      program = scenario->build(args);
      if (host_is_refused(*scenario, args, program))
        throw std::runtime_error(fmt::format(
            "{} needs registers that refuse; allowed without --model-only", scenario->name));
    }
    cmodel::validate_program(program, name);
  } catch (const std::exception& error) {
    throw Refused(kBadInput, error.what());
  }
  const auto run_dir =
      make_run_directory(o.out, fmt::format("{}-{}-s{}-model", name, o.config, o.seed));
  args.out_dir = run_dir;

  const auto start = std::chrono::steady_clock::now();
  std::optional<CommitLog> log;
  if (!o.log.empty()) log.emplace(o.log, o.config, program.chips);
  HashingSink sink(log ? &*log : nullptr);
  cmodel::Board board(sizes, program, sink, {.detect_races = o.races, .order_seed = o.order_seed});
  board.load();
  board.run();
  const double wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::vector<std::vector<std::uint8_t>> regions;
  for (const auto& region : program.regions) {
    regions.emplace_back(region.bytes);
    board.read(region.chip, region.addr, regions.back());
  }
  if (log) log->finish();
  if (o.npy) write_regions(run_dir, program, regions);
  nlohmann::ordered_json metrics = nlohmann::ordered_json::object();
  Verdict verdict = judge(board, program, scenario, args, regions, metrics);
  const auto& work = board.counters();
  metrics["instructions"] = work.instructions;
  metrics["descriptors"] = work.descriptors;
  metrics["messages"] = work.messages;
  metrics["commits"] = work.commits;
  metrics["macs"] = work.macs;
  metrics["macs_per_s"] = wall_s > 0 ? static_cast<double>(work.macs) / wall_s : 0.0;
  if (o.races) {
    const std::string races = board.races();
    metrics["races"] = std::count(races.begin(), races.end(), '\n');
    if (!races.empty()) verdict.fail(races);
  }
  const std::string repro = repro_line(o);
  // No RTL: nothing was compared, nothing took time, no link carried anything.
  const nlohmann::ordered_json result = {
      {"schema", 1},
      {"kind", "model"},
      {"scenario", name},
      {"config", o.config},
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
      {"commit_hash", fmt::format("{:016x}", sink.hash())},
      {"link_hash", ""},
      {"repro", repro},
      {"metrics", metrics}};
  write_result(run_dir, result);
  fmt::print("{}", o.json ? result.dump(2) + "\n" : result_table(result));
  std::fflush(stdout);
  if (!verdict.report.empty()) fmt::print(stderr, "{}", verdict.report);
  if (verdict.status != "passed") fmt::print(stderr, "repro: {}\n", repro);
  if (!o.json) fmt::print("report: {}\n", (run_dir / "result.json").string());
  return verdict.status == "passed" ? kPassed : kCheckFailed;
}

}  // namespace
}  // namespace tb

int main(int argc, char** argv) {
  try {
    return tb::run(argc, argv);
  } catch (const tb::Refused& refused) {
    if (*refused.what()) fmt::print(stderr, "{}\n", refused.what());
    return refused.status;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return tb::kBadEnvironment;
  }
}
