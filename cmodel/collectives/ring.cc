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
    for (Way& way : ways_) {
      release(way, 0);
      way.last = false;
    }
  }
}

void Ring::begin() {
  for (unsigned segment = 0; segment < segments_; ++segment)
    for (Way& way : ways_)
      if (const auto p = piece(way, rank_, segment); has(p)) forward(way, segment, in_[p], -1);
}

void Ring::reduce(unsigned item) {
  SyncStream& s = mail_.sync(rank_);
  const unsigned step = item / segments_, segment = item % segments_;
  const auto at = [&](const Way& way) { return piece(way, chunk(way, step + 1), segment); };
  const std::size_t before[] = {ways_[0].leaving.size(), ways_[1].leaving.size()};
  for (const Way& way : ways_)
    if (const auto p = at(way); has(p)) {
      const Box& box = mail_.ring_box(rank_, way.number, item % slots_);
      s.take(box.arrived);
      s.start(mail_.adder(), in_[p], Mail::like(box.slot, in_[p]),
              {.combine = how_.op, .dtype = how_.dtype});
      s.signal(mail_.done(rank_));
    }
  for (Way& way : ways_)
    if (const auto p = at(way); has(p)) {
      const int slot = static_cast<int>(item % slots_);
      const Block sum = Mail::like(mail_.ring_box(rank_, way.number, item % slots_).slot, in_[p]);
      s.take(mail_.done(rank_));
      if (step + 2 < n_) {
        forward(way, item + segments_, sum, slot);
        continue;
      }
      release(way, way.last ? way.leaving.size() : 0);  // from here on slots have two readers
      way.last = true;
      deliver(way, p, sum, slot);
      s.start(mail_.adder(), sum, out_[p]).signal(mail_.ring_copied(rank_, way.number));
    }
  for (Way& way : ways_) {
    const std::size_t old = std::min(before[way.number], way.leaving.size());
    release(way, step + 2 < n_ ? way.leaving.size() - old : way.leaving.size());
  }
}

void Ring::gather(unsigned back, unsigned segment) {
  SyncStream& s = mail_.sync(rank_);
  for (Way& way : ways_) {
    const auto p = piece(way, chunk(way, back), segment);
    if (!has(p)) continue;
    s.take(mail_.landed(way.before, rank_)).nop();
    if (back + 2 < n_) deliver(way, p, out_[p], -1);
  }
}

void Ring::forward(Way& way, unsigned item, const Block& src, int frees) {
  const Box& box = mail_.ring_box(way.next, way.number, item % slots_);
  mail_.sync(rank_).take(box.credit);
  mail_.put(rank_, way.next, src, Mail::like(box.slot, src), box.arrived,
            mail_.ring_left(rank_, way.number));
  way.leaving.push_back(frees);
}

void Ring::deliver(Way& way, std::size_t piece, const Block& src, int frees) {
  mail_.put(rank_, way.next, src, there_[way.number][piece], mail_.landed(rank_, way.next),
            mail_.ring_left(rank_, way.number));
  way.leaving.push_back(frees);
}

void Ring::release(Way& way, std::size_t keep) {
  SyncStream& s = mail_.sync(rank_);
  while (way.leaving.size() > keep) {
    const int slot = way.leaving.front();
    way.leaving.pop_front();
    s.take(mail_.ring_left(rank_, way.number)).nop();
    if (slot < 0) continue;
    if (way.last) s.take(mail_.ring_copied(rank_, way.number));
    const Box& box = mail_.ring_box(rank_, way.number, static_cast<unsigned>(slot));
    mail_.tell(rank_, way.before, box.credit);
  }
}

}  // namespace cmodel
