// SPDX-License-Identifier: Apache-2.0
#include "tb/check/issue_check.h"

#include <fmt/format.h>

#include <cstring>

#include "cmodel/board/guard.h"
#include "cmodel/machine/sequencer.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/program_view.h"

namespace tb {
namespace {

defs::Instr decode(const std::uint8_t* bytes) {
  defs::Instr::Words words;
  std::memcpy(words.data(), bytes, defs::kInstrBytes);
  return defs::Instr::from(words);
}

constexpr auto kGe = static_cast<std::uint8_t>(defs::WaitOp::Ge);
constexpr auto kEq = static_cast<std::uint8_t>(defs::WaitOp::Eq);

}  // namespace

std::string to_string(const EarlyIssue& early) {
  return fmt::format("waits for semaphore {} {} {}, which was {}",
                     cmodel::semaphore_name(early.instr.wait_sem),
                     early.instr.wait_op == kEq ? "==" : ">=", early.instr.wait_value, early.value);
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
    look_at(sequencer, 0);
  }
}

bool IssueCheck::holds(const defs::Instr& instr) const {
  const unsigned value = values_[instr.wait_sem];
  return instr.wait_op == kGe   ? value >= instr.wait_value
         : instr.wait_op == kEq ? value == instr.wait_value
                                : true;
}

void IssueCheck::look_at(Sequencer& sequencer, std::uint32_t pc) const {
  sequencer.next.reset();
  if (pc >= sequencer.count) return;
  sequencer.next = pc;
  sequencer.instr = decode(sequencer.bytes + std::size_t{pc} * defs::kInstrBytes);
  sequencer.ready = holds(sequencer.instr) || sequencer.rejects(sequencer.instr);
}

void IssueCheck::issue(unsigned core, unsigned number, std::uint32_t pc,
                       const std::uint8_t* instr) {
  Sequencer& sequencer = sequencers_[core][number];
  if (pc >= sequencer.count) return;
  const Issue issue{cycle_, core, number, pc};
  const std::uint8_t* expected = sequencer.bytes + std::size_t{pc} * defs::kInstrBytes;
  const bool wrong = std::memcmp(expected, instr, defs::kInstrBytes) != 0;
  if (wrong && wrong_.size() < kMost) wrong_.push_back({issue, decode(expected), decode(instr)});
  if (!wrong && sequencer.next == pc && !sequencer.ready && early_.size() < kMost) {
    const unsigned semaphore = sequencer.instr.wait_sem;
    early_.push_back({issue, sequencer.instr, values_[semaphore], held_(semaphore)});
  }
  look_at(sequencer, pc + 1);
}

void IssueCheck::end_cycle(std::uint64_t cycle, const CommitBuffer& commits) {
  for (; commits_ < commits.total(); ++commits_) {
    const auto& entries = commits.entries();
    const cmodel::Commit& commit = entries[entries.size() - (commits.total() - commits_)].commit;
    if (commit.kind == cmodel::CommitKind::Semaphore)
      update(static_cast<unsigned>(commit.addr), commit.delta);
  }
  set_cycle(cycle + 1);
}

void IssueCheck::update(unsigned semaphore, int delta) {
  values_[semaphore] += static_cast<unsigned>(delta);
  for (auto& core : sequencers_)
    for (Sequencer& sequencer : core)
      if (sequencer.next && !sequencer.ready && sequencer.instr.wait_sem == semaphore)
        sequencer.ready = holds(sequencer.instr);
}

}  // namespace tb
