// SPDX-License-Identifier: Apache-2.0
// The run, or its last part, once more: with memories watched, or with waves.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "tb/board/board.h"
#include "tb/debug/snapshots.h"
#include "tb/debug/watch.h"

namespace tb {

struct WavePlan;

/// Owns the copies of this process: one from before the run, and snapshots. Whatever is asked is
/// answered from the newest one that knows enough.
///
///   in the run                  in a copy of it (again())
///   attach()   copies are made  attach() or the snapshot: watch, waves as the request says
///   sc_start() fails            sc_start() fails the same way
///   watch(), waves() <--------- answer()
class Replay {
 public:
  /// Before the first thread and before SystemC's elaboration. `snapshots`: Options::snapshots.
  explicit Replay(std::optional<std::uint64_t> snapshots);

  /// Is this a copy?
  bool again() const { return !request_.is_null(); }
  void attach(Board& board);
  [[noreturn]] void answer();

  std::optional<WatchFinding> watch(unsigned chip, const std::vector<cmodel::Cell>& cells,
                                    std::uint64_t until);
  /// FST files into `dir`. The core cycle from which the run was repeated; none if that run went
  /// another way, or its files could not be written, with wave_error(): then there are none.
  std::optional<std::uint64_t> waves(const WavePlan& plan, const std::filesystem::path& dir);
  int wave_error() const { return wave_error_; }

 private:
  void arm();
  nlohmann::json ask(Standby& copy, const nlohmann::json& request);

  Standby start_;
  Snapshots snapshots_;
  Board* board_ = nullptr;
  int wave_error_ = 0;      ///< errno in the copy that answered last
  nlohmann::json request_;  ///< null in the run itself
  std::unique_ptr<Watch> watch_;
};

/// In a copy from before the run: all of it, on a board that `prepare` has seen. Does not return.
[[noreturn]] void run_again(Replay& replay, const Settings& settings, const Wiring& wiring,
                            const cmodel::Program& program, const PortAccesses& accesses,
                            const std::function<void(Board&)>& prepare);

}  // namespace tb
