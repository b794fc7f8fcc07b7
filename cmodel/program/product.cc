// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/product.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/product_copies.h"

namespace cmodel {

using defs::Dtype;

/// Writes one product into the streams of its core, a stream after the other.
class ProductWriter {
 public:
  ProductWriter(Multiplier& unit, const Product& product)
      : u_(unit),
        core_(unit.core_),
        sizes_(unit.assembler_.sizes()),
        p_(product),
        s_(plan_product(sizes_,
                        {p_.m, p_.n, p_.k, p_.a_t.dtype, p_.b.dtype, p_.a_t.whole.has_value()},
                        unit.sbuf_bytes())) {
    if (s_.a_whole)
      check_whole(*p_.a_t.whole);
    else
      check_operand("A", p_.a_t, p_.m);
    check_operand("B", p_.b, p_.n);
    if (p_.c.rows != p_.m || p_.c.row_bytes != 4 * p_.n)
      fail(fmt::format("C of {} rows of {} bytes", p_.c.rows, p_.c.row_bytes),
           fmt::format("{} of {}", p_.m, 4 * p_.n));
  }

  void write() {
    write_copies();
    write_sync();
    write_act();
    write_tensor();
    write_vector();
  }

 private:
  // ------------------------------------------------------------------------------- places
  static unsigned row_bytes(unsigned columns, Dtype dtype) {
    return static_cast<unsigned>(round_up(std::uint64_t{columns} * element_bytes(dtype), 4));
  }
  Tile slot(unsigned offset, Dtype dtype, unsigned columns) const {
    Tile tile = u_.memory_;
    tile.offset += offset;
    return tile.as(dtype, columns);
  }
  Tile a_slot(unsigned i, Dtype dtype, unsigned columns) const {
    return slot(i * s_.a_bytes, dtype, columns);
  }
  Tile b_slot(unsigned i, Dtype dtype, unsigned columns) const {
    return slot(s_.a_region + i * s_.b_bytes, dtype, columns);
  }
  Tile c_slot(unsigned i, unsigned columns) const {
    return slot(s_.a_region + s_.b_slots * s_.b_bytes + i * s_.c_bytes, Dtype::Fp32, columns);
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

  // ---------------------------------------------------------------------------------- sync
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
  void wait_for(const std::vector<ProductOperand::Arrival>& arrivals, unsigned t) {
    if (arrivals.empty()) return;
    const auto& [each, pass_on] = arrivals[t % arrivals.size()];
    for (const Semaphore semaphore : each) core_.sync().take(semaphore);
    if (pass_on) core_.sync().signal(*pass_on);
  }

  void fetch_sweep(bool first_m, bool first_n) {
    auto& s = core_.sync();
    const auto number = [](const auto& arrivals) {
      return std::max<std::size_t>(arrivals.size(), 1);
    };
    // The first sweep waits for all of both operands.
    const bool first = first_m && first_n;
    const auto period =
        first ? std::lcm(number(p_.a_t.arrivals), number(p_.b.arrivals)) : std::size_t{1};
    for_steps(s, first_m, first_n, static_cast<unsigned>(period), [&](unsigned copies, unsigned t) {
      if (first) wait_for(p_.a_t.arrivals, t);
      if (first) wait_for(p_.b.arrivals, t);
      s.take(u_.free_);
      if (copies == 0) s.nop();
      if (copies) for_engines([&](unsigned e) { s.trigger(e, copies); });
    });
  }
  void store_sweep(unsigned rows, unsigned columns) {
    auto& s = core_.sync();
    for_tiles(rows, columns, [&](unsigned, unsigned, unsigned, unsigned, unsigned) {
      s.take(u_.copied_);
      for_engines([&](unsigned e) { s.trigger(e); });
    });
  }
  /// The sweeps of an M block of `rows`; the block before had `before`, 0: there is none.
  void sync_block(unsigned rows, unsigned before) {
    fetch_sweep(before == 0, true);
    if (before) store_sweep(before, s_.n.size_of(s_.n.count() - 1));
    repeat(core_.sync(), s_.n.count() - 1, [&] {
      fetch_sweep(before == 0, false);
      store_sweep(rows, s_.n.size);
    });
  }
  void write_sync() {
    const unsigned last = s_.m.size_of(s_.m.count() - 1);
    sync_block(s_.m.size_of(0), 0);
    if (s_.m.full() > 1)
      repeat(core_.sync(), s_.m.full() - 1, [&] { sync_block(s_.m.size, s_.m.size); });
    if (s_.m.full() && last < s_.m.size) sync_block(last, s_.m.size);
    store_sweep(last, s_.n.size_of(s_.n.count() - 1));
    core_.sync().take(u_.free_, s_.ahead()).take(u_.done_).nop();
  }

  /// The descriptors, in the order in which write_sync() rings for them.
  void write_copies() {
    unsigned step = 0;
    for (unsigned sweep = 0; sweep <= s_.m.count() * s_.n.count(); ++sweep) {
      const unsigned m = sweep / s_.n.count(), n = sweep % s_.n.count();
      for (unsigned t = 0; m < s_.m.count() && t < s_.k.count(); ++t, ++step) {
        const bool a = s_.fetches_a(n == 0), b = s_.fetches_b(m == 0);
        if (s_.a_whole && step == 0) fetch_whole(*p_.a_t.whole);
        if (a) {
          fetch(p_.a_t, t, s_.m, m, a_slot(step % s_.a_slots, p_.a_t.dtype, s_.m.size));
          if (!b) signal(u_.fetched_);
        }
        if (b) {
          fetch(p_.b, t, s_.n, n, b_slot(step % s_.b_slots, p_.b.dtype, s_.n.size));
          signal(u_.fetched_);
        }
      }
      if (sweep) store((sweep - 1) / s_.n.count(), (sweep - 1) % s_.n.count());
    }
  }
  /// With it comes B, whose copies count.
  void fetch_whole(const Block& from) {
    Block target = u_.assembler_.block(a_slot(0, Dtype::Int8, 1).rows(0, from.rows));
    target.row_bytes = from.row_bytes;
    copy({{from, target}});
  }
  void fetch(const ProductOperand& from, unsigned t, const Pieces& pieces, unsigned piece,
             const Tile& to) {
    const unsigned first = pieces.first(piece) * element_bytes(from.dtype),
                   bytes = row_bytes(pieces.size_of(piece), from.dtype);
    Block target = u_.assembler_.block(to);
    target.row_bytes = bytes;  // whole words of a row that may end within one
    std::vector<std::pair<Block, Block>> copies;
    unsigned row = 0;
    for (const Block& block : from.tiles[t]) {
      copies.emplace_back(block.byte_range(first, bytes), target.row_range(row, block.rows));
      row += block.rows;
    }
    copy(copies);
  }
  void store(unsigned m, unsigned n) {
    for_tiles(s_.m.size_of(m), s_.n.size_of(n),
              [&](unsigned tile, unsigned row, unsigned column, unsigned rows, unsigned columns) {
                copy({{u_.assembler_.block(c_slot(tile, columns).rows(0, rows)),
                       p_.c.row_range(s_.m.first(m) + row, rows)
                           .byte_range(4 * (s_.n.first(n) + column), 4 * columns)}});
                signal(u_.stored_[tile]);
              });
  }
  /// One descriptor for each engine.
  void copy(const std::vector<std::pair<Block, Block>>& copies) {
    const auto parts = parts_of_copies(copies, u_.engines_, sizes_.line_bytes);
    for_engines([&](unsigned e) {
      if (e < parts.size())
        core_.dma(e).copy(parts[e].first, parts[e].second);
      else
        core_.dma(e).copy(p_.b.tiles[0][0].row_range(0, 1).byte_range(0, 4),
                          u_.assembler_.block(u_.words_.rows(e, 1)));
    });
  }
  void signal(const std::vector<Semaphore>& by_engine) {
    for_engines([&](unsigned e) { core_.dma(e).signal(by_engine[e]); });
  }

  // ----------------------------------------------------------------------------------- act
  void write_act() {
    auto& s = core_.act();
    const auto sweep = [&](bool first_m, bool first_n) {
      for_steps(s, first_m, first_n, 1, [&](unsigned copies, unsigned) {
        if (copies)
          for_engines([&](unsigned e) { s.take(u_.fetched_[e]).nop(); });
        else
          s.nop();
        s.signal(u_.loaded_);
      });
    };
    const auto block = [&](bool first_m) {
      sweep(first_m, true);
      repeat(s, s_.n.count() - 1, [&] { sweep(first_m, false); });
    };
    block(true);
    repeat(s, s_.m.count() - 1, [&] { block(false); });
  }

  // -------------------------------------------------------------------------------- tensor
  /// To the next slot of a ring: at += bytes; at = at < end ? at : 0.
  void next_slot(Register at, unsigned bytes, unsigned slots) {
    if (slots == 1) return;
    auto& s = core_.tensor();
    s.add(at, bytes);
    s.alu(defs::RegOp::Sub, u_.spare_, at, s.zero(), bytes * slots);
    s.alu(defs::RegOp::Sra, u_.spare_, u_.spare_, s.zero(), 31);
    s.alu(defs::RegOp::And, at, at, u_.spare_);
  }
  void write_step(unsigned rows, unsigned columns, unsigned t) {
    auto& s = core_.tensor();
    const unsigned depth = s_.k.size_of(t);
    const bool last = t + 1 == s_.k.count();
    const Tile a = a_slot(0, p_.a_t.dtype, s_.m.size).rows(0, depth).at(u_.a_at_);
    const Tile b = b_slot(0, p_.b.dtype, s_.n.size).rows(0, depth).at(u_.b_at_);
    if (t == 0) s.take(u_.banks_);
    s.take(u_.loaded_);
    for_tiles(
        rows, columns, [&](unsigned tile, unsigned row, unsigned column, unsigned m, unsigned n) {
          const Tile bank = core_.psum(tile, m, n);
          if (column == 0) s.load_stationary(a.columns(row, m));
          s.multiply_moving(
              b.columns(column, n),
              (p_.a_t.dtype == Dtype::Int8 ? bank.as(Dtype::Int32, n) : bank).at(u_.tensor_bank_),
              t > 0);
          if (last) s.signal(u_.summed_);
        });
    s.signal(u_.free_);
    next_slot(u_.a_at_, s_.a_bytes, s_.a_slots);
    next_slot(u_.b_at_, s_.b_bytes, s_.b_slots);
  }
  template <class S>
  void other_banks(S& s, Register bank) {
    s.alu(defs::RegOp::Xor, bank, bank, s.zero(), sizes_.psum_banks / 2 * sizes_.psum_cols * 4);
  }
  void write_tensor() {
    auto& s = core_.tensor();
    for (const Register r : {u_.a_at_, u_.b_at_, u_.tensor_bank_}) s.set(r, 0);
    s.nop().signal(u_.free_, static_cast<int>(s_.ahead()));
    const unsigned last = s_.k.count() - 1;
    for_pieces(s, s_.m, [&](unsigned rows) {
      for_pieces(s, s_.n, [&](unsigned columns) {
        write_step(rows, columns, 0);
        if (last > 1) repeat(s, last - 1, [&] { write_step(rows, columns, 1); });
        if (last > 0) write_step(rows, columns, last);
        other_banks(s, u_.tensor_bank_);
      });
    });
    s.take(u_.banks_, 2).nop();
  }

  // -------------------------------------------------------------------------------- vector
  void write_vector() {
    auto& s = core_.vector();
    const auto stored = [&](unsigned tile, auto&& each) {
      for_engines([&](unsigned e) { each(u_.stored_[tile][e]); });
    };
    s.set(u_.vector_bank_, 0);
    s.nop().signal(u_.banks_, 2);
    for_tiles(s_.m.size, s_.n.size, [&](unsigned tile, unsigned, unsigned, unsigned, unsigned) {
      stored(tile, [&](Semaphore semaphore) { s.nop().signal(semaphore); });
    });
    for_pieces(s, s_.m, [&](unsigned rows) {
      for_pieces(s, s_.n, [&](unsigned columns) {
        for_tiles(rows, columns, [&](unsigned tile, unsigned, unsigned, unsigned m, unsigned n) {
          const Tile bank = core_.psum(tile, m, n);
          stored(tile, [&](Semaphore semaphore) { s.take(semaphore).nop(); });
          s.take(u_.summed_)
              .copy((p_.a_t.dtype == Dtype::Int8 ? bank.as(Dtype::Int32, n) : bank)
                        .at(u_.vector_bank_),
                    c_slot(tile, n).rows(0, m))
              .signal(u_.copied_);
        });
        s.signal(u_.banks_);
        other_banks(s, u_.vector_bank_);
      });
    });
    for_tiles(s_.m.size, s_.n.size, [&](unsigned tile, unsigned, unsigned, unsigned, unsigned) {
      stored(tile, [&](Semaphore semaphore) { s.take(semaphore).nop(); });
    });
    s.signal(u_.done_);
  }

  // --------------------------------------------------------------------------------- checks
  void check_whole(const Block& a) const {
    const unsigned bytes = row_bytes(s_.k.count() * p_.m, p_.a_t.dtype);
    if (a.rows != s_.k.size || a.row_bytes != bytes)
      fail(fmt::format("A of {} rows of {} bytes", a.rows, a.row_bytes),
           fmt::format("{} of {}", s_.k.size, bytes));
  }
  void check_operand(const char* name, const ProductOperand& operand, unsigned columns) const {
    if (operand.tiles.size() != s_.k.count())
      fail(fmt::format("{} of {} K tiles", name, operand.tiles.size()),
           fmt::format("{}", s_.k.count()));
    const unsigned least = row_bytes(columns, operand.dtype);
    for (unsigned t = 0; t < s_.k.count(); ++t) {
      unsigned rows = 0;
      for (const Block& block : operand.tiles[t]) {
        rows += block.rows;
        if (block.row_bytes < least)
          fail(fmt::format("rows of {} bytes in K tile {} of {}", block.row_bytes, t, name),
               fmt::format("{}", least));
      }
      if (rows != s_.k.size_of(t) || operand.tiles[t].size() > u_.engines_)
        fail(fmt::format("{} rows in {} blocks in K tile {} of {}", rows, operand.tiles[t].size(),
                         t, name),
             fmt::format("{} in 1..{}", s_.k.size_of(t), u_.engines_));
    }
  }
  [[noreturn]] void fail(const std::string& what, const std::string& allowed) const {
    throw AssemblerError(fmt::format("chip {} core {}: product of {} x {} x {}: {}, allowed {}",
                                     core_.chip(), core_.index(), p_.m, p_.k, p_.n, what, allowed));
  }

  Multiplier& u_;
  Core& core_;
  const defs::Sizes& sizes_;
  const Product& p_;
  const ProductScheme s_;
};

Multiplier::Multiplier(Assembler& assembler, Core& core, unsigned sbuf_bytes, unsigned engines)
    : assembler_(assembler),
      core_(core),
      engines_(engines ? engines : assembler.sizes().dma_engines),
      words_(core.sbuf(assembler.sizes().dma_engines, 1, Dtype::Fp32)),
      free_(core.semaphore("free")),
      loaded_(core.semaphore("loaded")),
      summed_(core.semaphore("summed")),
      copied_(core.semaphore("copied")),
      banks_(core.semaphore("banks")),
      done_(core.semaphore("done")),
      stored_(assembler.sizes().psum_banks / 2),
      a_at_(core.tensor().reg()),
      b_at_(core.tensor().reg()),
      spare_(core.tensor().reg()),
      tensor_bank_(core.tensor().reg()),
      vector_bank_(core.vector().reg()) {
  const defs::Sizes& sizes = assembler.sizes();
  const unsigned left = core.align_sbuf(sizes.line_bytes);
  memory_ = core.sbuf(sizes.partitions, sbuf_bytes ? sbuf_bytes : left, Dtype::Int8);
  for (unsigned e = 0; e < engines_; ++e) {
    fetched_.push_back(core.semaphore(fmt::format("fetched {}", e)));
    for (unsigned tile = 0; tile < stored_.size(); ++tile)
      stored_[tile].push_back(core.semaphore(fmt::format("stored {}.{}", tile, e)));
  }
}

void Multiplier::multiply(const Product& product) { ProductWriter(*this, product).write(); }

}  // namespace cmodel
