// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/missing.h"

#include <fmt/format.h>

#include "cmodel/provenance.h"
#include "tb/debug/leaked_credit.h"
#include "tb/debug/packet_trace.h"

namespace tb {
namespace {

using cmodel::CommitKind;
constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);

struct First {
  const Missing* missing = nullptr;
  std::optional<cmodel::UnitRef> unit;
};

/// The one that the model made first. Of one unit, what it writes comes before its update.
First first_of(const std::vector<Missing>& missing, const cmodel::Provenance& provenance) {
  First first;
  const auto order = [](const cmodel::UnitRef& u, const Missing& m) {
    return std::pair{u.first, m.expected.kind == CommitKind::Semaphore};
  };
  for (const Missing& m : missing) {
    const bool semaphore = m.expected.kind == CommitKind::Semaphore;
    if (semaphore && m.expected.stream.engine == kRx) continue;  // its message is missing too
    const auto unit = semaphore ? provenance.unit_at(m.expected.stream, m.expected.pc)
                                : provenance.unit_of(m.expected.stream, m.ordinal);
    if (unit && (!first.unit || order(*unit, m) < order(*first.unit, *first.missing)))
      first = {&m, unit};
  }
  return first;
}

/// Where the last packet of this stream was seen.
std::optional<Cause> last_seen(const Board& board, const cmodel::StreamId& id) {
  std::optional<PacketSeen> last;
  for (const PacketSeen& seen : sightings(board))
    if (seen.head.header.src == id.src && seen.head.header.dst == id.chip &&
        seen.head.header.vn == id.lane >> 5 && (seen.head.header.group >> 1 & 31) == (id.lane & 31))
      last = seen;
  if (!last) return {};
  const unsigned chip = board.wiring().cables.peer(last->from).chip;
  return cause_in(
      chip, {}, "fabric",
      fmt::format("packet {} of chip {} to chip {} (VN {}) came to it whole{}, and was last seen "
                  "there, in core cycle {}",
                  last->head.seq, id.src, id.chip, id.lane >> 5,
                  damaged_packets(board, chip) ? ", and failed its end-to-end check" : "",
                  defs::kFabricDivide * last->end));
}

std::optional<Cause> missing_packet(const Board& board, const cmodel::Provenance& provenance,
                                    const cmodel::UnitRef& packet, Diagnosis& found) {
  const auto sender = provenance.sender(packet);
  if (sender)
    found.path.push_back({Step::State::Unseen, sender->stream, sender->pc, {}, "sent it"});
  if (auto cause = broken_on_a_link(board)) return cause;
  if (auto cause = leaked_credit(board)) return cause;
  if (auto cause = last_seen(board, packet.stream)) return cause;
  if (sender) return cause_by(sender->stream, sender->pc, {}, "its packet was never on a link");
  return {};
}

std::optional<Cause> first_missing(const Board& board, const cmodel::Program& program,
                                   Diagnosis& found) {
  const auto missing = board.scoreboard().missing();
  if (missing.empty()) return {};
  const cmodel::Provenance provenance(built_sizes(), program);
  const auto [first, unit] = first_of(missing, provenance);
  if (!first) {
    for (const Missing& m : missing)
      if (m.expected.kind == CommitKind::Semaphore) return lost_update(m.expected, {});
    return {};
  }
  const cmodel::Commit& commit = first->expected;
  found.path.push_back({Step::State::Missing, commit.stream, commit.pc, {}, describe(commit)});
  if (commit.kind == CommitKind::Semaphore) return lost_update(commit, {});
  if (commit.stream.engine == kRx) return missing_packet(board, provenance, *unit, found);
  if (auto cause = leaked_credit(board)) return cause;
  return cause_by(commit.stream, commit.pc, {},
                  "all that it waits for has come, it has not gone on");
}

}  // namespace

void look_for_missing(const Board& board, const cmodel::Program& program, Diagnosis& found) {
  if (const auto chip = board.outcome().faulty_chip)
    found.cause = cause_in(*chip, {}, "assertion", "its RTL says so itself");
  else if (!(found.cause = first_missing(board, program, found)) &&
           !(found.cause = leaked_credit(board)) && !(found.cause = broken_on_a_link(board)) &&
           !(found.cause = broken_at_its_end(board)))
    if (const auto& counter = board.outcome().wrong_counter)
      found.cause = cause_in(counter->first, counter->second, "tensor_counters",
                             "every commit is right, the counter is not");
}

}  // namespace tb
