// SPDX-License-Identifier: Apache-2.0
// Disturbs one thing in the RTL, never in the model: would the checking notice?
#pragma once
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cmodel/program/program.h"
#include "tb/apps/board/options.h"

namespace tb {

class Board;
struct Outcome;

/// A kind of place where things can go wrong.
struct Site {
  std::string_view name;
  std::string_view doc;
};
std::vector<std::string_view> site_names();
bool find_site(std::string_view name);
/// For `--inject list`.
std::string site_list();

/// One fault per run. Everything about it follows from the seed and the site's name.
class Injector {
 public:
  Injector(const Options& options, const cmodel::Program& program, const std::vector<bool>& models);
  ~Injector();

  /// Before the run: places the hook.
  void arm(Board& board);

  /// After the run. Detected: the outcome has failed or hung. Corrected: it passed, and the fabric
  /// dropped and made good a damaged packet. Other passed runs need an argument why the fault could
  /// not be seen; without one the run is changed to failed. Reads metrics["fabric"], writes
  /// metrics["inject"].
  void judge(Outcome& outcome, nlohmann::ordered_json& metrics);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tb
