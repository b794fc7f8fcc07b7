// SPDX-License-Identifier: Apache-2.0
#include "cmodel/collectives/direct.h"

#include <algorithm>

namespace cmodel {

void Direct::post(unsigned rank, const Buffers& pieces, bool leaves) const {
  for (const unsigned to : mail_.group().others(rank)) {
    if (to >= pieces.size()) continue;
    const Box& box = mail_.box(rank, to);
    mail_.sync(rank).take(box.credit);
    mail_.put(rank, to, pieces[to], Mail::like(box.slot, pieces[to]), box.arrived,
              leaves ? std::optional(mail_.left(rank)) : std::nullopt);
  }
}

Block Direct::add(unsigned rank, const Block& piece, Reduction how) const {
  SyncStream& s = mail_.sync(rank);
  const Block sum = Mail::like(mail_.sum(rank), piece);
  // One engine does all of it, and reads nothing that it has still to write: no semaphores between.
  const auto at = [&](unsigned from) { return Mail::like(mail_.box(from, rank).slot, piece); };
  if (rank != 0) s.start(mail_.adder(), piece, at(rank));
  for (unsigned from = 0; from < n_; ++from) {
    if (from != rank) s.take(mail_.box(from, rank).arrived);
    if (from == 0)
      s.start(mail_.adder(), rank == 0 ? piece : at(0), sum);
    else
      s.start(mail_.adder(), at(from), sum, {.combine = how.op, .dtype = how.dtype});
  }
  s.signal(mail_.done(rank));
  return sum;
}

void Direct::all_reduce(unsigned rank, const Buffers& in, const Buffers& out, Reduction how) const {
  SyncStream& s = mail_.sync(rank);
  const bool flat = contiguous(in) && contiguous(out);
  const auto& sizes = mail_.group().assembler().sizes();
  const unsigned bytes = piece_bytes(in[rank], n_, sizes.line_bytes, mail_.slot_bytes());
  const Buffers mine = cut(in[rank], flat, bytes);
  std::vector<Buffers> theirs;
  for (const Block& block : out) theirs.push_back(cut(block, flat, bytes));
  for (std::size_t first = 0; first < mine.size(); first += n_) {
    const std::size_t owners = std::min<std::size_t>(n_, mine.size() - first);
    post(rank, {mine.begin() + first, mine.begin() + first + owners}, false);
    if (rank < owners) {
      const Block sum = add(rank, mine[first + rank], how);
      s.take(mail_.done(rank));
      for (const unsigned to : mail_.group().others(rank))
        mail_.put(rank, to, sum, theirs[to][first + rank], mail_.landed(rank, to),
                  mail_.left(rank));
      copy(rank, sum, theirs[rank][first + rank]);
    }
    // The owner's sum is here, so it has read my slot, and I may write it again: no token needed.
    for (unsigned owner = 0; owner < owners; ++owner)
      if (owner != rank)
        s.take(mail_.landed(owner, rank)).nop().signal(mail_.box(rank, owner).credit);
    if (rank < owners) wait_left(rank, n_);
  }
}

void Direct::reduce_scatter(unsigned rank, const Buffers& in, const Buffers& out,
                            Reduction how) const {
  SyncStream& s = mail_.sync(rank);
  const bool flat = contiguous(out);
  const unsigned bytes = mail_.slot_bytes();
  std::vector<Buffers> mine;  // by owner
  for (unsigned owner = 0; owner < n_; ++owner)
    mine.push_back(cut(part(in[rank], n_, owner), flat, bytes));
  const Buffers results = cut(out[rank], flat, bytes);
  for (std::size_t i = 0; i < results.size(); ++i) {
    Buffers pieces;
    for (const Buffers& of_owner : mine) pieces.push_back(of_owner[i]);
    post(rank, pieces, true);
    const Block sum = add(rank, pieces[rank], how);
    s.take(mail_.done(rank));
    copy(rank, sum, results[i]);
    for (const unsigned from : mail_.group().others(rank))
      mail_.tell(rank, from, mail_.box(from, rank).credit);
    wait_left(rank, n_);
  }
}

}  // namespace cmodel
