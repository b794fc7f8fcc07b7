// SPDX-License-Identifier: Apache-2.0
// One chip of the golden model: two cores, HBM, semaphores, DMA, and the receiver of the fabric.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cmodel/machine/core.h"
#include "cmodel/machine/footprint.h"
#include "cmodel/machine/hbm.h"
#include "cmodel/machine/semaphores.h"
#include "cmodel/machine/status.h"
#include "cmodel/machine/written.h"

namespace cmodel {

struct RowPlaces;

/// Sees what every operation touches and how operations are ordered; for races and liveness.
/// An operation is one instruction, one descriptor, or the reception of one packet.
class ExecutionObserver {
 public:
  virtual ~ExecutionObserver() = default;
  virtual void begin(const StreamId& stream, const OperationId& operation) = 0;
  /// An instruction and what it waited for, its registers resolved; right after its begin().
  virtual void issued(const StreamId& stream, const OperationId& operation,
                      const defs::Instr& instr) = 0;
  virtual void answered() = 0;  ///< for a doorbell
  /// A descriptor that is not rejected, and where its rows are.
  virtual void copies(const StreamId& stream, const OperationId& operation,
                      const defs::Descriptor& descriptor, const RowPlaces& places) = 0;
  virtual void received(
      const StreamId& from) = 0;  ///< for a packet of the last operation of `from`
  /// What the operation does at its end; a Take at its begin.
  virtual void updated(const StreamId& stream, unsigned chip, unsigned sem, int delta) = 0;
  virtual void rang(const StreamId& stream, const StreamId& to, unsigned count) = 0;
  /// After the operation's commits.
  virtual void end(const StreamId& stream, const OperationId& operation,
                   std::span<const Footprint> footprints) = 0;
};

/// What a chip needs from its board.
class ChipPort {
 public:
  virtual ~ChipPort() = default;
  virtual CommitSink& commits() = 0;
  /// An engine stopped: keeps the record, makes the Error commit.
  virtual void error(const ErrorRecord& error) = 0;
  /// Takes a packet to header.dst. It is there at once.
  virtual void deliver(const StreamId& from, const defs::Header& header,
                       std::span<const std::uint8_t> payload) = 0;
  /// An operation read bytes of a buffer that nobody has written.
  virtual void read_unwritten(const UnwrittenRead& read) = 0;
  /// Null if nobody looks: the usual, fast case.
  virtual ExecutionObserver* observer() = 0;
  virtual WorkCounters& counters() = 0;
};

class Chip {
 public:
  Chip(const defs::Sizes& sizes, unsigned id, unsigned chips, ChipPort& port);

  /// The host's register writes before the start.
  void set_ring(unsigned core, unsigned engine, std::uint64_t base, std::uint32_t count);
  void start(unsigned core, unsigned sequencer, std::uint64_t base, std::uint32_t count);
  /// A host write of up to 64 bytes to HBM.
  void host_write(std::uint64_t addr, std::span<const std::uint8_t> bytes);

  /// Could the sequencer or DMA engine do something now? Fetches the next instruction if it must.
  bool runnable_sequencer(unsigned core, unsigned index);
  bool runnable_dma(unsigned core, unsigned engine) const;
  /// One instruction, or one descriptor, with all its commits. Only if runnable.
  void run_sequencer(unsigned core, unsigned index);
  void run_dma(unsigned core, unsigned engine);
  /// A packet for this chip, sent by `from`.
  void receive(const StreamId& from, const defs::Header& header,
               std::span<const std::uint8_t> payload);

  /// A receiver's update of a semaphore, without a commit. False if the value would leave its
  /// range.
  bool notify(unsigned sem, int delta) { return semaphores_.add(sem, delta); }

  /// Bytes at a chip-local address in one memory (SBUF: one partition). False if unmapped.
  bool read(std::uint64_t addr, std::span<std::uint8_t> bytes) const;
  /// An operation reads them: notes those of an SBUF that nobody has written.
  void check_written(std::uint64_t addr, std::size_t bytes) const;
  bool write(std::uint64_t addr, std::span<const std::uint8_t> bytes);

  unsigned id() const { return id_; }
  const Hbm& hbm() const { return hbm_; }
  const Semaphores& semaphores() const { return semaphores_; }
  const CoreState& core(unsigned index) const { return *cores_[index]; }
  CoreState& core(unsigned index) { return *cores_[index]; }

 private:
  StreamId stream(unsigned core, unsigned engine) const;
  defs::ErrorCause execute(CoreState& core, const StreamId& id, const defs::Instr& instr,
                           const OperationId& operation);
  /// DmaTrigger and DmaStart.
  defs::ErrorCause give_work(CoreState& core, const StreamId& id, const defs::Instr& instr,
                             const OperationId& operation);
  class Moves;
  /// Subtracts what `instr`, which issues, takes from its semaphore.
  void take(const StreamId& id, const defs::Instr& instr);
  bool update(const StreamId& id, unsigned sem, int delta) { return update(id, id, sem, delta); }
  /// By `id`, committed in `list`.
  bool update(const StreamId& id, const StreamId& list, unsigned sem, int delta);
  void report_unwritten(const StreamId& id);
  void burst(const StreamId& id, std::uint64_t addr, std::span<const std::uint8_t> bytes);

  const defs::Sizes& sizes_;
  unsigned id_, chips_;
  ChipPort& port_;
  /// The operation that runs, on every commit on its way out.
  struct Naming final : CommitSink {
    explicit Naming(ChipPort& p) : port(p) {}
    void commit(const Commit& commit, std::span<const std::uint8_t> data) override;
    ChipPort& port;
    OperationId operation;
  } naming_;
  Hbm hbm_;
  Semaphores semaphores_;
  std::array<std::unique_ptr<CoreState>, defs::kCores> cores_;
  std::vector<Footprint> footprints_;  ///< scratch, only with an observer
  std::vector<std::uint8_t> row_;      ///< scratch of DMA
};

}  // namespace cmodel
