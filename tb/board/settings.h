// SPDX-License-Identifier: Apache-2.0
// What a board has to know of a run besides its program.
#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"

namespace tb {

/// A cable that goes wrong in the middle of a run: `from` and `to` are neighbours, `cycle` a core
/// cycle.
struct CableFault {
  unsigned from, to;
  std::uint64_t cycle;
  int lane = -1;  ///< of the direction from -> to, stuck at 1; -1: both directions fall silent
};

/// A cable to be taken out of service while the program runs.
struct LeaveCable {
  unsigned a, b;        ///< the chips that it joins
  std::uint64_t cycle;  ///< core cycle
};

/// The way of a program into the chips' memories, and of its regions out: through the ports, or
/// past them in no time.
enum class Door { Front, Back };
/// A run that moves more, segments and regions together, goes through the back door unless told.
inline constexpr std::uint64_t kFrontDoorBytes = 8 << 20;

struct Settings {
  std::uint32_t seed = 1;
  unsigned threads = 0;  ///< 0: all of the machine
  unsigned window = 0;   ///< fabric cycles; 0: link_latency
  unsigned link_latency = defs::kLinkLatency;
  unsigned hbm_latency = defs::kHbmLatency;  ///< core cycles
  std::string topology = "ring";             ///< ring, c12: how the board is wired
  std::filesystem::path tables;              ///< a table set to load; empty: the board's own
  std::string tables_by = "host";            ///< or "packets"
  std::optional<LeaveCable> leave_cable;
  double link_ber = 0;  ///< bit errors per bit on every link
  std::vector<CableFault> cable_faults;
  std::string rtl, model;  ///< which chips are in RTL, which models: select_models()
  bool waves = false;
  std::vector<unsigned> wave_chips;                      ///< empty: all
  std::uint64_t wave_first = 0, wave_last = UINT64_MAX;  ///< core cycles; the run ends behind them
  bool races = false;                ///< look for conflicting accesses without a semaphore path
  std::string inject;                ///< a site, "list", or empty
  std::optional<Door> load;          ///< empty: by kFrontDoorBytes
  std::uint64_t timeout_cycles = 0;  ///< fabric cycles; 0: none
  std::uint64_t hang_cycles = 1u << 16;

  bool traces(unsigned chip) const {
    return waves && (wave_chips.empty() || std::ranges::count(wave_chips, chip) != 0);
  }
};

/// The way that a run goes: as told, or by how much it moves.
Door door_of(const Settings& settings, const cmodel::Program& program);

}  // namespace tb
