// SPDX-License-Identifier: Apache-2.0
// One chip: what was Verilated, its HBM, its commits; in a model chip, the golden model as well.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rtl/defs/gen/defs.h"
#include "tb/dut/commit_buffer.h"
#include "tb/dut/hbm.h"
#include "tb/dut/link.h"
#include "tb/dut/rtl_print.h"
#include "tb/dut/state/state.h"
#include "tb/dut/trace/event.h"

namespace tb {

/// Sizes that this executable was built for.
const defs::Sizes& built_sizes();
/// Was it built with waves? And with the insides of the arrays in them?
bool built_with_waves();
bool built_with_wave_arrays();
/// Was it built with coverage counters?
bool built_with_coverage();

/// What a chip is wired to. Index: link port; null where no cable is.
struct ChipWires {
  std::array<const Link*, defs::kLinkPorts> rx{};
  std::array<Link*, defs::kLinkPorts> tx{};
  const HostRequests* host_req = nullptr;
  HostResponses* host_rsp = nullptr;
};

class GoldenChip;
class IssueSink;
class VerilatedChip;

class Chip {
 public:
  /// RTL through and through; or only host port and fabric node, around the golden model.
  enum class Inside { Rtl, Model };

  /// `power_on_seed` fills every register that has no reset; results do not depend on it.
  /// Construct all chips in one thread.
  Chip(unsigned id, unsigned ring_size, std::uint32_t power_on_seed, const ChipWires& wires,
       Inside inside);
  ~Chip();
  Chip(const Chip&) = delete;

  /// Waves of core cycles first .. last into an FST file. May be asked for at any time, not of a
  /// model chip.
  void record_waves(std::filesystem::path file, std::uint64_t first, std::uint64_t last);
  /// Before each window, in the thread that made the chip: changes to the traced model where the
  /// waves begin, for until then it would only cost time. Nothing else can tell the difference.
  void prepare_window(std::uint64_t first, unsigned cycles);
  void close_waves();

  /// Before the run; it is HbmLatency unless told.
  void set_hbm_latency(unsigned core_cycles) { hbm_.set_latency(core_cycles); }

  /// HBM past the chip's pins: written before the run, committed as if by the host port; read
  /// between windows.
  void write_hbm(std::uint64_t addr, std::span<const std::uint8_t> bytes);
  void read_hbm(std::uint64_t addr, std::span<std::uint8_t> bytes) const;

  /// Runs fabric cycles first .. first + cycles - 1 on its own: reads tokens that arrive, sends its
  /// own, fills commits(). Any thread, one at a time. Stops early if fault() is set.
  void run_window(std::uint64_t first, unsigned cycles);

  /// Called in the worker after the clock edge that ends core cycle `core_cycle`: the place for
  /// fault injection and watching. Hooks are called in the order added. Registers changed there are
  /// seen by the next cycle after settle().
  using Hook = std::function<void(Chip&, std::uint64_t core_cycle)>;
  void add_hook(Hook hook) { hooks_.push_back(std::move(hook)); }
  /// In a hook: the host's token at the pins, if the port takes it at the next clock edge; or null.
  std::uint32_t* host_token();
  /// Recomputes all combinational logic from the registers.
  void settle();

  unsigned id() const { return id_; }
  bool is_model() const { return golden_ != nullptr; }
  /// Sampled in the last fabric cycle run.
  bool quiet() const { return quiet_; }
  /// Last fabric cycle in which it committed,
  std::uint64_t last_progress() const { return last_progress_; }
  /// or sent a flit or a host token.
  std::uint64_t last_movement() const { return last_movement_; }
  /// One line if an assertion of the RTL failed or a pin broke its contract.
  const std::string& fault() const { return fault_; }
  std::uint64_t fault_cycle() const { return fault_cycle_; }
  /// That assertion.
  const std::optional<AssertionFailure>& assertion() const { return assertion_; }

  /// Who hears what the sequencers let go, while a window runs.
  void set_issue_sink(IssueSink& sink) { issues_ = &sink; }
  /// From now on run_window() fills events(), for the timeline.
  void record_events() { recording_ = true; }
  timeline::EventBuffer& events() { return events_; }
  const timeline::EventBuffer& events() const { return events_; }

  CommitBuffer& commits() { return commits_; }
  const CommitBuffer& commits() const { return commits_; }
  const HbmTiming& hbm() const { return hbm_; }
  const ChipState& state() const { return *state_; }

  /// Runs the RTL's final blocks and closes the waves. After a good run only.
  void finish();
  /// The coverage counters of this chip in Verilator's format. Only if built_with_coverage().
  void write_coverage(const std::filesystem::path& file);

 private:
  void reset();
  void core_cycle();
  void dump(unsigned picoseconds);
  void fail(std::string what);

  unsigned id_;
  ChipWires wires_;
  HbmTiming hbm_;
  CommitBuffer commits_;
  timeline::EventBuffer events_;
  bool recording_ = false;
  IssueSink* issues_ = nullptr;
  std::vector<Hook> hooks_;
  std::uint64_t core_cycle_ = 0;
  std::filesystem::path wave_file_;  ///< empty: none
  std::uint64_t wave_first_ = 0, wave_last_ = 0;
  bool traced_ = false;
  std::uint64_t last_progress_ = 0, last_movement_ = 0;
  bool quiet_ = false;
  std::string fault_;
  std::uint64_t fault_cycle_ = 0;

  std::unique_ptr<VerilatedChip> v_;
  std::unique_ptr<GoldenChip> golden_;  ///< null in a chip of RTL
  std::unique_ptr<ChipState> state_;    ///< another one when the model changes
  std::optional<AssertionFailure> assertion_;
};

}  // namespace tb
