// SPDX-License-Identifier: Apache-2.0
// A sum of fp32 whose bits do not depend on who adds first: direct or round the ring, by any number
// of engines, in any order of ranks.
//
//   x            64 bytes at a time: 16 numbers share E, the largest exponent over all ranks
//   largest      max of |x| of each block                -> all-reduce Max
//   q            round(x * 2^(B - E)), |q| <= 2^(B + 1)  -> all-reduce Add of int32
//   y            (q's sum) * 2^(E - B), rounded once
//
// B = 26 for up to 16 ranks, 25 for more: no sum of q leaves 32 bits. For N ranks
//
//   |y - sum of x| <= (1 + 2^-24) N * 2^(E - B - 1) + 2^-24 |sum of x|
//
// Max and Add of integers are the same in any order, so the algorithm below is free. E is at least
// -126, where q is exact; a zero is +0. A block with an infinity or NaN at any rank is NaN, all 16.
#pragma once
#include <functional>
#include <vector>

#include "cmodel/collectives/direct.h"

namespace cmodel {

class OrderIndependent {
 public:
  /// An all-reduce of blocks of SBUF in place, of all ranks of one shape; what a rank does.
  using Reduce = std::function<void(unsigned rank, const Buffers&, Reduction)>;

  /// Outside of loops. Of each core P x `bytes` / P of SBUF, and some more. Throws AssemblerError
  /// if bytes are not a multiple of 64 P, or no room is left.
  OrderIndependent(const Mail& mail, unsigned bytes);

  /// in [N], out [N], all of one shape, rows of multiples of kBlockBytes; in == out is allowed. The
  /// rank's part, in its sync and its vector stream, which stand in loops of as many turns. Throws
  /// AssemblerError if they do not.
  void all_reduce(unsigned rank, const Buffers& in, const Buffers& out, const Reduce& reduce) const;

  static constexpr unsigned kBlockBytes = 64;

 private:
  /// What a rank works in.
  struct Place {
    Tile x, sizes;         ///< [P, width]: numbers; their magnitudes
    Tile exponent, scale;  ///< [P, blocks]: 2^E, of the largest; 2^(1 - E)
    Block largest;         ///< of all blocks, in one row
    Semaphore there,
        done;  ///< for the vector engine: its input is there; for sync: its work is done
  };
  /// Pieces that fit in x, each in as many rows as it uses partitions.
  Buffers pieces(const Block& block, bool flat) const;
  Block numbers(unsigned rank, const Block& shape) const;
  Block largest(unsigned rank, const Block& shape, bool one_row) const;
  void piece(unsigned rank, const Block& in, const Block& out, const Reduce& reduce) const;
  void find_largest(unsigned rank, const Block& shape, unsigned loads) const;
  void quantise(unsigned rank, const Block& shape) const;
  void scale_back(unsigned rank, const Block& shape) const;
  /// A copy by all engines; `each` + 1 by every one of them: how many.
  unsigned spread(unsigned rank, const Block& src, const Block& dst, Semaphore each) const;
  void check_loops(unsigned rank) const;
  VectorStream& vector(unsigned rank) const { return mail_.group().core(rank).vector(); }

  const Mail& mail_;
  unsigned partitions_, width_;  ///< width: bytes of a partition
  int fraction_;                 ///< B
  std::vector<Place> places_;
};

}  // namespace cmodel
