// SPDX-License-Identifier: Apache-2.0
// Whose turn is it? Sequencers and DMA engines run one instruction or descriptor at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cmodel/machine/chip.h"

namespace cmodel {

/// A sequencer, or a DMA engine, of a chip.
struct Issuer {
  Chip* chip;
  std::uint8_t core, index;
  bool dma;

  bool ready() const {
    return dma ? chip->runnable_dma(core, index) : chip->runnable_sequencer(core, index);
  }
  void run() const { dma ? chip->run_dma(core, index) : chip->run_sequencer(core, index); }
  /// It has work, although it may have to wait.
  bool busy() const {
    return dma ? chip->runnable_dma(core, index) : chip->core(core).sequencers[index].running();
  }
};

class RoundRobin {
 public:
  void add(const Issuer& issuer) { issuers_.push_back(issuer); }
  const std::vector<Issuer>& issuers() const { return issuers_; }

  /// The next turn is that of issuer `at` modulo their number.
  void turn_to(std::uint64_t at) { next_ = issuers_.empty() ? 0 : at % issuers_.size(); }

  /// Runs the first from here on that is ready and that `may` run. Null: there is none.
  template <class May>
  const Issuer* step(May may) {
    for (std::size_t tries = 0; tries < issuers_.size(); ++tries) {
      const Issuer& issuer = issuers_[next_];
      if (++next_ == issuers_.size()) next_ = 0;
      if (!may(issuer) || !issuer.ready()) continue;
      issuer.run();
      return &issuer;
    }
    return nullptr;
  }

 private:
  std::vector<Issuer> issuers_;
  std::size_t next_ = 0;
};

}  // namespace cmodel
