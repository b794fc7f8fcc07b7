// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/root_cause.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cmodel/board/provenance.h"
#include "tb/debug/packet_trace.h"

namespace tb {
namespace {

using cmodel::CommitKind;
constexpr auto kDma0 = static_cast<std::uint8_t>(defs::Engine::Dma0);
constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);
constexpr unsigned kInFlight = 64;  // packets of a flow that may be sent and not delivered
constexpr unsigned kElements = 4;   // wrong elements of a commit whose producers are looked at

class RootCauseTrace {
 public:
  RootCauseTrace(const Board& board, const cmodel::Program& program, const WatchAgain& watch,
                 Diagnosis& found)
      : board_(board), watch_(watch), provenance_(built_sizes(), program), found_(found) {}

  void trace(const Mismatch& m) {
    const cmodel::StreamId& id = m.actual.stream;
    found_.path.push_back(step_of(m));
    if (m.only_operation()) {
      blame(id, m.actual.pc, m.cycle,
            fmt::format("right, but of operation {} of its stream instead of {}", m.actual.serial,
                        m.expected->serial));
      if (id.engine < defs::kSequencers) found_.cause->block = "sequencer";
      return;
    }
    const bool semaphore = m.actual.kind == CommitKind::Semaphore;
    if (semaphore) {
      if (m.expected && m.expected->pc == m.actual.pc && m.expected->addr == m.actual.addr &&
          id.engine != kRx)
        return blame(id, m.actual.pc, m.cycle, "it posted another update");
      found_.cause = lost_update(m.expected ? *m.expected : m.actual, m.cycle);
      return;
    }
    if (id.engine == kRx) return trace_packet(m);
    if (!m.only_data())
      return blame(id, m.actual.pc, m.cycle,
                   m.actual.kind == CommitKind::Error
                       ? fmt::format("it stopped: {}",
                                     to_string(static_cast<defs::ErrorCause>(m.actual.delta)))
                       : "it wrote something else than it was told");
    const auto operation = provenance_.operation_of(id, m.ordinal);
    if (!operation) return blame(id, m.actual.pc, m.cycle, "no operation of the model does this");
    trace_bytes(m, *operation, *operation);
  }

  /// Bytes of `m` are wrong. `reader` read their sources: the operation, or the descriptor of a
  /// packet.
  void trace_bytes(const Mismatch& m, const cmodel::OperationRef& operation,
                   const cmodel::OperationRef& reader) {
    std::vector<cmodel::Cell> cells;
    unsigned elements = 0;
    const std::size_t step = std::max<std::size_t>(m.actual.element_bytes, 4);
    const std::size_t width = m.actual.element_bytes ? m.actual.element_bytes : step;
    for (std::size_t at = 0; at < m.data.size() && elements < kElements; at += width) {
      const std::size_t bytes = std::min(width, m.data.size() - at);
      if (std::equal(&m.data[at], &m.data[at] + bytes, &m.expected_data[at])) continue;
      ++elements;
      const auto more = provenance_.sources(operation, m.actual, m.ordinal, at);
      cells.insert(cells.end(), more.begin(), more.end());
    }
    std::set<std::pair<cmodel::StreamId, std::uint64_t>> right;
    for (const cmodel::Cell& cell : cells) {
      const auto writer = provenance_.writer(cell, reader);
      if (!writer) continue;
      for (const Mismatch& earlier : found_.mismatches)
        if (earlier.cycle < m.cycle && earlier.actual.stream == writer->stream &&
            earlier.ordinal >= writer->begin && earlier.ordinal < writer->end &&
            cmodel::place_in(earlier.actual, cell))
          return trace(earlier);
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
    blame(id, reader.pc, m.cycle,
          "all that it read was right and still in its place, what it made of it is wrong");
  }

  void memory(const WatchFinding& f) {
    const bool shared = f.cell.memory == cmodel::Cell::Memory::Hbm;
    found_.cause = cause_in(
        f.cell.chip, shared ? std::optional<unsigned>() : f.cell.core, block_of_memory(f.cell),
        fmt::format("{} {}: {:#04x} expected, {:#04x} there",
                    cmodel::to_string(built_sizes(), f.cell),
                    f.kind == WatchFinding::Kind::Upset ? "changed and nobody wrote it"
                                                        : "was written and did not change",
                    f.expected, f.actual));
    found_.cause->cycle = f.cycle;
  }

  void trace_packet(const Mismatch& m) {
    const cmodel::StreamId& id = m.actual.stream;
    if (m.actual.kind != CommitKind::Message) {
      return blame(id, m.actual.pc, m.cycle, "the message was right, its write is not");
    }
    if ((found_.cause = broken_on_a_link(board_))) return;
    const cmodel::StreamId dma{id.src, static_cast<std::uint8_t>(id.lane >> 4 & 1),
                               static_cast<std::uint8_t>(kDma0 + (id.lane & 15)), 0, 0};
    const auto packet = provenance_.operation_of(id, m.ordinal);
    const auto sender = packet ? provenance_.sender(*packet) : std::nullopt;
    const std::uint32_t pc = sender ? sender->pc : 0;
    found_.path.push_back({Step::State::Unseen, dma, pc, {}, "sent it"});
    const bool header = !m.expected || m.data.size() != m.expected_data.size() ||
                        !std::equal(m.data.begin(), m.data.begin() + 16, m.expected_data.begin());
    if (header && m.expected) {
      if (const auto came = skipped(m)) {
        const unsigned chip = board_.wiring().cables.peer(came->from).chip;
        found_.cause = cause_in(
            chip, {}, "fabric",
            fmt::format("packet {} of chip {} to chip {} (VN {}) came to it whole, and a later one "
                        "was delivered in its place",
                        came->head.seq, id.src, id.chip, id.lane >> 5));
        found_.cause->cycle = defs::kFabricDivide * came->end;
        return;
      }
    }
    if (header || !sender)
      return blame(dma, pc, m.cycle, "the packet has another header from its first link on");
    // Its payload as a burst at its destination.
    Mismatch payload = m;
    payload.actual.kind = CommitKind::MemBurst;
    payload.actual.addr = cmodel::message_header(m.expected_data).addr;
    payload.data.erase(payload.data.begin(), payload.data.begin() + 16);
    payload.expected_data.erase(payload.expected_data.begin(), payload.expected_data.begin() + 16);
    trace_bytes(payload, *packet, *sender);
  }

 private:
  /// The packet that was expected, if it was sent before the one that was delivered.
  std::optional<PacketSeen> skipped(const Mismatch& m) const {
    const auto seen = sightings(board_);
    const auto last = [&](const std::vector<std::uint8_t>& data) {
      const auto header = cmodel::message_header(data);
      const auto found = std::find_if(seen.rbegin(), seen.rend(), [&](const PacketSeen& s) {
        defs::Header sent = s.head.header;
        sent.hop = 0;
        return s.whole && s.intact && sent.words() == header.words();
      });
      return found == seen.rend() ? std::nullopt : std::optional(*found);
    };
    const auto expected = last(m.expected_data), actual = last(m.data);
    if (!expected || !actual) return {};
    const auto ahead = static_cast<std::uint16_t>(actual->head.seq - expected->head.seq);
    return ahead > 0 && ahead <= kInFlight ? expected : std::nullopt;
  }
  void blame(const cmodel::StreamId& id, std::uint32_t pc, std::optional<std::uint64_t> cycle,
             std::string why) {
    found_.cause = cause_by(id, pc, cycle, std::move(why));
  }

  const Board& board_;
  const WatchAgain& watch_;
  cmodel::Provenance provenance_;
  Diagnosis& found_;
};

}  // namespace

void trace_root_cause(const Board& board, const cmodel::Program& program, const WatchAgain& watch,
                      Diagnosis& found) {
  RootCauseTrace(board, program, watch, found).trace(found.mismatches.front());
}

}  // namespace tb
