// SPDX-License-Identifier: Apache-2.0
// What happened on the board over time: tracks of spans, and counters. Times are core cycles.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tb::timeline {

/// Strings that many spans share.
class Names {
 public:
  std::uint32_t id(std::string_view text) {
    const auto [at, fresh] = ids_.try_emplace(std::string(text), texts_.size());
    if (fresh) texts_.push_back(at->first);
    return at->second;
  }
  const std::string& text(std::uint32_t id) const { return texts_[id]; }

 private:
  std::map<std::string, std::uint32_t, std::less<>> ids_;
  std::vector<std::string> texts_;
};

/// Cycles begin .. end - 1. `pc` is kNone where it makes no sense; `source`: the line of the
/// program.
struct Span {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint64_t begin, end;
  std::uint32_t name, detail, pc, source;
};

/// Spans of one track do not overlap and are in order of time.
struct Track {
  enum class Kind : std::uint8_t {
    Work,       ///< an engine works
    Wait,       ///< a sequencer issues nothing, and why
    Queue,      ///< descriptors of a DMA engine, on so many tracks as overlap
    Link,       ///< packets of one virtual channel; or the state of the link
    Bank,       ///< instructions that write a PSUM bank
    Semaphore,  ///< from an update to the next one
  };
  unsigned chip;
  Kind kind;
  std::string name;
  std::vector<Span> spans;
};

/// `values` from the cycle named on.
struct Counter {
  unsigned chip;
  std::string name;
  std::vector<std::pair<std::uint64_t, double>> values;
};

/// What moved on one chip, in bytes.
struct Traffic {
  std::uint64_t instructions = 0;  ///< issued, by all sequencers
  std::uint64_t sbuf_written = 0, psum_written = 0;
  std::uint64_t macs = 0;                    ///< of the rows that the tensor engines have written
  std::uint64_t messages = 0, received = 0;  ///< by the fabric: number, payload bytes
};

/// Bytes that one request of a chip's HBM port asked for.
struct HbmAccess {
  std::uint64_t cycle;
  std::uint32_t bytes;
  bool write;
};

using SpanId = std::pair<std::size_t, std::size_t>;  ///< track, index

/// A descriptor of chip, core, engine: the cycle of its doorbell, had an older one of its engine
/// not ended then, from when on it was the oldest; and its span, from when it is worked on.
struct Transfer {
  unsigned chip, core, engine;
  std::uint64_t rung;
  bool behind;
  std::uint64_t oldest;
  SpanId span;
  std::uint32_t rows, row_bytes;
};

/// What updated a semaphore, the packets that carried the update, the wait it ended, the
/// instruction.
using Arrow = std::vector<SpanId>;

struct Timeline {
  Names names;
  std::vector<Track> tracks;
  std::vector<Counter> counters;
  std::vector<Traffic> traffic;             ///< by chip
  std::vector<std::vector<HbmAccess>> hbm;  ///< by chip, in order of time
  std::vector<Arrow> arrows;
  std::vector<Transfer> transfers;
};

}  // namespace tb::timeline
