// SPDX-License-Identifier: Apache-2.0
#include "cmodel/collectives/ring.h"

namespace cmodel {

Ring::Ring(const Mail& mail, unsigned rank, Reduction how)
    : mail_(mail),
      rank_(rank),
      n_(mail.group().size()),
      slots_(mail.ring_slots()),
      segments_(slots_ / 2),
      how_(how),
      ways_{{0, 1, (rank + 1) % n_, (rank + n_ - 1) % n_},
            {1, n_ - 1, (rank + n_ - 1) % n_, (rank + 1) % n_}} {}

void Ring::all_reduce(const Buffers& in, const Buffers& out) {
  const bool flat = contiguous(in) && contiguous(out);
  const unsigned bytes = piece_bytes(
      in[rank_], 2 * n_, mail_.group().assembler().sizes().line_bytes, mail_.slot_bytes());
  in_ = cut(in[rank_], flat, bytes);
  out_ = cut(out[rank_], flat, bytes);
  for (const Way& way : ways_) there_[way.number] = cut(out[way.next], flat, bytes);
  for (first_ = 0; first_ < in_.size(); first_ += std::size_t{2} * n_ * segments_) {
    begin();
    for (unsigned item = 0; item < (n_ - 1) * segments_; ++item) reduce(item);
    for (unsigned back = 0; back + 1 < n_; ++back)
      for (unsigned segment = 0; segment < segments_; ++segment) gather(back, segment);
    end_turn();
  }
}

void Ring::begin() {
  for (unsigned segment = 0; segment < segments_; ++segment)
    for (const Way& way : ways_)
      if (const auto p = piece(way, rank_, segment); has(p)) forward(way, segment, in_[p]);
  end_turn();
}

void Ring::reduce(unsigned item) {
  SyncStream& s = mail_.sync(rank_);
  const unsigned step = item / segments_, segment = item % segments_;
  const auto at = [&](const Way& way) { return piece(way, chunk(way, step + 1), segment); };
  unsigned adding = 0;
  for (const Way& way : ways_)
    if (const auto p = at(way); has(p)) {
      const Box& box = mail_.ring_box(rank_, way.number, item % slots_);
      const Buffers own = parts(in_[p]), sum = parts(Mail::like(box.slot, in_[p]));
      s.take(box.arrived, static_cast<unsigned>(own.size()));
      for (unsigned i = 0; i < own.size(); ++i, ++adding) {
        s.start(mail_.ring_adder(way.number, i), own[i], sum[i],
                {.combine = how_.op, .dtype = how_.dtype});
        s.signal(mail_.done(rank_));
      }
    }
  if (adding) s.take(mail_.done(rank_), adding);
  for (const Way& way : ways_)
    if (const auto p = at(way); has(p)) {
      const Box& box = mail_.ring_box(rank_, way.number, item % slots_);
      const Block sum = Mail::like(box.slot, in_[p]);
      if (step + 2 < n_) {
        forward(way, item + segments_, sum);
      } else {
        deliver(way, segment, p, sum);
        s.start(mail_.ring_adder(way.number, item), sum, out_[p])
            .signal(mail_.ring_left(rank_, turn_ % 2));
        ++leaving_[turn_ % 2].signals;
      }
      leaving_[turn_ % 2].frees.push_back(box);
    }
  end_turn();
}

void Ring::gather(unsigned back, unsigned segment) {
  SyncStream& s = mail_.sync(rank_);
  for (const Way& way : ways_) {
    const auto p = piece(way, chunk(way, back), segment);
    if (!has(p)) continue;
    const unsigned item = back * segments_ + segment;
    s.take(mail_.ring_landed(rank_, way.number, item)).nop();
    if (back + 2 < n_) deliver(way, item + segments_, p, out_[p]);
  }
  end_turn();
}

void Ring::forward(const Way& way, unsigned item, const Block& src) {
  const Box& box = mail_.ring_box(way.next, way.number, item % slots_);
  const Buffers from = parts(src), to = parts(Mail::like(box.slot, src));
  mail_.sync(rank_).take(box.credit);
  for (unsigned i = 0; i < from.size(); ++i)
    mail_.put_by(mail_.ring_sender(way.number, i), rank_, way.next, from[i], to[i], box.arrived,
                 mail_.ring_left(rank_, turn_ % 2));
  leaving_[turn_ % 2].signals += static_cast<unsigned>(from.size());
}

void Ring::deliver(const Way& way, unsigned item, std::size_t piece, const Block& src) {
  mail_.put_by(mail_.ring_sender(way.number, item), rank_, way.next, src, there_[way.number][piece],
               mail_.ring_landed(way.next, way.number, item), mail_.ring_left(rank_, turn_ % 2));
  ++leaving_[turn_ % 2].signals;
}

void Ring::end_turn() {
  const unsigned before = ++turn_ % 2;
  const Leaving old = std::exchange(leaving_[before], {});
  if (old.signals) mail_.sync(rank_).take(mail_.ring_left(rank_, before), old.signals).nop();
  for (const Box& box : old.frees) mail_.tell(rank_, box.from, box.credit);
}

Buffers Ring::parts(const Block& block) const {
  const auto& sizes = mail_.group().assembler().sizes();
  return cut(block, false, piece_bytes(block, mail_.lanes(), sizes.line_bytes, mail_.slot_bytes()));
}

}  // namespace cmodel
