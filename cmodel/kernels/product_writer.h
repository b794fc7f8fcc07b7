// SPDX-License-Identifier: Apache-2.0
// Writes one product into the streams of its core, a stream after the other: product.h says what
// each does.
#pragma once
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cmodel/kernels/product.h"

namespace cmodel {

class ProductWriter {
 public:
  /// Throws AssemblerError if the product is none.
  ProductWriter(Multiplier& unit, const Product& product);

  void write() {
    write_copies();
    write_sync();
    write_act();
    write_tensor();
    write_vector();
  }

 private:
  // ------------------------------------------------------------------------------- places
  static unsigned row_bytes(unsigned columns, defs::Dtype dtype) {
    return (columns * element_bytes(dtype) + 3) / 4 * 4;
  }
  Tile slot(unsigned offset, defs::Dtype dtype, unsigned columns) const {
    Tile tile = u_.memory_;
    tile.offset += offset;
    return tile.as(dtype, columns);
  }
  Tile a_slot(unsigned i, defs::Dtype dtype, unsigned columns) const {
    return slot(i * s_.a_bytes, dtype, columns);
  }
  Tile b_slot(unsigned i, defs::Dtype dtype, unsigned columns) const {
    return slot(s_.a_region + i * s_.b_bytes, dtype, columns);
  }
  Tile c_slot(unsigned i, unsigned columns) const {
    return slot(s_.a_region + s_.b_slots * s_.b_bytes + i * s_.c_bytes, defs::Dtype::Fp32, columns);
  }
  /// The tiles of a block: each with its number, first row and column in the block, and size.
  template <class Body>
  void for_tiles(unsigned rows, unsigned columns, Body&& body) const {
    for (unsigned i = 0; i * sizes_.partitions < rows; ++i)
      for (unsigned j = 0; j * s_.tile_n < columns; ++j)
        body(i * s_.tiles_n + j, i * sizes_.partitions, j * s_.tile_n,
             std::min(sizes_.partitions, rows - i * sizes_.partitions),
             std::min(s_.tile_n, columns - j * s_.tile_n));
  }
  template <class Body>
  void for_engines(Body&& body) const {
    for (unsigned e = 0; e < u_.engines_; ++e) body(e);
  }

  // --------------------------------------------------------------------------------- loops
  template <class S, class Body>
  static void repeat(S& s, unsigned turns, Body&& body) {
    if (turns == 1) body();
    if (turns > 1) s.loop(turns, [&] { body(); });
  }
  /// body(size) for each piece.
  template <class S, class Body>
  static void for_pieces(S& s, const Pieces& pieces, Body&& body) {
    repeat(s, pieces.full(), [&] { body(pieces.size); });
    if (pieces.full() < pieces.count()) body(pieces.size_of(pieces.full()));
  }

  /// A bank as the array writes it.
  Tile bank(unsigned tile, unsigned rows, unsigned columns, Register half) const {
    const Tile sums = core_.psum(tile, rows, columns);
    return (p_.a_t.dtype == defs::Dtype::Int8 ? sums.as(defs::Dtype::Int32, columns) : sums)
        .at(half);
  }
  /// The steps of a sweep: body(copies by each engine, K tile mod period).
  template <class S, class Body>
  void for_steps(S& s, bool first_m, bool first_n, unsigned period, Body&& body) const {
    const unsigned copies = s_.fetches_a(first_n) + s_.fetches_b(first_m),
                   whole = s_.a_whole && first_m && first_n, left = s_.k.count() - whole;
    const auto steps = [&](unsigned count) {
      for (unsigned t = whole; t < whole + count; ++t) body(copies, t % period);
    };
    if (whole) body(copies + 1, 0);
    repeat(s, left / period, [&] { steps(period); });
    steps(left % period);
  }
  template <class S>
  void other_banks(S& s, Register bank) {
    s.alu(defs::RegOp::Xor, bank, bank, s.zero(), sizes_.psum_banks / 2 * sizes_.psum_cols * 4);
  }

  // -------------------------------------------------------------------------------- streams
  void wait_for(const std::vector<ProductOperand::Arrival>& arrivals, unsigned t);
  void fetch_sweep(bool first_m, bool first_n);
  void store_sweep(unsigned rows, unsigned columns);
  void sync_block(unsigned rows, unsigned before);
  void write_sync();
  void write_act();
  void next_slot(Register at, unsigned bytes, unsigned slots);
  void write_step(unsigned rows, unsigned columns, unsigned t);
  void write_tensor();
  void write_vector();

  // ---------------------------------------------------------------------------- descriptors
  void write_copies();
  void fetch_whole(const Block& from);
  void fetch(const ProductOperand& from, unsigned t, const Pieces& pieces, unsigned piece,
             const Tile& to);
  void store(unsigned m, unsigned n);
  void copy(const std::vector<std::pair<Block, Block>>& copies);
  void signal(const std::vector<Semaphore>& by_engine);

  // --------------------------------------------------------------------------------- checks
  void check_whole(const Block& a) const;
  void check_operand(const char* name, const ProductOperand& operand, unsigned columns) const;
  [[noreturn]] void fail(const std::string& what, const std::string& allowed) const;

  Multiplier& u_;
  Core& core_;
  const defs::Sizes& sizes_;
  const Product& p_;
  const ProductScheme s_;
};

}  // namespace cmodel
