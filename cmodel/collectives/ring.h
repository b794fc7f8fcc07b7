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
#include <utility>

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
    unsigned number, step;  ///< step: to the next rank, mod N
    unsigned next, before;  ///< ranks
  };
  /// What a turn has sent: so many signals, and the slots that are free then.
  struct Leaving {
    unsigned signals = 0;
    std::vector<Box> frees = {};
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
  /// To a slot of the next rank, by all lanes of the way.
  void forward(const Way& way, unsigned item, const Block& src);
  /// To its buffer, by one: what lands by a lane lands in order.
  void deliver(const Way& way, unsigned item, std::size_t piece, const Block& src);
  /// Waits for what the turn before has sent, and frees its slots.
  void end_turn();
  /// In parts for the lanes of a way.
  Buffers parts(const Block& block) const;

  const Mail& mail_;
  const unsigned rank_, n_, slots_, segments_;
  const Reduction how_;
  const Way ways_[2];
  Leaving leaving_[2];  ///< of even and of odd turns
  unsigned turn_ = 0;
  std::size_t first_ = 0;  ///< piece of this round
  Buffers in_, out_;       ///< pieces
  Buffers there_[2];       ///< of the next rank's buffer, by way
};

}  // namespace cmodel
