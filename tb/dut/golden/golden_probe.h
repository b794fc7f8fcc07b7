// SPDX-License-Identifier: Apache-2.0
// The registers of a chip in RTL that hang reports look at, in a model chip: same names, same
// widths.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "tb/dut/golden/golden_chip.h"
#include "tb/dut/state/probe.h"

namespace tb {

/// Sequencers, DMA engines and semaphores are the golden model's; all else is in the RTL around it.
/// A register is a copy, as old as its find().
class GoldenProbe : public Probe::Finder {
 public:
  /// All must outlive it.
  GoldenProbe(const defs::Sizes& sizes, const GoldenChip& golden, const Probe::Finder& rtl);

  Register find(const std::string& scope, const std::string& name) const override;

 private:
  Register sequencer(unsigned core, unsigned index, const std::string& name) const;
  Register dma(unsigned core, const std::string& name) const;
  Register in_core(unsigned core, const std::string& place) const;
  Register semaphores() const;

  const GoldenChip& golden_;
  const Probe::Finder& rtl_;
  struct SequencerCopy {
    std::uint8_t state = 0, at_hand = 0;
    std::uint32_t pc = 0;
    std::array<std::uint32_t, defs::Instr::kWords> instr{};
  };
  /// What the registers point to.
  mutable std::array<std::array<SequencerCopy, defs::kSequencers>, defs::kCores> sequencers_{};
  mutable std::array<std::vector<std::uint16_t>, defs::kCores> pending_;
  mutable std::array<std::vector<std::uint32_t>, defs::kCores> pc_;
  mutable std::array<std::uint16_t, defs::kCores> work_{};
  mutable std::vector<std::uint16_t> semaphores_;
  mutable std::uint8_t busy_ = 0;
  std::uint16_t none_ = 0;
};

}  // namespace tb
