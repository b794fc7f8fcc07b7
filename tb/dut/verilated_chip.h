// SPDX-License-Identifier: Apache-2.0
// A Verilated class with the pins of chip.sv: a chip in RTL, plain or traced, or a model chip
// (tb/mixed).
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "rtl/defs/gen/defs.h"
#include "tb/dut/state/model_state.h"
#include "tb/dut/state/probe.h"

namespace tb {

/// Wide pins as words.
struct ChipPins {
  std::uint8_t *clk, *rst_n, *ring_size, *fabric_phase, *quiet, *fabric_drained, *link_dead;
  std::uint16_t* chip_id;
  std::uint32_t *host_req, *host_rsp;
  std::array<std::uint32_t*, defs::kLinkPorts> link_rx, link_tx;
  struct Hbm {
    std::uint8_t *req_valid, *req_ready, *rsp_valid, *rsp_ready;
    std::uint32_t *req, *rsp;
  };
  std::array<Hbm, defs::kHbmPorts> hbm;
};

/// Finds registers by name, see probe.h. Another thread may go on where one has stopped.
class VerilatedChip : public Probe::Finder {
 public:
  const ChipPins& pins() const { return pins_; }
  /// Before the first eval() of a thread, or behind another chip's.
  virtual void enter() = 0;
  virtual void eval() = 0;
  /// Recomputes all combinational logic from the registers.
  virtual void settle() = 0;
  /// All variables of the class, by name.
  virtual std::vector<Instance> state() = 0;
  /// For $time in messages of the RTL.
  virtual void set_time(std::uint64_t core_cycle) = 0;
  virtual bool assertion_failed() const = 0;
  /// Only the traced model: waves into a file from now on; a point of them.
  virtual void open_waves(const std::filesystem::path& file) = 0;
  virtual void dump_waves(std::uint64_t picoseconds) = 0;
  virtual void close_waves() = 0;
  /// Runs the final blocks and closes the waves.
  virtual void finish() = 0;
  /// Only if built_with_coverage().
  virtual void write_coverage(const std::filesystem::path& file) = 0;

 protected:
  ChipPins pins_{};
};

/// `power_on_seed` fills every register that has no reset.
std::unique_ptr<VerilatedChip> make_rtl_chip(std::uint32_t power_on_seed);
/// Host port and fabric node in RTL, the rest to be set by set_golden_chip().
std::unique_ptr<VerilatedChip> make_model_chip(std::uint32_t power_on_seed);
/// A second model of the same RTL, which can write waves and costs a tenth more even when it does
/// not. It goes on where `chip` is, between two windows. Only if built_with_waves().
std::unique_ptr<VerilatedChip> make_traced_chip(VerilatedChip& chip);

}  // namespace tb
