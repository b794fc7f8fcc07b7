// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/mutants.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace tb {
namespace {

unsigned from_environment() {
  const char* given = std::getenv("DODECA_MUTANT");
  return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : 0;
}

const char* folder_of_met() { return std::getenv("DODECA_MUTANTS_MET"); }

struct AtEnd {
  ~AtEnd() {
    const char* folder = folder_of_met();
    if (folder == nullptr) return;
    std::ofstream file{folder + ("/" + std::to_string(getpid()))};
    for (unsigned number = 0; number < kMutants; ++number) {
      if (met_mutants[number]) file << number << '\n';
    }
  }
} at_end;

}  // namespace

const unsigned chosen_mutant = from_environment();
const bool notes_met = folder_of_met() != nullptr;
std::array<bool, kMutants> met_mutants{};

}  // namespace tb
