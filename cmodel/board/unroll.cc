// SPDX-License-Identifier: Apache-2.0
#include "cmodel/board/unroll.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <vector>

#include "cmodel/analysis/trace.h"
#include "cmodel/board/board.h"
#include "cmodel/machine/chip.h"
#include "cmodel/machine/instruction.h"

namespace cmodel {
namespace {

struct Nobody final : CommitSink {
  void commit(const Commit&, std::span<const std::uint8_t>) override {}
};

/// A sequencer's straight line.
struct Line {
  std::vector<defs::Instr> code;
  std::vector<std::uint32_t> pcs;  ///< in the program, of each
  void add(const defs::Instr& instr, std::uint32_t pc) {
    code.push_back(instr);
    pcs.push_back(pc);
  }
};

bool of_the_sequencer(const defs::Instr& instr) {
  return Sequencer::executes(instr) && overlay_of(instr) != defs::Overlay::None;
}

/// What is left of an instruction that was executed, if anything is.
std::optional<defs::Instr> executed(const defs::Instr& instr) {
  if (!of_the_sequencer(instr)) return instr;
  const defs::Instr bare = wait_and_update(instr);
  if (!bare.wait_op && !bare.update) return {};
  return bare;
}

/// One that was rejected is again: a target stays behind the end.
defs::Instr rejected(const defs::Instr& instr) {
  if (overlay_of(instr) != defs::Overlay::Branch) return instr;
  auto branch = defs::branch_of(instr);
  const auto before = branch;
  branch.target = 0xff'ffff;
  return with_overlay(instr, before, branch);
}

/// None: it was rejected when it was started or executed nothing but what engines do, and stays as
/// it was.
std::optional<Line> line_of(const Board& board, const InstrStream& stream) {
  const auto& sequencer = board.machine(stream.chip).core(stream.core).sequencers[stream.engine];
  const auto& trace = board.trace().of({static_cast<std::uint8_t>(stream.chip),
                                        static_cast<std::uint8_t>(stream.core),
                                        static_cast<std::uint8_t>(stream.engine), 0, 0});
  // A rejected update is no rejected instruction.
  const bool refused = sequencer.status().state == defs::SeqState::Error &&
                       sequencer.status().cause != defs::ErrorCause::SemaphoreOverflow &&
                       !sequencer.exhausted();
  if (std::ranges::none_of(trace, of_the_sequencer, &Trace::Entry::instr)) return {};
  Line line;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto& [operation, instr] = trace[i];
    if (refused && i + 1 == trace.size())
      line.add(rejected(instr), operation.pc);
    else if (const auto left = executed(instr))
      line.add(*left, operation.pc);
  }
  // One that waits for ever does so again.
  if (sequencer.running())
    line.add(resolve(sequencer.peek(board.machine(stream.chip).hbm(), sequencer.pc()),
                     sequencer.registers()),
             sequencer.pc());
  if (line.code.empty()) line.add({}, 0);
  return line;
}

/// Room at the end of each stack, from above.
class Room {
 public:
  explicit Room(const Program& program) : segments_(program.segments) {
    for (auto& chip : ends_)
      chip = {defs::kAddrHbm0Base + defs::kAddrHbm0Size, defs::kAddrHbm1Base + defs::kAddrHbm1Size};
  }
  std::uint64_t take(unsigned chip, std::uint64_t near, std::uint64_t bytes) {
    std::uint64_t& end = ends_[chip][near >= defs::kAddrHbm1Base];
    constexpr std::uint64_t kAlign = 256;  // the longest line
    const std::uint64_t base = (end - bytes) / kAlign * kAlign;
    for (const Segment& s : segments_)
      if (s.chip == chip && s.addr < end && base < s.addr + s.bytes.size())
        throw std::runtime_error(
            fmt::format("chip {}: no room for {} bytes of code below {:#x}, segment at {:#x}", chip,
                        bytes, end, s.addr));
    return end = base;
  }

 private:
  const std::vector<Segment>& segments_;
  std::array<std::array<std::uint64_t, defs::kHbmPorts>, defs::kBoardChips> ends_;
};

}  // namespace

Program unroll(const defs::Sizes& sizes, const Program& program, std::uint64_t most) {
  if (!program.requests.empty())
    throw std::runtime_error("requests start streams again; allowed programs without requests");
  Nobody nobody;
  Board board(sizes, program, nobody, {.keep_trace = true});
  board.load();
  const bool finished = board.run(most);
  if (!finished && board.step())
    throw std::runtime_error(fmt::format("no end within {} operations: {}", most, board.busiest()));
  Program out = program;
  Room room(program);
  for (InstrStream& stream : out.streams) {
    const auto straight = line_of(board, stream);
    if (!straight) continue;
    const Line& line = *straight;
    if (line.code.size() > 1u << 24)
      throw std::runtime_error(
          fmt::format("chip {} core {} engine {}: {} instructions executed; allowed {}",
                      stream.chip, stream.core, stream.engine, line.code.size(), 1u << 24));
    std::vector<std::uint8_t> bytes;
    for (const defs::Instr& instr : line.code) {
      const auto words = instr.words();
      const auto* first = reinterpret_cast<const std::uint8_t*>(words.data());
      bytes.insert(bytes.end(), first, first + sizeof words);
    }
    stream.base = room.take(stream.chip, stream.base, bytes.size());
    stream.count = static_cast<std::uint32_t>(line.code.size());
    out.segments.push_back({stream.chip, stream.base, std::move(bytes)});
    for (SourceNotes& note : out.notes) {
      if (note.chip != stream.chip || note.core != stream.core || note.engine != stream.engine)
        continue;
      const auto lines = std::exchange(note.lines, {});
      for (const std::uint32_t pc : line.pcs)
        if (pc < lines.size()) note.lines.push_back(lines[pc]);
    }
  }
  return out;
}

}  // namespace cmodel
