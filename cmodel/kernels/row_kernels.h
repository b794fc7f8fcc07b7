// SPDX-License-Identifier: Apache-2.0
// What networks do with each row of a matrix alone: softmax, layer norm. Rows lie P at a time in
// SBUF, one in each partition, and go through slots:
//
//   HBM --sync--> x --vector, activation, in turn--> y --sync--> HBM
//
//   sync     loads tiles ahead, all slots but two; stores a tile as soon as it is done
//   vector   part 0 of the next tile, part 1 of this one
//   act      likewise: each of the two works on one tile while the other one has the other
#pragma once
#include <functional>
#include <memory>

#include "cmodel/program/assembler.h"

namespace cmodel {

/// A tile of rows on its way.
struct RowSlot {
  Tile x, y;         ///< [P, columns]; x may be overwritten
  Semaphore loaded;  ///< + 1 by each of `parts` when x is there
  unsigned parts = 0;
  Semaphore done;  ///< gets 1 when y is
};

/// The work on one slot, as parts of two streams: 0 comes a turn ahead of 1.
class RowKernel {
 public:
  virtual ~RowKernel() = default;
  virtual void vector(unsigned part) = 0;
  virtual void act(unsigned part) = 0;
};

/// y = e^(x - max) / sum of e^(x - max) of a row. fp32, relative error at most
/// (columns + |x - max| + 4) 2^-24. Vector 2, activation 2 cycles an element.
std::unique_ptr<RowKernel> softmax_rows(Core& core, const RowSlot& slot);

/// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta of a row, the variance as the mean of
/// squares around the mean. fp32; y is scratch before. Vector 6, activation 2 cycles an element.
struct LayerNorm {
  Tile gamma, beta;  ///< [P, columns], the same in all partitions
  Semaphore loaded;  ///< at least `parts` when they are there
  unsigned parts = 0;
  float epsilon = 1e-5f;
};
std::unique_ptr<RowKernel> layer_norm_rows(Core& core, const RowSlot& slot, const LayerNorm& norm);

/// Rows of HBM, fp32, P by P through a kernel: as many tiles as a word of HBM says, 0 included.
/// `in` and `out` have rows for the most.
struct RowJob {
  Block in, out;
  Block tiles;            ///< the word
  unsigned slots = 6;     ///< 3 and more; each has SBUF for x and y
  bool in_place = false;  ///< y is x
};
/// Writes the loops of sync, vector and activation stream; sync goes on when all is in HBM.
void stream_rows(Assembler& assembler, Core& core, const RowJob& job,
                 const std::function<std::unique_ptr<RowKernel>(const RowSlot&)>& kernel);

}  // namespace cmodel
