// SPDX-License-Identifier: Apache-2.0
// What one DMA descriptor and one received packet do to a chip.
#include <array>
#include <cstring>

#include "cmodel/machine/address_map.h"
#include "cmodel/machine/chip.h"
#include "cmodel/machine/dma.h"
#include "fabric/model/message.h"

namespace cmodel {

/// Ties a descriptor's reads, writes and packets to the chip.
class Chip::Moves final : public DmaPort {
 public:
  Moves(Chip& chip, ChipPort& port, const StreamId& id) : chip_(chip), port_(port), id_(id) {}
  void read(std::uint64_t addr, std::span<std::uint8_t> bytes) override {
    chip_.check_written(addr, bytes.size());
    chip_.read(addr, bytes);
  }
  void write(std::uint64_t addr, std::span<const std::uint8_t> bytes) override {
    chip_.burst(id_, addr, bytes);
  }
  void send(const defs::Header& header, std::span<const std::uint8_t> payload) override {
    port_.deliver(id_, header, payload);
  }

 private:
  Chip& chip_;
  ChipPort& port_;
  StreamId id_;
};

bool Chip::runnable_dma(unsigned core, unsigned engine) const {
  const auto& ring = cores_[core]->rings[engine];
  return !ring.stopped && ring.pending != 0;
}

void Chip::run_dma(unsigned core, unsigned engine) {
  auto& ring = cores_[core]->rings[engine];
  const StreamId id = stream(core, static_cast<unsigned>(defs::Engine::Dma0) + engine);
  const bool starts = ring.starts();
  OperationId operation{ring.pc, ring.serial, 1};
  if (starts)
    operation = {started_pc(ring.started.front().pc), ring.serial, ring.started.front().visit};
  naming_.operation = operation;
  const auto stop = [&](defs::ErrorCause cause) {
    ring.stopped = true;
    ring.pending = 0;
    ring.started.clear();
    port_.error({id, operation.pc, cause, operation.serial, operation.visit});
  };
  const DmaIdentity identity{id_, core, engine, chips_, cores_[core]->peer};
  const std::uint64_t at =
      starts || !ring.count ? 0 : descriptor_addr(ring.base, ring.count, ring.pc);
  defs::Descriptor descriptor;
  auto cause = defs::ErrorCause::None;
  if (starts) {
    descriptor = ring.started.front().descriptor;
  } else {
    cause = check_ring(sizes_, ring.base, ring.count);
    if (cause != defs::ErrorCause::None) return stop(cause);
    if (!reaches(identity.peer, core, at, defs::kInstrBytes))
      return stop(defs::ErrorCause::Forbidden);
    defs::Descriptor::Words words;
    if (!read(at, {reinterpret_cast<std::uint8_t*>(words.data()), defs::kInstrBytes}))
      return stop(defs::ErrorCause::UnmappedAddress);
    descriptor = defs::Descriptor::from(words);
  }
  cause = check(sizes_, identity, descriptor);
  if (cause != defs::ErrorCause::None) return stop(cause);
  ++port_.counters().descriptors;

  const bool remote = descriptor.dst_chip != id_;
  auto* observer = port_.observer();
  if (observer) {
    observer->begin(id, operation);
    observer->answered();
  }
  Moves moves(*this, port_, id);
  const RowPlaces places = places_of(descriptor, moves);
  if (observer) observer->copies(id, operation, descriptor, places);
  // A remote descriptor's reads come before what the receiver does with them.
  if (!remote) cmodel::execute(sizes_, identity, descriptor, places, moves, row_);
  if (observer) {
    footprints_.clear();
    if (!starts) footprints_of_rows(id_, at, 0, 1, defs::kInstrBytes, false, footprints_);
    footprints_of_copy(id_, descriptor, places, !remote, footprints_);
    observer->end(id, operation, footprints_);
  }
  if (remote) cmodel::execute(sizes_, identity, descriptor, places, moves, row_);
  report_unwritten(id);
  if (places.fault) return stop(defs::ErrorCause::OutOfBounds);
  if (starts)
    ring.started.pop_front();
  else
    ++ring.pc;
  ++ring.serial;
  --ring.pending;
  if (descriptor.update && !update(id, descriptor.update_sem, descriptor.update_delta))
    stop(defs::ErrorCause::SemaphoreOverflow);
}

void Chip::receive(const StreamId& from, const defs::Header& header,
                   std::span<const std::uint8_t> payload) {
  StreamId id = stream(0, static_cast<unsigned>(defs::Engine::Rx));
  id.src = static_cast<std::uint8_t>(header.src & 15);
  id.lane = fabric::lane(header);
  naming_.operation = {};
  auto* observer = port_.observer();
  if (observer) {
    observer->begin(id, 0);
    observer->received(from);
  }

  std::array<std::uint8_t, 16 + defs::kPacketBytes> bytes;
  defs::Header shown = header;
  shown.hop = 0;
  const auto words = shown.words();
  std::memcpy(bytes.data(), words.data(), 16);
  std::memcpy(bytes.data() + 16, payload.data(), payload.size());
  Commit commit;
  commit.kind = CommitKind::Message;
  commit.stream = id;
  commit.count = static_cast<std::uint16_t>(payload.size());
  naming_.commit(commit, {bytes.data(), 16 + payload.size()});

  for (const fabric::Burst& write : fabric::deliver(header, sizes_.line_bytes))
    burst(id, write.addr, payload.subspan(write.offset, write.bytes));
  if (observer) {
    footprints_.clear();
    footprints_of_rows(id_, header.addr, 0, 1, static_cast<std::uint32_t>(payload.size()), true,
                       footprints_);
    observer->end(id, 0, footprints_);
  }
  if (header.op != static_cast<std::uint8_t>(defs::PktOp::WriteNotify)) return;
  // The receiver goes on after a rejected update: it serves every sender.
  if (!update(id, fabric::notified(header), 1))
    port_.error({stream(0, static_cast<unsigned>(defs::Engine::Rx)), 0,
                 defs::ErrorCause::SemaphoreOverflow});
}

}  // namespace cmodel
