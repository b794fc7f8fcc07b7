// SPDX-License-Identifier: Apache-2.0
// board_<config>: one run of a scenario or program file on the board.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <systemc>

#include "cmodel/program/disassemble.h"
#include "fabric/model/table_writer.h"
#include "tb/apps/board/options.h"
#include "tb/base/clock.h"
#include "tb/base/command_line.h"
#include "tb/base/interrupt.h"
#include "tb/base/npy.h"
#include "tb/base/program_file.h"
#include "tb/base/result.h"
#include "tb/base/script.h"
#include "tb/board/board.h"
#include "tb/board/latency.h"
#include "tb/check/commit_log.h"
#include "tb/check/epochs.h"
#include "tb/debug/investigate.h"
#include "tb/dut/chip.h"
#include "tb/dut/wave_error.h"
#include "tb/inject/inject.h"
#include "tb/observe/coverage/code.h"
#include "tb/observe/coverage/functional.h"
#include "tb/observe/timeline/chrome_trace.h"
#include "tb/observe/timeline/recorder.h"
#include "tb/observe/timeline/spent.h"
#include "tb/observe/timeline/summary.h"
#include "tb/scenarios/knobs.h"

namespace tb {
namespace {

/// Everything the RTL or SystemC prints goes to stderr while this lives; stdout is for results.
class StdoutToStderr {
 public:
  StdoutToStderr() {
    std::fflush(stdout);
    saved_ = dup(STDOUT_FILENO);
    results_ = fdopen(dup(saved_), "w");
    dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  ~StdoutToStderr() {
    std::fflush(stdout);
    dup2(saved_, STDOUT_FILENO);
    close(saved_);
    if (results_) std::fclose(results_);
  }
  /// For results that come before the end; null if there is no such file.
  std::FILE* results() const { return results_; }

 private:
  int saved_;
  std::FILE* results_;
};

/// What costs time even when off, or long to build, is a program beside the fast one: go there.
void switch_executable(const Options& options, char** argv) {
  const char* suffix = nullptr;  // of the program that has it
  if (options.coverage && !built_with_coverage())
    suffix = "_coverage";
  else if (options.coverage)
    return;
  else if (options.wave_arrays && !built_with_wave_arrays())
    suffix = "_arrays";
  else if (options.waves && !built_with_waves())
    suffix = "";
  if (!suffix) return;
  std::error_code error;
  std::string self = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (built_with_coverage()) self.resize(self.rfind("_coverage"));
  const std::string other = self + suffix;
  execv(other.c_str(), argv);
  throw Refused(kBadEnvironment, fmt::format("{} needs {}; build it with: ninja -C build {}",
                                             options.coverage ? "--coverage" : "--waves", other,
                                             std::filesystem::path(other).filename().string()));
}

struct Job {
  const Scenario* scenario = nullptr;
  ScenarioArgs args;
  cmodel::Program program;
  std::string name;
  PortAccesses accesses;
};

/// The program to run. Throws Refused for everything that is wrong with the input.
Job prepare(const Options& options) {
  Job job{nullptr, {built_sizes(), defs::kBoardChips, 1, {}, {}, 0}, {}, {}, {}};
  const char* data = std::getenv("DODECA_DATA");
  job.args.chips = options.chips.value_or(defs::kBoardChips);
  job.args.seed = options.seed;
  job.args.data_dir = data ? data : DODECA_SCENARIO_DATA;
  options.knobs.set(job.args);
  try {
    if (!options.program.empty()) {
      check_knobs(nullptr, job.args);
      job.name = options.program.stem().string();
      job.program = cmodel::load_program(options.program);
      require_config(job.program, options.config);
      if (options.chips && *options.chips != job.program.chips)
        throw std::runtime_error(fmt::format("--chips is {}; {} allows {}", *options.chips,
                                             options.program.string(), job.program.chips));
    } else {
      job.scenario = &find_scenario(options.scenario);
      check_knobs(job.scenario, job.args);
      job.name = job.scenario->name;
      job.program = job.scenario->build(job.args);
    }
    cmodel::validate_program(job.program, job.name);
    check_races(options.races, job.program);
    if (job.scenario && job.scenario->accesses) {
      if (job.scenario == &find_scenario("registers") &&
          (options.topology != "ring" || !options.tables.empty() || options.tables_by != "host"))
        throw std::runtime_error(
            "registers loads tables itself; allowed without --topology, --tables and --tables-by");
      job.accesses = job.scenario->accesses(job.args, job.program);
    }
    for (const InjectionLimit& limit : options.limits)
      for (unsigned chip = 0; chip < job.program.chips; ++chip)
        for (unsigned port = 0; port < defs::kCsrFabricRate.count; ++port)
          job.accesses.before.push_back({.chip = chip,
                                         .addr = csr_addr(defs::kCsrFabricRate, limit.core, port),
                                         .write = true,
                                         .value = (limit.burst - 1) << 6 | limit.rate});
  } catch (const Refused&) {
    throw;
  } catch (const std::exception& error) {
    throw Refused(kBadInput, error.what());
  }
  for (unsigned chip : options.wave_chips)
    if (chip >= job.program.chips)
      throw Refused(kBadInput, fmt::format("--wave-chips has {}; allowed 0 .. {}", chip,
                                           job.program.chips - 1));
  return job;
}

std::string_view status_name(Outcome::Status status) {
  switch (status) {
    case Outcome::Status::Passed:
      return "passed";
    case Outcome::Status::Failed:
      return "failed";
    case Outcome::Status::Hang:
      return "hang";
    case Outcome::Status::Interrupted:
      return "interrupted";
  }
  return "?";
}

std::string error_text(const HostError& error) {
  return fmt::format("chip {} core {} {} {}: {}", error.chip, error.core,
                     cmodel::engine_name(error.engine), cmodel::pc_text(error.pc),
                     to_string(error.cause));
}

/// What the run showed beyond the scoreboard: errors of the program, the scenario's own judgement.
void judge(Job& job, const Board& board, Outcome& outcome, nlohmann::ordered_json& metrics) {
  if (outcome.status == Outcome::Status::Interrupted) return;  // not judged, whatever was seen
  // Whatever it led to: what the hardware was powered on with must not decide.
  const std::string unwritten = board.scoreboard().model().unwritten_text();
  if (!unwritten.empty()) {
    outcome.status = Outcome::Status::Failed;
    outcome.report = unwritten + outcome.report;
  }
  if (outcome.status != Outcome::Status::Passed) return;
  if (!board.host().errors().empty() && !(job.scenario && job.scenario->stops_engines)) {
    outcome.status = Outcome::Status::Failed;
    outcome.report += "the program made engines stop:\n";
    for (const HostError& error : board.host().errors())
      outcome.report += "  " + error_text(error) + "\n";
    return;
  }
  if (!job.scenario) return;
  const ScenarioResult result = job.scenario->check(job.args, job.program, board.host().regions());
  for (const auto& [name, value] : result.metrics.items()) metrics[name] = value;
  if (!result.passed) {
    outcome.status = Outcome::Status::Failed;
    outcome.report += fmt::format("scenario {}: {}\n", job.name, result.failure);
  }
}

/// Something was asked for in a core cycle that the run did not see: it did not happen, and a run
/// without it is not the run that was asked for.
void require_happened(const Options& options, const Board& board, Outcome& outcome) {
  if (outcome.status != Outcome::Status::Passed) return;
  const auto missed = [&](const std::string& option) {
    outcome.status = Outcome::Status::Failed;
    outcome.report += fmt::format("{} did not happen: the run ended in core cycle {}\n", option,
                                  defs::kFabricDivide * outcome.cycles);
  };
  for (const CableFault& f : options.cable_faults)
    if (f.cycle >= defs::kFabricDivide * outcome.cycles)
      missed(f.lane < 0 ? fmt::format("--fail-cable {}-{}@{}", f.from, f.to, f.cycle)
                        : fmt::format("--stuck-lane {}-{}:{}@{}", f.from, f.to, f.lane, f.cycle));
  if (options.leave_cable && board.host().reroute().switches() == 0)
    missed(fmt::format("--leave-cable {}-{}@{}", options.leave_cable->a, options.leave_cable->b,
                       options.leave_cable->cycle));
  if (options.wave_first >= defs::kFabricDivide * outcome.cycles)
    missed(fmt::format("--wave-window {}:{}", options.wave_first, options.wave_last));
}

/// A bin that no run may hit was hit: the run fails.
void require_legal(const Functional& functional, Outcome& outcome) {
  const std::string report = functional.illegal_report();
  if (report.empty()) return;
  outcome.status = Outcome::Status::Failed;
  outcome.report += report;
}

/// Races are the program's fault, not the RTL's: the run fails, with every pair named.
void report_races(const std::string& races, Outcome& outcome, nlohmann::ordered_json& metrics) {
  metrics["races"] = std::count(races.begin(), races.end(), '\n');
  if (races.empty()) return;
  outcome.status = Outcome::Status::Failed;
  outcome.report += races;
}

/// Sums of the hardware's counters over all cores; the share of all PE-cycles of the run that did
/// work.
void add_tensor_counts(const Board& board, std::uint64_t run_cycles,
                       nlohmann::ordered_json& metrics) {
  TensorCounts sums{};
  std::uint64_t cores = 0;
  for (const auto& chip : board.host().counts())
    for (const TensorCounts& core : chip) {
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += core[i];
      ++cores;
    }
  const double pes = 1.0 * cores * built_sizes().partitions * built_sizes().partitions;
  const auto busy = sums[static_cast<unsigned>(defs::TensorCount::PeBusy)];
  metrics["tensor_utilization"] =
      run_cycles ? static_cast<double>(busy) / (pes * static_cast<double>(run_cycles)) : 0.0;
  for (const defs::TensorCount which : defs::kEveryTensorCount)
    metrics["tensor_counts"][std::string(to_string(which))] = sums[static_cast<unsigned>(which)];
}

/// timeline.json: all of it for viewers, the numbers from doorbell to last completion, or to the
/// end of a run that did not get there; where the time went.
void write_timeline(timeline::Recorder& recorder, const Outcome& outcome,
                    const std::filesystem::path& run_dir, nlohmann::ordered_json& metrics) {
  const std::uint64_t end = defs::kFabricDivide * outcome.cycles;
  const timeline::Timeline timeline = recorder.finish(end);
  const bool ended = outcome.end_cycle > outcome.start_cycle;
  const timeline::Window window{defs::kFabricDivide * outcome.start_cycle,
                                ended ? defs::kFabricDivide * outcome.end_cycle : end};
  timeline::write_chrome_trace(timeline, timeline::summary(timeline, window, built_sizes()),
                               run_dir / "timeline.json");
  metrics["time"] = timeline::spent(timeline, window);
}

int run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  if (options.inject == "list") {
    if (options.json)
      fmt::print("{}\n", nlohmann::json{{"schema", 1}, {"sites", site_names()}}.dump());
    else
      fmt::print("{}", site_list());
    return kPassed;
  }
  if (options.scenario == "list") {
    for (const Scenario& scenario : scenarios())
      fmt::print("{:<10} {}\n", scenario.name, scenario.doc);
    return kPassed;
  }
  if (options.scenario == "bins") {  // for the check of the testplans
    cmodel::Program none;
    none.chips = defs::kBoardChips;
    for (const std::string& name :
         Functional(built_sizes(), none, fabric::ring_tables(none.chips)).names())
      fmt::print("{}\n", name);
    return kPassed;
  }
  switch_executable(options, argv);
  Job job = prepare(options);
  if (!options.save.empty()) return save_instead(job.program, options.save, options.json);
  const Wiring wiring(options, job.program.chips);
  for (unsigned chip : options.wave_chips)
    if (wiring.models[chip])
      throw Refused(kBadInput, fmt::format("--wave-chips has {}, a golden model; allowed chips in "
                                           "RTL",
                                           chip));
  std::unique_ptr<Injector> injector;
  if (!options.inject.empty())
    injector = std::make_unique<Injector>(options.inject, options.seed, job.program, wiring.models);

  RunDirectory directory(options.out,
                         fmt::format("{}-{}-s{}", job.name, options.config, options.seed));
  const auto run_dir = directory.path();
  job.args.out_dir = run_dir;
  std::filesystem::path wave_dir = options.wave_dir.empty() ? run_dir : options.wave_dir;
  if (options.waves) {
    std::error_code error;
    if (std::filesystem::create_directories(wave_dir, error)) directory.owns(wave_dir);
    for (unsigned chip = 0; chip < job.program.chips; ++chip)
      for (const char* end : {"fst", "fst.hier"})
        if (options.traces(chip)) directory.owns(wave_dir / fmt::format("chip{:02}.{}", chip, end));
    if (error || access(wave_dir.c_str(), W_OK) != 0)
      throw Refused(kBadEnvironment, fmt::format("--waves is \"{}\": cannot be written; allowed a "
                                                 "directory that can",
                                                 wave_dir.string()));
  }

  heed_interrupts();
  const auto require_waves = [&] {
    if (const int error = wave_error())
      throw Refused(kBadEnvironment, fmt::format("{}: waves cannot be written: {}",
                                                 wave_dir.string(), std::strerror(error)));
  };
  const auto arm = [&](Board& board) {
    if (injector) injector->arm(board);
  };
  // A copy would share the file of waves that are being written.
  std::optional<Replay> replay;
  if (options.debug) replay.emplace(options.waves ? 0 : options.snapshots);
  if (replay && replay->again())
    run_again(*replay, options, wiring, job.program, job.accesses, arm);
  nlohmann::ordered_json result;
  Outcome outcome;
  {
    const StdoutToStderr quiet;
    Functional functional(built_sizes(), job.program, wiring.tables());
    Board board(
        "board", options, wiring, job.program, wave_dir, job.accesses,
        [&](const auto& stream, const auto& operation, const auto& instr) {
          functional.executed(stream, operation.pc, instr);
        },
        [&](const auto& stream, const auto& operation, const auto& copy, const auto& places) {
          functional.copied(stream, operation.pc, copy, places);
        });
    arm(board);
    if (replay) replay->attach(board);
    std::optional<timeline::Recorder> recorder;
    if (options.timeline) {
      recorder.emplace(built_sizes(), job.program);
      for (unsigned i = 0; i < board.chips(); ++i) board.chip(i).record_events();
    }
    std::unique_ptr<Follower> follower;
    if (job.scenario && job.scenario->follow)
      follower =
          job.scenario->follow(job.args, job.program, options.json ? nullptr : quiet.results());
    std::optional<CommitLog> log;
    if (!options.commit_log.empty())
      log.emplace(options.commit_log, options.config, job.program.chips);
    board.set_observer([&](const Chip& chip) {
      if (!chip.is_model()) functional.observe(chip);
      if (log) log->add(chip.commits());
      if (recorder) recorder->observe(board, chip);
      // A copy of the process that repeats the run has nothing new to say.
      if (follower && !(replay && replay->again()))
        for (const auto& entry : chip.commits().entries())
          follower->commit(entry.commit, entry.cycle, chip.commits().data(entry));
    });
    sc_core::sc_start();
    if (replay && replay->again()) replay->answer();
    require_waves();
    outcome = board.outcome();
    if (log) log->finish();
    write_epochs(board.scoreboard().chains(), CommitChain::kEpochCycles, run_dir / "epochs.json");
    if (options.npy) write_regions(run_dir, job.program, board.host().regions());

    nlohmann::ordered_json metrics = nlohmann::ordered_json::object();
    judge(job, board, outcome, metrics);
    nlohmann::ordered_json divergence;
    const bool cut_short = outcome.status == Outcome::Status::Interrupted;
    if (options.debug && !cut_short && outcome.status != Outcome::Status::Passed)
      divergence = investigate(board, job.program, *replay, !options.waves && options.failure_waves,
                               run_dir, outcome);
    functional.finish(board.scoreboard().model());
    functional.write(run_dir / "functional.json");
    if (!injector && !cut_short) require_legal(functional, outcome);
    if (built_with_coverage()) write_code_coverage(board, run_dir);
    const auto& counters = board.scoreboard().model().counters();
    const std::uint64_t run_cycles =
        defs::kFabricDivide * (outcome.end_cycle - outcome.start_cycle);
    metrics["topology"] = options.topology;
    if (const auto models = std::ranges::count(wiring.models, true)) metrics["models"] = models;
    const LinkTotals links = board.link_totals();
    metrics["replays"] = links.replays;
    metrics["crc_failures"] = links.failures;
    metrics["retrains"] = links.retrains;
    metrics["degraded_cycles"] = links.degraded_cycles;
    metrics["links_dead"] = links.dead;
    metrics["packets_dropped"] = links.dropped;
    if (const auto switches = board.host().reroute().switches()) {
      metrics["table_switches"] = switches;
      metrics["packets_rerouted"] = board.packets_rerouted();
    }
    if (board.host().accesses_checked())
      metrics["port_accesses_checked"] = board.host().accesses_checked();
    if (!job.program.partitions.empty()) {
      std::uint64_t dropped = 0;
      for (const auto& chip : board.host().violations()) dropped += chip.count;
      metrics["flows_forbidden"] = board.scoreboard().model().forbidden().size();
      metrics["packets_forbidden"] = dropped;
    }
    metrics["load"] = door_of(options, job.program) == Door::Front ? "front" : "backdoor";
    metrics["load_cycles"] = defs::kFabricDivide * outcome.start_cycle;
    metrics["run_cycles"] = run_cycles;
    metrics["instructions"] = counters.instructions;
    metrics["descriptors"] = counters.descriptors;
    metrics["messages"] = counters.messages;
    metrics["flits"] = links.flits;
    add_tensor_counts(board, run_cycles, metrics);
    if (follower)
      follower->report(defs::kFabricDivide * outcome.start_cycle,
                       defs::kFabricDivide * outcome.end_cycle, kCoreMhz, metrics);
    if (!job.program.requests.empty()) add_latencies(board.host().served(), metrics);
    if (metrics.contains("bound_cycles") && run_cycles)
      metrics["roofline_share"] =
          metrics["bound_cycles"].get<double>() / static_cast<double>(run_cycles);
    metrics["fabric"] = board.host().fabric_counts().json(wiring.cables);
    metrics["model_share"] =
        outcome.wall_s > 0 ? board.scoreboard().seconds() / outcome.wall_s : 0.0;
    if (!board.host().errors().empty())
      for (const HostError& error : board.host().errors())
        metrics["errors"].push_back(error_text(error));
    if (recorder) write_timeline(*recorder, outcome, run_dir, metrics);
    if (options.races && !cut_short)
      report_races(board.scoreboard().model().races(), outcome, metrics);
    if (injector && !cut_short) injector->judge(outcome, metrics);
    require_happened(options, board, outcome);

    const std::uint64_t cycles = defs::kFabricDivide * outcome.cycles;
    result = {{"schema", 1},
              {"kind", "run"},
              {"scenario", job.name},
              {"config", options.config},
              {"seed", options.seed},
              {"status", status_name(outcome.status)},
              {"chips", job.program.chips},
              {"cores", job.program.chips * defs::kCores},
              {"cycles", cycles},
              {"commits_checked", board.scoreboard().commits_checked()},
              {"mismatches", outcome.mismatches},
              {"wall_s", outcome.wall_s},
              {"cycles_per_s", outcome.wall_s > 0 ? cycles / outcome.wall_s : 0.0},
              {"threads", options.threads},
              {"program_hash", fmt::format("{:016x}", cmodel::program_hash(job.program))},
              {"commit_hash", fmt::format("{:016x}", board.scoreboard().commit_hash())},
              {"link_hash", fmt::format("{:016x}", board.link_hash())},
              {"repro", options.repro},
              {"metrics", metrics}};
    if (!divergence.is_null()) result["divergence"] = divergence;
  }
  require_waves();
  directory.finish(result);
  // The page is made here, where the run's own directory is known: `latest` may be another's by
  // now.
  if (options.timeline && run_script({"timeline", run_dir.string()}) != 0)
    throw Refused(kBadEnvironment, fmt::format("{0}: no timeline.html; scripts/dodeca timeline {0} "
                                               "says why",
                                               run_dir.string()));

  if (options.json)
    fmt::print("{}\n", result.dump(2));
  else
    fmt::print("{}", result_table(result));
  std::fflush(stdout);
  if (!outcome.report.empty()) fmt::print(stderr, "{}", outcome.report);
  if (outcome.status != Outcome::Status::Passed) fmt::print(stderr, "repro: {}\n", options.repro);
  if (!options.json) fmt::print("report: {}\n", (run_dir / "result.json").string());
  if (outcome.status == Outcome::Status::Interrupted) return 128 + interrupted();
  return outcome.status == Outcome::Status::Passed ? kPassed : kCheckFailed;
}

}  // namespace
}  // namespace tb

int sc_main(int argc, char** argv) { return tb::exit_status_of(tb::run, argc, argv); }

// Ours, so that SystemC's banner can be silenced before its kernel starts.
int main(int argc, char** argv) {
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
  return sc_core::sc_elab_and_sim(argc, argv);
}
