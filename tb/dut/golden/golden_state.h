// SPDX-License-Identifier: Apache-2.0
// The state of a model chip: sequencers, DMA engines and semaphores are the golden model's, all
// else is in the RTL around it.
#pragma once
#include "tb/dut/golden/golden_chip.h"
#include "tb/dut/state/state.h"

namespace tb {

class GoldenState final : public ChipState {
 public:
  /// Both must outlive it.
  GoldenState(const GoldenChip& golden, const Probe& rtl) : ChipState(rtl), golden_(golden) {}

  SequencerState sequencer(unsigned core, unsigned index) const override;
  DmaState dma(unsigned core, unsigned engine) const override;
  unsigned semaphore(unsigned sem) const override;
  unsigned busy_engines(unsigned) const override { return 0; }  // what is issued is done
  bool dma_busy(unsigned core) const override;

 private:
  const GoldenChip& golden_;
};

}  // namespace tb
