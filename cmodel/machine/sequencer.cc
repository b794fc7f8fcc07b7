// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/sequencer.h"

#include <array>

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

defs::ErrorCause Sequencer::check_start(const defs::Sizes& sizes, std::uint64_t base,
                                        std::uint32_t count) {
  if (count == 0 || count > 1u << 24) return defs::ErrorCause::BadShape;
  if (base % sizes.line_bytes != 0) return defs::ErrorCause::Misaligned;
  if (!Hbm::mapped(base, std::uint64_t{count} * defs::kInstrBytes))
    return defs::ErrorCause::UnmappedAddress;
  return defs::ErrorCause::None;
}

bool Sequencer::known(std::uint8_t opcode, defs::Engine engine) {
  switch (static_cast<defs::Opcode>(opcode)) {
    case defs::Opcode::Nop:
    case defs::Opcode::End:
      return true;
    case defs::Opcode::LoadStationary:
    case defs::Opcode::MultiplyMoving:
      return engine == defs::Engine::Tensor;
    case defs::Opcode::TensorCopy:
    case defs::Opcode::TensorTensor:
    case defs::Opcode::TensorReduce:
      return engine == defs::Engine::Vector;
    case defs::Opcode::Activate:
      return engine == defs::Engine::Act;
    case defs::Opcode::DmaTrigger:
      return engine == defs::Engine::Sync;
  }
  return false;
}

defs::ErrorCause Sequencer::check_wait(const defs::Instr& instr, defs::Engine engine) {
  if (instr.wait_op <= static_cast<std::uint8_t>(defs::WaitOp::Eq)) return defs::ErrorCause::None;
  return known(instr.opcode, engine) ? defs::ErrorCause::ReservedBits
                                     : defs::ErrorCause::UnknownOpcode;
}

defs::ErrorCause Sequencer::check_own(const defs::Instr& instr) {
  defs::Instr bare;
  bare.opcode = instr.opcode;
  bare.wait_op = instr.wait_op;
  bare.wait_sem = instr.wait_sem;
  bare.wait_value = instr.wait_value;
  bare.update = instr.update;
  bare.update_sem = instr.update_sem;
  bare.update_delta = instr.update_delta;
  return bare == instr ? defs::ErrorCause::None : defs::ErrorCause::ReservedBits;
}

}  // namespace cmodel
