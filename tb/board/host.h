// SPDX-License-Identifier: Apache-2.0
// The host: loads a program through every chip's port, starts it, waits, reads the results back.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "cmodel/program/program.h"
#include "tb/board/fabric_counts.h"
#include "tb/board/feeder.h"
#include "tb/board/reroute.h"
#include "tb/board/wiring.h"
#include "tb/dut/chip.h"
#include "tb/dut/link.h"
#include "tb/scenarios/scenario.h"

namespace tb {

/// An error token.
struct HostError {
  unsigned chip = 0, core = 0, engine = 0;
  defs::ErrorCause cause = defs::ErrorCause::None;
  std::uint32_t pc = 0;
};

/// An access of the scenario that was not answered as it must be.
struct WrongAnswer {
  unsigned chip = 0;
  std::uint64_t addr = 0;  ///< chip-local
};

/// What the tensor engine of a core counted, by defs::TensorCount.
using TensorCounts = std::array<std::uint64_t, defs::kEveryTensorCount.size()>;

/// One driver per chip, and the order of the story:
///
///   Loading    segments, ring and stream registers; then ChipId is read: all writes have arrived
///   Running    doorbells of all chips rung; requests go out as they arrive; completions and errors
///              come in
///   Draining   every stream has ended; waits for a fabric cycle in which all chips were quiet
///   Reading    the fabric's counters are copied, in all chips at one cycle; regions, then the
///              counters of the tensor engines, of forbidden packets, and the copies
///   Done
///
/// Through the back door segments and regions take no time: segments are in memory, and committed
/// as by the ports, before the first cycle; regions are read when all chips were quiet.
///
/// A scenario's own accesses come between segments and registers, and at the very end.
///
/// When a cable dies, or one has to be left, it switches the routers over (Reroute; by its own
/// ports, or by management packets of two chips) and does nothing else meanwhile.
///
/// The host only sees tokens and acts on the cycle they arrive in, so the run is the same whatever
/// the window. A chip's queue holds HostRequests requests: that many credits.
class Host {
 public:
  enum class Phase { Loading, Running, Draining, Reading, Done };

  /// Channels by chip; `program` must outlive the host. `back_door`: the chips, or empty: segments
  /// and regions go through the ports.
  Host(const cmodel::Program& program, std::vector<HostRequests*> requests,
       std::vector<const HostResponses*> responses, const Wiring& wiring,
       const PortAccesses& accesses = {}, std::vector<Chip*> back_door = {});

  /// Takes the cable at `end` out of service in that fabric cycle, or when the program starts.
  void leave_cable(fabric::End end, std::uint64_t cycle) { leave_ = {end, cycle}; }
  const Reroute& reroute() const { return reroute_; }

  /// Fabric cycles first .. first + cycles - 1 of the host's own time.
  void run(std::uint64_t first, unsigned cycles);

  /// The board has stalled behind an error (watchdog): what can complete has completed. Reads the
  /// regions although not every stream has ended and chips may not be quiet.
  void give_up_waiting() { gave_up_ = true; }

  Phase phase() const { return phase_; }
  /// First fabric cycle in which it was Done: nothing else will ever happen.
  std::optional<std::uint64_t> done_cycle() const { return done_cycle_; }
  /// Fabric cycle in which the doorbells were sent.
  std::uint64_t start_cycle() const { return start_cycle_; }
  /// Fabric cycle in which the last completion or error arrived.
  std::uint64_t end_cycle() const { return end_cycle_; }
  /// Last cycle in which a request left, and one that does not only ask how far something is.
  std::uint64_t last_movement() const { return last_movement_; }
  std::uint64_t last_progress() const { return last_progress_; }

  /// Requests of the program, from arrival to answer.
  const std::vector<Served>& served() const { return feeder_.served(); }
  const std::vector<HostError>& errors() const { return errors_; }
  /// A chip that broke the port's protocol; one line.
  const std::string& fault() const { return fault_; }
  /// The scenario's access that it answered wrongly, if it was one.
  const std::optional<WrongAnswer>& wrong_answer() const { return wrong_answer_; }
  /// What came back, in the program's order.
  const std::vector<std::vector<std::uint8_t>>& regions() const { return regions_; }
  /// Packets that each chip dropped because they were forbidden, and the header of the first. Of a
  /// program with partitions, when Done.
  struct Violations {
    std::uint64_t count = 0;
    defs::Header first() const { return defs::Header::unpack(words.data()); }
    defs::Header::Words words{};
    void add(unsigned which, std::uint64_t word);
  };
  const std::vector<Violations>& violations() const { return violations_; }
  /// Accesses of the scenario that were answered as they must be.
  std::uint64_t accesses_checked() const { return accesses_checked_; }
  /// By chip and core. Complete when Done.
  const std::vector<std::array<TensorCounts, defs::kCores>>& counts() const { return counts_; }
  /// Complete when Done; the fabric cycle that the host had asked for.
  const FabricCounts& fabric_counts() const { return fabric_counts_; }
  std::uint64_t copy_cycle() const { return copy_cycle_; }
  /// For reports: what it waits for.
  std::string waiting_for() const;

 private:
  struct Driver {
    std::deque<const cmodel::Segment*> segments;
    std::uint64_t segment_done = 0;        ///< bytes of the first one
    std::deque<defs::HostReq> registers;   ///< CSR writes, and the read of ChipId behind them
    std::deque<PortAccess> before, after;  ///< the scenario's, not yet sent
    std::deque<PortAccess> awaited;        ///< sent, not yet answered
    std::deque<std::uint32_t> doorbells;   ///< SeqStart by core, {core, mask}
    std::deque<std::size_t> reads;         ///< regions not yet asked for
    std::uint64_t read_done = 0;           ///< bytes asked for of the first one
    std::deque<std::size_t> answers;       ///< regions not yet complete
    std::uint64_t answer_done = 0;
    unsigned counts_asked = 0, counts_known = 0;  ///< {core, defs::TensorCount}
    unsigned copies_asked = 0, copies_known = 0;  ///< words of fabric_counts_
    bool copy_ordered = false;
    unsigned credits = 0;
    unsigned streams_left = 0;  ///< ends to come: one of each, or one a request
    bool loaded = false, quiet = false, drained = false;
  };

  void load_by_back_door();
  void read_by_back_door();
  bool counters_read(const Driver& driver) const;
  void receive(unsigned chip, std::uint64_t cycle);
  void send(unsigned chip, std::uint64_t cycle);
  bool next_request(unsigned chip, std::uint64_t cycle, defs::HostReq& request);
  /// Sends the first of `accesses`.
  static void access(Driver& driver, std::deque<PortAccess>& accesses, defs::HostReq& request);
  /// An answer to the first access that has none yet.
  void answer(unsigned chip, std::uint64_t cycle, std::uint64_t value, defs::ErrorCause cause);
  void advance(std::uint64_t cycle);
  void fail(unsigned chip, std::uint64_t cycle, const std::string& what);

  const cmodel::Program& program_;
  std::vector<HostRequests*> requests_;
  std::vector<const HostResponses*> responses_;
  std::vector<Chip*> back_door_;  ///< by chip; empty: closed
  std::vector<Driver> drivers_;
  std::vector<std::vector<std::uint8_t>> regions_;
  std::vector<std::array<TensorCounts, defs::kCores>> counts_;
  std::vector<Violations> violations_;
  FabricCounts fabric_counts_;
  std::uint64_t copy_cycle_ = 0;
  std::uint64_t accesses_checked_ = 0;
  std::vector<HostError> errors_;
  std::string fault_;
  std::optional<WrongAnswer> wrong_answer_;
  Phase phase_ = Phase::Loading;
  bool gave_up_ = false;
  Reroute reroute_;
  std::optional<std::pair<fabric::End, std::uint64_t>> leave_;
  std::optional<std::uint64_t> done_cycle_;
  std::uint64_t start_cycle_ = 0, end_cycle_ = 0, last_progress_ = 0, last_movement_ = 0;
  Feeder feeder_;
};

}  // namespace tb
