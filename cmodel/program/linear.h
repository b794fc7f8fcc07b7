// SPDX-License-Identifier: Apache-2.0
// A linear layer whose weights stay in SBUF: y = f(W^T x + b), features across partitions, tokens (or
// pixels, or samples) along the free dimension.
//
//   x [inputs, n] --tensor: for each tile of P outputs, over all tiles of P inputs--> bank of PSUM
//                                            <-- free --        -- summed -->
//                   bank --activation: f(sum + b), cast--> y [outputs, n]
#pragma once
#include <vector>

#include "cmodel/program/assembler.h"

namespace cmodel {

/// A tile of x or y: features P by P, each tile [P or what is left, n].
using Features = std::vector<Tile>;

/// SBUF for so many features of n tokens.
Features features(Core& core, const defs::Sizes& sizes, unsigned count, unsigned n,
                  defs::Dtype dtype);

class Linear {
 public:
  /// Starts copies of weights [inputs] x [outputs], bf16, and biases [outputs] x [1], fp32, from HBM
  /// to SBUF; the tensor and the activation stream wait for them here. Sums go round `banks` banks
  /// of PSUM from `first_bank`, which are the layer's own.
  Linear(Assembler& assembler, Core& core, const Block& weights, const Block& bias,
         unsigned first_bank, unsigned banks);
  Linear(const Linear&) = delete;

  /// Tensor stream: products of x, of as many inputs as the layer has. When the last one is done,
  /// x may be overwritten: what is signalled next says so.
  void multiply(const Features& x);
  /// Activation stream: y = func(sum + bias), for each multiply() one.
  void activate(defs::ActFunc func, const Features& y);

  unsigned inputs() const { return inputs_; }
  unsigned outputs() const { return outputs_; }

 private:
  Core& core_;
  unsigned partitions_, inputs_, outputs_;
  Features weights_;
  std::vector<Tile> bias_;
  struct Bank {
    unsigned number;
    Semaphore summed, free;
  };
  std::vector<Bank> banks_;
};

}  // namespace cmodel
