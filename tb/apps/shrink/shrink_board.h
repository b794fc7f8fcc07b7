// SPDX-License-Identifier: Apache-2.0
// Runs candidates on the RTL, in a directory of their own, and says in what way they failed.
#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cmodel/program/program.h"

namespace tb {

/// The run to shrink, as its repro line says it.
struct Source {
  std::string name, scenario, program, format, size, inject;
  std::vector<std::string> prompts;
  std::uint32_t seed = 1;
  std::optional<std::string> group;
  bool order_independent = false;
  std::string tokens, batch, temperature;  ///< empty: not given
  unsigned chips = defs::kBoardChips, length = 0;
  std::vector<std::string> rest;  ///< options of the board that stay
};

/// How a run of the RTL ended.
struct Ran {
  int status = 0;         ///< exit status of the board
  std::string signature;  ///< first difference, without numbers, and block of the cause
  nlohmann::json found;   ///< divergence.json
  std::uint64_t cycles = 0;
};

class BoardRuns {
 public:
  BoardRuns(const Source& source, std::filesystem::path board);
  ~BoardRuns();
  BoardRuns(const BoardRuns&) = delete;

  /// With the source's seed and options, these options, and the fault if one is injected.
  Ran run(const cmodel::Program& program, const std::vector<std::string>& options, bool disturbed);
  unsigned count() const { return count_; }

 private:
  const Source& source_;
  std::filesystem::path board_, dir_;
  unsigned count_ = 0;
};

}  // namespace tb
