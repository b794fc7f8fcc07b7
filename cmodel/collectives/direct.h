// SPDX-License-Identifier: Apache-2.0
// Everybody to everybody, by the network's own ways: two steps for a sum, one for a copy.
//
//   all-reduce of pieces a b c          rank 0            rank 1            rank 2
//   every piece to its owner            b, c ->           a, c ->           a, b ->
//   the owner adds ranks 0, 1, 2 ..     a0 + a1 + a2      b0 + b1 + b2      c0 + c1 + c2
//   and sends the sum to all            a ->              b ->              c ->
//
// The order of the sum is that of the ranks, whatever the topology: so are its bits.
#pragma once
#include "cmodel/collectives/mail.h"

namespace cmodel {

/// How elements are reduced.
struct Reduction {
  defs::Combine op = defs::Combine::Add;
  defs::Dtype dtype = defs::Dtype::Fp32;
};

/// What a rank does, in its sync stream: all of it is done when the last instruction issues.
class Direct {
 public:
  explicit Direct(const Mail& mail) : mail_(mail), n_(mail.group().size()) {}

  /// in [N], out [N], all of one shape; in == out is allowed.
  void all_reduce(unsigned rank, const Buffers& in, const Buffers& out, Reduction how) const;
  /// in [N] of N parts, out [N] of one: that of the rank.
  void reduce_scatter(unsigned rank, const Buffers& in, const Buffers& out, Reduction how) const;
  /// in [N] of one part, out [N] of N.
  void all_gather(unsigned rank, const Buffers& in, const Buffers& out) const;
  /// in [N], out [N] of N parts each: part j of rank i becomes part i of rank j.
  void all_to_all(unsigned rank, const Buffers& in, const Buffers& out) const;
  void broadcast(unsigned rank, const Buffers& buffers, unsigned root) const;
  /// Blocks of one shape, src at rank `from`, dst at rank `to`.
  void send(unsigned rank, unsigned from, unsigned to, const Block& src, const Block& dst) const;
  void barrier(unsigned rank) const;

 private:
  /// Piece o goes to the slot of `rank` at owner o, for all but its own; with `leaves` left() + 1
  /// each.
  void post(unsigned rank, const Buffers& pieces, bool leaves) const;
  /// Adds what came for `rank` and its own `piece`; done() + 1 when the sum is where this says.
  Block add(unsigned rank, const Block& piece, Reduction how) const;
  /// To a buffer of `to` that it has said to be ready; landed() + 1 there, left() + 1 here.
  void push(unsigned rank, unsigned to, const Block& src, const Block& dst) const;
  /// Here: a copy; left() + 1 when it is done. Nothing where source and destination are the same:
  /// how many signals.
  unsigned copy(unsigned rank, const Block& src, const Block& dst) const;
  /// Tells `from` that the buffers that it writes are ready.
  void invite(unsigned rank, unsigned from) const;
  void wait_left(unsigned rank, unsigned count) const;

  const Mail& mail_;
  unsigned n_;
};

}  // namespace cmodel
