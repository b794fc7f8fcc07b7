// SPDX-License-Identifier: Apache-2.0
#include "tb/check/issue_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cmodel/board/guard.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/machine/sequencer.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/program_view.h"

namespace tb {
namespace {

defs::Instr decode(const std::uint8_t* bytes) {
  return cmodel::unpack_bytes<defs::Instr>({bytes, defs::kInstrBytes});
}

constexpr auto kGe = static_cast<std::uint8_t>(defs::WaitOp::Ge);
constexpr auto kTake = static_cast<std::uint8_t>(defs::WaitOp::Take);
constexpr auto kEq = static_cast<std::uint8_t>(defs::WaitOp::Eq);

}  // namespace

std::string to_string(const EarlyIssue& early) {
  return fmt::format("waits for semaphore {}, which was {}", cmodel::wait_text(early.instr),
                     early.value);
}

std::string to_string(const WrongValue& wrong) {
  return fmt::format("semaphore {} holds {}, its updates make {}",
                     cmodel::semaphore_name(wrong.semaphore), wrong.held, wrong.value);
}

void IssueCheck::load(const cmodel::Program& program, unsigned chip) {
  const cmodel::Guard guard(program);
  for (const cmodel::InstrStream& stream : program.streams) {
    const auto first = cmodel::program_bytes(program, chip, stream.base);
    if (stream.chip != chip || first.empty()) continue;
    Sequencer& sequencer = sequencers_[stream.core][stream.engine];
    sequencer.bytes = first.data();
    sequencer.count = stream.count;
    sequencer.rejects = [stream, peer = guard.peer(chip, stream.core)](const defs::Instr& instr) {
      return cmodel::Sequencer::check_wait(instr, static_cast<defs::Engine>(stream.engine),
                                           stream.core, peer) != defs::ErrorCause::None;
    };
    look_at(sequencer, 0, {});
  }
}

bool IssueCheck::holds(const defs::Instr& instr, const defs::Instr& before) const {
  const bool taken = before.wait_op == kTake && before.wait_sem == instr.wait_sem;
  const unsigned there = values_[instr.wait_sem];
  const unsigned value = there - (taken ? std::min<unsigned>(there, before.wait_value) : 0);
  return instr.wait_op == kGe || instr.wait_op == kTake ? value >= instr.wait_value
         : instr.wait_op == kEq                         ? value == instr.wait_value
                                                        : true;
}

void IssueCheck::look_at(Sequencer& sequencer, std::uint32_t pc, const defs::Instr& before) const {
  if (pc >= sequencer.count) return;
  const defs::Instr instr = decode(sequencer.bytes + std::size_t{pc} * defs::kInstrBytes);
  sequencer.next.push_back({pc, instr, holds(instr, before) || sequencer.rejects(instr)});
}

void IssueCheck::issue(unsigned core, unsigned number, std::uint32_t pc,
                       const std::uint8_t* instr) {
  Sequencer& sequencer = sequencers_[core][number];
  if (pc >= sequencer.count) return;
  const Issue issue{cycle_, core, number, pc};
  const std::uint8_t* expected = sequencer.bytes + std::size_t{pc} * defs::kInstrBytes;
  const bool wrong = std::memcmp(expected, instr, defs::kInstrBytes) != 0;
  if (wrong && wrong_.size() < kMost) wrong_.push_back({issue, decode(expected), decode(instr)});
  const auto looked_at = std::ranges::find(sequencer.next, pc, &Next::pc);
  if (!wrong && looked_at != sequencer.next.end() && !looked_at->ready && early_.size() < kMost) {
    const unsigned semaphore = looked_at->instr.wait_sem;
    early_.push_back({issue, looked_at->instr, values_[semaphore], held_(semaphore)});
  }
  const defs::Instr gone = decode(instr);
  sequencer.next.clear();
  look_at(sequencer, pc + 1, gone);
  if (cmodel::overlay_of(gone) == defs::Overlay::Branch)
    look_at(sequencer, defs::branch_of(gone).target, gone);
  if (cmodel::Sequencer::ends(gone)) look_at(sequencer, 0, gone);  // a request may start it again
}

void IssueCheck::end_cycle(std::uint64_t cycle, const CommitBuffer& commits) {
  const auto each_update = [&](const auto& act) {
    const auto& entries = commits.entries();
    for (std::uint64_t at = commits_; at < commits.total(); ++at)
      if (const cmodel::Commit& c = entries[entries.size() - (commits.total() - at)].commit;
          c.kind == cmodel::CommitKind::Semaphore)
        act(static_cast<unsigned>(c.addr), c.delta);
  };
  each_update([&](unsigned semaphore, int delta) { update(semaphore, delta); });
  each_update([&](unsigned semaphore, int) {
    if (!wrong_value_) wrong_value_ = compared(semaphore);
  });
  commits_ = commits.total();
  set_cycle(cycle + 1);
}

std::optional<WrongValue> IssueCheck::compared(unsigned semaphore) const {
  const unsigned held = held_(semaphore), value = values_[semaphore];
  return held == value ? std::nullopt : std::optional(WrongValue{cycle_, semaphore, held, value});
}

std::optional<WrongValue> IssueCheck::wrong_value_at_rest() const {
  auto wrong = wrong_value_;
  for (unsigned semaphore = 0; semaphore < values_.size() && !wrong; ++semaphore)
    wrong = compared(semaphore);
  return wrong;
}

void IssueCheck::update(unsigned semaphore, int delta) {
  values_[semaphore] += static_cast<unsigned>(delta);
  for (auto& core : sequencers_)
    for (Sequencer& sequencer : core)
      for (Next& next : sequencer.next)
        if (!next.ready && next.instr.wait_sem == semaphore) next.ready = holds(next.instr, {});
}

}  // namespace tb
