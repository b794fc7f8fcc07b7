// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/missing.h"

#include <fmt/format.h>

#include "cmodel/board/provenance.h"
#include "cmodel/program/disassemble.h"
#include "tb/debug/leaked_credit.h"
#include "tb/debug/lost_packet.h"
#include "tb/debug/packet_trace.h"
#include "tb/debug/stuck.h"

namespace tb {
namespace {

using cmodel::CommitKind;
constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);
constexpr unsigned kSenders = 1u << 4;  // DMA engines in StreamId::lane

struct First {
  const Missing* missing = nullptr;
  std::optional<cmodel::OperationRef> operation;
};

/// The one that the model made first. Of one operation, what it writes comes before its update.
First first_of(const std::vector<Missing>& missing, const cmodel::Provenance& provenance) {
  First first;
  const auto order = [](const cmodel::OperationRef& u, const Missing& m) {
    return std::pair{u.first, m.expected.kind == CommitKind::Semaphore};
  };
  for (const Missing& m : missing) {
    const bool semaphore = m.expected.kind == CommitKind::Semaphore;
    if (semaphore && m.expected.stream.engine == kRx) continue;  // its message is missing too
    const auto operation = semaphore ? provenance.operation_at(m.expected.stream, m.expected.serial)
                                     : provenance.operation_of(m.expected.stream, m.ordinal);
    if (operation &&
        (!first.operation || order(*operation, m) < order(*first.operation, *first.missing)))
      first = {&m, operation};
  }
  return first;
}

/// Packets of a flow that were delivered, those of management included.
std::uint64_t delivered(const Board& board, const cmodel::Provenance& provenance,
                        const std::vector<Missing>& missing, const Flow& flow) {
  std::uint64_t packets = 0;
  for (unsigned engine = 0; engine < kSenders; ++engine) {
    const cmodel::StreamId id{static_cast<std::uint8_t>(flow.dst), 0, kRx,
                              static_cast<std::uint8_t>(flow.src),
                              static_cast<std::uint8_t>(flow.vn << 5 | flow.core << 4 | engine)};
    std::uint64_t commits = ~std::uint64_t{0};
    for (const Missing& m : missing)
      if (m.expected.stream == id && m.expected.kind != CommitKind::Semaphore) commits = m.ordinal;
    for (const cmodel::OperationRef& packet : provenance.operations(id))
      packets += packet.end <= commits;
  }
  const bool managed = flow.core == 0 && flow.vn == 0;
  return packets + (managed ? board.host().reroute().packets(flow.src, flow.dst) : 0);
}

/// By the registers of both chips.
FlowProgress progress_of(const Board& board, const Flow& flow, std::uint64_t delivered) {
  return {board.chip(flow.src).state().packets_taken(flow.core, flow.vn, flow.dst),
          board.chip(flow.dst).state().packets_accepted(flow.src, flow.core, flow.vn),
          static_cast<std::uint16_t>(delivered)};
}

Cause lost_packet(const Board& board, const Flow& flow, const FlowProgress& progress,
                  const cmodel::OperationRef& sender) {
  LostAt lost = where_lost(flow, progress, sightings(board), board.wiring().cables);
  if (lost.where == LostAt::Where::Engine)
    return cause_by(sender.stream, sender.pc, {}, std::move(lost.why));
  if (board.chip(lost.chip).state().damaged_packets())
    lost.why += "; packets failed their end-to-end check there";
  return cause_in(lost.chip, {}, "fabric", std::move(lost.why));
}

std::optional<Cause> missing_packet(const Board& board, const cmodel::Provenance& provenance,
                                    const std::vector<Missing>& missing,
                                    const cmodel::OperationRef& packet, Diagnosis& found) {
  const auto sender = provenance.sender(packet);
  if (!sender) return {};
  found.path.push_back({Step::State::Unseen, sender->stream, sender->pc, {}, "sent it"});
  if (auto cause = broken_on_a_link(board)) return cause;
  if (auto cause = leaked_credit(board)) return cause;
  const cmodel::StreamId& id = packet.stream;
  const Flow flow{id.src, id.lane >> 4 & 1u, id.chip, static_cast<unsigned>(id.lane >> 5)};
  return lost_packet(
      board, flow, progress_of(board, flow, delivered(board, provenance, missing, flow)), *sender);
}

std::optional<Cause> first_missing(const Board& board, const cmodel::Program& program,
                                   Diagnosis& found) {
  const auto missing = board.scoreboard().missing();
  if (missing.empty()) return {};
  const cmodel::Provenance provenance(built_sizes(), program);
  const auto [first, operation] = first_of(missing, provenance);
  if (!first) {
    for (const Missing& m : missing)
      if (m.expected.kind == CommitKind::Semaphore) return lost_update(m.expected, {});
    return {};
  }
  const cmodel::Commit& commit = first->expected;
  found.path.push_back({Step::State::Missing, commit.stream, commit.pc, {}, describe(commit)});
  if (commit.stream.engine != kRx)
    if (auto cause = stuck_with(board, commit.stream, commit.pc)) return cause;
  if (commit.kind == CommitKind::Semaphore) return lost_update(commit, {});
  if (commit.stream.engine == kRx)
    return missing_packet(board, provenance, missing, *operation, found);
  if (auto cause = leaked_credit(board)) return cause;
  return cause_by(commit.stream, commit.pc, {},
                  "all that it waits for has come, it has not gone on");
}

/// A byte is wrong at the end, and nothing before: it did not get there, or did not stay.
Cause lost_write(const cmodel::Program& program, const cmodel::Cell& cell) {
  const cmodel::Provenance provenance(built_sizes(), program);
  Cause cause = cause_in(cell.chip, {}, block_of_memory(cell),
                         fmt::format("{} is wrong at the end, every commit is right",
                                     cmodel::to_string(built_sizes(), cell)));
  if (cell.memory != cmodel::Cell::Memory::Hbm) cause.core = cell.core;
  if (const auto last = provenance.writer(cell, {.first = ~0u, .stream = {}})) {
    cause.engine = cmodel::engine_name(last->stream.engine);
    cause.pc = last->pc;
    cause.why += fmt::format(", written last by {} {}", cause.engine, cmodel::pc_text(last->pc));
  }
  return cause;
}

/// All commits are right, what the host was told of a stop is not. A sequencer knows whether it has
/// stopped; of the others, the one that stops tells why.
Cause wrong_end(const Board& board, const WrongReport& report) {
  const cmodel::StreamId& id = report.stream;
  const bool of_sequencer = id.engine < defs::kSequencers;
  const bool stopped =
      of_sequencer && !board.chip(id.chip).is_model() &&
      board.chip(id.chip).state().sequencer(id.core, id.engine).state == defs::SeqState::Error;
  switch (report.kind) {
    case WrongReport::Kind::Other:
      return cause_by(id, report.pc, {}, "it stops, but not there or not because of that");
    case WrongReport::Kind::Spurious:
      if (stopped || !of_sequencer)
        return cause_by(id, report.pc, {}, "every commit is right, then it stops without a reason");
      break;
    case WrongReport::Kind::Missing:
      if (!stopped) return cause_by(id, report.pc, {}, "it should stop there, and does not");
      break;
  }
  return cause_in(id.chip, {}, "host_if",
                  fmt::format("what the host was told of {} is not so, the engine knows better",
                              cmodel::engine_name(id.engine)));
}

}  // namespace

void look_for_missing(const Board& board, const cmodel::Program& program, Diagnosis& found) {
  if ((found.cause = first_missing(board, program, found)) ||
      (found.cause = leaked_credit(board)) || (found.cause = broken_on_a_link(board)) ||
      (found.cause = broken_at_its_end(board)) || (found.cause = never_done(board, found)))
    return;
  if (const auto& cell = board.outcome().wrong_byte)
    found.cause = lost_write(program, *cell);
  else if (const auto& region = board.outcome().wrong_region)
    found.cause = cause_in(
        region->chip, {}, "host_if",
        fmt::format("all memory is right, what the host read at {:#x} is not", region->addr));
  else if (const auto& counter = board.outcome().wrong_counter)
    found.cause = cause_in(counter->first, counter->second, "tensor_counters",
                           "every commit is right, the counter is not");
  else if (const auto& told = board.outcome().wrong_report)
    found.cause = wrong_end(board, *told);
  else if (const auto& chip = board.outcome().wrong_fabric_count)
    found.cause = cause_in(*chip, {}, "fabric", "every commit is right, its counters are not");
}

}  // namespace tb
