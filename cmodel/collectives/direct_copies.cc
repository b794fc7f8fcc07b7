// SPDX-License-Identifier: Apache-2.0
// Collectives that only copy: who is to receive says so, then the data land in its buffers.
#include "cmodel/collectives/direct.h"

namespace cmodel {

namespace {
constexpr unsigned kMostOfACopy = 65536;  ///< bytes of a descriptor here
}

void Direct::wait_left(unsigned rank, unsigned count) const {
  if (count) mail_.sync(rank).take(mail_.left(rank), count).nop();
}

unsigned Direct::copy(unsigned rank, const Block& src, const Block& dst) const {
  if (src.addr == dst.addr) return 0;
  const Buffers from = cut(src, false, kMostOfACopy), to = cut(dst, false, kMostOfACopy);
  // An engine ends its copies in order: the last one speaks for all.
  for (std::size_t i = 0; i < from.size(); ++i)
    mail_.sync(rank).start(mail_.engines().back(), from[i], to[i]);
  mail_.sync(rank).signal(mail_.left(rank));
  return 1;
}

void Direct::invite(unsigned rank, unsigned from) const {
  mail_.tell(rank, from, mail_.ready(from, rank));
}

void Direct::push(unsigned rank, unsigned to, const Block& src, const Block& dst) const {
  mail_.sync(rank).take(mail_.ready(rank, to));
  const Buffers from = cut(src, false, kMostOfACopy), there = cut(dst, false, kMostOfACopy);
  for (std::size_t i = 0; i + 1 < from.size(); ++i) mail_.put(rank, to, from[i], there[i]);
  mail_.put(rank, to, from.back(), there.back(), mail_.landed(rank, to), mail_.left(rank));
}

void Direct::all_gather(unsigned rank, const Buffers& in, const Buffers& out) const {
  for (const unsigned from : mail_.group().others(rank)) invite(rank, from);
  for (const unsigned to : mail_.group().others(rank))
    push(rank, to, in[rank], part(out[to], n_, rank));
  const unsigned copies = copy(rank, in[rank], part(out[rank], n_, rank));
  for (unsigned from = 0; from < n_; ++from)
    if (from != rank) mail_.sync(rank).take(mail_.landed(from, rank)).nop();
  wait_left(rank, n_ - 1 + copies);
}

void Direct::all_to_all(unsigned rank, const Buffers& in, const Buffers& out) const {
  for (const unsigned from : mail_.group().others(rank)) invite(rank, from);
  for (const unsigned to : mail_.group().others(rank))
    push(rank, to, part(in[rank], n_, to), part(out[to], n_, rank));
  copy(rank, part(in[rank], n_, rank), part(out[rank], n_, rank));
  for (unsigned from = 0; from < n_; ++from)
    if (from != rank) mail_.sync(rank).take(mail_.landed(from, rank)).nop();
  wait_left(rank, n_);
}

void Direct::broadcast(unsigned rank, const Buffers& buffers, unsigned root) const {
  if (rank != root) {
    invite(rank, root);
    mail_.sync(rank).take(mail_.landed(root, rank)).nop();
    return;
  }
  for (const unsigned to : mail_.group().others(root)) push(root, to, buffers[root], buffers[to]);
  wait_left(root, n_ - 1);
}

void Direct::send(unsigned rank, unsigned from, unsigned to, const Block& src,
                  const Block& dst) const {
  if (from == to) {
    if (rank == from) wait_left(rank, copy(rank, src, dst));
    return;
  }
  if (rank == to) {
    invite(rank, from);
    mail_.sync(rank).take(mail_.landed(from, rank)).nop();
  }
  if (rank == from) {
    push(rank, to, src, dst);
    wait_left(rank, 1);
  }
}

void Direct::barrier(unsigned rank) const {
  for (const unsigned other : mail_.group().others(rank)) invite(rank, other);
  for (unsigned other = 0; other < n_; ++other)
    if (other != rank) mail_.sync(rank).take(mail_.ready(rank, other)).nop();
}

}  // namespace cmodel
