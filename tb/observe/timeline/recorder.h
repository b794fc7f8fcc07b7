// SPDX-License-Identifier: Apache-2.0
// Builds a Timeline while the board runs, from three sources at each barrier: events of the
// engines, commits, and the words on the links.
#pragma once
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "cmodel/program/program.h"
#include "tb/board/board.h"
#include "tb/observe/timeline/arrows.h"
#include "tb/observe/timeline/timeline.h"

namespace tb::timeline {

class Recorder {
 public:
  /// Both must outlive it.
  Recorder(const defs::Sizes& sizes, const cmodel::Program& program);

  /// A chip's window up to fabric cycle `board.now()`. For every chip at every barrier, before its
  /// commits and events are cleared.
  void observe(const Board& board, const Chip& chip);
  /// Closes what is open at core cycle `end`. Once.
  Timeline finish(std::uint64_t end);

 private:
  using Key = std::tuple<unsigned, int, std::string>;
  struct Open {
    std::uint64_t begin = 0;
    std::uint32_t name = 0, detail = 0, pc = Span::kNone, source = 0;
    bool is = false;
  };
  /// One track, and the span on it that has not ended.
  struct Lane {
    std::size_t track;
    Open open;
    std::uint64_t last = 0;   ///< Bank: end of its last row
    std::uint8_t engine = 0;  ///< Bank: who writes
  };
  struct Issued {
    std::uint64_t cycle;
    std::uint32_t pc;
  };

  /// The id that the open span will have.
  SpanId id(const Lane& lane) const {
    return {lane.track, timeline_.tracks[lane.track].spans.size()};
  }
  Lane& lane(unsigned chip, Track::Kind kind, const std::string& name);
  void begin(Lane& lane, std::uint64_t cycle, std::string_view name, std::string_view detail,
             std::uint32_t pc, std::uint32_t source = 0);
  /// Name of the line that wrote an instruction or descriptor.
  std::uint32_t source(unsigned chip, unsigned core, unsigned unit, std::uint32_t at);
  void end(Lane& lane, std::uint64_t cycle);
  void count(unsigned chip, const std::string& name, std::uint64_t cycle, double value);
  /// Doorbells of a DMA engine less descriptors done.
  void pending(unsigned chip, unsigned core, unsigned engine, std::uint64_t cycle);
  /// Bytes per cycle over time.
  void count_hbm(unsigned chip, std::uint64_t end);

  void engine_event(unsigned chip, const Event& event);
  void start_descriptor(unsigned chip, const Event& event);
  void end_descriptor(unsigned chip, const Event& event);
  void commit(unsigned chip, const CommitBuffer::Entry& entry);
  void words(const Board& board, unsigned chip);
  const defs::Instr* instruction(unsigned chip, unsigned core, unsigned engine, std::uint32_t pc);

  const defs::Sizes& sizes_;
  const cmodel::Program& program_;
  Timeline timeline_;
  Arrows arrows_;
  std::map<std::tuple<unsigned, unsigned, unsigned, std::uint32_t>, std::uint32_t> sources_;
  std::set<std::tuple<unsigned, unsigned, unsigned>> failed_;  ///< engines that an error stopped
  std::map<Key, Lane> lanes_;
  std::map<std::pair<unsigned, std::string>, std::size_t> counters_;
  std::map<std::tuple<unsigned, unsigned, unsigned>, std::vector<defs::Instr>> streams_;
  std::map<std::tuple<unsigned, unsigned, unsigned>, std::vector<defs::Descriptor>> rings_;
  std::map<std::tuple<unsigned, unsigned, unsigned>, std::deque<Issued>> in_flight_;
  /// Descriptors of a DMA engine: the doorbell of each, how many were begun and are done; the lanes
  /// of those between, oldest first, and their places in Timeline::transfers.
  struct Queue {
    std::vector<std::uint64_t> rung;
    std::size_t begun = 0, done = 0;
    std::uint64_t ended = 0;  ///< the cycle behind the last one that is done
    std::deque<std::pair<Lane*, std::size_t>> open;
  };
  std::map<std::tuple<unsigned, unsigned, unsigned>, Queue> queues_;  ///< by chip, core, engine
  std::vector<std::uint64_t> seen_;  ///< by chip: fabric cycles of its links looked at
  std::vector<std::array<std::int64_t, defs::kCores * defs::kSemaphores>> semaphores_;
};

}  // namespace tb::timeline
