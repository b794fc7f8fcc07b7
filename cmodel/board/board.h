// SPDX-License-Identifier: Apache-2.0
// The golden model of the whole board: instructions in, commits out.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cmodel/analysis/liveness.h"
#include "cmodel/machine/commit.h"
#include "cmodel/machine/status.h"
#include "cmodel/machine/written.h"
#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

class Chip;
class Trace;
struct RowPlaces;

/// An instruction, its registers resolved, as a sequencer issues it; one that is rejected is the
/// last of its stream.
using Executed = std::function<void(const StreamId&, const OperationId&, const defs::Instr&)>;

/// A descriptor that a DMA engine executes, of its ring or of a DmaStart, and where its rows are.
using Copied = std::function<void(const StreamId&, const OperationId&, const defs::Descriptor&,
                                  const RowPlaces&)>;

struct BoardOptions {
  Executed executed = {};        ///< told of every instruction
  Copied copied = {};            ///< told of every descriptor
  bool track_liveness = false;   ///< keep the access history for liveness(); costs time and memory
  bool keep_trace = false;       ///< keep what was executed for trace()
  bool detect_races = false;     ///< report conflicting accesses without a semaphore path: races()
  std::uint64_t order_seed = 0;  ///< 0: plain round robin; else operations are picked at random.
                                 ///< The commits of every stream are the same for every seed.
};

/// Twelve chips (or fewer) and the fabric between them, without a clock.
///
/// Use: construct, load() once, then step() while it returns true, or run(). Every commit goes to
/// the sink from within load() and step(), in stream order; data is valid during the call only.
/// Between streams the model chooses one legal order of the many that the semaphores allow; a
/// comparison must therefore be made per stream (and per list: writes, semaphores; see commit.h).
///
/// Remote packets are delivered at once, in the destination's Rx stream.
/// Nothing here is global: any number of boards can live side by side, one thread each.
class Board {
 public:
  /// `program` must be valid (validate_program); it, `sizes` and `sink` must outlive the
  /// board. The number of chips is program.chips.
  Board(const defs::Sizes& sizes, const Program& program, CommitSink& sink,
        BoardOptions options = {});
  ~Board();
  Board(Board&&) noexcept;

  /// The host's work before the start: writes every segment (MemBurst commits in stream Host of
  /// each chip, aligned 64-byte beats, segment order; a segment's last beat may be shorter), sets
  /// rings and streams, starts the sequencers that have a stream, but for those that wait for
  /// requests.
  void load();

  /// Runs one operation: one instruction of a sequencer or one descriptor of a DMA engine, with all
  /// its commits, or hands one request over: MemBurst commits in stream Host, and the start of its
  /// stream. A request goes as soon as its stream is at rest: when it arrives is time. False if
  /// nothing can run: the board is finished(), or blocked().
  bool step();

  /// step() until it returns false, or `most` times. Returns finished().
  bool run(std::uint64_t most = ~std::uint64_t{0});

  /// Every started sequencer has executed END (or stopped by an error), no descriptor is pending
  /// and no request left, but behind one whose stream has stopped. Look at errors() too: an engine
  /// that stopped counts as finished.
  bool finished() const;

  /// For reports: one line per sequencer that waits, with what it waits for and what would run
  /// next. Empty if finished().
  ///   chip 3 core 1 Act pc 17: waits for semaphore 1.12 >= 4, is 3; next: ACTIVATE Relu ...
  std::string blocked() const;

  /// For reports: of the sequencers that run, the one that has issued most. What a run that does
  /// not come to its end names:
  ///   chip 3 core 1 Act pc 17, visit 40000 (a.cc:7): 120003 instructions and no END; next: BRANCH
  ///   ...
  /// Empty if none runs.
  std::string busiest() const;

  /// Stopped engines in the order in which the model met them.
  const std::vector<ErrorRecord>& errors() const;

  /// Operations that read bytes of SBUF or PSUM that nobody has written, in the order in which the
  /// model met them: the program's fault. What they made of them counts as written.
  const std::vector<UnwrittenRead>& unwritten() const;
  /// The first few, one line each: "chip 0 core 0 Vector pc 3 (a.cc:7) reads bytes that nobody has
  /// written: SBUF of core 0, partitions 0 .. 15, bytes 64 .. 95". Empty if there are none.
  std::string unwritten_text() const;

  /// Headers of the packets that partition keys or address windows forbade, in the order in which
  /// the model met them. Each is the first of its flow {source, core, destination, VN}: what
  /// follows in the flow is lost as well, and the sender's host is notified of every packet.
  const std::vector<defs::Header>& forbidden() const;

  /// The host asked for what this chip's port rejects: the Error commit.
  void host_rejected(unsigned chip, defs::ErrorCause cause);

  /// Memory contents at a chip-local address (HBM or an SBUF window; a run must not leave its
  /// memory, nor its partition). Bytes never written are zero. Throws std::out_of_range if
  /// unmapped.
  void read(unsigned chip, std::uint64_t addr, std::span<std::uint8_t> bytes) const;
  /// The instruction or descriptor there.
  template <class Packed>
  Packed unpack_at(unsigned chip, std::uint64_t addr) const {
    typename Packed::Words words{};
    read(chip, addr, {reinterpret_cast<std::uint8_t*>(words.data()), sizeof words});
    return Packed::from(words);
  }
  /// fp32 word `column` (bank * PsumCols + col) of a partition, as bits.
  std::uint32_t read_psum(unsigned chip, unsigned core, unsigned partition, unsigned column) const;
  /// Value of semaphore {core, semaphore}.
  unsigned semaphore(unsigned chip, unsigned sem) const;
  SequencerStatus sequencer(unsigned chip, unsigned core, unsigned index) const;
  /// TensorEngine::pe_work() of a core.
  std::uint64_t pe_work(unsigned chip, unsigned core) const;
  /// Disassembly of instruction `pc` of a sequencer, for reports; "?" beyond the stream.
  std::string disassemble(unsigned chip, unsigned core, unsigned index, std::uint32_t pc) const;
  /// The same for any stream: instructions of sequencers, descriptors of DMA engines.
  std::string disassemble(const StreamId& stream, std::uint32_t pc) const;

  const WorkCounters& counters() const;
  const Chip& machine(unsigned chip) const;

  /// What has run so far (needs keep_trace).
  const Trace& trace() const;

  /// Races of what has run so far, one per line with both sides named; empty if none. Needs
  /// detect_races; works them out when asked.
  std::string races() const;

  /// The access history of the run so far (needs track_liveness). Run the board to its end first:
  /// the answer "nobody reads it" is only then final. Regions of the program count as read by the
  /// host after everything else.
  const LivenessLog& liveness() const;

  /// Flips the bits of `mask` in one byte of a memory, without a commit: what a fault does. Throws
  /// std::out_of_range if there is no such byte.
  void corrupt(const Cell& cell, std::uint8_t mask);

  /// Shorthand for injection arguments: could a wrong byte at `location` still be seen, when the
  /// streams stand at `after`? False: overwritten before any read, or bytes of a buffer that nobody
  /// has written. What nobody reads again is compared at the end of a run.
  bool live(const Cell& location, const StreamPositions& after) const;
  /// A PSUM word: `column` as in read_psum.
  bool psum_live(unsigned chip, unsigned core, unsigned partition, unsigned column,
                 const StreamPositions& after) const;

  const defs::Sizes& sizes() const;
  unsigned chips() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cmodel
