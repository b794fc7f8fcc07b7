// SPDX-License-Identifier: Apache-2.0
// The commit: the only thing on which RTL and golden model are compared.
#pragma once
#include <compare>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <tuple>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// What became architecturally visible.
enum class CommitKind : std::uint8_t {
  PsumRow,    ///< one column of a PSUM tile: `count` fp32 words, one per partition from `first`
  SbufRow,    ///< one element per partition written by an engine: `count` partitions from `first`
  MemBurst,   ///< contiguous bytes written to HBM or SBUF by DMA, fabric receiver or host
  Message,    ///< a packet delivered: 16 header bytes (hop zeroed), then its payload
  Semaphore,  ///< `delta` added to semaphore `addr`
  Error,      ///< the engine stopped; `delta` is the error_cause
};

/// Who did it. Commits of one stream are ordered; between streams only semaphores order.
/// Two lists are kept per stream: writes (all but Semaphore) and semaphore updates, because an
/// engine may write the next row before the update of the previous instruction is posted.
struct StreamId {
  std::uint8_t chip = 0;
  std::uint8_t core = 0;    ///< 0 for Rx and Host
  std::uint8_t engine = 0;  ///< defs::Engine; DMA engine e is Dma0 + e
  std::uint8_t src = 0;     ///< Rx: source chip
  std::uint8_t lane = 0;  ///< Rx: {vn 2, sending core 1, sending DMA engine 4}; Tensor: 1 for tiles
                          ///< in the lower half of the array's rows; of a sequencer's semaphore
                          ///< updates, kTakes: a Take overtakes updates of older instructions
  auto operator<=>(const StreamId&) const = default;
};

inline constexpr std::uint8_t kTakes = 1;

/// Names an operation of a stream: its place in the program, which loops come back to, and its
/// number, which never repeats.
struct OperationId {
  /// Where each comes once, both are the same.
  OperationId(std::uint32_t only = 0) : pc(only), serial(only) {}
  OperationId(std::uint32_t p, std::uint32_t s, std::uint32_t v) : pc(p), serial(s), visit(v) {}
  std::uint32_t pc;         ///< instruction (sequencers), descriptor of the ring since start, or
                            ///< StartedBit and a DmaStart (DMA), else 0
  std::uint32_t serial;     ///< so many operations of the stream were issued before it, since reset
  std::uint32_t visit = 1;  ///< the how-manieth time that the stream is at pc, since its start
};
/// "pc 12", "DmaStart at pc 12"
std::string pc_text(std::uint32_t pc);
/// "pc 12, visit 3"; the first visit is left out.
std::string to_string(const OperationId& operation);

/// Of a DMA engine: was it a DmaStart's?
constexpr bool is_started(std::uint32_t pc) { return pc >> defs::kStartedBit & 1; }
constexpr std::uint32_t started_pc(std::uint32_t pc) {
  return pc | std::uint32_t{1} << defs::kStartedBit;
}
/// Where a program has the operation `pc` of an engine: of a DmaStart, among the sync engine's.
struct ProgramPlace {
  unsigned engine;
  std::uint32_t pc;
};
constexpr ProgramPlace place_of(unsigned engine, std::uint32_t pc) {
  constexpr auto kDma0 = static_cast<unsigned>(defs::Engine::Dma0);
  if (engine < kDma0 || engine >= static_cast<unsigned>(defs::Engine::Rx) || !is_started(pc))
    return {engine, pc};
  return {static_cast<unsigned>(defs::Engine::Sync), pc & ~started_pc(0)};
}

struct Commit {
  CommitKind kind = CommitKind::PsumRow;
  StreamId stream;
  std::uint32_t pc = 0;      ///< of its operation
  std::uint32_t serial = 0;  ///< likewise; no part of visible()
  std::uint64_t addr = 0;    ///< PSUM/SBUF row: byte offset in the partition; burst: chip-local
                             ///< address; semaphore: {core, semaphore}; message: 0
  std::uint16_t first = 0;   ///< rows: first partition
  std::uint16_t count = 0;   ///< rows: partitions; burst and message: bytes of payload
  std::uint8_t element_bytes = 0;  ///< rows: 1, 2 or 4
  std::int32_t delta = 0;

  /// What is hashed and compared; the scoreboard compares serial, too (tb/check/divergence.h).
  auto visible() const {
    return std::tie(kind, stream, pc, addr, first, count, element_bytes, delta);
  }
  bool operator==(const Commit& other) const { return visible() == other.visible(); }
};

/// That of a Message, from its data.
inline defs::Header message_header(std::span<const std::uint8_t> data) {
  defs::Header::Words words;
  std::memcpy(words.data(), data.data(), sizeof words);
  return defs::Header::from(words);
}

/// Receives commits in stream order. `data` is valid during the call only. Rows: `count` elements
/// of `element_bytes`, little-endian; burst: `count` bytes; message: 16 + `count` bytes.
class CommitSink {
 public:
  virtual ~CommitSink() = default;
  virtual void commit(const Commit& commit, std::span<const std::uint8_t> data) = 0;
};

}  // namespace cmodel
