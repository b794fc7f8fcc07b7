// SPDX-License-Identifier: Apache-2.0
#include "cmodel/collectives/mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "cmodel/machine/address_map.h"

namespace cmodel {

namespace {
constexpr unsigned kTokenBytes = 4;  ///< the least that a packet carries
}

Mail::Mail(const Group& group, const Resources& resources)
    : group_(group),
      slot_bytes_(resources.slot_bytes),
      ring_slots_(resources.ring_slots),
      vn_(resources.vn),
      engines_(resources.engines) {
  const auto& sizes = group.assembler().sizes();
  if (!slot_bytes_) slot_bytes_ = 4 * sizes.line_bytes;
  if (slot_bytes_ % 4 || slot_bytes_ > sizes.sbuf_bytes || slot_bytes_ > 65536)
    throw AssemblerError(fmt::format("slots of {} bytes, allowed multiples of 4 up to {}",
                                     slot_bytes_, std::min(sizes.sbuf_bytes, 65536u)));
  if (ring_slots_ && (ring_slots_ < 4 || group_.size() < 2))
    throw AssemblerError(
        fmt::format("{} slots of a ring of {} ranks, allowed 0, or of 2 and more "
                    "ranks 4 and more",
                    ring_slots_, group_.size()));
  if (engines_.empty()) {
    engines_.resize(sizes.dma_engines);
    std::iota(engines_.begin(), engines_.end(), 0u);
  }
  lanes_ = std::max(1u, static_cast<unsigned>(engines_.size()) / 4);
  if (vn_ < 1 || vn_ >= defs::kVirtualNets)
    throw AssemblerError(
        fmt::format("virtual network {}, allowed 1..{}", vn_, defs::kVirtualNets - 1));
  for (const unsigned engine : engines_)
    if (engine >= sizes.dma_engines)
      throw AssemblerError(
          fmt::format("DMA engine {}, allowed 0..{}", engine, sizes.dma_engines - 1));
  for (unsigned rank = 0; rank < group_.size(); ++rank) {
    if (!sync(rank).loops().empty())
      throw AssemblerError(fmt::format(
          "group rank {}: communicator made in a loop, allowed outside: it gives credits once",
          rank));
    make_slots(rank);
  }
  make_semaphores();
  for (unsigned rank = 0; rank < group_.size(); ++rank) make_tokens(rank);
  give_credits();
}

void Mail::make_slots(unsigned rank) {
  const auto& sizes = group_.assembler().sizes();
  const unsigned slots = group_.size() + 1 + 2 * ring_slots_,
                 partitions = std::min(slots, sizes.partitions),
                 deep = (slots + partitions - 1) / partitions;
  Core& core = group_.core(rank);
  core.align_sbuf(sizes.line_bytes);
  tiles_.push_back(core.sbuf(partitions, deep * slot_bytes_ / 4, defs::Dtype::Fp32));
  sums_.push_back(slot(rank, group_.size()));
}

Block Mail::slot(unsigned rank, unsigned i) const {
  const Tile& tile = tiles_[rank];
  return group_.assembler()
      .block(tile)
      .row_range(i % tile.partitions, 1)
      .byte_range(i / tile.partitions * slot_bytes_, slot_bytes_);
}

void Mail::make_semaphores() {
  const unsigned n = group_.size();
  const auto made = [&](unsigned at, const char* what, unsigned other) {
    return group_.core(at).semaphore(fmt::format("{} rank {}", what, other));
  };
  for (unsigned from = 0; from < n; ++from)
    for (unsigned to = 0; to < n; ++to) {
      Box box{from, to, slot(to, from), {}, {}};
      Semaphore landed, ready;
      if (from != to) {
        box.credit = made(from, "credit to", to);
        box.arrived = made(to, "arrived from", from);
        landed = made(to, "landed from", from);
        ready = made(from, "ready", to);
      }
      boxes_.push_back(box);
      landed_.push_back(landed);
      ready_.push_back(ready);
    }
  for (unsigned to = 0; to < n; ++to)
    for (const unsigned way : {0u, 1u})
      for (unsigned i = 0; i < ring_slots_; ++i) {
        const unsigned from = (to + (way ? 1 : n - 1)) % n;
        ring_.push_back({from, to, slot(to, n + 1 + way * ring_slots_ + i),
                         made(from, "ring credit to", to), made(to, "ring arrived from", from)});
      }
  for (unsigned rank = 0; rank < n; ++rank) {
    left_.push_back(group_.core(rank).semaphore("left"));
    done_.push_back(group_.core(rank).semaphore("done"));
    for (unsigned two = 0; two < 2 && ring_slots_; ++two) {
      ring_left_.push_back(group_.core(rank).semaphore("ring left"));
      for (unsigned i = 0; i < lanes_; ++i)
        ring_landed_.push_back(group_.core(rank).semaphore("ring landed"));
    }
  }
}

/// A word to send, in SBUF, where it is near; and words that tokens land in, one for each rank, and
/// for each engine one of its own.
void Mail::make_tokens(unsigned rank) {
  Core& core = group_.core(rank);
  Assembler& assembler = group_.assembler();
  const auto name = fmt::format("communicator {}.{}", core.index(), left_[rank].id);
  const std::array<std::uint8_t, kTokenBytes> zero{};
  const Block word =
      assembler.data(core.chip(), core.index(), name + " token", kTokenBytes, 1, zero);
  tokens_.push_back(assembler.block(core.sbuf(1, 1, defs::Dtype::Fp32)));
  sinks_.push_back(assembler.hbm(core.chip(), core.index(), name + " sinks", kTokenBytes,
                                 group_.size() + assembler.sizes().dma_engines));
  core.sync().start(adder(), word, tokens_[rank]).signal(left_[rank]);
  core.sync().take(left_[rank]).nop();
}

void Mail::give_credits() {
  for (const auto* boxes : {&boxes_, &ring_})
    for (const Box& box : *boxes)
      if (box.from != box.to || boxes == &ring_) sync(box.from).nop().signal(box.credit);
}

Block Mail::like(const Block& slot, const Block& shape) {
  return {slot.chip, slot.addr, shape.row_bytes, shape.rows, shape.row_bytes};
}

unsigned Mail::engine(unsigned from, unsigned to) const {
  const auto senders = static_cast<unsigned>(engines_.size()) - 1;
  if (!senders) return engines_[0];
  return engines_[1 + (to + group_.size() - from - 1) % group_.size() % senders];
}

void Mail::put(unsigned from, unsigned to, const Block& src, const Block& dst, Semaphore there,
               std::optional<Semaphore> left) const {
  put_by(engine(from, to), from, to, src, dst, there, left);
}

void Mail::put_by(unsigned e, unsigned from, unsigned to, const Block& src, const Block& dst,
                  Semaphore there, std::optional<Semaphore> left) const {
  SyncStream& s = sync(from);
  if (!group_.one_chip(from, to)) {
    s.start(e, src, dst, {.vn = vn_, .notify = there});
    if (left) s.signal(*left);
    return;
  }
  s.start(e, src, dst).signal(there);
  // A copy has one update, and an engine ends its copies in order.
  if (left) s.start(e, tokens_[from], sinks_[from].row_range(group_.size() + e, 1)).signal(*left);
}

void Mail::put(unsigned from, unsigned to, const Block& src, const Block& dst) const {
  sync(from).start(engine(from, to), src, dst, {.vn = vn_});
}

void Mail::tell(unsigned from, unsigned to, Semaphore there) const {
  if (group_.one_chip(from, to))
    sync(from).nop().signal(there);
  else
    sync(from).start(engine(from, to), tokens_[from], sinks_[to].row_range(from, 1),
                     {.vn = vn_, .notify = there});
}

}  // namespace cmodel
