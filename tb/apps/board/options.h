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
#include "tb/scenarios/scenario.h"

namespace tb {

/// A cable that goes wrong in the middle of a run: `from` and `to` are neighbours, `cycle` a core
/// cycle.
struct CableFault {
  unsigned from, to;
  std::uint64_t cycle;
  int lane = -1;  ///< of the direction from -> to, stuck at 1; -1: both directions fall silent
};

/// Register FabricRate of both stream ports of this core, in every chip.
struct InjectionLimit {
  unsigned core, rate, burst;
};

struct Options {
  std::string scenario;           ///< empty if `program` is given
  std::filesystem::path program;  ///< a program file
  std::string config;             ///< what this executable was built for
  std::uint32_t seed = 1;
  std::optional<unsigned> chips;  ///< default: all of the scenario, those of the program
  unsigned threads = 0;           ///< 0: all of the machine
  unsigned window = 0;            ///< fabric cycles; 0: link_latency
  unsigned link_latency = defs::kLinkLatency;
  unsigned hbm_latency = defs::kHbmLatency;  ///< core cycles
  std::string topology = "ring";             ///< ring, c12: how the board is wired
  std::filesystem::path tables;              ///< a table set to load; empty: the board's own
  std::string tables_by = "host";            ///< or "packets"
  struct LeaveCable {
    unsigned a, b;        ///< the chips that it joins
    std::uint64_t cycle;  ///< core cycle
  };
  std::optional<LeaveCable> leave_cable;  ///< to be taken out of service while the program runs
  double link_ber = 0;                    ///< bit errors per bit on every link
  std::vector<CableFault> cable_faults;
  std::vector<InjectionLimit> limits;
  std::optional<defs::Dtype> format;  ///< of a scenario that multiplies in any
  std::optional<ProductSize> size;    ///< likewise
  unsigned length = 0;                ///< of a scenario with that knob; 0: its default
  std::string rtl, model;             ///< which chips are in RTL, which models: select_models()
  bool waves = false;
  std::filesystem::path wave_dir;    ///< empty: the run's directory
  std::vector<unsigned> wave_chips;  ///< empty: all
  bool wave_arrays = false;
  std::uint64_t wave_first = 0, wave_last = UINT64_MAX;  ///< core cycles; the run ends behind them
  bool debug = true;                                     ///< a failed run is looked into ..
  bool failure_waves = true;                             ///< .. and its last cycles get waves
  std::optional<std::uint64_t> snapshots;  ///< core cycles between two, 0: none; default: by cost
  bool timeline = false;                   ///< timeline.json into the run's directory
  bool coverage = false;                   ///< needs the program with counters
  std::string inject;                      ///< a site, "list", or empty
  bool races = false;                ///< look for conflicting accesses without a semaphore path
  std::filesystem::path commit_log;  ///< empty: none
  bool npy = false;                  ///< regions as .npy into the run's directory
  bool json = false;
  std::filesystem::path out = "out";
  std::uint64_t timeout_cycles = 0;  ///< fabric cycles; 0: none
  std::uint64_t hang_cycles = 1u << 16;
  std::string repro;  ///< the command that repeats this run

  bool traces(unsigned chip) const;
};

/// Throws Refused; for --help prints and throws Refused(kPassed, "").
Options parse_options(int argc, char** argv);

}  // namespace tb
