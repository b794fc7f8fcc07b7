// SPDX-License-Identifier: Apache-2.0
#include "cmodel/collectives/communicator.h"

#include <fmt/format.h>

#include <utility>

#include "cmodel/collectives/ring.h"

namespace cmodel {

namespace {

[[noreturn]] void fail(const char* what, const std::string& why) {
  throw AssemblerError(fmt::format("{}: {}", what, why));
}

void check_reduction(const char* what, defs::Combine op, defs::Dtype dtype) {
  if (op != defs::Combine::Add && op != defs::Combine::Max)
    fail(what, fmt::format("{}, allowed Add, Max", to_string(op)));
  if (dtype != defs::Dtype::Fp32 && dtype != defs::Dtype::Bf16 && dtype != defs::Dtype::Int32)
    fail(what, fmt::format("format {}, allowed Fp32, Bf16, Int32", to_string(dtype)));
}

void check_alike(const char* what, const char* role, const Block& block, const char* as,
                 const Block& other) {
  if (block.rows != other.rows || block.row_bytes != other.row_bytes)
    fail(what, fmt::format("{} of {} x {} bytes, allowed {} x {} as the {}", role, block.rows,
                           block.row_bytes, other.rows, other.row_bytes, as));
}

/// `whole` in N parts shaped like `one`?
void check_whole(const char* what, const char* role, const Block& whole, const Block& one,
                 unsigned ranks) {
  const auto why = bad_parts(whole, ranks);
  if (!why.empty()) fail(what, fmt::format("{} of {}", role, why));
  const Block found = part(whole, ranks, 0);
  if (found.rows != one.rows || found.row_bytes != one.row_bytes)
    fail(what, fmt::format("{} of {} x {} bytes, allowed {} parts of {} x {}", role, whole.rows,
                           whole.row_bytes, ranks, one.rows, one.row_bytes));
}

/// The table: from so many bytes on a ring. Of twelve chips its links carry 0.9 of a buffer each
/// way, those of direct 3 of it, in a tenth of the steps.
constexpr std::uint64_t kRingFrom = 64 * 1024;

}  // namespace

Algorithm algorithm_of(std::uint64_t bytes, unsigned ranks, unsigned ring_slots) {
  return ring_slots && ranks > 2 && bytes >= kRingFrom ? Algorithm::Ring : Algorithm::Direct;
}

void Collective::write(unsigned rank) const {
  communicator_->next(rank, number_);
  part_(rank);
}

void Collective::write() const {
  for (unsigned rank = 0; rank < communicator_->size(); ++rank) write(rank);
}

Communicator::Communicator(Assembler& assembler, std::vector<Member> group,
                           const Resources& resources)
    : mail_(Group(assembler, std::move(group)), resources),
      direct_(mail_),
      sums_(resources.sum_bytes ? std::make_unique<OrderIndependent>(mail_, resources.sum_bytes)
                                : nullptr),
      agreement_(std::make_shared<Agreement>(size())) {
  assembler.check_at_end([agreement = agreement_] { agreement->check(); });
}

Collective Communicator::make(std::function<void(unsigned rank)> part) {
  Collective made;
  made.communicator_ = this;
  made.number_ = made_++;
  made.part_ = std::move(part);
  return made;
}

void Communicator::next(unsigned rank, unsigned number) {
  check_rank("collective", "", rank);
  agreement_->write(rank, number, core(rank).sync());
}

void Communicator::check_rank(const char* what, const char* role, unsigned rank) const {
  if (rank >= size()) fail(what, fmt::format("{}rank {}, allowed 0..{}", role, rank, size() - 1));
}

void Communicator::check_block(const char* what, const char* role, unsigned rank,
                               const Block& block) const {
  const unsigned chip = mail_.group()[rank].chip;
  if (block.chip != chip)
    fail(what, fmt::format("{} of rank {} on chip {}, allowed {}", role, rank, block.chip, chip));
  if (!block.rows || block.rows > 65535 || !block.row_bytes || block.row_bytes % 4)
    fail(what,
         fmt::format("{} of rank {} of {} x {} bytes, allowed 1..65535 rows of multiples of 4",
                     role, rank, block.rows, block.row_bytes));
}

void Communicator::check(const char* what, const char* role, const Buffers& buffers) const {
  if (buffers.size() != size())
    fail(what, fmt::format("{} of {} ranks, allowed {}", role, buffers.size(), size()));
  for (unsigned rank = 0; rank < size(); ++rank) {
    check_block(what, role, rank, buffers[rank]);
    if (buffers[rank].rows != buffers[0].rows || buffers[rank].row_bytes != buffers[0].row_bytes)
      fail(what, fmt::format("{} of rank {} of {} x {} bytes, allowed {} x {} as of rank 0", role,
                             rank, buffers[rank].rows, buffers[rank].row_bytes, buffers[0].rows,
                             buffers[0].row_bytes));
  }
}

Collective Communicator::all_reduce(Buffers in, Buffers out, defs::Combine op, defs::Dtype dtype,
                                    Algorithm algorithm) {
  constexpr const char* kWhat = "all-reduce";
  check_reduction(kWhat, op, dtype);
  check(kWhat, "input", in);
  check(kWhat, "output", out);
  check_alike(kWhat, "output", out[0], "input", in[0]);
  check_algorithm(kWhat, algorithm);
  return make([this, in = std::move(in), out = std::move(out), how = Reduction{op, dtype},
               algorithm](unsigned rank) { reduce(rank, in, out, how, algorithm); });
}

void Communicator::check_algorithm(const char* what, Algorithm algorithm) const {
  if (algorithm == Algorithm::Ring && !mail_.ring_slots())
    fail(what, "ring without slots, allowed with Resources::ring_slots");
}

void Communicator::reduce(unsigned rank, const Buffers& in, const Buffers& out, Reduction how,
                          Algorithm algorithm) const {
  if (algorithm == Algorithm::Auto)
    algorithm = algorithm_of(bytes_of(in[0]), size(), mail_.ring_slots());
  if (algorithm == Algorithm::Ring)
    Ring(mail_, rank, how).all_reduce(in, out);
  else
    direct_.all_reduce(rank, in, out, how);
}

Collective Communicator::order_independent_sum(Buffers in, Buffers out, Algorithm algorithm) {
  constexpr const char* kWhat = "order-independent sum";
  if (!sums_) fail(kWhat, "no room for it, allowed with Resources::sum_bytes");
  check(kWhat, "input", in);
  check(kWhat, "output", out);
  check_alike(kWhat, "output", out[0], "input", in[0]);
  if (in[0].row_bytes % OrderIndependent::kBlockBytes)
    fail(kWhat, fmt::format("rows of {} bytes, allowed multiples of {}", in[0].row_bytes,
                            OrderIndependent::kBlockBytes));
  check_algorithm(kWhat, algorithm);
  return make([this, in = std::move(in), out = std::move(out), algorithm](unsigned rank) {
    sums_->all_reduce(rank, in, out, [&](unsigned who, const Buffers& buffers, Reduction how) {
      reduce(who, buffers, buffers, how, algorithm);
    });
  });
}

Collective Communicator::reduce_scatter(Buffers in, Buffers out, defs::Combine op,
                                        defs::Dtype dtype) {
  constexpr const char* kWhat = "reduce-scatter";
  check_reduction(kWhat, op, dtype);
  check(kWhat, "input", in);
  check(kWhat, "output", out);
  check_whole(kWhat, "input", in[0], out[0], size());
  return make([this, in = std::move(in), out = std::move(out), op, dtype](unsigned rank) {
    direct_.reduce_scatter(rank, in, out, {op, dtype});
  });
}

Collective Communicator::all_gather(Buffers in, Buffers out) {
  constexpr const char* kWhat = "all-gather";
  check(kWhat, "input", in);
  check(kWhat, "output", out);
  check_whole(kWhat, "output", out[0], in[0], size());
  return make([this, in = std::move(in), out = std::move(out)](unsigned rank) {
    direct_.all_gather(rank, in, out);
  });
}

Collective Communicator::all_to_all(Buffers in, Buffers out) {
  constexpr const char* kWhat = "all-to-all";
  check(kWhat, "input", in);
  check(kWhat, "output", out);
  check_alike(kWhat, "output", out[0], "input", in[0]);
  if (const auto why = bad_parts(in[0], size()); !why.empty()) fail(kWhat, "input of " + why);
  for (unsigned rank = 0; rank < size(); ++rank)
    if (in[rank].addr == out[rank].addr)
      fail(kWhat, fmt::format("output of rank {} at 0x{:x}, allowed where its input is not", rank,
                              out[rank].addr));
  return make([this, in = std::move(in), out = std::move(out)](unsigned rank) {
    direct_.all_to_all(rank, in, out);
  });
}

Collective Communicator::broadcast(Buffers buffers, unsigned root) {
  constexpr const char* kWhat = "broadcast";
  check_rank(kWhat, "root ", root);
  check(kWhat, "buffer", buffers);
  return make([this, buffers = std::move(buffers), root](unsigned rank) {
    direct_.broadcast(rank, buffers, root);
  });
}

Collective Communicator::send(unsigned from, unsigned to, const Block& src, const Block& dst) {
  constexpr const char* kWhat = "send";
  check_rank(kWhat, "from ", from);
  check_rank(kWhat, "to ", to);
  check_block(kWhat, "source", from, src);
  check_block(kWhat, "destination", to, dst);
  check_alike(kWhat, "destination", dst, "source", src);
  return make(
      [this, from, to, src, dst](unsigned rank) { direct_.send(rank, from, to, src, dst); });
}

Collective Communicator::barrier() {
  return make([this](unsigned rank) { direct_.barrier(rank); });
}

}  // namespace cmodel
