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

#include "cmodel/analysis/liveness.h"
#include "cmodel/analysis/must_order.h"
#include "cmodel/machine/commit.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Two conflicting accesses without an order.
struct Race {
  struct Side {
    StreamId stream;
    OperationId operation;
    bool write = false;
  };
  Cell at;            ///< the first such byte (PSUM, HBM: first of its four; SBUF: of its two)
  Side older, newer;  ///< in the order in which the model happened to run them
};
/// "chip 3 core 1 SBUF partition 7 byte 96: chip 3 core 1 Vector pc 12 writes, chip 3 core 1 Act
/// pc 4 reads, and no semaphore orders them"
std::string to_string(const Race& race);

/// Records a run and then asks of every two accesses to the same granule (SBUF 2 bytes, PSUM and
/// HBM 4), one of them a write: must one come before the other in every order (must_order.h)? As in
/// FastTrack, a cell remembers the last write and the reads since that nothing has ordered yet.
/// Footprints are walked element by element, so interleaved patterns never collide by mistake.
///
/// Streams are in order in themselves. Between them:
///
///   semaphores   a wait comes after those updates without which it could never be satisfied
///   doorbell     ring() by the sync engine; descriptor n of the DMA engine comes after ring n
///   packet       after(): the Rx operation of the destination comes after the descriptor's reads
///
/// What the run happened to do first does not matter, but for semaphores that several streams
/// count down or that somebody waits for with == (must_order.h): there a race may be missed.
/// Nothing is reported that could not happen.
class RaceDetector {
 public:
  RaceDetector(const defs::Sizes& sizes, unsigned chips);
  ~RaceDetector();

  /// A new instruction, descriptor or packet of `stream`; its accesses are reported with its name.
  /// What it waits for, wait(), after() and answer(), is said next.
  void begin(const StreamId& stream, const OperationId& operation);
  void wait(unsigned chip, unsigned sem, unsigned value, bool equal = false);
  /// The operation comes after what `other` has begun so far.
  void after(const StreamId& other);
  /// The operation is served by the next ring of its stream.
  void answer();

  /// At the end of the operation that `stream` began last.
  void update(const StreamId& stream, unsigned chip, unsigned sem, int delta);
  void ring(const StreamId& stream, const StreamId& to, unsigned count);

  /// An access of the operation that `stream` began last. `footprint.write` says which kind.
  void access(const StreamId& stream, const Footprint& footprint);
  void read(const StreamId& stream, Footprint footprint);
  void write(const StreamId& stream, Footprint footprint);

  /// One race per pair of operations and kinds, in the order found; at most kMaxRaces are kept.
  /// Works everything out if something was recorded since the last call.
  const std::vector<Race>& races();
  /// Pairs found, kept or not.
  std::uint64_t count();
  /// All kept races, one per line.
  std::string text();

  static constexpr std::size_t kMaxRaces = 100;

 private:
  /// Accesses in the cell's order are named by their operation + 1; 0 means nobody.
  struct Shadow {
    std::uint32_t write = 0;
    std::uint32_t read = 0;  ///< an operation + 1, or kSet + index of a set of them
  };
  struct Access {
    std::uint32_t operation;
    Footprint footprint;
  };
  static constexpr std::uint32_t kSet = 0x8000'0000u;
  static constexpr unsigned kPageRows = 16;  ///< granules of all partitions
  static constexpr unsigned kHbmPageCells = 1024;

  std::uint32_t index_of(const StreamId& stream);
  std::uint32_t counter(unsigned chip, unsigned sem) const;
  std::uint32_t bell(std::uint32_t stream) const;
  void analyse();
  bool ordered(std::uint32_t operation);
  Shadow* row(const Footprint& footprint, std::uint64_t granule);
  void walk(const Footprint& footprint);
  void touch(Shadow& cell, const Footprint& footprint, unsigned partition, std::uint64_t byte);
  std::uint32_t with_reader(std::uint32_t readers, std::uint32_t reader);
  void report(std::uint32_t older, bool older_writes, const Footprint& footprint,
              unsigned partition, std::uint64_t byte);

  const defs::Sizes& sizes_;
  unsigned chips_;

  // The record.
  std::map<StreamId, std::uint32_t> indices_;
  std::vector<StreamId> streams_;
  std::vector<std::uint32_t> answers_;  ///< by stream
  std::vector<OperationId> names_;      ///< by operation
  std::vector<Access> accesses_;
  MustOrder record_;
  bool fresh_ = false;  ///< nothing was recorded since analyse()

  // The analysis.
  MustOrder order_;
  std::vector<std::vector<std::uint32_t>> sets_;
  std::unordered_map<std::uint64_t, std::uint32_t> set_with_;    ///< (readers, reader) -> readers
  std::vector<std::vector<std::unique_ptr<Shadow[]>>> on_chip_;  ///< [memory][chip, core, page]
  std::unordered_map<std::uint64_t, std::unique_ptr<Shadow[]>> hbm_;
  std::uint32_t now_ = 0;              ///< the operation whose access is being walked, + 1
  std::uint32_t known_operation_ = 0;  ///< ordered() of this operation is known_
  bool known_ = true;
  std::vector<Race> races_;
  std::unordered_set<std::uint64_t> reported_;
};

}  // namespace cmodel
