// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/decoder_rank.h"

namespace cmodel {

using defs::ActFunc;
using defs::AluOp;
using defs::RegOp;

/// body(the chunk of weights in the next slot).
template <class Body>
void DecoderRank::use_chunk(Body&& body) {
  auto& t = core_.tensor();
  if (!plan_.resident) {
    for (const Semaphore& part : loaded_) t.take(part).nop();
  }
  body(slots_.columns(0, plan_.chunk_bytes / 2).at(weight_));
  if (!plan_.resident) t.signal(free_);
  next_slot(t, weight_);
}

/// Columns of PSUM = W^T x, x in `tiles` columns.
void DecoderRank::columns(unsigned outputs, unsigned rows) {
  auto& t = core_.tensor();
  repeat(t, outputs, 4, [&](Register column) {
    use_chunk([&](const Tile& chunk) {
      for (unsigned k = 0; k < plan_.tiles; ++k)
        t.load_stationary(chunk.columns(k * rows, rows))
            .multiply_moving(h_.columns(k, 1), core_.psum(kColumns, rows, 1).at(column), k > 0);
    });
  });
}

/// A row of PSUM = x^T W, x in columns of one tile; signals each piece of it.
void DecoderRank::row(const Tile& x, unsigned outputs) {
  auto& t = core_.tensor();
  const auto inputs = static_cast<unsigned>(x.elements());
  const auto add = [&](const Tile& column, bool first, bool last) {
    use_chunk([&](const Tile& chunk) {
      t.load_stationary(column);
      for_pieces(outputs, [&](unsigned piece, unsigned from, unsigned count) {
        t.multiply_moving(chunk.rows(0, x.partitions).columns(from, count), row_sums(piece, count),
                          !first);
        if (last) t.signal(row_summed_);
      });
    });
  };
  add(x.columns(0, 1), true, inputs == 1);
  if (inputs > 2)
    repeat(t, inputs - 2, x.element_bytes(),
           [&](Register at) { add(x.columns(1, 1).at(at), false, false); });
  if (inputs > 1) add(x.columns(static_cast<int>(inputs) - 1, 1), false, true);
}

void DecoderRank::sum_squares() {
  core_.tensor()
      .load_stationary(ones_)
      .take(squared_)
      .multiply_moving(square_, norm_sum())
      .signal(norm_summed_);
  core_.tensor().take(rounded_).nop();
}

/// Each tile of the rows as soon as the pieces that it lies in are there.
void DecoderRank::turn_rows(unsigned phase) {
  auto& t = core_.tensor();
  unsigned there = 0;  // pieces
  const auto wait_for = [&](unsigned columns) {
    for_pieces(plan_.shape.width, [&](unsigned piece, unsigned first, unsigned) {
      if (piece == there && first < columns) t.take(arrived_[phase][there++], plan_.ranks).nop();
    });
  };
  for_groups([&](unsigned group, unsigned first, unsigned count) {
    for (unsigned k = 0; k < count; ++k) {
      wait_for((first + k + 1) * plan_.tile);
      t.load_bits(rows_[phase].columns((first + k) * plan_.tile, plan_.tile))
          .transpose_moving(eye_.columns(0, plan_.ranks), in_columns(group, count)
                                                              .columns(k * plan_.ranks, plan_.ranks)
                                                              .as(defs::Dtype::Int32, plan_.ranks));
    }
    t.signal(turned_);
  });
}

void DecoderRank::write_tensor() {
  auto& t = core_.tensor();
  const auto& p = plan_;
  weight_ = t.reg();
  open_ring(t);
  for_tokens(t, [&](Register, Register keys) {
    if (p.resident) t.set(weight_, 0);
    for_layers(t, [&](Register layer) {
      sum_squares();
      columns(3 * p.locals, p.local_tile);
      t.signal(projected_).signal(projected_kv_);
      t.take(q_made_).nop();
      t.take(cached_);
      for (unsigned k = 0; k < p.locals; ++k)
        t.load_stationary(q_.columns(k * p.heads, p.heads))
            .size_from(keys)
            .multiply_moving(cache(0, k).at(layer), scores(), k > 0);
      t.signal(scored_);
      t.take(shared_);
      for (unsigned k = 0; k < p.locals; ++k)
        t.load_stationary(members_.columns(k * p.local_tile, p.local_tile))
            .take(spread_free_)
            .size_from(keys)
            .multiply_moving(shares_, spread_p(k))
            .signal(spread_);
      t.take(attended_);
      row(o_, p.shape.width);
      turn_rows(0);
      sum_squares();
      columns(p.hiddens, p.hidden_tile);
      t.signal(hidden_summed_);
      t.take(hidden_made_);
      row(hidden_, p.shape.width);
      turn_rows(1);
    });
    sum_squares();
    row(h_, p.shape.characters);
  });
}

/// The squares first: their sum takes longer than what is multiplied by x meanwhile.
void DecoderRank::normalise() {
  core_.vector()
      .tensor_tensor(AluOp::Mul, x_, x_, squares_)
      .reduce(AluOp::Add, squares_, square_)
      .signal(squared_)
      .copy(x_, h_)
      .signal(rounded_);
}

/// The row of logits, out of PSUM.
void DecoderRank::scale_logits() {
  auto& v = core_.vector();
  v.take(scaled_).nop();
  for_pieces(plan_.shape.characters, [&](unsigned piece, unsigned first, unsigned count) {
    v.take(row_summed_)
        .tensor_scalar(AluOp::Mul, row_sums(piece, count), inverse_.rows(0, 1),
                       logits_.columns(first, count));
  });
}

void DecoderRank::add_rows(unsigned phase) {
  auto& v = core_.vector();
  for_pieces(plan_.shape.width, [&](unsigned piece, unsigned first, unsigned count) {
    v.take(row_summed_)
        .copy(row_sums(piece, count), row_[phase].rows(0, 1).columns(first, count))
        .signal(plan_.ranks == 1 ? arrived_[phase][piece] : row_made_);
  });
  for_groups([&](unsigned group, unsigned first, unsigned count) {
    const int ranks = static_cast<int>(plan_.ranks);
    v.take(turned_).reduce(AluOp::Add,
                           in_columns(group, count).shaped({count, plan_.ranks}, {ranks, 1}),
                           squares_.columns(first, count));
  });
  v.tensor_tensor(AluOp::Add, x_, squares_, x_);
}

void DecoderRank::write_vector() {
  auto& v = core_.vector();
  const auto& p = plan_;
  v.nop().signal(spread_free_, 2);
  const auto token = [&](Register, Register keys) {
    v.take(embedded_, vector_parts_).tensor_tensor(AluOp::Add, token_, at_, x_);
    for_layers(v, [&](Register layer) {
      normalise();
      const Tile q = core_.psum(kColumns, p.local_tile, p.locals);
      const auto blocks = [&](const Tile& tile) {
        return tile.shaped({p.locals, p.heads}, {static_cast<int>(p.heads), 1});
      };
      v.take(scaled_).nop();
      v.take(projected_)
          .scalar_tensor_tensor(AluOp::Mul, q.shaped({p.locals, p.heads}, {1, 0}),
                                inverse_.rows(0, p.local_tile), AluOp::Mul, blocks(mask_),
                                blocks(q_))
          .signal(q_made_)
          .take(scored_)
          .size_from(keys)
          .reduce(AluOp::Max, scores(), minus_max_, {.negate = 1})
          .signal(max_);
      for (unsigned k = 0; k < p.locals; ++k) {
        v.take(spread_)
            .size_from(keys)
            .tensor_tensor(AluOp::Mul, spread_p(k), cache(1, k).at(layer), terms_)
            .signal(spread_free_);
        v.size_from(keys).reduce(AluOp::Add, terms_, o_.columns(k, 1));
      }
      v.signal(attended_);
      add_rows(0);
      normalise();
      add_rows(1);
    });
    normalise();
    draw_noise();
    scale_logits();
    if (sampled()) v.take(noised_).tensor_tensor(AluOp::Sub, logits_, noise(), noise());
    const Tile& scores = sampled() ? noise() : logits_;
    v.max8(scores, greatest_).find_index8(scores, greatest_, picked_tile_).signal(picked_);
  };
  for_tokens(v, token, [&](Register text) { seed_text(text); });
}

void DecoderRank::scale() {
  core_.act()
      .take(norm_summed_)
      .activate_scaled(ActFunc::Rsqrt, norm_sum(), 1.0f / static_cast<float>(plan_.shape.width),
                       kDecoderEpsilon, inverse_);
}

void DecoderRank::scale_for_vector() {
  scale();
  core_.act().signal(scaled_);
}

void DecoderRank::write_act() {
  auto& a = core_.act();
  const auto& p = plan_;
  for_tokens(a, [&](Register position, Register keys) {
    for_layers(a, [&](Register layer) {
      const Register at = a.reg();
      a.alu(RegOp::Sll, at, position, a.zero(), 1);
      a.alu(RegOp::Add, at, at, layer);
      scale_for_vector();
      const Tile kv = core_.psum(kColumns, p.local_tile, 2 * p.locals, p.locals);
      a.take(projected_kv_)
          .activate_scaled(
              ActFunc::Copy, kv.shaped({2 * p.locals, 1}, {1, 1}), inverse_.rows(0, p.local_tile),
              cache_.shaped({2 * p.locals, 1}, {static_cast<int>(capacity_), 1}).at(at))
          .signal(cached_);
      const defs::Accumulator sum{.command =
                                      static_cast<std::uint8_t>(defs::ReduceCommand::ResetReduce)};
      a.take(max_)
          .size_from(keys)
          .activate(ActFunc::Exp, scores(), minus_max_, e_, sum)
          .read_accumulator(sum_)
          .activate(ActFunc::Reciprocal, sum_, share_)
          .size_from(keys)
          .activate_scaled(ActFunc::Copy, e_, share_, shares_)
          .signal(shared_);
      scale();
      a.take(hidden_summed_)
          .activate_scaled(ActFunc::Gelu, core_.psum(kColumns, p.hidden_tile, p.hiddens),
                           inverse_.rows(0, p.hidden_tile), hidden_)
          .signal(hidden_made_);
    });
    scale_for_vector();
    shape_noise();
  });
}

}  // namespace cmodel
