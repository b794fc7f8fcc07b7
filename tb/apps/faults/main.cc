// SPDX-License-Identifier: Apache-2.0
// faults_<config>: the fault campaign over twelve fabric nodes; `scripts/dodeca run faults`.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tb/apps/faults/campaign.h"
#include "tb/base/command_line.h"
#include "tb/base/result.h"

namespace tb {
namespace {

struct Call {
  Plan plan;
  std::string config{kSizes.name}, out = "out", repro;
  bool json = false;
};

std::string class_names() {
  std::string names;
  for (const FaultClass& fault : fault_classes())
    names += (names.empty() ? "" : ", ") + std::string(fault.name);
  return names;
}

/// Throws Refused; for --help and --class list prints and throws Refused(kPassed, "").
Call parse(int argc, char** argv) {
  Call call;
  std::string scenario = "faults";
  std::vector<std::string> names;
  std::int64_t seed = 1, threads = std::max(1u, std::thread::hardware_concurrency()), events = 100,
               event = -1;
  CLI::App app{"Damages a fabric of twelve nodes, event by event, and says what came of it."};
  app.option_defaults()->take_last();
  app.add_option("scenario", scenario, "faults")->check(CLI::IsMember({"faults"}));
  app.add_option("--config", call.config, "sizes; this executable has the default")
      ->check(CLI::IsMember({std::string(kSizes.name)}));
  app.add_option("--seed", seed, "0 .. 2^32-1 (1)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{0xffffffff}));
  app.add_option("--threads", threads, "simulations at once (all processors)")
      ->check(CLI::Range(1, 256));
  app.add_option("--events", events, "per class, that met something: 1 .. 100000 (100)")
      ->check(CLI::Range(1, 100000));
  app.add_option("--class", names, "only this one, may be repeated; `list` shows all")->take_all();
  app.add_option("--event", event,
                 "only this one of one class, and those before it in its simulation")
      ->check(CLI::Range(0, 1 << 30));
  app.add_flag("--json", call.json, "print result.json instead of the table");
  app.add_option("--out", call.out, "directory of run directories (out)")->type_name("DIR");
  parse_command_line(app, argc, argv);
  call.repro =
      fmt::format("scripts/dodeca run faults --config {} --seed {}{}", call.config, seed,
                  given_options(app, {"--config", "--seed", "--threads", "--json", "--out"}));
  for (const std::string& name : names) {
    if (name == "list") {
      for (const FaultClass& fault : fault_classes())
        fmt::print("{:<14} {}\n", fault.name, fault.what);
      throw Refused(kPassed, "");
    }
    const FaultClass* fault = find_class(name);
    if (!fault)
      throw Refused(kBadInput,
                    fmt::format("--class is \"{}\"; allowed list, {}", name, class_names()));
    call.plan.classes.push_back(fault);
  }
  if (event >= 0 && names.size() != 1)
    throw Refused(kBadInput, "--event is given; allowed with one --class only");
  if (names.empty())
    for (const FaultClass& fault : fault_classes()) call.plan.classes.push_back(&fault);
  call.plan.seed = static_cast<std::uint32_t>(seed);
  call.plan.threads = static_cast<unsigned>(threads);
  call.plan.effective = static_cast<unsigned>(events);
  call.plan.only = static_cast<int>(event);
  return call;
}

int run(int argc, char** argv) {
  const Call call = parse(argc, argv);
  RunDirectory directory(call.out, fmt::format("faults-{}-s{}", call.config, call.plan.seed));
  const auto run_dir = directory.path();

  // What the RTL prints goes to stderr; stdout is for results.
  std::fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  const auto begin = std::chrono::steady_clock::now();
  const Verdict verdict = run_campaign(call.plan);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  std::fflush(stdout);
  dup2(saved, STDOUT_FILENO);
  close(saved);

  nlohmann::ordered_json rows = nlohmann::ordered_json::array(), bad = rows;
  std::uint64_t least = ~std::uint64_t{0}, hangs = 0, silent = 0;
  for (const Row& row : verdict.rows) {
    nlohmann::ordered_json line = {{"class", row.fault->name}, {"effective", row.effective()}};
    for (unsigned i = 0; i < kOutcomes; ++i) line[std::string(kOutcomeNames[i])] = row.outcomes[i];
    rows.push_back(line);
    least = std::min(least, row.effective());
    hangs += row.outcomes[static_cast<unsigned>(Outcome::Hang)];
    silent += row.outcomes[static_cast<unsigned>(Outcome::Silent)];
  }
  std::string report;
  for (const Finding& f : verdict.findings) {
    const auto outcome = kOutcomeNames[static_cast<unsigned>(f.outcome)];
    const std::string repro =
        fmt::format("scripts/dodeca run faults --config {} --seed {} --class {} --event {}",
                    call.config, call.plan.seed, f.fault->name, f.event);
    bad.push_back({{"class", f.fault->name},
                   {"event", f.event},
                   {"outcome", outcome},
                   {"why", f.why},
                   {"repro", repro}});
    report += fmt::format("{} event {}: {}: {}\nrepro: {}\n", f.fault->name, f.event, outcome,
                          f.why, repro);
  }
  const bool enough = call.plan.only >= 0 || least >= call.plan.effective;
  if (!enough) report += fmt::format("a class met something only {} times\n", least);
  const bool passed = verdict.findings.empty() && enough && verdict.messages > 0;

  const std::uint64_t cycles = defs::kFabricDivide * verdict.cycles;
  const double wall_s = wall.count();
  const nlohmann::ordered_json result = {
      {"schema", 1},
      {"kind", "run"},
      {"scenario", "faults"},
      {"config", call.config},
      {"seed", call.plan.seed},
      {"status", passed  ? "passed"
                 : hangs ? "hang"
                         : "failed"},
      {"chips", defs::kBoardChips},
      {"cores", defs::kBoardChips * defs::kCores},
      {"cycles", cycles},
      {"commits_checked", verdict.messages},
      {"mismatches", verdict.findings.size()},
      {"wall_s", wall_s},
      {"cycles_per_s", static_cast<double>(cycles) / wall_s},
      {"threads", call.plan.threads},
      {"program_hash", fmt::format("{:016x}", verdict.link_hash)},
      {"commit_hash", fmt::format("{:016x}", verdict.commit_hash)},
      {"link_hash", fmt::format("{:016x}", verdict.link_hash)},
      {"repro", call.repro},
      {"metrics",
       {{"events", verdict.events},
        {"events_per_s", static_cast<double>(verdict.events) / wall_s},
        {"least_effective", least},
        {"hang", hangs},
        {"silent", silent},
        {"outcomes", rows},
        {"findings", bad}}}};
  directory.finish(result);
  if (call.json)
    fmt::print("{}\n", result.dump(2));
  else
    fmt::print("{}{}", result_table(result), matrix(verdict));
  std::fflush(stdout);
  if (!passed) fmt::print(stderr, "{}repro: {}\n", report, call.repro);
  if (!call.json) fmt::print("report: {}\n", (run_dir / "result.json").string());
  return passed ? kPassed : kCheckFailed;
}

}  // namespace
}  // namespace tb

int main(int argc, char** argv) { return tb::exit_status_of(tb::run, argc, argv); }
