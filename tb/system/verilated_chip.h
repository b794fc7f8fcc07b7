// SPDX-License-Identifier: Apache-2.0
// A Verilated chip: what the board needs of it, whichever model it is.
#pragma once
#include <verilated.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "rtl/defs/gen/defs.h"
#include "tb/system/model_state.h"
#include "tb/system/probe.h"

namespace tb {

/// Two models of one RTL: the plain one is fast, the traced one can write waves and costs a tenth
/// more even when it does not. A chip may change from one to the other between two windows.
class VerilatedChip : public Probe::Finder {
 public:
  /// The pins, as they lie in the model.
  struct Pins {
    std::uint8_t &clk_i, &rst_ni, &ring_size_i;
    std::uint16_t& chip_id_i;
    std::uint8_t &fabric_phase_o, &quiet_o, &fabric_drained_o, &link_dead_o;
    std::uint8_t &hbm0_req_valid_o, &hbm0_req_ready_i, &hbm0_rsp_valid_i, &hbm0_rsp_ready_o;
    std::uint8_t &hbm1_req_valid_o, &hbm1_req_ready_i, &hbm1_rsp_valid_i, &hbm1_rsp_ready_o;
    std::array<std::uint32_t*, defs::kHbmPorts> hbm_req_o, hbm_rsp_i;
    std::array<std::uint32_t*, defs::kLinkPorts> link_rx_i, link_tx_o;
    std::uint32_t *host_req_i, *host_rsp_o;
  };

  explicit VerilatedChip(std::uint32_t power_on_seed);
  virtual Pins& pins() = 0;
  virtual void eval() = 0;
  /// Recomputes all combinational logic from the registers.
  virtual void settle() = 0;
  virtual void final() = 0;
  virtual std::vector<Instance> state() = 0;

  /// Only the traced model: waves into a file from now on; a point of them, in ps.
  virtual void open_waves(const std::filesystem::path& file) = 0;
  virtual void dump_waves(std::uint64_t time) = 0;
  virtual void close_waves() = 0;

  VerilatedContext context;
};

/// `power_on_seed` fills every register that has no reset.
std::unique_ptr<VerilatedChip> make_plain_chip(std::uint32_t power_on_seed);
/// Where `chip` is, between two windows. Only if built_with_waves().
std::unique_ptr<VerilatedChip> make_traced_chip(VerilatedChip& chip);

}  // namespace tb
