// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/wait_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "cmodel/program/disassemble.h"
#include "cmodel/program/program_view.h"

namespace tb {
namespace {

constexpr unsigned kRunning = 1;  // sequencer.sv: state_e
constexpr unsigned kVnDepth[] = {defs::kVnDepth0, defs::kVnDepth1, defs::kVnDepth2,
                                 defs::kVnDepth3};

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

struct SequencerState {
  bool running = false, has_instr = false, in_flight = false;
  std::uint32_t pc = 0;
};

SequencerState sequencer(const Chip& chip, unsigned core, unsigned index) {
  const auto reg = [&](std::string_view name) {
    return chip.probe().at(fmt::format("u_core{}.gen_seq[{}].u_sequencer.{}", core, index, name));
  };
  SequencerState s;
  s.running = reg("state_q").value() == kRunning;
  s.pc = static_cast<std::uint32_t>(reg("pc_q").value());
  s.has_instr = reg("u_fetch.instr_valid_q").value();
  s.in_flight = reg("head_valid").value();
  return s;
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
  const Probe& probe = board.chip(chip).probe();
  for (const cmodel::InstrStream& stream : program.streams) {
    if (stream.chip != chip) continue;
    const SequencerState s = sequencer(board.chip(chip), stream.core, stream.engine);
    if (!s.running || !s.has_instr || s.in_flight) continue;
    // What it has at hand, which need not be what the program has there.
    defs::Instr::Words words;
    const Register reg = probe.at(fmt::format("u_core{}.gen_seq[{}].u_sequencer.u_fetch.instr_q",
                                              stream.core, stream.engine));
    for (unsigned i = 0; i < words.size(); ++i)
      words[i] = static_cast<std::uint32_t>(reg.get(0, 32 * i, 32));
    const auto instr = defs::Instr::from(words);
    if (!instr.wait_op) continue;
    const auto value =
        static_cast<unsigned>(probe.at("u_semaphores.value_q").get(instr.wait_sem, 0, 16));
    const bool ge = instr.wait_op == static_cast<std::uint8_t>(defs::WaitOp::Ge);
    if (ge ? value >= instr.wait_value : value == instr.wait_value) continue;
    const std::string sem = semaphore_node(chip, instr.wait_sem);
    state_[sem] = fmt::format("is {}", value);
    add(engine_node(chip, stream.core, stream.engine), sem,
        fmt::format("pc {} waits for {} {}", s.pc, ge ? ">=" : "==", instr.wait_value));
    if (!edges_.contains(sem)) givers(board, program, chip, instr.wait_sem);
  }
}

void WaitGraph::givers(const Board& board, const cmodel::Program& program, unsigned chip,
                       unsigned sem) {
  const std::string node = semaphore_node(chip, sem);
  edges_[node];
  for (const cmodel::InstrStream& stream : program.streams) {
    if (stream.chip != chip) continue;
    const SequencerState s = sequencer(board.chip(chip), stream.core, stream.engine);
    if (!s.running) continue;
    const std::uint32_t from = s.in_flight && s.pc ? s.pc - 1 : s.pc;
    for (std::uint32_t pc = from; pc < stream.count; ++pc) {
      const defs::Instr i = instr_at(program, stream, pc);
      if (!i.update || i.update_sem != sem || i.update_delta <= 0) continue;
      add(node, engine_node(chip, stream.core, stream.engine),
          fmt::format("pc {} adds {}", pc, i.update_delta));
      break;
    }
  }
  for (const cmodel::DescriptorRing& ring : program.rings) {
    const auto& engines = board.chip(ring.chip).probe();
    const auto pc = static_cast<std::uint32_t>(
        engines.at(fmt::format("u_core{}.u_dma.u_engines.pc_q", ring.core))
            .get(ring.engine, 0, 32));
    for (std::uint32_t at = pc; at < ring.count; ++at) {
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
  const auto reg = [&](std::string_view name) {
    return board.chip(chip).probe().at(fmt::format("u_core{}.u_dma.u_engines.{}", core, name));
  };
  const std::string node =
      engine_node(chip, core, static_cast<unsigned>(defs::Engine::Dma0) + engine);
  edges_[node];
  if (reg("work_q").bit(0, engine)) {
    state_[node] =
        fmt::format("{} descriptors triggered and not done", reg("pending_q").get(engine, 0, 16));
    return;
  }
  state_[node] = "not triggered";
  constexpr auto kSync = static_cast<unsigned>(defs::Engine::Sync);
  const SequencerState s = sequencer(board.chip(chip), core, kSync);
  for (const cmodel::InstrStream& stream : program.streams) {
    if (stream.chip != chip || stream.core != core || stream.engine != kSync || !s.running)
      continue;
    for (std::uint32_t pc = s.pc; pc < stream.count; ++pc) {
      const defs::Instr i = instr_at(program, stream, pc);
      if (i.opcode != static_cast<std::uint8_t>(defs::Opcode::DmaTrigger) || i.imm >> 16 != engine)
        continue;
      add(node, engine_node(chip, core, kSync), fmt::format("pc {} triggers it", pc));
      return;
    }
  }
}

void WaitGraph::channels(const Board& board, unsigned chip) {
  const auto credits = [&](fabric::End end, unsigned vc) {
    return board.chip(end.chip)
        .probe()
        .at(fmt::format("u_fabric.u_router.gen_out[{}].gen_vc[{}].u_credit.available_o", end.port,
                        vc))
        .value();
  };
  const auto input = [&](fabric::End end, unsigned vc, std::string_view name) {
    return board.chip(end.chip).probe().at(fmt::format(
        "u_fabric.u_router.gen_port[{}].gen_class[{}].u_input.{}", end.port, vc % 2, name));
  };
  for (unsigned port = 0; port < defs::kLinkPorts; ++port) {
    const fabric::End end{chip, port};
    if (!board.link(end)) continue;
    const fabric::End far = board.wiring().cables.peer(end);
    for (unsigned vc = 0; vc < defs::kVirtualChannels; ++vc) {
      const unsigned vn = vc / 2;
      // The channel that leaves here.
      if (const auto left = credits(end, vc); left != kVnDepth[vn]) {
        const std::string node = channel_node(chip, port, vc);
        state_[node] = fmt::format("{} of {} credits", left, kVnDepth[vn]);
        const auto flits = input(far, vc, "count_q").get(0, 7 * vn, 7);
        if (flits)
          add(node, buffer_node(far.chip, far.port, vc), fmt::format("{} flits are in it", flits));
        else
          edges_[node];
      }
      // The buffer that fills here.
      const auto flits = input(end, vc, "count_q").get(0, 7 * vn, 7);
      if (!flits) continue;
      const std::string node = buffer_node(chip, port, vc);
      state_[node] = fmt::format("{} of {} flits", flits, kVnDepth[vn]);
      const auto bits = static_cast<std::uint32_t>(
          input(end, vc, "hol_q").get(0, defs::HolFlit::kBits * vn, defs::HolFlit::kBits));
      const defs::HolFlit flit = defs::HolFlit::unpack(&bits);
      if (flit.out < defs::kLinkPorts)
        add(node, channel_node(chip, flit.out, 2 * vn + flit.vc_class),
            fmt::format("its first flit goes there, {} flits", flit.len));
      else
        add(node, fmt::format("chip {} receiver {}", chip, (flit.out - defs::kLinkPorts) / 2),
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
