// SPDX-License-Identifier: Apache-2.0
// Instructions that a sequencer let go, against the program: evidence, not a check.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "cmodel/program.h"
#include "rtl/defs/gen/defs.h"
#include "tb/trace/commit_dpi.h"

namespace tb {

/// A sequencer of one chip let go something else than the program has there.
struct WrongIssue {
  std::uint64_t cycle = 0;
  unsigned core = 0, sequencer = 0;
  std::uint32_t pc = 0;
  defs::Instr expected, actual;
};

/// Compares 64 bytes per instruction, as it issues. A wrong one may still mean the same, so the run
/// is not failed by it; but if it fails, this is where to look first. A program that writes its own
/// instructions is beyond it.
class IssueCheck : public IssueSink {
 public:
  void load(const cmodel::Program& program, unsigned chip) {
    for (const cmodel::InstrStream& stream : program.streams) {
      if (stream.chip != chip) continue;
      for (const cmodel::Segment& segment : program.segments)
        if (segment.chip == chip && stream.base >= segment.addr &&
            stream.base - segment.addr < segment.bytes.size())
          streams_[stream.core][stream.engine] = {
              segment.bytes.data() + (stream.base - segment.addr), stream.count};
    }
  }
  void set_cycle(std::uint64_t cycle) { cycle_ = cycle; }

  void issue(unsigned core, unsigned sequencer, std::uint32_t pc,
             const std::uint8_t* instr) override {
    const Place& place = streams_[core][sequencer];
    if (pc >= place.count) return;
    const std::uint8_t* expected = place.bytes + std::size_t{pc} * defs::kInstrBytes;
    if (std::memcmp(expected, instr, defs::kInstrBytes) == 0 || wrong_.size() == kMost) return;
    wrong_.push_back({cycle_, core, sequencer, pc, decode(expected), decode(instr)});
  }

  const std::vector<WrongIssue>& wrong() const { return wrong_; }

 private:
  static constexpr std::size_t kMost = 16;
  struct Place {
    const std::uint8_t* bytes = nullptr;
    std::uint32_t count = 0;
  };
  static defs::Instr decode(const std::uint8_t* bytes) {
    defs::Instr::Words words;
    std::memcpy(words.data(), bytes, defs::kInstrBytes);
    return defs::Instr::from(words);
  }

  std::array<std::array<Place, defs::kSequencers>, defs::kCores> streams_{};
  std::uint64_t cycle_ = 0;
  std::vector<WrongIssue> wrong_;
};

}  // namespace tb
