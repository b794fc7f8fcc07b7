// SPDX-License-Identifier: Apache-2.0
// The classes of faults, as data: how each is injected, and what the documents allow it to end in.
#pragma once
#include <span>
#include <string_view>

namespace tb {

class Trial;

/// How an event ended. `Masked` is one that met nothing that said anything: it does not count.
enum class Outcome : unsigned {
  Masked,
  Corrected,  ///< every message once, intact, in order; no word to anybody
  Contained,  ///< likewise, but a part was given up and both its ends say so
  Reported,   ///< messages lost, each reported to its sender's host, and kept on record where it
              ///< happened
  Hang,
  Silent,  ///< lost without a word, twice, damaged, out of order, or an assertion of the RTL failed
};
inline constexpr unsigned kOutcomes = 6;
inline constexpr std::string_view kOutcomeNames[kOutcomes] = {"masked",   "corrected", "contained",
                                                              "reported", "hang",      "silent"};

struct FaultClass {
  std::string_view name, what;
  /// Offers messages and does the damage; says by Trial::hit() when it met something.
  void (*inject)(Trial&);
  /// Bit i: Outcome i is what fabric/doc/checking.md promises.
  unsigned allowed;
  unsigned per_trial;  ///< events in one simulation; 1: what it breaks stays broken
  unsigned timeout;    ///< FabricTimeout, fabric cycles
};

std::span<const FaultClass> fault_classes();
/// None: there is no such class.
const FaultClass* find_class(std::string_view name);

}  // namespace tb
