// SPDX-License-Identifier: Apache-2.0
// Collectives of a group of cores: README.md draws them.
//
//   cmodel::Communicator ring(assembler, {{0, 0}, {1, 0}, {2, 0}});
//   ring.all_reduce(x, x, Combine::Add, Dtype::Fp32).write();            // into all sync streams
//
// or rank by rank, as often as it takes, and in loops, if all ranks come by as often:
//
//   const auto sum = ring.all_reduce(x, y, Combine::Add, Dtype::Bf16);
//   for (unsigned rank = 0; rank < 3; ++rank) {
//     auto& sync = ring.core(rank).sync();
//     sync.loop(layers, [&] {
//       sync.take(x_ready);
//       sum.write(rank);
//       sync.signal(y_ready);
//     });
//   }
//
// What is written waits until the rank's part is done: its last instruction issues when its result
// is in memory, and its input may be written again. A rank that comes late keeps the others
// waiting; nobody writes its buffers before its stream has come there.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cmodel/collectives/agreement.h"
#include "cmodel/collectives/direct.h"
#include "cmodel/collectives/group.h"
#include "cmodel/collectives/mail.h"
#include "cmodel/collectives/order_independent.h"

namespace cmodel {

class Communicator;

enum class Algorithm {
  Auto,    ///< by size: algorithm_of()
  Direct,  ///< adds in the order of ranks: the same bits whatever the topology
  Ring,    ///< adds in an order that is each chunk's own; needs Resources::ring_slots
};
/// What Auto is for an all-reduce of so many bytes of each rank.
Algorithm algorithm_of(std::uint64_t bytes, unsigned ranks, unsigned ring_slots);

/// A checked collective, ready to be written into sync streams.
class Collective {
 public:
  /// The rank's part, at the end of its sync stream. All ranks write the same collectives of a
  /// communicator in the same order and in loops of the same turns; throws AssemblerError
  /// otherwise, for those that are missing when the program is assembled.
  void write(unsigned rank) const;
  /// The parts of all ranks.
  void write() const;

 private:
  friend class Communicator;
  Communicator* communicator_ = nullptr;  ///< outlives it
  unsigned number_ = 0;
  std::function<void(unsigned rank)> part_;
};

/// Slots, semaphores and tokens of a group, and what can be done with them. Buffers are blocks of
/// HBM or SBUF, one for each rank in its order, on its chip; rows are multiples of 4 bytes. Input
/// and output may be the same, or must not overlap. Every call throws AssemblerError, one line that
/// names the rank, if buffers are not as it says.
class Communicator {
 public:
  /// Outside of loops. Throws AssemblerError as Group does, and if the cores do not have the
  /// resources.
  Communicator(Assembler& assembler, std::vector<Member> group, const Resources& resources = {});
  Communicator(const Communicator&) = delete;

  unsigned size() const { return mail_.group().size(); }
  Core& core(unsigned rank) const { return mail_.group().core(rank); }

  /// out of each rank = op over in of all ranks; op Add or Max of Fp32, Bf16 or Int32. Buffers are
  /// of one shape.
  Collective all_reduce(Buffers in, Buffers out, defs::Combine op, defs::Dtype dtype,
                        Algorithm algorithm = Algorithm::Auto);
  /// out of each rank = sum of in over all ranks, fp32, with the same bits whatever the algorithm
  /// and the order of ranks: OrderIndependent says how exact. Buffers are of one shape, rows of
  /// multiples of 64 bytes; needs Resources::sum_bytes. Its vector stream has a part in it: a loop
  /// around write(rank) is one of both streams.
  Collective order_independent_sum(Buffers in, Buffers out, Algorithm algorithm = Algorithm::Auto);
  /// out of rank r = op over part r of in of all ranks. in is N times out: rows, or bytes of each.
  Collective reduce_scatter(Buffers in, Buffers out, defs::Combine op, defs::Dtype dtype);
  /// Part r of out of each rank = in of rank r. out is N times in: rows, or bytes of each.
  Collective all_gather(Buffers in, Buffers out);
  /// Part i of out of rank j = part j of in of rank i; buffers of one shape.
  Collective all_to_all(Buffers in, Buffers out);
  /// buffers of each rank = that of rank `root`; of one shape.
  Collective broadcast(Buffers buffers, unsigned root);
  /// dst, of rank `to`, = src, of rank `from`, of one shape. The other ranks have no part in it,
  /// but write it as well.
  Collective send(unsigned from, unsigned to, const Block& src, const Block& dst);
  /// Nobody comes through before all have come.
  Collective barrier();

 private:
  friend class Collective;
  Collective make(std::function<void(unsigned rank)> part);
  /// One block for each rank, on its chip, shaped like that of rank 0.
  void check(const char* what, const char* role, const Buffers& buffers) const;
  void check_block(const char* what, const char* role, unsigned rank, const Block& block) const;
  void check_rank(const char* what, const char* role, unsigned rank) const;
  /// Is the rank's turn the collective of this number?
  void next(unsigned rank, unsigned number);
  /// Throws AssemblerError if there are no slots for it.
  void check_algorithm(const char* what, Algorithm algorithm) const;
  /// An all-reduce of a rank, of what is checked.
  void reduce(unsigned rank, const Buffers& in, const Buffers& out, Reduction how,
              Algorithm algorithm) const;

  Mail mail_;
  Direct direct_;
  std::unique_ptr<OrderIndependent> sums_;  ///< null: Resources::sum_bytes is 0
  unsigned made_ = 0;
  std::shared_ptr<Agreement> agreement_;  ///< the assembler looks at it in the end
};

}  // namespace cmodel
