// SPDX-License-Identifier: Apache-2.0
// What every DMA engine must do, made by the golden model: writes, packets, semaphore updates and
// the error cause, in order per engine.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cmodel/machine/commit.h"
#include "cmodel/machine/dma.h"
#include "tb/unit/rtl/mem_channel.h"

namespace dma {

using defs::Descriptor;
using defs::ErrorCause;
using tb::Line;

constexpr unsigned kChip = 3;
constexpr unsigned kRingSize = 5;
constexpr std::uint64_t kRings = 0x3'0000'0000;  // descriptor rings, in HBM 0

/// Sparse bytes; what was never written is a hash of its address.
class Memory {
 public:
  void read(std::uint64_t addr, std::span<std::uint8_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = page(addr + i)[(addr + i) % kPage];
  }
  void write(std::uint64_t addr, std::span<const std::uint8_t> in) {
    for (std::size_t i = 0; i < in.size(); ++i) page(addr + i)[(addr + i) % kPage] = in[i];
  }

 private:
  static constexpr std::uint64_t kPage = 4096;
  std::vector<std::uint8_t>& page(std::uint64_t addr) {
    auto& p = pages_[addr / kPage];
    if (p.empty()) {
      p.resize(kPage);
      for (std::uint64_t i = 0; i < kPage; ++i) {
        p[i] = static_cast<std::uint8_t>(((addr / kPage * kPage + i) * 0x9e3779b97f4a7c15u) >> 56);
      }
    }
    return p;
  }
  std::unordered_map<std::uint64_t, std::vector<std::uint8_t>> pages_;
};

struct Write {
  std::uint32_t pc, serial;
  std::uint64_t addr;
  Line data;
  bool operator==(const Write&) const = default;
};
struct Packet {
  defs::Header header;
  Line payload;
};
struct Update {
  std::uint32_t pc, serial;
  unsigned sem;
  int delta;
  bool operator==(const Update&) const = default;
};

/// What one engine must do, made by the twin.
struct Expected {
  std::deque<Write> writes;
  std::deque<Packet> packets;
  std::deque<Update> updates;
  ErrorCause cause = ErrorCause::None;
  std::uint32_t error_pc = 0;
};

struct Ring {
  std::uint64_t base = 0;
  std::uint32_t count = 0;
};

/// What a DmaStart brings.
struct Start {
  std::uint32_t pc;  ///< of the DmaStart
  Descriptor descriptor;
};
/// By serial of the engine.
using Starts = std::map<std::uint32_t, Start>;

/// Runs `total` descriptors in the twin: of a ring, but where there is a start.
class Twin : public cmodel::DmaPort {
 public:
  Twin(const defs::Sizes& sizes, Memory& memory) : sizes_(sizes), memory_(memory) {}

  Expected run(unsigned engine, const Ring& ring, std::uint32_t total, const Starts& starts = {}) {
    expected_ = {};
    const cmodel::DmaIdentity id{kChip, 0, engine, kRingSize, peer};
    ErrorCause cause = ErrorCause::None;
    std::uint32_t position = 0;
    for (serial_ = 0; serial_ < total; ++serial_) {
      const auto start = starts.find(serial_);
      const bool fetched = start == starts.end();
      pc_ = fetched ? position++ : cmodel::started_pc(start->second.pc);
      Descriptor d;
      cause = fetched ? fetch(ring, d) : ErrorCause::None;
      if (!fetched) d = start->second.descriptor;
      if (cause == ErrorCause::None) cause = cmodel::check(sizes_, id, d);
      if (cause != ErrorCause::None) break;
      const auto places = cmodel::places_of(d, *this);
      cmodel::execute(sizes_, id, d, places, *this, scratch_);
      if (places.fault) {
        cause = ErrorCause::OutOfBounds;
        break;
      }
      if (d.update) expected_.updates.push_back({pc_, serial_, d.update_sem, d.update_delta});
    }
    expected_.cause = cause;
    expected_.error_pc = cause == ErrorCause::None ? 0 : pc_;
    return std::move(expected_);
  }

  void read(std::uint64_t addr, std::span<std::uint8_t> bytes) override {
    memory_.read(addr, bytes);
  }
  void write(std::uint64_t addr, std::span<const std::uint8_t> bytes) override {
    memory_.write(addr, bytes);
    expected_.writes.push_back({pc_, serial_, addr, Line(bytes.begin(), bytes.end())});
  }
  void send(const defs::Header& header, std::span<const std::uint8_t> payload) override {
    expected_.packets.push_back({header, Line(payload.begin(), payload.end())});
  }

  defs::PeerAccess peer = cmodel::kAllShared;

 private:
  /// Descriptor pc_ of the ring.
  ErrorCause fetch(const Ring& ring, Descriptor& d) {
    const ErrorCause cause = cmodel::check_ring(sizes_, ring.base, ring.count);
    if (cause != ErrorCause::None) return cause;
    const std::uint64_t addr = cmodel::descriptor_addr(ring.base, ring.count, pc_);
    if (!cmodel::reaches(peer, 0, addr, defs::kInstrBytes)) return ErrorCause::Forbidden;
    if (cmodel::decode(sizes_, addr, defs::kInstrBytes).target == cmodel::Target::Unmapped)
      return ErrorCause::UnmappedAddress;
    Descriptor::Words words;
    memory_.read(addr, std::span(reinterpret_cast<std::uint8_t*>(words.data()), 64));
    d = Descriptor::from(words);
    return ErrorCause::None;
  }

  const defs::Sizes& sizes_;
  Memory& memory_;
  Expected expected_;
  std::uint32_t pc_ = 0, serial_ = 0;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace dma
