// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "cmodel/disassemble.h"
#include "tb/debug/packet_trace.h"

namespace tb {
namespace {

using cmodel::CommitKind;
constexpr auto kTensor = static_cast<std::uint8_t>(defs::Engine::Tensor);
constexpr auto kVector = static_cast<std::uint8_t>(defs::Engine::Vector);
constexpr auto kAct = static_cast<std::uint8_t>(defs::Engine::Act);
constexpr auto kDma0 = static_cast<std::uint8_t>(defs::Engine::Dma0);
constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);
constexpr unsigned kElements = 4;  // wrong elements of a commit whose producers are looked at
constexpr unsigned kVnDepth[] = {defs::kVnDepth0, defs::kVnDepth1, defs::kVnDepth2,
                                 defs::kVnDepth3};

std::string block_of_engine(const cmodel::StreamId& id) {
  if (id.engine == kTensor) return "tensor_array";
  if (id.engine == kVector) return "vector_engine";
  if (id.engine == kAct) return "act_engine";
  if (id.engine >= kDma0 && id.engine < kRx) return "dma";
  if (id.engine == kRx) return "fabric";
  return id.engine < defs::kSequencers ? "sequencer" : "host_if";
}

std::string block_of_memory(const cmodel::Cell& cell) {
  return cell.memory == cmodel::Cell::Memory::Psum   ? "psum"
         : cell.memory == cmodel::Cell::Memory::Sbuf ? "sbuf"
                                                     : "hbm";
}

class Search {
 public:
  Search(const Board& board, const cmodel::Program& program, const WatchAgain& watch)
      : board_(board), program_(program), watch_(watch) {}

  Diagnosis run() {
    found_.mismatches = board_.scoreboard().mismatches();
    std::sort(found_.mismatches.begin(), found_.mismatches.end(),
              [](const Mismatch& a, const Mismatch& b) {
                return std::tuple{a.cycle, a.actual.stream, a.ordinal} <
                       std::tuple{b.cycle, b.actual.stream, b.ordinal};
              });
    if (found_.mismatches.empty()) {
      if (!wrong_issue()) nothing_wrong();
      return std::move(found_);
    }
    const Mismatch& first = found_.mismatches.front();
    if (wrong_issue()) {
      seen(first, Step::State::Wrong);
      std::rotate(found_.path.begin(), found_.path.end() - 1, found_.path.end());
    } else {
      provenance_.emplace(built_sizes(), program_);
      back_from(first);
    }
    return std::move(found_);
  }

 private:
  void blame(unsigned chip, std::optional<unsigned> core, std::string block, std::string why) {
    found_.cause = Cause{chip, core, std::move(block), {}, {}, {}, std::move(why)};
  }
  void blame_engine(const cmodel::StreamId& id, std::uint32_t pc, std::uint64_t cycle,
                    std::string why) {
    blame(id.chip, id.core, block_of_engine(id), std::move(why));
    if (id.engine == kRx) found_.cause->core.reset();
    found_.cause->engine = cmodel::engine_name(id.engine);
    found_.cause->pc = pc;
    found_.cause->cycle = cycle;
  }
  void seen(const Mismatch& m, Step::State state) {
    found_.path.push_back({state, m.actual.stream, m.actual.pc, m.cycle, describe(m.actual)});
  }

  // ---------------------------------------------------------------- instructions
  bool wrong_issue() {
    const WrongIssue* first = nullptr;
    unsigned chip = 0;
    for (unsigned c = 0; c < board_.chips(); ++c)
      for (const WrongIssue& wrong : board_.chip(c).issues().wrong())
        if (!first || wrong.cycle < first->cycle) first = &wrong, chip = c;
    WrongIssue waiting;
    if (!first)
      for (unsigned c = 0; c < board_.chips() && !first; ++c)
        if (at_hand(c, waiting)) first = &waiting, chip = c;
    if (!first) return false;
    blame(chip, first->core, "sequencer",
          fmt::format("the program has \"{}\", the sequencer had \"{}\"",
                      cmodel::disassemble(first->expected), cmodel::disassemble(first->actual)));
    found_.cause->engine = cmodel::engine_name(first->sequencer);
    found_.cause->pc = first->pc;
    found_.cause->cycle = first->cycle;
    const cmodel::StreamId id{static_cast<std::uint8_t>(chip),
                              static_cast<std::uint8_t>(first->core),
                              static_cast<std::uint8_t>(first->sequencer), 0, 0};
    found_.path.push_back({Step::State::Wrong, id, first->pc, first->cycle, "instruction"});
    return true;
  }

  /// An instruction that waits and is not what the program has there.
  bool at_hand(unsigned chip, WrongIssue& wrong) const {
    const Probe& probe = board_.chip(chip).probe();
    for (const cmodel::InstrStream& stream : program_.streams) {
      if (stream.chip != chip) continue;
      const auto reg = [&](std::string_view name) {
        return probe.at(
            fmt::format("u_core{}.gen_seq[{}].u_sequencer.{}", stream.core, stream.engine, name));
      };
      if (!reg("u_fetch.instr_valid_q").value() || !reg("issuing_q").value()) continue;
      const auto pc = static_cast<std::uint32_t>(reg("pc_q").value());
      if (pc >= stream.count) continue;
      defs::Instr::Words words, expected;
      const Register instr = reg("u_fetch.instr_q");
      for (unsigned i = 0; i < words.size(); ++i)
        words[i] = static_cast<std::uint32_t>(instr.get(0, 32 * i, 32));
      board_.scoreboard().model().read(
          chip, stream.base + std::uint64_t{pc} * defs::kInstrBytes,
          {reinterpret_cast<std::uint8_t*>(expected.data()), defs::kInstrBytes});
      if (words == expected) continue;
      wrong = {
          2 * board_.outcome().cycles, stream.core, stream.engine, pc, defs::Instr::from(expected),
          defs::Instr::from(words)};
      return true;
    }
    return false;
  }

  // ---------------------------------------------------------------- wrong commits
  void back_from(const Mismatch& m) {
    const cmodel::StreamId& id = m.actual.stream;
    seen(m, Step::State::Wrong);
    const bool semaphore = m.actual.kind == CommitKind::Semaphore;
    if (semaphore) {
      if (m.expected && m.expected->pc == m.actual.pc && m.expected->addr == m.actual.addr &&
          id.engine != kRx)
        return blame_engine(id, m.actual.pc, m.cycle, "it posted another update");
      return lost_update(m.expected ? *m.expected : m.actual, m.cycle);
    }
    if (id.engine == kRx) return back_from_packet(m);
    if (!m.only_data())
      return blame_engine(
          id, m.actual.pc, m.cycle,
          m.actual.kind == CommitKind::Error
              ? fmt::format("it stopped: {}",
                            to_string(static_cast<defs::ErrorCause>(m.actual.delta)))
              : "it wrote something else than it was told");
    const auto unit = provenance_->unit_of(id, m.ordinal);
    if (!unit) return blame_engine(id, m.actual.pc, m.cycle, "no unit of the model does this");
    back_from_bytes(m, *unit, *unit);
  }

  /// Bytes of `m` are wrong. `reader` read their sources: the unit, or the descriptor of a packet.
  void back_from_bytes(const Mismatch& m, const cmodel::UnitRef& unit,
                       const cmodel::UnitRef& reader) {
    std::vector<cmodel::Cell> cells;
    unsigned elements = 0;
    const std::size_t step = std::max<std::size_t>(m.actual.element_bytes, 4);
    const std::size_t width = m.actual.element_bytes ? m.actual.element_bytes : step;
    for (std::size_t at = 0; at < m.data.size() && elements < kElements; at += width) {
      const std::size_t bytes = std::min(width, m.data.size() - at);
      if (std::equal(&m.data[at], &m.data[at] + bytes, &m.expected_data[at])) continue;
      ++elements;
      const auto more = provenance_->sources(unit, m.actual, m.ordinal, at);
      cells.insert(cells.end(), more.begin(), more.end());
    }
    std::set<std::pair<cmodel::StreamId, std::uint64_t>> right;
    for (const cmodel::Cell& cell : cells) {
      const auto writer = provenance_->writer(cell, reader);
      if (!writer) continue;
      for (const Mismatch& earlier : found_.mismatches)
        if (earlier.cycle < m.cycle && earlier.actual.stream == writer->stream &&
            earlier.ordinal >= writer->begin && earlier.ordinal < writer->end &&
            cmodel::place_in(earlier.actual, cell))
          return back_from(earlier);
      if (!right.insert({writer->stream, writer->begin}).second || right.size() > kElements)
        continue;
      found_.path.push_back({Step::State::Right,
                             writer->stream,
                             writer->pc,
                             {},
                             cmodel::to_string(built_sizes(), cell)});
    }
    if (!cells.empty() && watch_) {
      if (const auto finding = watch_(cells.front().chip, cells, m.cycle)) return memory(*finding);
    }
    const cmodel::StreamId& id = reader.stream;
    blame_engine(id, reader.pc, m.cycle,
                 "all that it read was right and still in its place, what it made of it is wrong");
  }

  void memory(const WatchFinding& f) {
    const bool shared = f.cell.memory == cmodel::Cell::Memory::Hbm;
    blame(f.cell.chip, shared ? std::optional<unsigned>() : f.cell.core, block_of_memory(f.cell),
          fmt::format("{} {}: {:#04x} expected, {:#04x} there",
                      cmodel::to_string(built_sizes(), f.cell),
                      f.kind == WatchFinding::Kind::Upset ? "changed and nobody wrote it"
                                                          : "was written and did not change",
                      f.expected, f.actual));
    found_.cause->cycle = f.cycle;
  }

  // ---------------------------------------------------------------- packets
  void back_from_packet(const Mismatch& m) {
    const cmodel::StreamId& id = m.actual.stream;
    if (m.actual.kind != CommitKind::Message) {
      return blame_engine(id, m.actual.pc, m.cycle, "the message was right, its write is not");
    }
    if (broken_on_a_link()) return;
    const cmodel::StreamId dma{id.src, static_cast<std::uint8_t>(id.lane >> 4 & 1),
                               static_cast<std::uint8_t>(kDma0 + (id.lane & 15)), 0, 0};
    const auto packet = provenance_->unit_of(id, m.ordinal);
    const auto sender = packet ? provenance_->sender(*packet) : std::nullopt;
    const std::uint32_t pc = sender ? sender->pc : 0;
    found_.path.push_back({Step::State::Unseen, dma, pc, {}, "sent it"});
    const bool header = !m.expected || m.data.size() != m.expected_data.size() ||
                        !std::equal(m.data.begin(), m.data.begin() + 16, m.expected_data.begin());
    if (header || !sender)
      return blame_engine(dma, pc, m.cycle, "the packet has another header from its first link on");
    // Its payload as a burst at its destination.
    Mismatch payload = m;
    payload.actual.kind = CommitKind::MemBurst;
    defs::Header::Words words;
    std::copy_n(m.expected_data.begin(), 16, reinterpret_cast<std::uint8_t*>(words.data()));
    payload.actual.addr = defs::Header::from(words).addr;
    payload.data.erase(payload.data.begin(), payload.data.begin() + 16);
    payload.expected_data.erase(payload.expected_data.begin(), payload.expected_data.begin() + 16);
    back_from_bytes(payload, *packet, *sender);
  }

  std::vector<PacketSeen> sightings() const {
    std::vector<PacketSeen> all;
    for (unsigned chip = 0; chip < board_.chips(); ++chip)
      for (unsigned port = 0; port < defs::kLinkPorts; ++port)
        if (const Link* link = board_.link({chip, port})) {
          const auto more = packets_on(*link, {chip, port});
          all.insert(all.end(), more.begin(), more.end());
        }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::pair{a.cycle, a.from} < std::pair{b.cycle, b.from};
    });
    return all;
  }

  /// The first link on which some packet is broken: its sender broke it.
  bool broken_on_a_link() {
    for (const PacketSeen& seen : sightings()) {
      if (!seen.whole || seen.intact) continue;
      blame(
          seen.from.chip, {}, "fabric",
          fmt::format("packet {} of chip {} to chip {} (VN {}) leaves by port {} broken, and came "
                      "whole",
                      seen.head.seq, seen.head.header.src, seen.head.header.dst,
                      seen.head.header.vn, seen.from.port));
      found_.cause->cycle = defs::kFabricDivide * seen.end;
      return true;
    }
    return false;
  }

  // ---------------------------------------------------------------- nothing wrong
  void nothing_wrong() {
    if (board_.outcome().faulty_chip)
      return blame(*board_.outcome().faulty_chip, {}, "assertion", "its RTL says so itself");
    const auto missing = board_.scoreboard().missing();
    if (!missing.empty()) {
      provenance_.emplace(built_sizes(), program_);
      if (first_missing(missing)) return;
    }
    if (leaked_credit()) return;
    if (const auto& counter = board_.outcome().wrong_counter)
      return blame(counter->first, counter->second, "tensor_counters",
                   "every commit is right, the counter is not");
  }

  bool first_missing(const std::vector<Missing>& missing) {
    const Missing* first = nullptr;
    std::optional<cmodel::UnitRef> unit;
    for (const Missing& m : missing) {
      const bool semaphore = m.expected.kind == CommitKind::Semaphore;
      if (semaphore && m.expected.stream.engine == kRx) continue;  // its message is missing too
      const auto of = semaphore ? provenance_->unit_at(m.expected.stream, m.expected.pc)
                                : provenance_->unit_of(m.expected.stream, m.ordinal);
      if (!of) continue;
      // Of one unit, what it writes comes before its update.
      const auto order = [](const cmodel::UnitRef& u, const Missing& x) {
        return std::pair{u.first, x.expected.kind == CommitKind::Semaphore};
      };
      if (!unit || order(*of, m) < order(*unit, *first)) first = &m, unit = of;
    }
    if (!first) {
      for (const Missing& m : missing)
        if (m.expected.kind == CommitKind::Semaphore) {
          lost_update(m.expected, {});
          return true;
        }
      return false;
    }
    const cmodel::StreamId& id = first->expected.stream;
    found_.path.push_back(
        {Step::State::Missing, id, first->expected.pc, {}, describe(first->expected)});
    if (first->expected.kind == CommitKind::Semaphore) {
      lost_update(first->expected, {});
      return true;
    }
    if (id.engine == kRx) return missing_packet(*unit);
    if (leaked_credit()) return true;
    blame_engine(id, first->expected.pc, defs::kFabricDivide * board_.outcome().cycles,
                 "all that it waits for has come, it has not gone on");
    found_.cause->cycle.reset();
    return true;
  }

  void lost_update(const cmodel::Commit& update, std::optional<std::uint64_t> cycle) {
    const auto& id = update.stream;
    blame(id.chip, id.engine == kRx ? std::optional<unsigned>() : id.core, "semaphores",
          fmt::format("{} pc {} has done its work, its update of semaphore {} by {:+} was never "
                      "applied",
                      cmodel::engine_name(id.engine), update.pc,
                      cmodel::semaphore_name(static_cast<unsigned>(update.addr)), update.delta));
    found_.cause->engine = cmodel::engine_name(id.engine);
    found_.cause->pc = update.pc;
    found_.cause->cycle = cycle;
  }

  bool missing_packet(const cmodel::UnitRef& packet) {
    const auto sender = provenance_->sender(packet);
    if (sender)
      found_.path.push_back({Step::State::Unseen, sender->stream, sender->pc, {}, "sent it"});
    if (broken_on_a_link()) return true;
    const cmodel::StreamId& id = packet.stream;
    std::optional<PacketSeen> last;
    for (const PacketSeen& seen : sightings())
      if (seen.head.header.src == id.src && seen.head.header.dst == id.chip &&
          seen.head.header.vn == id.lane >> 5 &&
          (seen.head.header.group >> 1 & 31) == (id.lane & 31))
        last = seen;
    if (leaked_credit()) return true;
    if (last) {
      const unsigned chip = board_.wiring().cables.peer(last->from).chip;
      blame(chip, {}, "fabric",
            fmt::format("packet {} of chip {} to chip {} (VN {}) came to it whole and was last "
                        "seen there, in core cycle {}",
                        last->head.seq, id.src, id.chip, id.lane >> 5,
                        defs::kFabricDivide * last->end));
    } else if (sender) {
      blame_engine(sender->stream, sender->pc, 0, "its packet was never on a link");
      found_.cause->cycle.reset();
    }
    return found_.cause.has_value();
  }

  /// A flit buffer that is empty, and whose sender has not got all credits back.
  bool leaked_credit() {
    for (unsigned chip = 0; chip < board_.chips(); ++chip)
      for (unsigned port = 0; port < defs::kLinkPorts; ++port) {
        const Link* link = board_.link({chip, port});
        if (!link) continue;
        for (unsigned vc = 0; vc < defs::kVirtualChannels; ++vc)
          if (leaked(*link, {chip, port}, vc)) return true;
      }
    return false;
  }
  bool leaked(const Link& link, fabric::End end, unsigned vc) {
    const auto left = board_.chip(end.chip)
                          .probe()
                          .at(fmt::format("u_fabric.u_router.gen_out[{}].gen_vc[{}].u_credit."
                                          "available_o",
                                          end.port, vc))
                          .value();
    if (left == kVnDepth[vc / 2]) return false;
    const fabric::End far = board_.wiring().cables.peer(end);
    const auto input = [&](std::string_view name) {
      return board_.chip(far.chip).probe().at(fmt::format(
          "u_fabric.u_router.gen_port[{}].gen_class[{}].u_input.{}", far.port, vc % 2, name));
    };
    if (input("count_q").get(0, 7 * (vc / 2), 7) != 0) return false;
    const auto freed = input("freed_q").get(0, 8 * (vc / 2), 8);
    const std::uint32_t sent = link.history().by_vc[vc];
    const bool receiver = freed != (sent & 255u);
    blame(receiver ? far.chip : end.chip, {}, "fabric",
          fmt::format("chip {} port {} VN {} class {} has {} of {} credits; chip {} port {} has an "
                      "empty buffer and says that {} flits left it (mod 256), {} were sent",
                      end.chip, end.port, vc / 2, vc % 2, left, kVnDepth[vc / 2], far.chip,
                      far.port, freed, sent & 255u));
    return true;
  }

  const Board& board_;
  const cmodel::Program& program_;
  const WatchAgain& watch_;
  std::optional<cmodel::Provenance> provenance_;
  Diagnosis found_;
};

}  // namespace

Diagnosis diagnose(const Board& board, const cmodel::Program& program, const WatchAgain& watch) {
  return Search(board, program, watch).run();
}

std::string instance_of(const Cause& cause) {
  static constexpr std::pair<std::string_view, std::string_view> kInCore[] = {
      {"tensor_array", "u_tensor.u_array"},
      {"tensor_counters", "u_tensor.u_counters"},
      {"vector_engine", "u_vector"},
      {"act_engine", "u_act"},
      {"psum", "u_psum"},
      {"sbuf", "u_sbuf"},
      {"dma", "u_dma"}};
  const unsigned core = cause.core.value_or(0);
  for (const auto& [block, place] : kInCore)
    if (cause.block == block) return fmt::format("chip.u_core{}.{}", core, place);
  if (cause.block == "sequencer")
    for (unsigned i = 0; i < defs::kSequencers; ++i)
      if (cause.engine == cmodel::engine_name(i))
        return fmt::format("chip.u_core{}.gen_seq[{}].u_sequencer", core, i);
  if (cause.block == "fabric") return "chip.u_fabric";
  if (cause.block == "semaphores") return "chip.u_semaphores";
  if (cause.block == "host_if") return "chip.u_host";
  return cause.block == "hbm" ? "hbm" : "chip";
}

}  // namespace tb
