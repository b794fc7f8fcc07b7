// SPDX-License-Identifier: Apache-2.0
// Finds accesses to the same bytes, at least one a write, that no semaphore path orders.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cmodel/commit.h"
#include "cmodel/liveness.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Two conflicting accesses without an order.
struct Race {
  struct Side {
    StreamId stream;
    std::uint32_t pc = 0;
    bool write = false;
  };
  Cell at;            ///< the first such byte (PSUM, HBM: first of its four; SBUF: of its two)
  Side older, newer;  ///< in the order in which the model happened to run them
};
/// "chip 3 core 1 SBUF partition 7 byte 96: chip 3 core 1 Vector pc 12 writes, chip 3 core 1 Act
/// pc 4 reads, and no semaphore orders them"
std::string to_string(const Race& race);

/// Vector clocks per stream and shadow memory per granule (SBUF 2 bytes, PSUM and HBM 4), as in
/// FastTrack: a cell remembers the last write and the reads since that nothing has ordered yet.
/// Footprints are walked element by element, so interleaved patterns never collide by mistake.
///
/// Streams are in order in themselves. Between them:
///
///   update of a semaphore   release(): the semaphore learns all that the updater has done
///   satisfied wait          acquire(): the waiter comes after all that the semaphore has learnt
///   doorbell                order(): the DMA engine comes after the sync engine's past
///   packet                  send() at the source, receive() in the Rx stream of the destination
///
/// What it cannot see: a semaphore is a counter, and a wait for 1 after two updates of which either
/// would do counts as ordered after both, if the model ran both before. Another order of the model
/// (BoardOptions::order_seed) may then show the race. Never the other way: with the accesses of a
/// legal run every reported pair is unordered in that run.
class RaceDetector {
 public:
  RaceDetector(const defs::Sizes& sizes, unsigned chips);
  ~RaceDetector();

  /// A new instruction, descriptor or packet of `stream`; its accesses are reported with `pc`.
  void begin(const StreamId& stream, std::uint32_t pc);
  void acquire(const StreamId& stream, unsigned chip, unsigned sem);
  void release(const StreamId& stream, unsigned chip, unsigned sem);

  /// Everything that `to` does from now on comes after what `from` has done so far.
  void order(const StreamId& from, const StreamId& to);

  /// The same in two steps, for a packet under way. A token may be received any number of times.
  using Token = std::uint32_t;
  Token send(const StreamId& stream);
  void receive(const StreamId& stream, Token token);

  /// An access of the unit that `stream` began last. `footprint.write` says which kind.
  void access(const StreamId& stream, const Footprint& footprint);
  void read(const StreamId& stream, Footprint footprint);
  void write(const StreamId& stream, Footprint footprint);

  /// One race per pair of units and kinds, in the order found; at most kMaxRaces are kept.
  const std::vector<Race>& races() const { return races_; }
  /// Pairs found, kept or not.
  std::uint64_t count() const { return reported_.size(); }
  /// All kept races, one per line.
  std::string text() const;

  static constexpr std::size_t kMaxRaces = 100;

 private:
  using Clock = std::vector<std::uint32_t>;  ///< by stream index; missing entries are zero
  /// Who accessed: an epoch of a stream. Identified by its index; 0 means nobody.
  struct Epoch {
    std::uint32_t stream, clock, pc;
  };
  struct Shadow {
    std::uint32_t write = 0;
    std::uint32_t read = 0;  ///< an epoch, or kSet + index of a set of them
  };
  struct Stream {
    StreamId id;
    Clock clock;
    std::uint32_t epoch = 0, pc = 0;
  };
  static constexpr std::uint32_t kSet = 0x8000'0000u;
  static constexpr unsigned kPageRows = 16;  ///< granules of all partitions
  static constexpr unsigned kHbmPageCells = 1024;

  std::uint32_t index_of(const StreamId& stream);
  static void join(Clock& into, const Clock& from);
  void tick(std::uint32_t stream);
  std::uint32_t epoch_of(std::uint32_t stream);
  bool ordered(std::uint32_t epoch);
  Shadow* row(const Footprint& footprint, std::uint64_t granule);
  void touch(Shadow& cell, const Footprint& footprint, unsigned partition, std::uint64_t byte);
  std::uint32_t with_reader(std::uint32_t readers, std::uint32_t reader);
  void report(std::uint32_t older, bool older_writes, const Footprint& footprint,
              unsigned partition, std::uint64_t byte);

  const defs::Sizes& sizes_;
  std::map<StreamId, std::uint32_t> indices_;
  std::vector<Stream> streams_;
  std::vector<Clock> semaphores_;  ///< chip * (Cores * Semaphores) + sem
  std::vector<Clock> tokens_;
  std::vector<Epoch> epochs_{{}};
  std::vector<std::vector<std::uint32_t>> sets_;
  std::unordered_map<std::uint64_t, std::uint32_t> set_with_;  ///< (readers, reader) -> readers

  std::vector<std::vector<std::unique_ptr<Shadow[]>>> on_chip_;  ///< [memory][chip, core, page]
  std::unordered_map<std::uint64_t, std::unique_ptr<Shadow[]>> hbm_;

  // The access being walked.
  std::uint32_t now_stream_ = 0, now_epoch_ = 0;
  std::uint32_t known_epoch_ = 0;  ///< ordered() of this epoch is known_
  bool known_ = true;

  std::vector<Race> races_;
  std::unordered_set<std::uint64_t> reported_;
};

}  // namespace cmodel
