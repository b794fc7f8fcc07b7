// SPDX-License-Identifier: Apache-2.0
// C = A B on one core: any shape, any format; operands and result in HBM of the core's chip.
//
//              N blocks of tiles_n banks           a sweep: one block of C, all of K
//            +-------+-------+-----+
//    M       |  0 -> |  1 -> |  2  |               k tile     0       1       2    ..  last
//    blocks  +-------+-------+-----+           A in SBUF  [slot 0][slot 1][slot 2] ..
//    of      |  3 -> |  4 -> |  5  |           B in SBUF  [slot 0][slot 1][slot 2] ..
//    tiles_m +-------+-------+-----+                          |       |       |
//                                                             v       v       v
//    sweeps go row by row                      step:      tiles_m x tiles_n matmuls, each onto
//                                                         a bank of its own
//
// Slots are rings. A is kept for the sweeps of its M block, B for all M blocks, where SBUF has room
// for that; else they are fetched again.
//
//   stream   what it does                                               and hands on
//   sync     each step: rings all DMA engines for what of A and B       fetched[engine] --> act
//            is not in SBUF yet. After the steps of a sweep, for
//            each tile of the sweep before: for its way to HBM          stored[..] --> vector
//   act      each step: collects the engines                            loaded --> tensor
//   tensor   each step: loads and matmuls; sweeps take turns between    free   --> sync
//            the halves of the banks. At the last k tile:               summed --> vector
//   vector   each tile: from PSUM to SBUF as fp32                       copied --> sync
//            after the tiles of a sweep:                                banks  --> tensor
//            at the end, when all is stored:                            done   --> sync
//
// So the array starts with the first k tile, and while it works on a sweep, operands of the next
// one come and results of the last one go, both on all engines. Each engine moves a part of every
// tile and counts in a semaphore of its own: engines overtake each other. One that has no part (of
// tiles of few rows) copies a word instead, so that it counts like the others.
//
// All of it in loops: the streams of a large product are as long as those of a small one. Only the
// rings have a descriptor for each transfer, and hold 65,535.
//
// Bits: an element of C is summed over k in ascending order, K tile by K tile of P rows
// (cmodel/README.md, Arithmetic); sums of int8 leave PSUM as fp32.
#pragma once
#include <optional>
#include <vector>

#include "cmodel/kernels/product_scheme.h"
#include "cmodel/program/assembler.h"

namespace cmodel {

/// K rows of an operand on one chip, K tile by K tile of P rows (the last may have less): each in
/// one Block, or its rows in several, in both stacks, say, which the engines then read at once.
/// Rows that start on lines move at full rate; rows are whole words of 4 bytes.
struct ProductOperand {
  defs::Dtype dtype = defs::Dtype::Bf16;
  std::vector<std::vector<Block>> tiles;
  /// Of A with few rows, instead of tiles: P rows (K if that is less), in each its elements of all
  /// K tiles, [p][tile][m]. A copy of a few bytes for each K tile would cost more than their work.
  std::optional<Block> whole = {};
  /// K tile t is there when each of arrivals[t mod their number] has one more, which the sync
  /// stream takes and passes on. None: it is there from the start.
  struct Arrival {
    std::vector<Semaphore> each;
    std::optional<Semaphore> pass_on;
  };
  std::vector<Arrival> arrivals = {};
};

struct Product {
  unsigned m = 0, n = 0, k = 0;
  ProductOperand a_t;  ///< [k][m]
  ProductOperand b;    ///< [k][n]
  Block c;             ///< [m][n], fp32
};

/// Multiplies on one core, one product after the other. Has its own part of SBUF, semaphores and
/// registers and, while a product is under way, all streams and banks of the core.
class Multiplier {
 public:
  /// With `sbuf_bytes` of each partition; 0: all that is left. With the first `engines` DMA engines
  /// of the core; 0: all.
  Multiplier(Assembler& assembler, Core& core, unsigned sbuf_bytes = 0, unsigned engines = 0);
  Multiplier(const Multiplier&) = delete;

  /// Appends the product to the streams of the core. Its operands must be in HBM when the sync
  /// stream comes there; when that has gone on, C is. Throws AssemblerError.
  void multiply(const Product& product);

  /// What each call has of a partition for its slots.
  unsigned sbuf_bytes() const { return memory_.size[3]; }

 private:
  friend class ProductWriter;
  Assembler& assembler_;
  Core& core_;
  unsigned engines_;
  Tile words_;   ///< one for each engine that has no part
  Tile memory_;  ///< bytes, on lines
  Semaphore free_, loaded_, summed_, copied_, banks_, done_;
  std::vector<Semaphore> fetched_;              ///< by engine
  std::vector<std::vector<Semaphore>> stored_;  ///< by tile of a sweep, by engine
  Register a_at_, b_at_, spare_, tensor_bank_, vector_bank_;
};

}  // namespace cmodel
