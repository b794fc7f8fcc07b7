// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/spoil.h"

#include <algorithm>
#include <array>

#include "cmodel/machine/instruction.h"

namespace tb {

using defs::ErrorCause;

void spoil(defs::Instr& i, ErrorCause cause, defs::Engine engine, const defs::Sizes& sizes,
           Random& random) {
  const bool sync = engine == defs::Engine::Sync, tensor = engine == defs::Engine::Tensor;
  const bool load = cmodel::writes_stationary(i);
  const unsigned which = random.between(0, 5);
  defs::Operand& operand = i.dst.space && random.one_in(2)    ? i.dst
                           : i.src1.space && random.one_in(2) ? i.src1
                                                              : i.src0;
  switch (cause) {
    case ErrorCause::UnknownOpcode: {
      constexpr std::array<std::uint8_t, 6> kOthers{0x7f, 0x02, 0x12, 0x23, 0x31, 0x41};
      i.opcode = kOthers[which];
      while (cmodel::known(i.opcode, engine)) ++i.opcode;
      if (engine == defs::Engine::Vector && which == 0) i.func = 60;
      break;
    }
    case ErrorCause::ReservedBits:
      if (which == 0) i.reserved = 1u << random.between(0, 1);
      if (which == 1) i.size_dim = 1;
      if (which == 2 && !sync)  // beyond what the row has there
        i.imm = 1u << std::max(random.between(0, 23), defs::row_of(i.opcode)->imm_bits);
      if (which == 2 && sync) i.partitions = 1;
      if (which == 3 && !sync) operand.reserved = 1;
      if (which == 3 && sync) i.size0 = 1;
      if (which == 4 && !sync) operand.stride3 = 5;
      if (which == 4 && sync) i.src0.offset = 4;
      if (which == 5) i.reserved = 3;
      break;
    case ErrorCause::BadOperand:
      if (which % 2 && !load) {
        i.dst = {};
        i.dst.space = tensor ? 1 : 2;
      } else {
        i.src0.space = which == 0 && tensor ? 2 : 3;
      }
      break;
    case ErrorCause::BadFormat:
      operand.dtype = static_cast<std::uint8_t>(random.between(13, 15));
      // A tile that moves over bf16 weights is a narrow float too.
      if (tensor && !load && &operand == &i.src0) operand.dtype = which % 2 ? 1 : 7;
      break;
    case ErrorCause::BadPartition:
      if (which % 2)
        i.partitions = static_cast<std::uint8_t>(which == 1 ? 0 : sizes.partitions + 1);
      else
        i.src0.partition = static_cast<std::uint8_t>(which == 0 ? sizes.partitions : 1);
      break;
    case ErrorCause::BadShape:
      if (sync)
        i.imm &= ~0xffffu;
      else
        (which % 2 ? i.size0 : i.size1) = 0;
      break;
    case ErrorCause::Misaligned:
      operand.offset += 1;
      break;
    case ErrorCause::OutOfBounds:
      operand.offset = which % 2 ? 0xfffffc : 0x40000;
      break;
    case ErrorCause::SemaphoreOverflow:
      i.update = 1;
      i.update_sem = static_cast<std::uint16_t>(200 + random.between(0, 50));
      i.update_delta = which % 2 ? -1 : -32768;
      break;
    case ErrorCause::QueueOverflow:
      i.imm = (which % 2 ? 200u : sizes.dma_engines) << 16 | 1;
      break;
    default:
      break;
  }
}

void spoil_control(defs::Instr& i, ErrorCause cause, const cmodel::InstrStream& stream,
                   Random& random) {
  constexpr std::array kStacks{defs::kAddrHbm0Base, defs::kAddrHbm1Base};
  constexpr std::array kNowhere{defs::kAddrHbm0Base + defs::kAddrHbm0Size, defs::kAddrHbm1Base - 4,
                                defs::kAddrCore0Base, std::uint64_t{0x700000000000}};
  const auto becomes = [&i](const defs::Instr& control, const auto& operands) {
    i = cmodel::wait_and_update(i);
    i.opcode = control.opcode;
    i.func = control.func;
    i = cmodel::with_overlay(i, std::remove_cvref_t<decltype(operands)>{}, operands);
  };
  if (cause == ErrorCause::OutOfBounds) {
    const auto condition =
        static_cast<defs::Condition>(random.between(0, defs::kEveryCondition.size() - 1));
    const unsigned most = random.one_in(2) ? stream.count : 0xffffff;
    const defs::Branch branch{.target = random.between(stream.count, most)};
    return becomes(defs::encode_branch(condition, branch), branch);
  }
  std::uint64_t address = kStacks[stream.core] + random.between(1, 3);
  if (cause == ErrorCause::UnmappedAddress) address = kNowhere[random.between(0, 3)];
  if (cause == ErrorCause::Forbidden)
    address = kStacks[1 - stream.core] + 4 * random.between(0, 15);
  const defs::RegLoad load{.rd = 1, .address = address};
  becomes(defs::encode_reg_load(load), load);
}

void spoil(defs::Descriptor& d, ErrorCause cause, Random& random) {
  const unsigned which = random.between(0, 4);
  switch (cause) {
    case ErrorCause::ReservedBits:
      if (which == 0) d.reserved_hi = 1;
      if (which == 1) d.reserved_mid = 1u << 15;
      if (which == 2) d.reserved = 2;
      if (which == 3) d.reserved_lo = 1;
      if (which == 4) d.notify_sem = 7;
      break;
    case ErrorCause::Misaligned:
      if (which == 0) d.src += 2;
      if (which == 1) d.dst += 1;
      if (which >= 2) d.row_bytes += 1;
      break;
    case ErrorCause::UnmappedAddress:
      (which % 2 ? d.src : d.dst) = 0x700000000000;
      break;
    case ErrorCause::BadDescriptor:
      if (which == 0) d.rows = 0;
      if (which == 1) d.row_bytes = 0;
      if (which == 2) d.vn = 2;
      if (which == 3) d.notify = 1;
      if (which == 4) d.row_bytes = 0x20000;
      break;
    case ErrorCause::BadFormat:
      d.combine = static_cast<std::uint8_t>(1 + which % 2);
      d.dtype = static_cast<std::uint8_t>(which % 2 ? defs::Dtype::Fp16 : defs::Dtype::Tf32);
      d.src1 = d.src;
      break;
    case ErrorCause::Forbidden:  // begins in the other core's first line
      d.src = d.src >= defs::kAddrHbm1Base ? defs::kAddrHbm0Base : defs::kAddrHbm1Base;
      break;
    case ErrorCause::BadDestination:
      d.dst_chip = 12 + which * 100;
      d.vn = 1;
      break;
    case ErrorCause::SemaphoreOverflow:
      d.update = 1;
      d.update_sem = static_cast<std::uint16_t>(180 + which);
      d.update_delta = -1;
      break;
    default:
      break;
  }
}

}  // namespace tb
