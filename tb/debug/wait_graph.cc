// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/wait_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cmodel/machine/instruction.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/flow.h"
#include "cmodel/program/program_view.h"

namespace tb {
namespace {

std::string engine_node(unsigned chip, unsigned core, unsigned engine) {
  return fmt::format("chip {} core {} {}", chip, core, cmodel::engine_name(engine));
}
std::string semaphore_node(unsigned chip, unsigned sem) {
  return fmt::format("chip {} semaphore {}", chip, cmodel::semaphore_name(sem));
}
std::string buffer_node(unsigned chip, unsigned port, unsigned vc) {
  return fmt::format("chip {} buffer of port {} VN {} class {}", chip, port, vc / 2, vc % 2);
}
std::string channel_node(unsigned chip, unsigned port, unsigned vc) {
  return fmt::format("chip {} channel out of port {} VN {} class {}", chip, port, vc / 2, vc % 2);
}

}  // namespace

WaitGraph::WaitGraph(const Board& board, const cmodel::Program& program) {
  for (unsigned chip = 0; chip < board.chips(); ++chip) {
    sequencers(board, program, chip);
    channels(board, chip);
  }
}

void WaitGraph::add(const std::string& from, std::string to, std::string why) {
  auto& list = edges_[from];
  if (std::none_of(list.begin(), list.end(), [&](const Edge& e) { return e.to == to; }))
    list.push_back({std::move(to), std::move(why)});
}

void WaitGraph::sequencers(const Board& board, const cmodel::Program& program, unsigned chip) {
  const ChipState& state = board.chip(chip).state();
  for (const cmodel::InstrStream& stream : program.streams) {
    if (stream.chip != chip) continue;
    const SequencerState s = state.sequencer(stream.core, stream.engine);
    // What it has at hand, which need not be what the program has there.
    const defs::Instr& instr = s.instr;
    const unsigned value = state.semaphore(instr.wait_sem);
    if (!s.running() || !s.waits(value)) continue;
    const std::string sem = semaphore_node(chip, instr.wait_sem);
    state_[sem] = fmt::format("is {}", value);
    add(engine_node(chip, stream.core, stream.engine), sem,
        fmt::format("pc {} waits for {} {}", s.pc, cmodel::kRelations[instr.wait_op & 3],
                    instr.wait_value));
    if (!edges_.contains(sem)) producers(board, program, chip, instr.wait_sem);
  }
}

void WaitGraph::producers(const Board& board, const cmodel::Program& program, unsigned chip,
                          unsigned sem) {
  const std::string node = semaphore_node(chip, sem);
  edges_[node];
  for (const cmodel::InstrStream& stream : program.streams) {
    const SequencerState s = board.chip(stream.chip).state().sequencer(stream.core, stream.engine);
    if (!s.running()) continue;
    const auto adds = [&](const defs::Instr& i) {
      return stream.chip == chip && i.update && i.update_sem == sem && i.update_delta > 0;
    };
    const auto notifies = [&](const defs::Instr& i) {
      if (!cmodel::starts_copy(i)) return false;
      const auto start = defs::dma_start_of(i);
      return start.dst_chip == chip && start.notify && start.notify_sem == sem;
    };
    const std::uint32_t from = s.in_flight && s.pc ? s.pc - 1 : s.pc;
    const auto code = cmodel::code_of(program, stream);
    const auto to_come = cmodel::may_come(code, from);
    for (std::uint32_t n = 0; n < stream.count; ++n) {
      const std::uint32_t pc = (from + n) % stream.count;  // a loop comes back to what is before
      const defs::Instr& i = code[pc];
      if (!to_come[pc] || !(adds(i) || notifies(i))) continue;
      add(node, engine_node(stream.chip, stream.core, stream.engine),
          adds(i) ? fmt::format("pc {} adds {}", pc, i.update_delta)
                  : fmt::format("pc {} notifies", pc));
      break;
    }
  }
  for (const cmodel::DescriptorRing& ring : program.rings) {
    const std::uint32_t pc = board.chip(ring.chip).state().dma(ring.core, ring.engine).pc;
    const std::uint32_t end = pc < ring.count ? ring.count : pc + ring.count;  // it goes round
    for (std::uint32_t at = pc; at < end; ++at) {
      const defs::Descriptor d = descriptor_at(program, ring, at);
      const bool here = ring.chip == chip && d.update && d.update_sem == sem && d.update_delta > 0;
      const bool there = d.dst_chip == chip && ring.chip != chip && d.notify && d.notify_sem == sem;
      if (!here && !there) continue;
      const std::string dma = engine_node(ring.chip, ring.core,
                                          static_cast<unsigned>(defs::Engine::Dma0) + ring.engine);
      add(node, dma, fmt::format("descriptor {} {}", at, here ? "adds" : "notifies"));
      untriggered(board, program, ring.chip, ring.core, ring.engine);
      break;
    }
  }
}

/// A DMA engine without work goes on when its Sync engine gets to the next trigger.
void WaitGraph::untriggered(const Board& board, const cmodel::Program& program, unsigned chip,
                            unsigned core, unsigned engine) {
  const std::string node =
      engine_node(chip, core, static_cast<unsigned>(defs::Engine::Dma0) + engine);
  edges_[node];
  if (const DmaState dma = board.chip(chip).state().dma(core, engine); dma.work) {
    state_[node] = fmt::format("{} descriptors triggered and not done", dma.pending);
    return;
  }
  state_[node] = "not triggered";
  constexpr auto kSync = static_cast<unsigned>(defs::Engine::Sync);
  const SequencerState s = board.chip(chip).state().sequencer(core, kSync);
  for (const cmodel::InstrStream& stream : program.streams) {
    if (stream.chip != chip || stream.core != core || stream.engine != kSync || !s.running())
      continue;
    const auto code = cmodel::code_of(program, stream);
    const auto to_come = cmodel::may_come(code, s.pc);
    for (std::uint32_t n = 0; n < stream.count; ++n) {
      const std::uint32_t pc = (s.pc + n) % stream.count;
      const defs::Doorbell bell = cmodel::doorbell(code[pc]);
      if (!to_come[pc] || !bell.count || bell.engine != engine) continue;
      add(node, engine_node(chip, core, kSync), fmt::format("pc {} triggers it", pc));
      return;
    }
  }
}

void WaitGraph::channels(const Board& board, unsigned chip) {
  const ChipState& state = board.chip(chip).state();
  for (unsigned port = 0; port < defs::kLinkPorts; ++port) {
    const fabric::End end{chip, port};
    if (!board.link(end)) continue;
    const fabric::End far = board.wiring().cables.peer(end);
    for (unsigned vc = 0; vc < defs::kVirtualChannels; ++vc) {
      const unsigned vn = vc / 2;
      // The channel that leaves here.
      if (const auto left = state.credits(port, vc).value(); left != kVnDepth[vn]) {
        const std::string node = channel_node(chip, port, vc);
        state_[node] = fmt::format("{} of {} credits", left, kVnDepth[vn]);
        const unsigned flits = board.chip(far.chip).state().flits_waiting(far.port, vc);
        if (flits)
          add(node, buffer_node(far.chip, far.port, vc), fmt::format("{} flits are in it", flits));
        else
          edges_[node];
      }
      // The buffer that fills here.
      const unsigned flits = state.flits_waiting(port, vc);
      if (!flits) continue;
      const std::string node = buffer_node(chip, port, vc);
      state_[node] = fmt::format("{} of {} flits", flits, kVnDepth[vn]);
      const defs::HolFlit first = state.first_flit(port, vc);
      if (first.out < defs::kLinkPorts)
        add(node, channel_node(chip, first.out, 2 * vn + first.vc_class),
            fmt::format("its first flit goes there, {} flits", first.len));
      else
        add(node, fmt::format("chip {} receiver {}", chip, (first.out - defs::kLinkPorts) / 2),
            "its first flit goes there");
    }
  }
}

std::vector<std::string> WaitGraph::cycle() const {
  enum class Mark { New, Open, Done };
  std::map<std::string, Mark> marks;
  std::vector<std::string> path, found;
  const auto visit = [&](const auto& self, const std::string& node) -> bool {
    marks[node] = Mark::Open;
    path.push_back(node);
    if (const auto list = edges_.find(node); list != edges_.end())
      for (const Edge& edge : list->second) {
        const Mark mark = marks.contains(edge.to) ? marks[edge.to] : Mark::New;
        if (mark == Mark::Open) {
          found.assign(std::find(path.begin(), path.end(), edge.to), path.end());
          found.push_back(edge.to);
          return true;
        }
        if (mark == Mark::New && self(self, edge.to)) return true;
      }
    marks[node] = Mark::Done;
    path.pop_back();
    return false;
  };
  for (const auto& [node, list] : edges_)
    if (!marks.contains(node) && visit(visit, node)) break;
  return found;
}

std::vector<std::string> WaitGraph::dead_ends() const {
  std::set<std::string> ends;
  for (const auto& [node, list] : edges_) {
    if (list.empty()) ends.insert(node);
    for (const Edge& edge : list)
      if (!edges_.contains(edge.to)) ends.insert(edge.to);
  }
  return {ends.begin(), ends.end()};
}

std::string WaitGraph::text() const {
  if (edges_.empty()) return {};
  const auto named = [&](const std::string& node) {
    const auto state = state_.find(node);
    return state == state_.end() ? node : fmt::format("{} ({})", node, state->second);
  };
  std::string out = "who waits for whom:\n";
  for (const auto& [node, list] : edges_)
    for (const Edge& edge : list)
      out += fmt::format("  {} -> {}: {}\n", named(node), named(edge.to), edge.why);
  if (const auto nodes = cycle(); !nodes.empty()) {
    out += "cycle:\n";
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i)
      for (const Edge& edge : edges_.at(nodes[i]))
        if (edge.to == nodes[i + 1])
          out += fmt::format("  {} -> {}: {}\n", named(nodes[i]), nodes[i + 1], edge.why);
  }
  for (const std::string& node : dead_ends())
    out += fmt::format("  nothing leads on from {}\n", named(node));
  return out;
}

nlohmann::ordered_json WaitGraph::json() const {
  nlohmann::ordered_json j;
  j["edges"] = nlohmann::ordered_json::array();
  for (const auto& [node, list] : edges_)
    for (const Edge& edge : list)
      j["edges"].push_back({{"from", node}, {"to", edge.to}, {"why", edge.why}});
  j["state"] = state_;
  j["cycle"] = cycle();
  j["dead_ends"] = dead_ends();
  return j;
}

}  // namespace tb
