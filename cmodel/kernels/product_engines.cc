// SPDX-License-Identifier: Apache-2.0
// The streams of a product that compute, and the one that collects what comes.
#include "cmodel/kernels/product_writer.h"

namespace cmodel {

void ProductWriter::write_act() {
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

/// To the next slot of a ring: at += bytes; at = at < end ? at : 0.
void ProductWriter::next_slot(Register at, unsigned bytes, unsigned slots) {
  if (slots == 1) return;
  auto& s = core_.tensor();
  s.add(at, bytes);
  s.alu(defs::RegOp::Sub, u_.spare_, at, s.zero(), bytes * slots);
  s.alu(defs::RegOp::Sra, u_.spare_, u_.spare_, s.zero(), 31);
  s.alu(defs::RegOp::And, at, at, u_.spare_);
}

void ProductWriter::write_step(unsigned rows, unsigned columns, unsigned t) {
  auto& s = core_.tensor();
  const unsigned depth = s_.k.size_of(t);
  const bool last = t + 1 == s_.k.count();
  const Tile a = a_slot(0, p_.a_t.dtype, s_.m.size).rows(0, depth).at(u_.a_at_);
  const Tile b = b_slot(0, p_.b.dtype, s_.n.size).rows(0, depth).at(u_.b_at_);
  if (t == 0) s.take(u_.banks_);
  s.take(u_.loaded_);
  for_tiles(rows, columns,
            [&](unsigned tile, unsigned row, unsigned column, unsigned m, unsigned n) {
              if (column == 0) s.load_stationary(a.columns(row, m));
              s.multiply_moving(b.columns(column, n), bank(tile, m, n, u_.tensor_bank_), t > 0);
              if (last) s.signal(u_.summed_);
            });
  s.signal(u_.free_);
  next_slot(u_.a_at_, s_.a_bytes, s_.a_slots);
  next_slot(u_.b_at_, s_.b_bytes, s_.b_slots);
}

void ProductWriter::write_tensor() {
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

void ProductWriter::write_vector() {
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
        stored(tile, [&](Semaphore semaphore) { s.take(semaphore).nop(); });
        s.take(u_.summed_)
            .copy(bank(tile, m, n, u_.vector_bank_), c_slot(tile, n).rows(0, m))
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

}  // namespace cmodel
