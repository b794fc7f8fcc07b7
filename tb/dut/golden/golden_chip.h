// SPDX-License-Identifier: Apache-2.0
// The inside of a model chip: the golden model's engines, memories and DMA, between the RTL of the
// host port and of the fabric node.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "cmodel/machine/round_robin.h"

namespace tb {

/// A beat of a message, as size_pkg::msg_chunk_t has it.
struct MessageBeat {
  unsigned engine = 0, dst = 0, vn = 0, sem = 0;
  std::uint64_t addr = 0;
  bool last = false, notify = false;
  std::span<const std::uint8_t> data;  ///< until the next call
};

///   host port --> doorbells --> sequencers --> engines --> memories <-- writes --+
///                                   |   ^                                      receivers
///                                  DMA  +------ semaphores <---- notifies -------+   of
///                                   +-------> queue of messages ----------> fabric node
///
/// It has no time of its own: in every core cycle one instruction or descriptor runs, of those that
/// can. What comes from other chips comes when the fabric brings it, so the order across chips is
/// the board's. Commits of its engines go to the sink; those of host and receivers are the RTL's.
class GoldenChip final : public cmodel::ChipPort {
 public:
  /// `sizes` and `sink` must outlive it.
  GoldenChip(const defs::Sizes& sizes, unsigned id, unsigned chips, cmodel::CommitSink& sink);

  /// After the clock edge of every core cycle.
  void step();

  // ---- what the RTL around it does and asks, in the order of golden_dpi.sv
  void set_peer(unsigned core, const defs::PeerAccess& peer) { chip_.core(core).peer = peer; }
  void set_ring(unsigned core, unsigned engine, std::uint64_t base, std::uint32_t count);
  void start(unsigned core, unsigned sequencer, std::uint64_t base, std::uint32_t count);
  /// True once for every change.
  bool take_change(unsigned core);
  bool sends(unsigned core) const { return !out_[core].empty(); }
  /// Nothing runs, and nothing is left to send.
  bool quiet(unsigned core) const;
  const cmodel::SequencerStatus& sequencer(unsigned core, unsigned index) const;
  /// True once for every end: END, or an error.
  bool take_end(unsigned core, unsigned index);
  struct DmaError {
    bool stopped = false;
    std::uint32_t pc = 0;
    defs::ErrorCause cause = defs::ErrorCause::None;
  };
  const DmaError& dma_error(unsigned core, unsigned engine) const {
    return dma_errors_[core][engine];
  }
  /// The next one. Only if sends().
  MessageBeat take_beat(unsigned core);
  std::uint64_t count(unsigned core, unsigned index) const;
  bool mapped(std::uint64_t addr) const;
  void write(std::uint64_t addr, std::span<const std::uint8_t> bytes) { chip_.write(addr, bytes); }
  void read_line(std::uint64_t addr, std::span<std::uint8_t> line) const;
  /// A notify. False: the value would leave its range.
  bool update(unsigned sem, int delta);

  const cmodel::Chip& chip() const { return chip_; }

 private:
  struct Packet {
    defs::Header header;
    std::vector<std::uint8_t> payload;
  };

  // ChipPort
  cmodel::CommitSink& commits() override { return sink_; }
  void error(const cmodel::ErrorRecord& error) override;
  void deliver(const cmodel::StreamId& from, const defs::Header& header,
               std::span<const std::uint8_t> payload) override;
  void read_unwritten(const cmodel::UnwrittenRead&) override {}  // the scoreboard's model says it
  cmodel::ExecutionObserver* observer() override { return nullptr; }
  cmodel::WorkCounters& counters() override { return work_; }

  const defs::Sizes& sizes_;
  cmodel::CommitSink& sink_;
  cmodel::Chip chip_;
  cmodel::WorkCounters work_;
  cmodel::RoundRobin turns_;
  bool awake_ = false;  ///< false: nobody can run until something comes from outside
  std::array<bool, defs::kCores> changed_{};
  std::array<std::array<bool, defs::kSequencers>, defs::kCores> untold_{};
  std::array<std::vector<DmaError>, defs::kCores> dma_errors_;
  std::array<std::deque<Packet>, defs::kCores> out_;
  std::array<std::size_t, defs::kCores> sent_{};  ///< bytes of the first packet
  std::vector<std::uint8_t> beat_;
};

}  // namespace tb
