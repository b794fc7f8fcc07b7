// SPDX-License-Identifier: Apache-2.0
// A linear layer whose weights stay in SBUF: y = f(W^T x + b), features across partitions, tokens
// (or pixels, or samples) along the free dimension. A convolution is one, too: of each tap of its
// window a tile of inputs, which is a view of the same padded image (image.h).
//
//   x [inputs, n] --tensor: for each tile of P outputs, over all tiles of P inputs--> bank of PSUM
//                                            <-- free --        -- summed -->
//                   bank --activation: f(sum + b), cast--> y [outputs, n]
#pragma once
#include <vector>

#include "cmodel/program/assembler.h"

namespace cmodel {

/// x or y, tile by tile of features: [P or what is left, n]; the n in up to four dimensions.
using Features = std::vector<Tile>;

/// SBUF for so many features of n tokens, in tiles of `step` (0: P), each from a line on.
Features features(const Assembler& assembler, Core& core, unsigned count, unsigned n,
                  defs::Dtype dtype, unsigned step = 0);

/// A contiguous tile from its first element on with the sizes of another one.
Tile shaped_like(const Tile& from, const Tile& other);

class Linear {
 public:
  /// Starts copies of weights [inputs] x [outputs], bf16, and biases [outputs] x [1], fp32, from
  /// HBM to SBUF; the tensor and the activation stream wait for them here. Sums go round `banks`
  /// banks of PSUM from `first_bank`, which are the layer's own. A tile of x has `step` inputs,
  /// P if 0.
  Linear(Assembler& assembler, Core& core, const Block& weights, const Block& bias,
         unsigned first_bank, unsigned banks, unsigned step = 0);
  Linear(const Linear&) = delete;

  /// Tensor stream: products of x, of as many inputs as the layer has. When the last one is done,
  /// x may be overwritten: what is signalled next says so. Call number `call` of a tile begins with
  /// that bank, so that several calls go on while older sums are read.
  void multiply(const Features& x, unsigned call = 0);
  /// Activation stream: y = func(sum + bias), for each multiply() one.
  void activate(defs::ActFunc func, const Features& y, unsigned call = 0);

 private:
  Core& core_;
  unsigned partitions_;
  Features weights_;
  std::vector<Tile> bias_;
  struct Bank {
    unsigned number;
    Semaphore summed, free;
  };
  std::vector<Bank> banks_;
  const Bank& bank(unsigned call, unsigned m) const {
    return banks_[(call * bias_.size() + m) % banks_.size()];
  }
};

}  // namespace cmodel
