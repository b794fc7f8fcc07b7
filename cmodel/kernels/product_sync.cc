// SPDX-License-Identifier: Apache-2.0
// The sync stream of a product, and the descriptors that it rings for.
#include <numeric>

#include "cmodel/kernels/product_copies.h"
#include "cmodel/kernels/product_writer.h"

namespace cmodel {

using defs::Dtype;

void ProductWriter::wait_for(const std::vector<ProductOperand::Arrival>& arrivals, unsigned t) {
  if (arrivals.empty()) return;
  const auto& [each, pass_on] = arrivals[t % arrivals.size()];
  for (const Semaphore semaphore : each) core_.sync().take(semaphore);
  if (pass_on) core_.sync().signal(*pass_on);
}

void ProductWriter::fetch_sweep(bool first_m, bool first_n) {
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

void ProductWriter::store_sweep(unsigned rows, unsigned columns) {
  auto& s = core_.sync();
  for_tiles(rows, columns, [&](unsigned, unsigned, unsigned, unsigned, unsigned) {
    s.take(u_.copied_);
    for_engines([&](unsigned e) { s.trigger(e); });
  });
}

/// The sweeps of an M block of `rows`; the block before had `before`, 0: there is none.
void ProductWriter::sync_block(unsigned rows, unsigned before) {
  fetch_sweep(before == 0, true);
  if (before) store_sweep(before, s_.n.size_of(s_.n.count() - 1));
  repeat(core_.sync(), s_.n.count() - 1, [&] {
    fetch_sweep(before == 0, false);
    store_sweep(rows, s_.n.size);
  });
}

void ProductWriter::write_sync() {
  const unsigned last = s_.m.size_of(s_.m.count() - 1);
  sync_block(s_.m.size_of(0), 0);
  if (s_.m.full() > 1)
    repeat(core_.sync(), s_.m.full() - 1, [&] { sync_block(s_.m.size, s_.m.size); });
  if (s_.m.full() && last < s_.m.size) sync_block(last, s_.m.size);
  store_sweep(last, s_.n.size_of(s_.n.count() - 1));
  core_.sync().take(u_.free_, s_.ahead()).take(u_.done_).nop();
}

/// The descriptors, in the order in which write_sync() rings for them.
void ProductWriter::write_copies() {
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
void ProductWriter::fetch_whole(const Block& from) {
  Block target = u_.assembler_.block(a_slot(0, Dtype::Int8, 1).rows(0, from.rows));
  target.row_bytes = from.row_bytes;
  copy({{from, target}});
}

void ProductWriter::fetch(const ProductOperand& from, unsigned t, const Pieces& pieces,
                          unsigned piece, const Tile& to) {
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

void ProductWriter::store(unsigned m, unsigned n) {
  for_tiles(s_.m.size_of(m), s_.n.size_of(n),
            [&](unsigned tile, unsigned row, unsigned column, unsigned rows, unsigned columns) {
              copy({{u_.assembler_.block(c_slot(tile, columns).rows(0, rows)),
                     p_.c.row_range(s_.m.first(m) + row, rows)
                         .byte_range(4 * (s_.n.first(n) + column), 4 * columns)}});
              signal(u_.stored_[tile]);
            });
}

/// One descriptor for each engine.
void ProductWriter::copy(const std::vector<std::pair<Block, Block>>& copies) {
  const auto parts = parts_of_copies(copies, u_.engines_, sizes_.line_bytes);
  for_engines([&](unsigned e) {
    if (e < parts.size())
      core_.dma(e).copy(parts[e].first, parts[e].second);
    else
      core_.dma(e).copy(p_.b.tiles[0][0].row_range(0, 1).byte_range(0, 4),
                        u_.assembler_.block(u_.words_.rows(e, 1)));
  });
}

void ProductWriter::signal(const std::vector<Semaphore>& by_engine) {
  for_engines([&](unsigned e) { core_.dma(e).signal(by_engine[e]); });
}

}  // namespace cmodel
