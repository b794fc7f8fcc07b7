// SPDX-License-Identifier: Apache-2.0
#include "cmodel/race.h"

#include <fmt/format.h>

#include <algorithm>

namespace cmodel {
namespace {

unsigned granule_bytes(Cell::Memory memory) { return memory == Cell::Memory::Sbuf ? 2 : 4; }

std::string name(const Race::Side& side) {
  using defs::Engine;
  const auto& id = side.stream;
  const auto engine = static_cast<Engine>(id.engine);
  std::string who;
  if (engine == Engine::Rx) {
    who = fmt::format("chip {} Rx from chip {} (core {} DMA {})", id.chip, id.src, id.lane >> 4 & 1,
                      id.lane & 15);
  } else if (engine == Engine::Host) {
    who = fmt::format("chip {} Host", id.chip);
  } else if (engine >= Engine::Dma0 && engine < Engine::Rx) {
    who = fmt::format("chip {} core {} DMA {} descriptor {}", id.chip, id.core, id.engine - 16,
                      side.pc);
  } else {
    who =
        fmt::format("chip {} core {} {} pc {}", id.chip, id.core, defs::to_string(engine), side.pc);
  }
  return who + (side.write ? " writes" : " reads");
}

}  // namespace

std::string to_string(const Race& race) {
  const auto& at = race.at;
  const std::string where =
      at.memory == Cell::Memory::Hbm
          ? fmt::format("chip {} HBM address {:#x}", at.chip, at.addr)
          : fmt::format("chip {} core {} {} partition {} byte {}", at.chip, at.core,
                        at.memory == Cell::Memory::Sbuf ? "SBUF" : "PSUM", at.partition, at.addr);
  return fmt::format("{}: {}, {}, and no semaphore orders them", where, name(race.older),
                     name(race.newer));
}

RaceDetector::RaceDetector(const defs::Sizes& sizes, unsigned chips)
    : sizes_(sizes),
      semaphores_(std::size_t{chips} * defs::kCores * defs::kSemaphores),
      on_chip_(2) {
  const std::size_t cores = std::size_t{chips} * defs::kCores;
  on_chip_[0].resize(cores * (sizes.sbuf_bytes / 2 / kPageRows));
  on_chip_[1].resize(cores * (sizes.psum_banks * sizes.psum_cols / kPageRows));
}
RaceDetector::~RaceDetector() = default;

// ---------------------------------------------------------------------------------------- clocks

std::uint32_t RaceDetector::index_of(const StreamId& stream) {
  const auto [it, fresh] =
      indices_.try_emplace(stream, static_cast<std::uint32_t>(streams_.size()));
  if (fresh) {
    streams_.push_back({stream, Clock(it->second + 1u), 0, 0});
    streams_.back().clock[it->second] = 1;
  }
  return it->second;
}

void RaceDetector::join(Clock& into, const Clock& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}

/// What the stream does from now on is not part of what others have learnt about it.
void RaceDetector::tick(std::uint32_t stream) {
  ++streams_[stream].clock[stream];
  streams_[stream].epoch = 0;
}

std::uint32_t RaceDetector::epoch_of(std::uint32_t stream) {
  auto& s = streams_[stream];
  if (!s.epoch) {
    s.epoch = static_cast<std::uint32_t>(epochs_.size());
    epochs_.push_back({stream, s.clock[stream], s.pc});
  }
  return s.epoch;
}

void RaceDetector::begin(const StreamId& stream, std::uint32_t pc) {
  const auto index = index_of(stream);
  tick(index);
  streams_[index].pc = pc;
}

void RaceDetector::acquire(const StreamId& stream, unsigned chip, unsigned sem) {
  join(streams_[index_of(stream)].clock,
       semaphores_[std::size_t{chip} * defs::kCores * defs::kSemaphores + sem]);
}

void RaceDetector::release(const StreamId& stream, unsigned chip, unsigned sem) {
  const auto index = index_of(stream);
  join(semaphores_[std::size_t{chip} * defs::kCores * defs::kSemaphores + sem],
       streams_[index].clock);
  tick(index);
}

void RaceDetector::order(const StreamId& from, const StreamId& to) {
  const auto source = index_of(from), target = index_of(to);  // may move streams_
  join(streams_[target].clock, streams_[source].clock);
  tick(source);
}

RaceDetector::Token RaceDetector::send(const StreamId& stream) {
  const auto index = index_of(stream);
  tokens_.push_back(streams_[index].clock);
  tick(index);
  return static_cast<Token>(tokens_.size() - 1);
}

void RaceDetector::receive(const StreamId& stream, Token token) {
  join(streams_[index_of(stream)].clock, tokens_.at(token));
}

// --------------------------------------------------------------------------------- shadow memory

bool RaceDetector::ordered(std::uint32_t epoch) {
  if (epoch != known_epoch_) {
    const auto& old = epochs_[epoch];
    const auto& clock = streams_[now_stream_].clock;
    known_epoch_ = epoch;
    known_ =
        old.stream == now_stream_ || (old.stream < clock.size() && clock[old.stream] >= old.clock);
  }
  return known_;
}

/// The cells of a granule, one per partition (HBM: one).
RaceDetector::Shadow* RaceDetector::row(const Footprint& footprint, std::uint64_t granule) {
  if (footprint.memory == Cell::Memory::Hbm) {
    auto& page = hbm_[std::uint64_t{footprint.chip} << 48 | granule / kHbmPageCells];
    if (!page) page = std::make_unique<Shadow[]>(kHbmPageCells);
    return &page[granule % kHbmPageCells];
  }
  const bool sbuf = footprint.memory == Cell::Memory::Sbuf;
  const std::size_t pages =
      (sbuf ? sizes_.sbuf_bytes / 2 : sizes_.psum_banks * sizes_.psum_cols) / kPageRows;
  const std::size_t core = std::size_t{footprint.chip} * defs::kCores + footprint.core;
  auto& page = on_chip_[sbuf ? 0 : 1].at(core * pages + granule / kPageRows);
  if (!page) page = std::make_unique<Shadow[]>(std::size_t{kPageRows} * sizes_.partitions);
  return &page[granule % kPageRows * sizes_.partitions];
}

std::uint32_t RaceDetector::with_reader(std::uint32_t readers, std::uint32_t reader) {
  const auto [it, fresh] = set_with_.try_emplace(std::uint64_t{readers} << 32 | reader, 0);
  if (fresh) {
    // Readers that come before the new one need not be kept: who comes after it comes after them.
    std::vector<std::uint32_t> set;
    if (readers & kSet)
      set = sets_[readers & ~kSet];
    else
      set = {readers};
    std::erase_if(set, [&](std::uint32_t old) { return ordered(old); });
    set.push_back(reader);
    if (set.size() == 1) {
      it->second = reader;
    } else {
      it->second = kSet | static_cast<std::uint32_t>(sets_.size());
      sets_.push_back(std::move(set));
    }
  }
  return it->second;
}

void RaceDetector::touch(Shadow& cell, const Footprint& footprint, unsigned partition,
                         std::uint64_t byte) {
  if (cell.write && !ordered(cell.write)) report(cell.write, true, footprint, partition, byte);
  if (!footprint.write) {
    if (cell.read != now_epoch_) {
      cell.read = cell.read ? with_reader(cell.read, now_epoch_) : now_epoch_;
    }
    return;
  }
  if (cell.read & kSet) {
    for (auto reader : sets_[cell.read & ~kSet])
      if (!ordered(reader)) report(reader, false, footprint, partition, byte);
  } else if (cell.read && !ordered(cell.read)) {
    report(cell.read, false, footprint, partition, byte);
  }
  cell = {now_epoch_, 0};
}

void RaceDetector::access(const StreamId& stream, const Footprint& footprint) {
  now_stream_ = index_of(stream);
  now_epoch_ = epoch_of(now_stream_);
  known_epoch_ = 0;  // clocks may have moved since the last access
  known_ = true;
  const unsigned granule = granule_bytes(footprint.memory);
  const unsigned first = footprint.memory == Cell::Memory::Hbm ? 0 : footprint.first;
  const unsigned count = footprint.memory == Cell::Memory::Hbm ? 1 : footprint.count;
  for (std::int64_t i3 = 0; i3 < footprint.size[3]; ++i3)
    for (std::int64_t i2 = 0; i2 < footprint.size[2]; ++i2)
      for (std::int64_t i1 = 0; i1 < footprint.size[1]; ++i1)
        for (std::int64_t i0 = 0; i0 < footprint.size[0]; ++i0) {
          const std::uint64_t at =
              footprint.addr +
              static_cast<std::uint64_t>(i3 * footprint.stride[3] + i2 * footprint.stride[2] +
                                         i1 * footprint.stride[1] + i0 * footprint.stride[0]);
          for (std::uint64_t g = at / granule; g * granule < at + footprint.element; ++g) {
            Shadow* cells = row(footprint, g);
            for (unsigned p = 0; p < count; ++p)
              touch(cells[first + p], footprint, first + p, g * granule);
          }
        }
}

void RaceDetector::read(const StreamId& stream, Footprint footprint) {
  footprint.write = false;
  access(stream, footprint);
}

void RaceDetector::write(const StreamId& stream, Footprint footprint) {
  footprint.write = true;
  access(stream, footprint);
}

void RaceDetector::report(std::uint32_t older, bool older_writes, const Footprint& footprint,
                          unsigned partition, std::uint64_t byte) {
  const std::uint64_t kinds = (older_writes ? 2 : 0) | (footprint.write ? 1 : 0);
  if (!reported_.insert(kinds << 62 | std::uint64_t{older} << 31 | now_epoch_).second) return;
  if (races_.size() >= kMaxRaces) return;
  Race race;
  race.at = {footprint.memory, footprint.chip, footprint.core,
             static_cast<std::uint16_t>(partition), byte};
  if (footprint.memory == Cell::Memory::Hbm) race.at.core = 0;
  race.older = {streams_[epochs_[older].stream].id, epochs_[older].pc, older_writes};
  race.newer = {streams_[now_stream_].id, epochs_[now_epoch_].pc, footprint.write};
  races_.push_back(race);
}

std::string RaceDetector::text() const {
  std::string out;
  for (const auto& race : races_) out += to_string(race) + "\n";
  if (count() > races_.size()) out += fmt::format("and {} more\n", count() - races_.size());
  return out;
}

}  // namespace cmodel
