// SPDX-License-Identifier: Apache-2.0
// Mutants of the RTL that one build holds (scripts/mutate); every Verilated model of such a build
// includes this.
//
//   DODECA_MUTANT      number of the mutant that this run is about (none: the design itself)
//   DODECA_MUTANTS_MET folder that gets a file from each process: the numbers of the mutants
//                      that would have changed a value; no other can change what the process does
#pragma once
#include <array>

namespace tb {

inline constexpr unsigned kMutants = 1U << 13U;
extern const unsigned chosen_mutant;
extern const bool notes_met;  ///< else nobody asks which mutants are met, and no time goes into it
extern std::array<bool, kMutants> met_mutants;

}  // namespace tb

/// Is `number` the chosen one? `differs`: is its value here another than the design's?
inline bool mutant(unsigned number, bool differs) {
  if (tb::notes_met && differs) tb::met_mutants[number] = true;
  return number == tb::chosen_mutant;
}
