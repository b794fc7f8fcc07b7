// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/sequencer.h"

#include <array>

#include "cmodel/machine/instruction.h"

namespace cmodel {
namespace {

template <class Words>
Words read_words(const Hbm& hbm, std::uint64_t addr) {
  Words words;  // the host is little-endian, as are we
  hbm.read(addr, {reinterpret_cast<std::uint8_t*>(words.data()), sizeof words});
  return words;
}

}  // namespace

void Sequencer::start(std::uint64_t base, std::uint32_t count) {
  base_ = base;
  count_ = count;
  status_ = {defs::SeqState::Running, 0, defs::ErrorCause::None};
  fetched_ = false;
  registers_ = {};
  visits_.clear();
}

const defs::Instr& Sequencer::fetch(const Hbm& hbm) {
  if (!fetched_) {
    instr_ = resolve(peek(hbm, status_.pc), registers_);
    fetched_ = true;
  }
  return instr_;
}

defs::Instr Sequencer::peek(const Hbm& hbm, std::uint32_t pc) const {
  return defs::Instr::from(
      read_words<defs::Instr::Words>(hbm, base_ + std::uint64_t{pc} * defs::kInstrBytes));
}

OperationId Sequencer::operation() const {
  return {status_.pc, serial_, status_.pc < visits_.size() ? visits_[status_.pc] + 1 : 1};
}

OperationId Sequencer::issue() {
  const OperationId id = operation();
  if (id.pc >= visits_.size()) visits_.resize(id.pc + 1);
  ++visits_[id.pc];
  ++serial_;
  next_ = id.pc + 1;
  return id;
}

// ------------------------------------------------------------------------------------- checks

defs::ErrorCause Sequencer::check_start(const defs::Sizes& sizes, unsigned core,
                                        const defs::PeerAccess& peer, std::uint64_t base,
                                        std::uint32_t count) {
  if (count == 0 || count > 1u << 24) return defs::ErrorCause::BadShape;
  if (base % sizes.line_bytes != 0) return defs::ErrorCause::Misaligned;
  if (!Hbm::mapped(base, std::uint64_t{count} * defs::kInstrBytes))
    return defs::ErrorCause::UnmappedAddress;
  if (!reaches(peer, core, base, std::uint64_t{count} * defs::kInstrBytes))
    return defs::ErrorCause::Forbidden;
  return defs::ErrorCause::None;
}

defs::ErrorCause Sequencer::check_wait(const defs::Instr& instr, defs::Engine engine, unsigned core,
                                       const defs::PeerAccess& peer) {
  if ((!instr.wait_op || reaches_semaphore(peer, core, instr.wait_sem)) &&
      (!instr.update || reaches_semaphore(peer, core, instr.update_sem)))
    return defs::ErrorCause::None;
  return known(instr.opcode, engine) ? defs::ErrorCause::Forbidden
                                     : defs::ErrorCause::UnknownOpcode;
}

defs::ErrorCause Sequencer::check_own(const defs::Instr& instr, unsigned core,
                                      const defs::PeerAccess& peer) const {
  const auto& row = *defs::row_of(instr.opcode);
  if (!has_function(row, instr)) return defs::ErrorCause::UnknownOpcode;
  if (uses_more(row, instr)) return defs::ErrorCause::ReservedBits;
  if (row.overlay == defs::Overlay::Branch && defs::branch_of(instr).target >= count_)
    return defs::ErrorCause::OutOfBounds;
  if (row.overlay == defs::Overlay::RegLoad) {
    const std::uint64_t addr = defs::reg_load_of(instr).address;
    if (addr % 4) return defs::ErrorCause::Misaligned;
    if (!Hbm::mapped(addr, 4)) return defs::ErrorCause::UnmappedAddress;
    if (!reaches(peer, core, addr, 4)) return defs::ErrorCause::Forbidden;
  }
  return defs::ErrorCause::None;
}

// ---------------------------------------------------------------------------------- execution

bool Sequencer::executes(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  return row && row->is_control();
}

bool Sequencer::ends(const defs::Instr& instr) {
  return instr.opcode == static_cast<std::uint8_t>(defs::Opcode::End);
}

defs::ErrorCause Sequencer::execute(const defs::Instr& instr, const Hbm& hbm, unsigned core,
                                    const defs::PeerAccess& peer) {
  const auto cause = check_own(instr, core, peer);
  if (cause != defs::ErrorCause::None) return cause;
  switch (defs::row_of(instr.opcode)->overlay) {
    case defs::Overlay::None:  // NOP, END
      break;
    case defs::Overlay::RegAlu: {
      const auto alu = defs::reg_alu_of(instr);
      registers_.set(alu.rd, evaluate(static_cast<defs::RegOp>(instr.func), registers_[alu.ra],
                                      registers_[alu.rb] + alu.value));
      break;
    }
    case defs::Overlay::Branch: {
      const auto branch = defs::branch_of(instr);
      registers_.set(branch.ra, registers_[branch.ra] + branch.add);
      if (holds(static_cast<defs::Condition>(instr.func), registers_[branch.ra],
                registers_[branch.rb]))
        next_ = branch.target;
      break;
    }
    case defs::Overlay::RegLoad: {
      const auto load = defs::reg_load_of(instr);
      registers_.set(load.rd, read_words<std::array<std::uint32_t, 1>>(hbm, load.address)[0]);
      break;
    }
    case defs::Overlay::DmaStart:  // the sync engine's
      break;
  }
  return defs::ErrorCause::None;
}

void Sequencer::complete(const defs::Instr& instr) {
  if (ends(instr)) {
    status_.state = defs::SeqState::Done;
    return;
  }
  status_.pc = next_;
  fetched_ = false;
}

}  // namespace cmodel
