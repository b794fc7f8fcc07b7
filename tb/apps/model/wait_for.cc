// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/model/wait_for.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "cmodel/machine/chip.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/flow.h"

namespace tb {
namespace {

constexpr std::size_t kMaxProducers = 3;  // named per waiting sequencer

using Who = std::tuple<unsigned, unsigned, unsigned>;  // chip, core, sequencer

struct Producer {
  Who who;           ///< the sequencer that does it, or rings for it
  std::string text;  ///< where
};

std::string name(const Who& who) {
  return fmt::format("chip {} core {} {}", std::get<0>(who), std::get<1>(who),
                     cmodel::engine_name(std::get<2>(who)));
}

/// What is still to come, by {chip, semaphore}.
using Producers = std::map<std::pair<unsigned, unsigned>, std::vector<Producer>>;

/// Descriptors that a doorbell of `who` would start; `next` is the first of its ring.
void add_descriptors(const cmodel::Board& board, const cmodel::DescriptorRing& ring, const Who& who,
                     std::uint32_t pc, std::uint64_t next, unsigned count, Producers& producers) {
  for (std::uint64_t at = next; at < next + count; ++at) {
    const auto d = board.unpack_at<defs::Descriptor>(
        ring.chip, ring.base + at % ring.count * defs::kInstrBytes);
    const std::string text =
        fmt::format("descriptor {} of DMA {}, rung by {} pc {}", at, ring.engine, name(who), pc);
    if (d.update && d.update_delta > 0) producers[{ring.chip, d.update_sem}].push_back({who, text});
    if (d.notify) producers[{d.dst_chip, d.notify_sem}].push_back({who, text});
  }
}

Producers all_producers(const cmodel::Board& board, const cmodel::Program& program) {
  std::map<Who, const cmodel::DescriptorRing*> rings;
  for (const auto& ring : program.rings) rings[{ring.chip, ring.core, ring.engine}] = &ring;
  Producers producers;
  for (const auto& stream : program.streams) {
    const auto status = board.sequencer(stream.chip, stream.core, stream.engine);
    const Who who{stream.chip, stream.core, stream.engine};
    if (status.state != defs::SeqState::Running) continue;
    const auto code = cmodel::code_of(program, stream);
    const auto to_come = cmodel::may_come(code, status.pc);
    std::map<unsigned, std::uint64_t> rung;  // descriptors to come before, by DMA engine
    for (std::uint32_t pc = 0; pc < stream.count; ++pc) {
      if (!to_come[pc]) continue;
      const defs::Instr& instr = code[pc];
      if (instr.update && instr.update_delta > 0)
        producers[{stream.chip, instr.update_sem}].push_back(
            {who, fmt::format("{} pc {}", name(who), pc)});
      if (cmodel::starts_copy(instr))
        if (const auto start = defs::dma_start_of(instr); start.notify)
          producers[{start.dst_chip, start.notify_sem}].push_back(
              {who, fmt::format("the copy of {} pc {}", name(who), pc)});
      const auto [engine, count] = cmodel::doorbell(instr);
      if (!count) continue;
      const auto ring = rings.find({stream.chip, stream.core, engine});
      if (ring == rings.end() || !ring->second->count) continue;
      const auto& state = board.machine(stream.chip).core(stream.core).rings[engine];
      const std::uint64_t next = state.pc + state.pending - state.started.size() + rung[engine];
      add_descriptors(board, *ring->second, who, pc, next, count, producers);
      rung[engine] += count;
    }
  }
  return producers;
}

}  // namespace

std::string wait_for_report(const cmodel::Board& board, const cmodel::Program& program) {
  Producers producers = all_producers(board, program);
  std::map<Who, Who> waits;  // for its first producer that waits itself
  std::string text, line;
  const std::string blocked = board.blocked();
  std::size_t at = 0;
  for (const auto& stream : program.streams) {
    const Who who{stream.chip, stream.core, stream.engine};
    const auto status = board.sequencer(stream.chip, stream.core, stream.engine);
    if (status.state != defs::SeqState::Running) continue;
    const std::size_t end = blocked.find('\n', at);  // one line each, in the program's order
    text += blocked.substr(at, end - at) + "\n";
    at = end + 1;
    const auto instr = board.unpack_at<defs::Instr>(
        stream.chip, stream.base + std::uint64_t{status.pc} * defs::kInstrBytes);
    const auto found = producers.find({stream.chip, instr.wait_sem});
    if (found == producers.end()) {
      text += "  nobody is left to give it\n";
      continue;
    }
    const auto& list = found->second;
    for (std::size_t i = 0; i < std::min(list.size(), kMaxProducers); ++i)
      text += fmt::format("  could come from {}\n", list[i].text);
    if (list.size() > kMaxProducers)
      text += fmt::format("  and {} more\n", list.size() - kMaxProducers);
    waits[who] = list.front().who;
  }
  // Each waits for one: following them ends outside, or in a cycle.
  for (const auto& [start, producer] : waits) {
    std::vector<Who> path{start};
    for (auto next = waits.find(start); next != waits.end(); next = waits.find(path.back())) {
      const auto seen = std::find(path.begin(), path.end(), next->second);
      const bool closed = seen != path.end();
      const auto first = seen - path.begin();
      path.push_back(next->second);
      if (!closed) continue;
      text += "cycle: ";
      for (auto p = path.begin() + first; p != path.end(); ++p)
        text += (p == path.begin() + first ? "" : " -> ") + name(*p);
      return text + "\n";
    }
  }
  return text;
}

}  // namespace tb
