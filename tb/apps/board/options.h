// SPDX-License-Identifier: Apache-2.0
// The command line of the board programs.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rtl/defs/gen/defs.h"
#include "tb/base/exit_status.h"
#include "tb/board/settings.h"
#include "tb/scenarios/knob_options.h"

namespace tb {

/// Register FabricRate of both stream ports of this core, in every chip.
struct InjectionLimit {
  unsigned core, rate, burst;
};

struct Options : Settings {
  std::string scenario;           ///< empty if `program` is given
  std::filesystem::path program;  ///< a program file
  std::string save;               ///< write the program there and do not run it; empty: run it
  std::string config;             ///< what this executable was built for
  std::optional<unsigned> chips;  ///< default: all of the scenario, those of the program
  std::vector<InjectionLimit> limits;
  Knobs knobs;                     ///< of the scenario
  std::filesystem::path wave_dir;  ///< empty: the run's directory
  bool wave_arrays = false;
  bool debug = true;                       ///< a failed run is looked into ..
  bool failure_waves = true;               ///< .. and its last cycles get waves
  std::optional<std::uint64_t> snapshots;  ///< core cycles between two, 0: none; default: by cost
  bool timeline = false;                   ///< timeline.json into the run's directory
  bool coverage = false;                   ///< needs the program with counters
  std::filesystem::path commit_log;        ///< empty: none
  bool npy = false;                        ///< regions as .npy into the run's directory
  bool json = false;
  std::filesystem::path out = "out";
  std::string repro;  ///< the command that repeats this run
};

/// Throws Refused; for --help prints and throws Refused(kPassed, "").
Options parse_options(int argc, char** argv);

}  // namespace tb
