// SPDX-License-Identifier: Apache-2.0
// The board: chips on their ring, the host, the scoreboard, and the windows in which they run.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "cmodel/program/program.h"
#include "tb/base/clock.h"
#include "tb/base/workers.h"
#include "tb/board/host.h"
#include "tb/board/settings.h"
#include "tb/board/wiring.h"
#include "tb/check/issue_check.h"
#include "tb/check/scoreboard.h"
#include "tb/dut/chip.h"
#include "tb/dut/link.h"

namespace tb {

/// Sums over all ends of links.
struct LinkTotals {
  std::uint64_t flits = 0, replays = 0, failures = 0, retrains = 0, degraded_cycles = 0, dead = 0,
                dropped = 0;
};

/// How a run ended.
struct Outcome {
  enum class Status { Passed, Failed, Hang, Interrupted };
  Status status = Status::Failed;
  std::string report;  ///< what was wrong, several lines; empty if passed
  std::uint64_t mismatches = 0;
  std::uint64_t cycles = 0;                      ///< fabric cycles until the end
  std::uint64_t start_cycle = 0, end_cycle = 0;  ///< doorbells, last completion (host's time)
  double wall_s = 0;
  /// Where the hardware's counters were wrong at the end: {chip, core}.
  std::optional<std::pair<unsigned, unsigned>> wrong_counter;
  std::optional<cmodel::Cell> wrong_byte;      ///< of memory at the end
  std::optional<WrongAnswer> wrong_answer;     ///< to the host, while all else went its way
  std::optional<WrongAnswer> wrong_region;     ///< what the host read back at the end
  std::optional<unsigned> wrong_report;        ///< of an engine's end: the first chip
  std::optional<unsigned> wrong_fabric_count;  ///< at the end: the first chip
  /// An assertion of this chip's RTL failed, or a pin broke its contract, before anything differed.
  std::optional<unsigned> faulty_chip;
};

///   window     chips 0..n-1 at once (workers)   |barrier|  host, then commits in chip order
///   ----------+--------------------------------+-------+-----------------------------------
///   at most link-latency fabric cycles: no chip needs a token sent in the same window
///
/// The run ends at the fabric cycle that is one link latency behind the host's last act. Nothing in
/// it depends on the window or on the number of threads. SystemC's kernel keeps the time.
class Board : public sc_core::sc_module {
 public:
  /// All must outlive the board. `wave_dir`: where chipNN.fst go. `executed`, `copied`: told of the
  /// model's instructions and descriptors.
  Board(sc_core::sc_module_name name, const Settings& settings, const Wiring& wiring,
        const cmodel::Program& program, const std::filesystem::path& wave_dir,
        const PortAccesses& accesses = {}, cmodel::Executed executed = {},
        cmodel::Copied copied = {});

  /// Called for every chip at every barrier, with the window's commits: for coverage.
  using Observer = std::function<void(const Chip& chip)>;
  void set_observer(Observer observer) { observer_ = std::move(observer); }

  /// Called between two windows. It may fork: in the copy it returns true, and the board goes on
  /// there with workers of its own, unobserved.
  void set_between(std::function<bool()> between) { between_ = std::move(between); }

  /// chipNN.fst into `dir`: core cycles first .. last, not earlier than now.
  void record_waves(unsigned chip, const std::filesystem::path& dir, std::uint64_t first,
                    std::uint64_t last);

  /// After sc_start() has returned.
  const Outcome& outcome() const { return outcome_; }
  /// Fabric cycles done.
  std::uint64_t now() const { return now_; }
  /// What a chip sends by a link port; null where no cable is.
  const Link* link(unsigned chip, unsigned port) const {
    const auto at = by_sender_.find({chip, port});
    return at == by_sender_.end() ? nullptr : at->second;
  }
  std::uint64_t link_hash() const;
  /// The last fabric cycle in which anything moved.
  std::uint64_t last_progress() const;
  std::uint64_t last_movement() const;
  /// What arrived at a chip so far.
  const Delivered& delivered(unsigned chip) const { return delivered_[chip]; }
  /// Messages that arrived by another route than the first tables would have sent them.
  std::uint64_t packets_rerouted() const { return packets_rerouted_; }
  defs::LinkStatus link_status(unsigned chip, unsigned port) const;
  LinkTotals link_totals() const;
  Scoreboard& scoreboard() { return scoreboard_; }
  const Scoreboard& scoreboard() const { return scoreboard_; }
  const Wiring& wiring() const { return wiring_; }
  /// What chip `end.chip` sends over its port; null where no cable is.
  const Link* link(fabric::End end) const {
    const auto found = by_sender_.find(end);
    return found == by_sender_.end() ? nullptr : found->second;
  }
  const Host& host() const { return *host_; }
  const IssueCheck& issues(unsigned chip) const { return issues_[chip]; }
  Chip& chip(unsigned index) { return *chips_[index]; }
  const Chip& chip(unsigned index) const { return *chips_[index]; }
  unsigned chips() const { return static_cast<unsigned>(chips_.size()); }

 private:
  void run();
  /// Runs one window that does not cross `limit`.
  void window(std::uint64_t limit);
  bool broken();
  void stop(Outcome::Status status, std::string report);
  void at_the_end();
  /// Instructions that went before their wait was over; one line each.
  std::string early_issues() const;
  std::string wrong_memories();
  /// Forbidden packets were dropped where they must be, and no others; one line each.
  std::string wrong_violations();
  void count_messages(const Chip& chip);

  const Settings& settings_;
  const cmodel::Program& program_;
  const Wiring& wiring_;
  std::vector<std::unique_ptr<Link>> links_;  ///< by sender: chip 0 port 0, chip 0 port 1, ..
  std::map<fabric::End, Link*> by_sender_;
  std::vector<std::unique_ptr<HostRequests>> host_requests_;
  std::vector<std::unique_ptr<HostResponses>> host_responses_;
  std::vector<std::unique_ptr<Chip>> chips_;
  std::unique_ptr<Host> host_;
  std::vector<IssueCheck> issues_;  ///< by chip
  Scoreboard scoreboard_;
  Workers workers_;
  std::uint64_t now_ = 0;  ///< fabric cycles done
  std::uint64_t packets_rerouted_ = 0;
  std::vector<Delivered> delivered_;
  Outcome outcome_;
  Observer observer_;
  std::function<bool()> between_;
};

}  // namespace tb
