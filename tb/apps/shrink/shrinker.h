// SPDX-License-Identifier: Apache-2.0
// Tries candidates on golden model and RTL, and keeps what still fails in the same way.
//
//   candidate --golden model (ms)--> sound as the original? --RTL--> same signature? --> keep it
//
// First the history goes: what differed first, with what it needs, its data loaded by the host;
// with more of what came before until it fails. Then parts are left out in halves, quarters .. one
// by one: chips, cores, engines, data, instructions; then sizes are halved, cables and HBM come
// near, and what has become possible is left out.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tb/apps/shrink/shrink_board.h"
#include "tb/apps/shrink/shrink_sound.h"

namespace tb {

class Shrinker {
 public:
  Shrinker(Source source, std::filesystem::path board, double budget_s);
  Shrinker(const Shrinker&) = delete;

  /// Runs the program as it is, and unrolled if it has loops. Throws Refused (input) if that does
  /// not fail by a check.
  void start(const cmodel::Program& program);
  void shrink();
  /// The same without the injected fault: must pass.
  bool passes_undisturbed();

  const Image& image() const { return image_; }
  const Ran& first() const { return first_; }
  const Ran& best() const { return best_; }
  /// Nothing more goes: the budget did not end it.
  bool finished() const { return left(); }
  unsigned rtl_runs() const { return board_.count(); }
  unsigned model_runs() const { return model_runs_; }
  const std::vector<std::string>& options() const { return options_; }

 private:
  /// The program, if it has loops unrolled, so that turns can be left out. Throws Refused (input)
  /// if it does not fail in the same way.
  cmodel::Program without_loops(const cmodel::Program& program);
  bool left() const;
  void say(const std::string& what) const;
  bool accept(Image candidate, const std::vector<std::string>& options);
  unsigned chip(const Part& part) const;
  unsigned list(const Part& part) const;
  void reduce(const std::string& what, const std::vector<std::vector<std::uint32_t>>& groups);
  void drop(const std::string& what,
            const std::function<std::pair<unsigned, unsigned>(const Part&)>& key);
  void leave_out(const std::string& what, const std::function<bool(const Part&)>& which);
  void less_patience();
  void cut_history();
  void settle_options();
  void try_option(const std::string& name, const std::string& value);
  Image reloaded(const Image& image) const;
  void reload();
  void smaller_tiles();

  const defs::Sizes& sizes_ = defs::kMini;
  Source source_;
  BoardRuns board_;
  double budget_s_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  Image image_;
  Soundness sound_;  ///< of the original
  bool races_ = false;
  Ran first_, best_;
  std::vector<std::string> options_;  ///< of the board, beside those of the source
  unsigned model_runs_ = 0;
};

}  // namespace tb
