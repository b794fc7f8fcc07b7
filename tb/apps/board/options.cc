// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/board/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "tb/base/command_line.h"
#include "tb/base/program_file.h"
#include "tb/dut/chip.h"
#include "tb/inject/inject.h"
#include "tb/scenarios/knobs.h"

namespace tb {
namespace {

/// "A-B@CYCLE", or with a lane "A-B:LANE@CYCLE".
CableFault cable_fault(const std::string& name, const std::string& text, bool with_lane) {
  const auto dash = text.find('-'), colon = text.find(':'), at = text.find('@');
  if (dash == std::string::npos || at == std::string::npos || at < dash ||
      (colon != std::string::npos) != with_lane || (with_lane && (colon < dash || colon > at)))
    throw Refused(kBadInput, fmt::format("{} is \"{}\"; allowed {}, neighbouring chips", name, text,
                                         with_lane ? "A-B:LANE@CYCLE" : "A-B@CYCLE"));
  const auto part = [&](std::size_t first, std::size_t last, std::uint64_t high) {
    return whole_number(name, text.substr(first, last - first), 0, high);
  };
  CableFault fault{};
  fault.from = static_cast<unsigned>(part(0, dash, defs::kBoardChips - 1));
  fault.to = static_cast<unsigned>(part(dash + 1, with_lane ? colon : at, defs::kBoardChips - 1));
  if (with_lane) fault.lane = static_cast<int>(part(colon + 1, at, 15));
  fault.cycle = part(at + 1, text.size(), std::uint64_t{1} << 40);
  return fault;
}

/// CORE=RATE/BURST.
InjectionLimit injection_limit(const std::string& text) {
  const auto equals = text.find('='), slash = text.find('/');
  if (equals == std::string::npos || slash == std::string::npos || slash < equals)
    throw Refused(kBadInput,
                  fmt::format("--limit is \"{}\"; allowed CORE=RATE/BURST, like 0=16/17", text));
  const auto part = [&](std::size_t first, std::size_t last, unsigned low, unsigned high) {
    return static_cast<unsigned>(
        whole_number("--limit", text.substr(first, last - first), low, high));
  };
  return {part(0, equals, 0, defs::kCores - 1), part(equals + 1, slash, 1, 63),
          part(slash + 1, text.size(), 1, 256)};
}

/// A-B@CYCLE.
LeaveCable cable(const std::string& name, const std::string& text) {
  const auto dash = text.find('-'), at = text.find('@');
  if (dash == std::string::npos || at == std::string::npos || at < dash)
    throw Refused(
        kBadInput,
        fmt::format("{} is \"{}\"; allowed A-B@CYCLE, two chips and a core cycle", name, text));
  const auto chip = [&](const std::string& part) {
    return static_cast<unsigned>(whole_number(name, part, 0, defs::kBoardChips - 1));
  };
  return {chip(text.substr(0, dash)), chip(text.substr(dash + 1, at - dash - 1)),
          whole_number(name, text.substr(at + 1), 0, std::uint64_t{1} << 40)};
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options o;
  o.config = std::string(built_sizes().name);
  std::string config = o.config, seed = "1", chips, threads, window, latency, hbm, ber, timeout,
              hang, load;
  std::string wave_window, wave_chips, snapshots, waves, program, tables, leave, log, out = "out";
  KnobOptions knobs;
  std::vector<std::string> fail_cables, stuck_lanes, limits;

  CLI::App app{"Runs a program on the board: RTL against golden model, commit by commit."};
  app.option_defaults()->take_last();
  app.add_option("scenario", o.scenario,
                 "what to run (digits); `list` shows all; or FILE.dasm, FILE.prog")
      ->type_name("SCENARIO");
  app.add_option("--program", program, "run a program file instead")->type_name("FILE");
  app.add_option("--save", o.save, "write the program instead of running it: .dasm text, .prog")
      ->type_name("FILE");
  app.add_option("--config", config, fmt::format("sizes; this executable has {}", o.config));
  app.add_option("--seed", seed,
                 "0 .. 2^32-1 (1): the scenario's data, injections, power-on values");
  app.add_option("--chips", chips, "1 .. 12 (12): consecutive chips on a smaller ring");
  knobs.add_to(app);
  app.add_option("--load", load,
                 fmt::format("front, through every chip's host port, or backdoor, past it in no\n"
                             "time (front; above {} MiB in and out together: backdoor)",
                             kFrontDoorBytes >> 20))
      ->type_name("DOOR");
  app.add_option("--threads", threads, "chips stepped at once (all processors)");
  app.add_option("--window", window, "fabric cycles between barriers, 1 .. link latency (that)");
  app.add_option("--link-latency", latency, "fabric cycles, 4 .. 240 (32)");
  app.add_option("--rtl", o.rtl, "these chips in RTL, like 0,5, the rest as golden models (all)")
      ->type_name("LIST");
  app.add_option("--model", o.model, "these as golden models on the same links, or rest (none)")
      ->type_name("LIST");
  app.add_option("--hbm-latency", hbm, "core cycles from request to data, 1 .. 255 (150)");
  app.add_option("--topology", o.topology, "cables of the board: ring, or c12 = C12(1,5) (ring)");
  app.add_option("--tables", tables,
                 "route by this table set: ring, ring-balanced, ring-a, ring-b, c12,\n"
                 "or a file that fabric_tables wrote")
      ->type_name("SET");
  app.add_option("--tables-by", o.tables_by,
                 "who loads and changes them: host, each chip's own, or packets of chip 0 and\n"
                 "the one across from it (host)");
  app.add_option("--leave-cable", leave,
                 "take the cable between two chips out of service while the program runs")
      ->type_name("A-B@CYCLE");
  app.add_option("--link-ber", ber, "bit error rate of every link, 0 .. 1e-4 (0)");
  app.add_option(
         "--limit", limits,
         "CORE=RATE/BURST: flits that it injects per 64 fabric cycles and port, and at once")
      ->type_name("LIMIT");
  app.add_option("--fail-cable", fail_cables, "A-B@CYCLE: silent both ways from that core cycle on")
      ->take_all();
  app.add_option("--stuck-lane", stuck_lanes, "A-B:LANE@CYCLE: this lane from A to B sticks at 1")
      ->take_all();
  app.add_flag("--waves{.}", waves, "write chipNN.fst, into the run's directory or =DIR")
      ->type_name("[=DIR]");
  app.add_option("--wave-chips", wave_chips, "only these, like 0,3,7")->type_name("LIST");
  app.add_option("--wave-window", wave_window, "only these core cycles; the run ends behind them")
      ->type_name("FIRST:LAST");
  app.add_flag("--no-debug{false}", o.debug,
               "if the run fails: do not look for the cause, write no waves of its last cycles");
  app.add_flag("--no-failure-waves{false}", o.failure_waves,
               "if the run fails: look for the cause, but write no waves of its last cycles");
  app.add_option("--snapshots", snapshots,
                 "core cycles between two copies of the process, from which the cycles before a\n"
                 "failure are run again; 0: none (as many as cost half a percent)")
      ->type_name("CYCLES");
  app.add_flag("--wave-arrays", o.wave_arrays, "with the insides of PE arrays and memories");
  app.add_flag("--coverage", o.coverage, "write coverage.dat.gz: lines, branches, toggles by chip");
  app.add_flag("--timeline", o.timeline,
               "write timeline.json (ui.perfetto.dev): engines, waits, DMA, links, semaphores");
  app.add_option("--inject", o.inject, "disturb one thing in the RTL; `list` shows all sites")
      ->type_name("SITE");
  app.add_flag("--races", o.races,
               "fail if two engines touch the same bytes with no semaphore path between them");
  app.add_option("--commit-log", log, "write every commit, for `dodeca compare`")
      ->type_name("FILE");
  app.add_flag("--npy", o.npy, "write what the host read back as NAME.npy");
  app.add_flag("--json", o.json, "print result.json instead of the table");
  app.add_option("--out", out, "directory of run directories (out)")->type_name("DIR");
  app.add_option("--timeout-cycles", timeout, "fabric cycles after which the run counts as hung");
  app.add_option("--hang-cycles", hang,
                 "fabric cycles without progress that count as hung, 64 .. (65536)");
  parse_command_line(app, argc, argv);

  sort_program_words(o.scenario, program, o.save);
  if (config != o.config) {
    const bool known = std::any_of(defs::kConfigs.begin(), defs::kConfigs.end(),
                                   [&](const auto* sizes) { return sizes->name == config; });
    throw Refused(kBadInput,
                  known
                      ? fmt::format("--config is \"{}\"; this executable allows {} (use board_{})",
                                    config, o.config, config)
                      : fmt::format("--config is \"{}\"; allowed inf2, mini", config));
  }
  if (o.topology != "ring" && o.topology != "c12")
    throw Refused(kBadInput, fmt::format("--topology is \"{}\"; allowed ring, c12", o.topology));
  if (o.tables_by != "host" && o.tables_by != "packets")
    throw Refused(kBadInput,
                  fmt::format("--tables-by is \"{}\"; allowed host, packets", o.tables_by));
  if (!load.empty() && load != "front" && load != "backdoor")
    throw Refused(kBadInput, fmt::format("--load is \"{}\"; allowed front, backdoor", load));
  if (!load.empty()) o.load = load == "front" ? Door::Front : Door::Back;
  if (!leave.empty()) o.leave_cable = cable("--leave-cable", leave);
  if (o.coverage || o.timeline)
    if (!o.rtl.empty() || !o.model.empty())
      throw Refused(kBadInput, fmt::format("{} with --rtl or --model; allowed if all chips are RTL",
                                           o.coverage ? "--coverage" : "--timeline"));
  if (o.coverage &&
      (!waves.empty() || !wave_window.empty() || o.wave_arrays || !wave_chips.empty()))
    throw Refused(kBadInput, "--coverage with waves; allowed one of them");
  if (!snapshots.empty() && !o.debug)
    throw Refused(kBadInput, "--snapshots with --no-debug; allowed one of them");
  o.program = program;
  o.commit_log = log;
  o.tables = tables;
  o.out = out;
  o.seed = static_cast<std::uint32_t>(whole_number("--seed", seed, 0, 0xffffffffu));
  if (!chips.empty())
    o.chips = static_cast<unsigned>(whole_number("--chips", chips, 1, defs::kBoardChips));
  o.knobs = knobs.read();
  if (!latency.empty())
    o.link_latency =
        static_cast<unsigned>(whole_number("--link-latency", latency, defs::kLinkLatencyMin, 240));
  if (!hbm.empty())
    o.hbm_latency =
        static_cast<unsigned>(whole_number("--hbm-latency", hbm, 1, HbmTiming::kInFlight - 1));
  if (!ber.empty()) {
    const auto [rest, error] = std::from_chars(ber.data(), ber.data() + ber.size(), o.link_ber);
    if (error != std::errc{} || rest != ber.data() + ber.size() ||
        !(o.link_ber >= 0 && o.link_ber <= 1e-4))
      throw Refused(kBadInput, fmt::format("--link-ber is \"{}\"; allowed 0 .. 1e-4", ber));
  }
  if (!snapshots.empty())
    o.snapshots = whole_number("--snapshots", snapshots, 0, std::uint64_t{1} << 40);
  for (const auto& text : limits) o.limits.push_back(injection_limit(text));
  for (const auto& text : fail_cables)
    o.cable_faults.push_back(cable_fault("--fail-cable", text, false));
  for (const auto& text : stuck_lanes)
    o.cable_faults.push_back(cable_fault("--stuck-lane", text, true));
  o.window = window.empty()
                 ? o.link_latency
                 : static_cast<unsigned>(whole_number("--window", window, 1, o.link_latency));
  o.threads = threads.empty() ? std::max(1u, std::thread::hardware_concurrency())
                              : static_cast<unsigned>(whole_number("--threads", threads, 1, 256));
  if (!timeout.empty())
    o.timeout_cycles = whole_number("--timeout-cycles", timeout, 1, std::uint64_t{1} << 40);
  if (!hang.empty())
    o.hang_cycles = whole_number("--hang-cycles", hang, 64, std::uint64_t{1} << 40);
  if (!wave_window.empty()) {
    const std::size_t colon = wave_window.find(':');
    if (colon == std::string::npos)
      throw Refused(
          kBadInput,
          fmt::format("--wave-window is \"{}\"; allowed FIRST:LAST, core cycles", wave_window));
    o.wave_first =
        whole_number("--wave-window", wave_window.substr(0, colon), 0, std::uint64_t{1} << 40);
    o.wave_last = whole_number("--wave-window", wave_window.substr(colon + 1), o.wave_first,
                               std::uint64_t{1} << 40);
  }
  o.waves = !waves.empty() || !wave_window.empty() || o.wave_arrays || !wave_chips.empty();
  if (!waves.empty() && waves != ".") o.wave_dir = waves;
  for (std::size_t at = 0; !wave_chips.empty() && at <= wave_chips.size();) {
    const std::size_t comma = std::min(wave_chips.find(',', at), wave_chips.size());
    o.wave_chips.push_back(static_cast<unsigned>(
        whole_number("--wave-chips", wave_chips.substr(at, comma - at), 0, defs::kBoardChips - 1)));
    at = comma + 1;
  }
  if (!o.inject.empty() && o.inject != "list" && !find_site(o.inject))
    throw Refused(kBadInput, fmt::format("--inject is \"{}\"; allowed list, {}", o.inject,
                                         fmt::join(site_names(), ", ")));
  if (o.program.empty() && o.scenario.empty()) o.scenario = "digits";
  o.repro = fmt::format("scripts/dodeca run {} --config {} --seed {}{}",
                        program.empty() ? o.scenario : "--program " + shell_word(program), o.config,
                        o.seed,
                        given_options(app, {"--program", "--config", "--seed", "--threads",
                                            "--snapshots", "--commit-log", "--json", "--out"}));
  return o;
}

}  // namespace tb
