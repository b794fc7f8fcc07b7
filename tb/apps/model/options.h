// SPDX-License-Identifier: Apache-2.0
// The command line of board_model.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "tb/scenarios/knob_options.h"

namespace tb {

struct ModelOptions {
  std::string scenario, program, save, log, out = "out";
  std::string config;  ///< empty: that of the program
  Knobs knobs;         ///< of the scenario
  std::uint32_t seed = 1;
  std::uint64_t order_seed = 0, steps = ~std::uint64_t{0};
  unsigned chips = 0;  ///< 0: all of the scenario, those of the program
  bool races = false, npy = false, json = false;
  std::string repro;  ///< the command that repeats the run
};

/// Throws Refused; for --help prints and throws Refused(kPassed, "").
ModelOptions parse_model_options(int argc, char** argv);

}  // namespace tb
