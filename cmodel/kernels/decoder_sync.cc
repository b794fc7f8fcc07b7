// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/decoder_rank.h"
#include "cmodel/kernels/product_copies.h"

namespace cmodel {

using defs::Condition;
using defs::RegOp;

void DecoderRank::next_slot(ControlStream& s, Register at) {
  s.add(at, plan_.chunk_bytes);
  if (plan_.resident) return;
  const Label inside = s.ahead();
  s.branch(Condition::Ne, at, ring_[&s], inside);
  s.set(at, 0);
  s.place(inside);
}

/// A register with the bytes of all slots, for next_slot().
void DecoderRank::open_ring(ControlStream& s) {
  if (plan_.resident) return;
  ring_[&s] = s.reg();
  s.set(ring_[&s], kSlots * plan_.chunk_bytes);
}

void DecoderRank::fetch(unsigned chunks) {
  if (plan_.resident) return;
  auto& s = core_.sync();
  const auto parts = parts_of_copies({{chunk(), slot()}}, assembler_.sizes().dma_engines,
                                     assembler_.sizes().line_bytes);
  s.loop(chunks, [&] {
    s.take(free_);
    for (unsigned e = 0; e < parts.size(); ++e)
      s.start(e, parts[e].first, parts[e].second, {.src = fetched_at_, .dst = slot_at_})
          .signal(loaded_[e]);
    s.add(fetched_at_, std::int64_t{plan_.tile} * weights_.stride);
    next_slot(s, slot_at_);
  });
}

/// The rank's row to all ranks.
void DecoderRank::exchange(unsigned phase, const Ranks& all) {
  if (plan_.ranks == 1) return;
  auto& s = core_.sync();
  // The farthest on a ring first, in turn by both ways round: the last to arrive goes on at once,
  // and no receiver has all at the same time.
  const auto n = static_cast<unsigned>(all.size());
  unsigned started = 0;
  for_pieces(plan_.shape.width, [&](unsigned number, unsigned first, unsigned count) {
    s.take(row_made_);
    for (unsigned i = 0; i < n; ++i) {
      const unsigned away = (n - i) / 2,
                     peer_rank = (rank_ + (i % 2 == n % 2 ? away : n - away)) % n;
      DecoderRank& peer = *all[peer_rank];
      const auto piece = [&](const Tile& row) {
        return assembler_.block(row.columns(static_cast<int>(first), count));
      };
      const Block from = piece(row_[phase]), to = piece(peer.rows_[phase].rows(rank_, 1));
      const unsigned engine = started++ % assembler_.sizes().dma_engines;
      if (peer.core_.chip() == core_.chip())
        s.start(engine, from, to).signal(peer.arrived_[phase][number]);
      else
        s.start(engine, from, to, {.notify = peer.arrived_[phase][number]});
    }
  });
}

void DecoderRank::write_sync(const Ranks& all) {
  auto& s = core_.sync();
  const auto& p = plan_;
  vector_parts_ = spread_parts(assembler_, embedding_.row_range(0, p.tile)) +
                  spread_parts(assembler_, position_.row_range(0, p.tile));
  fetched_at_ = s.reg(), slot_at_ = s.reg();
  open_ring(s);
  if (!p.resident) s.nop().signal(free_, kSlots);
  for_texts(s, [&](Register text) { write_text(text, all); });
}

/// One text: what comes in for each token, goes between ranks and out.
void DecoderRank::write_text(Register text, const Ranks& all) {
  auto& s = core_.sync();
  const auto& p = plan_;
  const unsigned vector_bytes = static_cast<unsigned>(embedding_.stride) * p.tile;
  const Block token_row = embedding_.row_range(0, p.tile),
              position_row = position_.row_range(0, p.tile);
  const Span all_tokens = span(s, text);
  const Register token = s.reg(), word = s.reg(), next = s.reg(), position_at = s.reg(),
                 log = s.reg();
  const Register tokens_at = offset(s, text, blocks.tokens.stride);
  if (count() > 1) {
    s.set(position_at, 0);
    s.alu(RegOp::Mul, log, text, s.zero(),
          static_cast<std::uint32_t>(p.shape.context * blocks.logits.stride));
  }
  s.loop(all_tokens.turns, [&](Register position) {
    s.alu(RegOp::Sll, word, position, s.zero(), 2);
    if (count() > 1) s.alu(RegOp::Add, word, word, tokens_at);
    s.load(token, blocks.tokens, word);
    s.alu(RegOp::Mul, token, token, s.zero(), vector_bytes);
    spread(assembler_, core_, token_row, assembler_.block(token_), embedded_, {.src = token});
    spread(assembler_, core_, position_row, assembler_.block(at_), embedded_, {.src = position_at});
    s.add(position_at, vector_bytes);
    s.set(fetched_at_, 0);
    s.loop(p.shape.layers, [&] {
      fetch(4 * p.locals);
      exchange(0, all);
      fetch(2 * p.hiddens);
      exchange(1, all);
    });
    fetch(p.tiles);
    s.take(picked_)
        .start(0, assembler_.block(logits_), blocks.logits.row_range(0, 1), {.dst = log})
        .signal(stored_);
    s.add(log, blocks.logits.stride);
    s.take(stored_).nop();
    s.alu(RegOp::Add, next, position, s.zero(), 1);
    const Label given = s.ahead();
    s.branch(Condition::Ltu, next, all_tokens.prompt, given);
    s.start(0, assembler_.block(picked_tile_.columns(0, 1)),
            blocks.tokens.row_range(0, 1).byte_range(4, 4), {.dst = word})
        .signal(stored_);
    s.take(stored_).nop();
    s.place(given);
  });
}

}  // namespace cmodel
