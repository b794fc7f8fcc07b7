// SPDX-License-Identifier: Apache-2.0
// How a product is cut into blocks, tiles and slots of SBUF: chosen by an estimate of its cycles.
#pragma once
#include <cstdint>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

struct ProductShape {
  unsigned m = 0, n = 0, k = 0;
  defs::Dtype a = defs::Dtype::Bf16, b = defs::Dtype::Bf16;
  bool a_whole = false;  ///< ProductOperand::whole
};

/// Pieces of equal size, the last one what is left.
struct Pieces {
  unsigned whole = 0, size = 0;
  unsigned count() const { return (whole + size - 1) / size; }
  unsigned first(unsigned i) const { return i * size; }
  unsigned size_of(unsigned i) const { return i + 1 < count() ? size : whole - i * size; }
  /// Of `size`: the others are one, or none.
  unsigned full() const { return whole / size; }
};

/// One core's plan; product.h has the picture.
struct ProductScheme {
  unsigned tiles_m = 0, tiles_n = 0;  ///< of a block: stationary tiles, banks
  unsigned tile_n = 0;                ///< columns of a bank
  Pieces m, n, k;                     ///< blocks of M, blocks of N, K tiles
  bool a_kept = false;                ///< for the sweeps of an M block, else fetched for each sweep
  bool b_kept = false;                ///< for all M blocks
  unsigned a_slots = 0, b_slots = 0;  ///< a step's part of A, of B each
  unsigned a_bytes = 0, b_bytes = 0, c_bytes = 0;  ///< of a slot, of a result; in each partition
  unsigned a_region = 0;                           ///< of all slots of A, on lines
  bool a_whole = false;                            ///< all of A comes with the first step
  std::uint64_t cycles = 0;                        ///< the estimate

  unsigned tiles() const { return tiles_m * tiles_n; }
  unsigned steps() const { return m.count() * n.count() * k.count(); }
  unsigned sbuf_bytes() const { return a_region + b_slots * b_bytes + tiles() * c_bytes; }
  /// Steps that operands are fetched ahead: at most a sweep.
  unsigned ahead() const;
  bool fetches_a(bool first_n) const { return !a_whole && (first_n || !a_kept); }
  bool fetches_b(bool first_m) const { return first_m || !b_kept; }
};

/// The scheme with the lowest estimate in `sbuf_bytes` of each partition; throws AssemblerError if
/// there is none.
ProductScheme plan_product(const defs::Sizes& sizes, const ProductShape& shape,
                           unsigned sbuf_bytes);

/// The cores of a board as rows x columns of parts of C.
struct ProductGrid {
  unsigned rows = 1, columns = 1;
  unsigned parts() const { return rows * columns; }
};

/// The grid of at most `cores` parts with the lowest estimate: of the largest part, or, if operands
/// lie `once` on the board (product_share.h), of what goes over the links of the ring.
ProductGrid split_product(const defs::Sizes& sizes, const ProductShape& shape, unsigned cores,
                          unsigned sbuf_bytes, bool once = false);

}  // namespace cmodel
