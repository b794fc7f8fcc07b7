// SPDX-License-Identifier: Apache-2.0
// All-reduce round the ring of ranks, half of the pieces in either direction: for large buffers.
//
//   N - 1 steps: from the rank before comes a sum of chunk c; op with the own chunk c; on to the
//   next rank. The last one has the whole sum, and N - 1 steps take it round to all.
//
// A chunk is cut in segments, which follow each other through the slots: while one is combined the
// next one arrives. A rank that forwards item i needs a slot of the next rank that this one has
// emptied before its item i - 1: what waits, waits for something older, so nobody waits in a
// circle.
#pragma once
#include <deque>

#include "cmodel/collectives/direct.h"

namespace cmodel {

/// A rank's part of one all-reduce.
class Ring {
 public:
  Ring(const Mail& mail, unsigned rank, Reduction how);
  /// in [N], out [N], N >= 2, of one shape; in == out is allowed.
  void all_reduce(const Buffers& in, const Buffers& out);

 private:
  struct Way {
    unsigned number, step;         ///< step: to the next rank, mod N
    unsigned next, before;         ///< ranks
    std::deque<int> leaving = {};  ///< copies to `next`: the slot that one frees, -1: none
    bool last = false;             ///< the slots to free have a copy here as well
  };
  /// Chunk that is `back` ranks before this one, as the way goes.
  unsigned chunk(const Way& way, unsigned back) const {
    return (rank_ + back * (n_ - way.step)) % n_;
  }
  std::size_t piece(const Way& way, unsigned chunk, unsigned segment) const {
    return first_ + (std::size_t{segment} * n_ + chunk) * 2 + way.number;
  }
  bool has(std::size_t piece) const { return piece < in_.size(); }
  void begin();
  void reduce(unsigned item);
  void gather(unsigned back, unsigned segment);
  /// To a slot of the next rank.
  void forward(Way& way, unsigned item, const Block& src, int frees);
  /// To its buffer.
  void deliver(Way& way, std::size_t piece, const Block& src, int frees);
  /// Frees slots, until only so many copies are left on their way.
  void release(Way& way, std::size_t keep);

  const Mail& mail_;
  const unsigned rank_, n_, slots_, segments_;
  const Reduction how_;
  Way ways_[2];
  std::size_t first_ = 0;  ///< piece of this round
  Buffers in_, out_;       ///< pieces
  Buffers there_[2];       ///< of the next rank's buffer, by way
};

}  // namespace cmodel
