// SPDX-License-Identifier: Apache-2.0
// One core of a chip: buffers, engines, sequencers and the state of its DMA rings.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "cmodel/machine/guard.h"
#include "cmodel/machine/lane_engine.h"
#include "cmodel/machine/psum.h"
#include "cmodel/machine/sbuf.h"
#include "cmodel/machine/sequencer.h"
#include "cmodel/machine/tensor_engine.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// A descriptor that a DmaStart brought, as the `serial`-th of its engine.
struct StartedCopy {
  std::uint64_t serial = 0;
  std::uint32_t pc = 0, visit = 1;  ///< of the DmaStart
  defs::Descriptor descriptor;
};

/// A DMA engine's descriptors: `base`, `count` are its ring, `pc` counts descriptors of it since
/// start.
struct RingState {
  std::uint64_t base = 0;
  std::uint32_t count = 0;
  std::uint32_t pc = 0;
  std::uint32_t serial = 0;   ///< descriptors since start, started ones too
  std::uint64_t pending = 0;  ///< rung or started and not yet executed
  bool stopped = false;       ///< by an error, for good
  std::deque<StartedCopy> started;

  bool starts() const { return !started.empty() && started.front().serial == serial; }
};

/// The parts of a core. chip.cc makes them work together.
struct CoreState {
  CoreState(const defs::Sizes& sizes, unsigned chip, unsigned index, CommitSink& sink)
      : sbuf(sizes),
        psum(sizes),
        tensor(sizes, sbuf, psum, sink, stream(chip, index, defs::Engine::Tensor)),
        vector(sizes, sbuf, psum, sink, stream(chip, index, defs::Engine::Vector)),
        act(sizes, sbuf, psum, sink, stream(chip, index, defs::Engine::Act)),
        rings(sizes.dma_engines) {}
  CoreState(const CoreState&) = delete;  // the engines refer to the buffers

  defs::PeerAccess peer = kAllShared;  ///< what the other core shares
  Sbuf sbuf;
  Psum psum;
  TensorEngine tensor;
  LaneEngine vector, act;
  std::array<Sequencer, defs::kSequencers> sequencers;
  std::vector<RingState> rings;

 private:
  static StreamId stream(unsigned chip, unsigned core, defs::Engine engine) {
    return {static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(core),
            static_cast<std::uint8_t>(engine), 0, 0};
  }
};

}  // namespace cmodel
