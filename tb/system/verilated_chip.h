// SPDX-License-Identifier: Apache-2.0
// A Verilated class with the pins of chip.sv: a chip in RTL, or a model chip (tb/mixed).
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "rtl/defs/gen/defs.h"
#include "tb/system/probe.h"

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
  /// For $time in messages of the RTL.
  virtual void set_time(std::uint64_t core_cycle) = 0;
  virtual bool assertion_failed() const = 0;
  /// Into the waves, if there are any.
  virtual void dump(std::uint64_t picoseconds) = 0;
  /// Runs the final blocks and closes the waves.
  virtual void finish() = 0;
  /// Only if built_with_coverage().
  virtual void write_coverage(const std::filesystem::path& file) = 0;

 protected:
  ChipPins pins_{};
};

/// `power_on_seed` fills every register that has no reset. `waves`: FST file, or empty.
std::unique_ptr<VerilatedChip> make_rtl_chip(std::uint32_t power_on_seed,
                                             const std::filesystem::path& waves);
/// Host port and fabric node in RTL, the rest to be set by set_golden_chip().
std::unique_ptr<VerilatedChip> make_model_chip(std::uint32_t power_on_seed,
                                               const std::filesystem::path& waves);

}  // namespace tb
