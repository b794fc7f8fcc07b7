// SPDX-License-Identifier: Apache-2.0
// One core's part of the program of scenario `digits`.
//
// Inside a core, two engines work on different batches of images at once:
//   tensor  w1 x(i+1)          w2 h(i)          PSUM banks 0, 1: hidden sums; 4..7: scores
//   act     relu(w1 x(i) + b1) -> h(i), bf16    scores + b2 (bias on the first core only)
#pragma once
#include <cstdint>
#include <vector>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/digits_plan.h"

namespace tb::digits {

class CoreProgram {
 public:
  CoreProgram(cmodel::Assembler& assembler, const Plan& plan, std::uint64_t seed, unsigned chip,
              unsigned c);

  /// Images, weights and biases from HBM, spread over the DMA engines.
  void load();
  /// Partial scores of this core's hidden units. A step is one batch of images through one tile.
  void compute();
  /// The all-reduce, steps 1 to 4 in digits.cc. `cores` are those of the board, [chip][core].
  void all_reduce(const std::vector<std::vector<CoreProgram*>>& cores);

 private:
  unsigned next_engine() { return engine_++ % assembler_.sizes().dma_engines; }
  void fetch(const cmodel::Block& from, const cmodel::Tile& to);
  void send(const cmodel::Tile& from, const cmodel::Block& to, unsigned vn, cmodel::Semaphore done);
  /// All chips: this one, then +1, -1, +2, -2, ... so that both directions start at once.
  std::vector<unsigned> both_ways() const;
  void hidden_layer(unsigned step);
  void score_layer(unsigned step);
  cmodel::Tile hidden(unsigned step) const;

  cmodel::Assembler& assembler_;
  const Plan& plan_;
  cmodel::Core& core_;
  unsigned chip_, c_, id_;
  unsigned engine_ = 0, vn_ = 1, loads_ = 0;
  cmodel::Semaphore loaded_, hidden_summed_, hidden_done_, scores_summed_, scores_done_, exchanged_,
      combined_, arrived_, reduced_, gathered_;
  std::vector<cmodel::Tile> images_, w1_, w2_, b1_;
  cmodel::Tile b2_, hidden_[2], scores_, others_, chip_sum_, parts_, total_;
};

}  // namespace tb::digits
