// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/golden/golden_state.h"

#include <algorithm>

namespace tb {

SequencerState GoldenState::sequencer(unsigned core, unsigned index) const {
  const auto& from = golden_.chip().core(core).sequencers[index];
  SequencerState s;
  s.state = from.status().state;
  s.pc = from.pc();
  s.fetched = s.issuing = from.running() && !from.exhausted();
  if (s.fetched) s.instr = from.peek(golden_.chip().hbm(), s.pc);
  return s;
}

DmaState GoldenState::dma(unsigned core, unsigned engine) const {
  const auto& ring = golden_.chip().core(core).rings[engine];
  return {.work = ring.pending != 0,
          .moves = false,
          .pc = ring.pc,
          .pending = static_cast<std::uint32_t>(ring.pending)};
}

unsigned GoldenState::semaphore(unsigned sem) const {
  return golden_.chip().semaphores().value(sem);
}

bool GoldenState::dma_busy(unsigned core) const {
  const auto& rings = golden_.chip().core(core).rings;
  return golden_.sends(core) ||
         std::ranges::any_of(rings, [](const auto& ring) { return ring.pending != 0; });
}

}  // namespace tb
