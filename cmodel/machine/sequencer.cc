// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/sequencer.h"

#include <array>

#include "cmodel/machine/instruction.h"

namespace cmodel {
namespace {

defs::Instr decode_at(const Hbm& hbm, std::uint64_t addr) {
  std::array<std::uint32_t, defs::Instr::kWords> words;  // the host is little-endian, as are we
  hbm.read(addr, {reinterpret_cast<std::uint8_t*>(words.data()), defs::kInstrBytes});
  return defs::Instr::from(words);
}

}  // namespace

const defs::Instr& Sequencer::fetch(const Hbm& hbm) {
  if (!fetched_) {
    instr_ = decode_at(hbm, base_ + std::uint64_t{status_.pc} * defs::kInstrBytes);
    fetched_ = true;
  }
  return instr_;
}

defs::Instr Sequencer::peek(const Hbm& hbm, std::uint32_t pc) const {
  return decode_at(hbm, base_ + std::uint64_t{pc} * defs::kInstrBytes);
}

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
  auto cause = defs::ErrorCause::None;
  if ((instr.wait_op && !reaches_semaphore(peer, core, instr.wait_sem)) ||
      (instr.update && !reaches_semaphore(peer, core, instr.update_sem)))
    cause = defs::ErrorCause::Forbidden;
  if (instr.wait_op > static_cast<std::uint8_t>(defs::WaitOp::Eq))
    cause = defs::ErrorCause::ReservedBits;
  if (cause != defs::ErrorCause::None && !known(instr.opcode, engine))
    cause = defs::ErrorCause::UnknownOpcode;
  return cause;
}

bool Sequencer::executes(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  return row && row->is_control();
}

defs::ErrorCause Sequencer::check_own(const defs::Instr& instr) {
  return uses_more(*defs::row_of(instr.opcode), instr) ? defs::ErrorCause::ReservedBits
                                                       : defs::ErrorCause::None;
}

bool Sequencer::ends(const defs::Instr& instr) {
  return instr.opcode == static_cast<std::uint8_t>(defs::Opcode::End);
}

void Sequencer::complete(const defs::Instr& instr) {
  if (ends(instr)) {
    status_.state = defs::SeqState::Done;
    return;
  }
  ++status_.pc;
  fetched_ = false;
}

}  // namespace cmodel
