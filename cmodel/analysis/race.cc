// SPDX-License-Identifier: Apache-2.0
#include "cmodel/analysis/race.h"

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
    who = fmt::format("chip {} core {} DMA {} {}", id.chip, id.core, id.engine - 16,
                      is_started(side.operation.pc)
                          ? to_string(side.operation)
                          : fmt::format("descriptor {}", side.operation.pc));
  } else {
    who = fmt::format("chip {} core {} {} {}", id.chip, id.core, defs::to_string(engine),
                      to_string(side.operation));
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
    : sizes_(sizes), chips_(chips) {}
RaceDetector::~RaceDetector() = default;

// ---------------------------------------------------------------------------------------- record

std::uint32_t RaceDetector::index_of(const StreamId& stream) {
  const auto [it, fresh] =
      indices_.try_emplace(stream, static_cast<std::uint32_t>(streams_.size()));
  if (fresh) {
    streams_.push_back(stream);
    answers_.push_back(0);
  }
  return it->second;
}

std::uint32_t RaceDetector::counter(unsigned chip, unsigned sem) const {
  return chip * defs::kCores * defs::kSemaphores + sem;
}

/// Behind all semaphores: how often a stream was rung.
std::uint32_t RaceDetector::bell(std::uint32_t stream) const { return counter(chips_, stream); }

void RaceDetector::begin(const StreamId& stream, const OperationId& operation) {
  record_.begin(index_of(stream));
  names_.push_back(operation);
  fresh_ = false;
}

void RaceDetector::wait(unsigned chip, unsigned sem, unsigned value, bool equal) {
  record_.wait(counter(chip, sem), value, equal);
}

void RaceDetector::after(const StreamId& other) { record_.after(index_of(other)); }

void RaceDetector::answer() {
  const auto stream = record_.stream_of(record_.operations() - 1);
  record_.wait(bell(stream), ++answers_[stream]);
}

void RaceDetector::update(const StreamId& stream, unsigned chip, unsigned sem, int delta) {
  record_.update(index_of(stream), counter(chip, sem), delta);
}

void RaceDetector::ring(const StreamId& stream, const StreamId& to, unsigned count) {
  record_.update(index_of(stream), bell(index_of(to)), static_cast<std::int32_t>(count));
}

void RaceDetector::access(const StreamId& stream, const Footprint& footprint) {
  accesses_.push_back({record_.last(index_of(stream)), footprint});
  fresh_ = false;
}

void RaceDetector::read(const StreamId& stream, Footprint footprint) {
  footprint.write = false;
  access(stream, footprint);
}

void RaceDetector::write(const StreamId& stream, Footprint footprint) {
  footprint.write = true;
  access(stream, footprint);
}

// -------------------------------------------------------------------------------------- analysis

void RaceDetector::analyse() {
  if (fresh_) return;
  fresh_ = true;
  order_ = record_;
  order_.solve();
  sets_.clear();
  set_with_.clear();
  hbm_.clear();
  races_.clear();
  reported_.clear();
  const std::size_t cores = std::size_t{chips_} * defs::kCores;
  on_chip_.clear();
  on_chip_.resize(2);
  on_chip_[0].resize(cores * (sizes_.sbuf_bytes / 2 / kPageRows));
  on_chip_[1].resize(cores * (sizes_.psum_banks * sizes_.psum_cols / kPageRows));
  for (const auto& access : accesses_) {
    now_ = access.operation + 1;
    known_operation_ = 0;
    known_ = true;
    walk(access.footprint);
  }
}

const std::vector<Race>& RaceDetector::races() {
  analyse();
  return races_;
}

std::uint64_t RaceDetector::count() {
  analyse();
  return reported_.size();
}

// --------------------------------------------------------------------------------- shadow memory

bool RaceDetector::ordered(std::uint32_t operation) {
  if (operation != known_operation_) {
    known_operation_ = operation;
    known_ = operation == now_ || order_.before(operation - 1, now_ - 1);
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
    if (cell.read != now_) {
      cell.read = cell.read ? with_reader(cell.read, now_) : now_;
    }
    return;
  }
  if (cell.read & kSet) {
    for (auto reader : sets_[cell.read & ~kSet])
      if (!ordered(reader)) report(reader, false, footprint, partition, byte);
  } else if (cell.read && !ordered(cell.read)) {
    report(cell.read, false, footprint, partition, byte);
  }
  cell = {now_, 0};
}

void RaceDetector::walk(const Footprint& footprint) {
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

void RaceDetector::report(std::uint32_t older, bool older_writes, const Footprint& footprint,
                          unsigned partition, std::uint64_t byte) {
  const std::uint64_t kinds = (older_writes ? 2 : 0) | (footprint.write ? 1 : 0);
  if (!reported_.insert(kinds << 62 | std::uint64_t{older} << 31 | now_).second) return;
  if (races_.size() >= kMaxRaces) return;
  Race race;
  race.at = {footprint.memory, footprint.chip, footprint.core,
             static_cast<std::uint16_t>(partition), byte};
  if (footprint.memory == Cell::Memory::Hbm) race.at.core = 0;
  const auto side = [&](std::uint32_t operation, bool write) {
    return Race::Side{streams_[order_.stream_of(operation - 1)], names_[operation - 1], write};
  };
  race.older = side(older, older_writes);
  race.newer = side(now_, footprint.write);
  races_.push_back(race);
}

std::string RaceDetector::text() {
  analyse();
  std::string out;
  for (const auto& race : races_) out += to_string(race) + "\n";
  if (count() > races_.size()) out += fmt::format("and {} more\n", count() - races_.size());
  return out;
}

}  // namespace cmodel
