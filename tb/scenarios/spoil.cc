// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/spoil.h"

#include <algorithm>
#include <array>

#include "cmodel/machine/instruction.h"

namespace tb {

using defs::ErrorCause;

namespace {

/// The sync engine rejects a DmaStart, whose operands are a copy's.
void spoil_start(defs::Instr& i, ErrorCause cause, const defs::Sizes& sizes, Random& random) {
  if (cause == ErrorCause::QueueOverflow) {
    auto start = defs::dma_start_of(i);
    const auto before = start;
    start.engine = static_cast<std::uint8_t>(random.between(sizes.dma_engines, 15));
    i = cmodel::with_overlay(i, before, start);
    return;
  }
  switch (random.between(0, 5)) {  // ReservedBits
    case 0:
      i.reserved = 1u << random.between(0, 1);
      break;
    case 1:
      i.size_dim = 1;
      break;
    case 2:
      i.partitions = 1;
      break;
    case 3:
      i.imm = 1u << random.between(0, 23);
      break;
    case 4:
      i.size3 = 1;
      break;
    default:
      i.accumulate = 1;
  }
}

}  // namespace

void spoil(defs::Instr& i, ErrorCause cause, defs::Engine engine, const defs::Sizes& sizes,
           Random& random) {
  if (cmodel::starts_copy(i) && cause != ErrorCause::UnknownOpcode)
    return spoil_start(i, cause, sizes, random);
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
        if (tensor) i.dst.space = 1;
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

namespace {

constexpr std::uint64_t kUnmapped = 0x700000000000;

/// What descriptors and DmaStarts have in common.
template <class Copy>
void spoil_fields(Copy& d, ErrorCause cause, Random& random) {
  const bool listed = d.index_mode != 0;
  const auto format_of_none = [&] { return static_cast<std::uint8_t>(random.between(13, 15)); };
  const auto other_stack = [](std::uint64_t addr) {
    return addr >= defs::kAddrHbm1Base ? defs::kAddrHbm0Base : defs::kAddrHbm1Base;
  };
  switch (cause) {
    case ErrorCause::ReservedBits:
      switch (random.between(0, listed ? 2 : 5)) {
        case 0:
          d.notify_sem = 7;
          break;
        case 1:
          d.dtype = static_cast<std::uint8_t>(random.between(1, 15));
          break;
        case 2:
          d.dst_dtype = static_cast<std::uint8_t>(random.between(1, 15));
          break;
        case 3:
          d.skip = 1;
          break;
        case 4:
          d.index = 4;
          break;
        default:
          d.bound = 1u << random.between(0, 31);
      }
      break;
    case ErrorCause::Misaligned:
      switch (random.between(0, listed ? 3 : 2)) {
        case 0:
          d.src += 2;
          break;
        case 1:
          d.dst += 1;
          break;
        case 2:
          d.row_bytes += 1;
          break;
        default:
          d.index += random.between(1, 3);
      }
      break;
    case ErrorCause::UnmappedAddress:
      switch (random.between(0, listed ? 3 : 1)) {
        case 0:
          d.src = kUnmapped;
          break;
        case 1:
          d.dst = kUnmapped;
          break;
        case 2:
          d.index = random.one_in(2) ? kUnmapped : defs::kAddrHbm0Base + defs::kAddrHbm0Size - 4;
          break;
        default:
          d.bound = 0xffffffffu >> random.between(0, 3);
      }
      break;
    case ErrorCause::BadDescriptor:
      switch (random.between(0, listed ? 9 : 7)) {
        case 0:
          d.rows = 0;
          break;
        case 1:
          d.row_bytes = 0;
          break;
        case 2:
          d.vn = 2;
          break;
        case 3:
          d.notify = 1;
          break;
        case 4:
          d.row_bytes = 0x20000;
          break;
        case 5:
          d.combine = static_cast<std::uint8_t>(random.between(4, 7));
          break;
        case 6:  // a cast stays on its chip
          d.combine = static_cast<std::uint8_t>(defs::Combine::Cast);
          d.dst_chip = d.dst_chip ? 0 : 1;
          d.vn = 1;
          break;
        case 7:
          d.index_mode = 3;
          d.bound = 1;
          break;
        case 8:
          d.bound = 0;
          break;
        default:
          (d.index_mode == static_cast<std::uint8_t>(defs::IndexMode::Gather) ? d.src_stride
                                                                              : d.dst_stride) =
              std::int64_t{random.one_in(2) ? 1 : -2} << 31;
      }
      break;
    case ErrorCause::BadFormat:
      if (random.one_in(2)) {
        d.combine = static_cast<std::uint8_t>(defs::Combine::Cast);
        (random.one_in(2) ? d.dtype : d.dst_dtype) = format_of_none();
        break;
      }
      d.combine = static_cast<std::uint8_t>(random.between(1, 2));
      d.dtype = static_cast<std::uint8_t>(random.one_in(3)   ? defs::Dtype::Fp16
                                          : random.one_in(2) ? defs::Dtype::Tf32
                                                             : defs::Dtype::Uint32);
      // A scatter with a second source is a bad descriptor before that.
      d.index_mode = d.skip = 0;
      d.index = d.bound = 0;
      break;
    case ErrorCause::Forbidden:  // begins in the other core's first line
      if (listed && random.one_in(2))
        d.index = other_stack(d.index);
      else
        d.src = other_stack(d.src);
      break;
    case ErrorCause::BadDestination:
      d.dst_chip = static_cast<std::uint16_t>(12 + 100 * random.between(0, 4));
      d.vn = 1;
      break;
    default:
      break;
  }
}

/// Of an instruction or descriptor that has no update.
template <class Item>
void spoil_update(Item& item, Random& random) {
  item.update = 1;
  item.update_sem = static_cast<std::uint16_t>(180 + random.between(0, 4));
  item.update_delta = -1;
}

}  // namespace

void spoil(defs::Descriptor& d, ErrorCause cause, Random& random) {
  if (cause == ErrorCause::SemaphoreOverflow) return spoil_update(d, random);
  if (cause != ErrorCause::ReservedBits || random.one_in(2)) return spoil_fields(d, cause, random);
  switch (random.between(0, 4)) {
    case 0:
      d.reserved_hi = 1;
      break;
    case 1:
      d.reserved_mid = 1u << 15;
      break;
    case 2:
      d.reserved = 2;
      break;
    case 3:
      d.reserved_lo = 1;
      break;
    default:
      d.src1_stride = 4;
  }
}

void spoil_copy(defs::Instr& i, ErrorCause cause, Random& random) {
  if (cause == ErrorCause::SemaphoreOverflow) return spoil_update(i, random);
  auto start = defs::dma_start_of(i);
  const auto before = start;
  spoil_fields(start, cause, random);
  i = cmodel::with_overlay(i, before, start);
}

}  // namespace tb
