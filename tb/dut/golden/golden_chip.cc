// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/golden/golden_chip.h"

#include <algorithm>
#include <utility>

#include "cmodel/machine/address_map.h"
#include "fabric/model/message.h"

namespace tb {
namespace {

constexpr auto kDma0 = static_cast<unsigned>(defs::Engine::Dma0);

// Packets of a core that may wait for the fabric before its DMA engines wait as well.
constexpr std::size_t kMostWaiting = 16;

}  // namespace

GoldenChip::GoldenChip(const defs::Sizes& sizes, unsigned id, unsigned chips,
                       cmodel::CommitSink& sink)
    : sizes_(sizes), sink_(sink), chip_(sizes, id, chips, *this) {
  for (std::uint8_t core = 0; core < defs::kCores; ++core) {
    dma_errors_[core].resize(sizes.dma_engines);
    for (std::uint8_t i = 0; i < defs::kSequencers; ++i) turns_.add({&chip_, core, i, false});
    for (std::uint8_t e = 0; e < sizes.dma_engines; ++e) turns_.add({&chip_, core, e, true});
  }
}

void GoldenChip::step() {
  if (!awake_) return;
  const cmodel::Issuer* ran = turns_.step([this](const cmodel::Issuer& issuer) {
    return !issuer.dma || out_[issuer.core].size() < kMostWaiting;
  });
  awake_ = ran != nullptr;
  if (ran && !ran->dma) changed_[ran->core] = true;
}

void GoldenChip::set_ring(unsigned core, unsigned engine, std::uint64_t base, std::uint32_t count) {
  chip_.set_ring(core, engine, base, count);
}

void GoldenChip::start(unsigned core, unsigned sequencer, std::uint64_t base, std::uint32_t count) {
  chip_.start(core, sequencer, base, count);
  untold_[core][sequencer] = changed_[core] = awake_ = true;
}

bool GoldenChip::take_change(unsigned core) { return std::exchange(changed_[core], false); }

bool GoldenChip::quiet(unsigned core) const {
  const cmodel::CoreState& state = chip_.core(core);
  return out_[core].empty() &&
         std::none_of(state.sequencers.begin(), state.sequencers.end(),
                      [](const auto& sequencer) { return sequencer.running(); }) &&
         std::all_of(state.rings.begin(), state.rings.end(),
                     [](const auto& ring) { return ring.pending == 0; });
}

const cmodel::SequencerStatus& GoldenChip::sequencer(unsigned core, unsigned index) const {
  return chip_.core(core).sequencers[index].status();
}

bool GoldenChip::take_end(unsigned core, unsigned index) {
  return !chip_.core(core).sequencers[index].running() &&
         std::exchange(untold_[core][index], false);
}

MessageBeat GoldenChip::take_beat(unsigned core) {
  const Packet& packet = out_[core].front();
  const defs::Header& header = packet.header;
  std::size_t& sent = sent_[core];
  const std::size_t bytes = std::min<std::size_t>(sizes_.line_bytes, packet.payload.size() - sent);
  beat_.assign(packet.payload.begin() + static_cast<std::ptrdiff_t>(sent),
               packet.payload.begin() + static_cast<std::ptrdiff_t>(sent + bytes));
  MessageBeat beat;
  beat.engine = header.group >> 1 & 15;
  beat.dst = header.dst;
  beat.vn = header.vn;
  beat.addr = header.addr + sent;
  beat.data = beat_;
  sent += bytes;
  if (sent < packet.payload.size()) return beat;
  beat.last = true;
  beat.notify = header.op == static_cast<unsigned>(defs::PktOp::WriteNotify);
  if (beat.notify) beat.sem = fabric::notified(header);
  out_[core].pop_front();
  sent = 0;
  awake_ = true;  // a DMA engine may have waited for room
  return beat;
}

std::uint64_t GoldenChip::count(unsigned core, unsigned index) const {
  // The others count cycles, which it has not.
  return index == static_cast<unsigned>(defs::TensorCount::PeBusy)
             ? chip_.core(core).tensor.pe_work()
             : 0;
}

bool GoldenChip::mapped(std::uint64_t addr) const {
  return cmodel::decode(sizes_, addr).target != cmodel::Target::Unmapped;
}

void GoldenChip::read_line(std::uint64_t addr, std::span<std::uint8_t> line) const {
  chip_.read(addr & ~std::uint64_t{sizes_.line_bytes - 1}, line);
}

bool GoldenChip::update(unsigned sem, int delta) {
  awake_ = true;
  return chip_.notify(sem, delta);
}

// ------------------------------------------------------------------------------------- ChipPort

void GoldenChip::error(const cmodel::ErrorRecord& error) {
  const cmodel::StreamId& stream = error.stream;
  cmodel::Commit commit;
  commit.kind = cmodel::CommitKind::Error;
  commit.stream = stream;
  commit.pc = error.pc;
  commit.serial = error.serial;
  commit.delta = static_cast<std::int32_t>(error.cause);
  sink_.commit(commit, {});
  changed_[stream.core] = true;
  if (stream.engine >= kDma0)
    dma_errors_[stream.core][stream.engine - kDma0] = {true, error.pc, error.cause};
}

// Key, window and way are the fabric's business.
void GoldenChip::deliver(const cmodel::StreamId& from, const defs::Header& header,
                         std::span<const std::uint8_t> payload) {
  ++work_.messages;
  out_[from.core].push_back({header, {payload.begin(), payload.end()}});
}

}  // namespace tb
