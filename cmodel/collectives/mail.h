// SPDX-License-Identifier: Apache-2.0
// What the ranks of a group reach each other by: slots in SBUF that one other rank writes, credits
// for them, and tokens. Nobody writes a place of another rank before that one has said so.
//
//   from                                   to
//   take credit, copy ------------------>  slot, arrived + 1
//   credit + 1      <------ token -------  when the slot is free again
//
// All that one rank sends to another leaves by one DMA engine and virtual network, in order; on a
// ring the parts of an item, by several, are taken together.
#pragma once
#include <optional>
#include <vector>

#include "cmodel/collectives/group.h"
#include "cmodel/collectives/pieces.h"

namespace cmodel {

/// What a communicator takes of each of its cores.
struct Resources {
  unsigned slot_bytes = 0;  ///< of a slot, one for each rank and one more; 0: four lines
  /// Slots of rings in each of their directions, as great; 0: no rings, else 4 and more. More slots
  /// hide more of the way.
  unsigned ring_slots = 0;
  /// What order-independent sums take at a time of each rank, in SBUF; 0: there are none. Multiples
  /// of 64 bytes for each partition.
  unsigned sum_bytes = 0;
  std::vector<unsigned> engines = {};  ///< DMA engines; empty: all. The first one adds
  unsigned vn = 1;                     ///< virtual network
};

/// A slot at `to` that only `from` writes, when it has taken the credit.
struct Box {
  unsigned from = 0, to = 0;
  Block slot;
  Semaphore credit, arrived;  ///< at from, 1 while the slot is free; at to
};

class Mail {
 public:
  /// Outside of loops: credits are given here, once.
  Mail(const Group& group, const Resources& resources);

  const Group& group() const { return group_; }
  SyncStream& sync(unsigned rank) const { return group_.core(rank).sync(); }
  unsigned slot_bytes() const { return slot_bytes_; }
  unsigned ring_slots() const { return ring_slots_; }
  unsigned vn() const { return vn_; }

  const Box& box(unsigned from, unsigned to) const { return boxes_[from * group_.size() + to]; }
  /// Slot `i` of a ring at rank `to`; way 0: upwards in ranks, 1: downwards.
  const Box& ring_box(unsigned to, unsigned way, unsigned i) const {
    return ring_[(to * 2 + way) * ring_slots_ + i];
  }
  /// A slot's first bytes, shaped like the block.
  static Block like(const Block& slot, const Block& shape);
  /// Where a rank adds; its own slot is box(rank, rank).
  const Block& sum(unsigned rank) const { return sums_[rank]; }

  /// At `to`: what `from` writes into its buffers has landed; at `from`: they are ready for that.
  Semaphore landed(unsigned from, unsigned to) const { return landed_[from * group_.size() + to]; }
  Semaphore ready(unsigned from, unsigned to) const { return ready_[from * group_.size() + to]; }
  /// Of a rank: what it sent has left; what it computes is there.
  Semaphore left(unsigned rank) const { return left_[rank]; }
  Semaphore done(unsigned rank) const { return done_[rank]; }

  /// Engines that a rank of a ring uses for the same thing: each way adds by so many, and sends by
  /// as many.
  unsigned lanes() const { return lanes_; }
  unsigned ring_adder(unsigned way, unsigned i) const { return lane(way, i); }
  unsigned ring_sender(unsigned way, unsigned i) const { return lane(2 + way, i); }
  /// Of a rank: copies of turns of this parity are done.
  Semaphore ring_left(unsigned rank, unsigned parity) const {
    return ring_left_[2 * rank + parity];
  }
  /// At `to`: what has landed in its buffers by a lane of a way.
  Semaphore ring_landed(unsigned to, unsigned way, unsigned i) const {
    return ring_landed_[(2 * to + way) * lanes_ + i % lanes_];
  }

  /// The engine that adds, and the one that sends to `to`.
  unsigned adder() const { return engines_[0]; }
  unsigned engine(unsigned from, unsigned to) const;
  const std::vector<unsigned>& engines() const { return engines_; }

  /// At `from`: a copy to `to`; `there` + 1 at `to`, behind its last byte, and `left` + 1 here,
  /// when it is read.
  void put(unsigned from, unsigned to, const Block& src, const Block& dst, Semaphore there,
           std::optional<Semaphore> left) const;
  /// The same by an engine.
  void put_by(unsigned engine, unsigned from, unsigned to, const Block& src, const Block& dst,
              Semaphore there, std::optional<Semaphore> left) const;
  /// A copy that later ones of `from` to `to` speak for.
  void put(unsigned from, unsigned to, const Block& src, const Block& dst) const;
  /// At `from`: a semaphore of `to` + 1.
  void tell(unsigned from, unsigned to, Semaphore there) const;

 private:
  void make_slots(unsigned rank);
  void make_tokens(unsigned rank);
  void make_semaphores();
  void give_credits();
  Block slot(unsigned rank, unsigned i) const;
  unsigned lane(unsigned quarter, unsigned i) const {
    return engines_[(quarter * lanes_ + i % lanes_) % engines_.size()];
  }

  Group group_;
  unsigned slot_bytes_, ring_slots_, vn_;
  std::vector<unsigned> engines_;
  unsigned lanes_ = 1;
  std::vector<Tile> tiles_;  ///< slots of each rank
  std::vector<Box> boxes_, ring_;
  Buffers sums_, tokens_, sinks_;
  std::vector<Semaphore> landed_, ready_, left_, done_, ring_left_, ring_landed_;
};

}  // namespace cmodel
