// SPDX-License-Identifier: Apache-2.0
// Which span let which go: from the instruction or descriptor that updated a semaphore, over the
// packets that carried the update, to the wait that it ended and the instruction behind.
#pragma once
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "cmodel/machine/commit.h"
#include "rtl/defs/gen/defs.h"
#include "tb/observe/timeline/timeline.h"

namespace tb::timeline {

class Arrows {
 public:
  struct Engine {
    unsigned chip, core, engine;
    auto operator<=>(const Engine&) const = default;
  };

  /// An instruction or descriptor has a span.
  void work(const Engine& engine, std::uint32_t pc, const SpanId& span);
  /// The instruction waits for a semaphore of its chip.
  void wait(const Engine& engine, std::uint32_t pc, unsigned semaphore, const SpanId& span);
  /// Descriptor `span` of a flow of messages (DMA engine `from`, VN, chip `dst`) ends with a
  /// notify.
  void notifies(const Engine& from, unsigned vn, unsigned dst, const SpanId& span);
  /// The head of a packet leaves `chip` by a link.
  void packet(unsigned chip, const defs::HeadPayload& head, const SpanId& span);
  /// A Semaphore commit of `chip`.
  void update(unsigned chip, std::uint64_t cycle, const cmodel::Commit& commit);

  /// Arrows whose spans are all there.
  std::vector<Arrow> finish(const Timeline& timeline) const;

 private:
  using Flow = std::tuple<unsigned, unsigned, unsigned>;  ///< source, destination, lane
  struct Notifies {
    std::vector<SpanId> descriptors;          ///< in order, as the packets that end them
    std::vector<Arrow> packets;               ///< on every link of the route
    std::map<std::uint16_t, std::size_t> at;  ///< in packets, by number in the flow
    std::size_t arrived = 0;
  };
  struct Update {
    std::uint64_t cycle;
    Engine by;
    std::uint32_t pc;
    const Notifies* flow;  ///< nullptr: made on the chip
    std::size_t number;    ///< of the flow's notifies
  };
  struct Wait {
    Engine engine;
    std::uint32_t pc;
    unsigned semaphore;
    SpanId span;
  };

  std::map<std::pair<Engine, std::uint32_t>, std::vector<SpanId>> work_;
  std::map<std::pair<unsigned, unsigned>, std::vector<Update>> updates_;  ///< by chip, semaphore
  std::map<Flow, Notifies> flows_;
  std::vector<Wait> waits_;
};

}  // namespace tb::timeline
