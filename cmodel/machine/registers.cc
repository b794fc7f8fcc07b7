// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/registers.h"

#include "cmodel/machine/instruction.h"

namespace cmodel {
namespace {

constexpr std::uint32_t kBeyond = 0xff'fffcu;  // a multiple of every element, outside every buffer

std::int32_t as_signed(std::uint32_t value) { return static_cast<std::int32_t>(value); }

void set_stride(defs::Operand& operand, unsigned dimension, std::int16_t stride) {
  decltype(&operand.stride0)
      const strides[] = {&operand.stride0, &operand.stride1, &operand.stride2, &operand.stride3};
  *strides[dimension] = stride;
}

void resolve(defs::Operand& operand, const Registers& registers) {
  if (!operand.index || operand.space == static_cast<std::uint8_t>(defs::Space::None)) return;
  const std::uint32_t offset = operand.offset + registers[operand.index];
  operand.offset = offset >> 24 ? kBeyond : offset;
  operand.index = 0;
}

/// An address so many bytes further on, signed, modulo 2^48.
std::uint64_t moved(std::uint64_t address, std::uint32_t by) {
  return (address + static_cast<std::uint64_t>(std::int64_t{as_signed(by)})) & 0xffff'ffff'ffffu;
}

defs::Instr resolve_load(const defs::Instr& instr, const Registers& registers) {
  auto load = defs::reg_load_of(instr);
  const auto before = load;
  load.address = moved(load.address, registers[load.ra]);
  load.ra = 0;
  return with_overlay(instr, before, load);
}

defs::Instr resolve_start(const defs::Instr& instr, const Registers& registers) {
  auto start = defs::dma_start_of(instr);
  const auto before = start;
  start.src = moved(start.src, registers[start.src_reg]);
  start.dst = moved(start.dst, registers[start.dst_reg]);
  start.index = moved(start.index, registers[start.index_reg]);
  if (const std::uint32_t rows = registers[start.rows_reg]; start.rows_reg)
    start.rows = static_cast<std::uint16_t>(rows >> 16 ? 0 : rows);
  start.src_reg = start.dst_reg = start.index_reg = start.rows_reg = 0;
  return with_overlay(instr, before, start);
}

}  // namespace

std::uint32_t evaluate(defs::RegOp op, std::uint32_t a, std::uint32_t b) {
  const unsigned shift = b & 31;
  switch (op) {
    case defs::RegOp::Add:
      return a + b;
    case defs::RegOp::Sub:
      return a - b;
    case defs::RegOp::Mul:
      return a * b;
    case defs::RegOp::And:
      return a & b;
    case defs::RegOp::Or:
      return a | b;
    case defs::RegOp::Xor:
      return a ^ b;
    case defs::RegOp::Sll:
      return a << shift;
    case defs::RegOp::Srl:
      return a >> shift;
    case defs::RegOp::Sra:
      return static_cast<std::uint32_t>(as_signed(a) >> shift);
    case defs::RegOp::Min:
      return as_signed(a) < as_signed(b) ? a : b;
    case defs::RegOp::Max:
      return as_signed(a) < as_signed(b) ? b : a;
  }
  return 0;
}

bool holds(defs::Condition condition, std::uint32_t a, std::uint32_t b) {
  switch (condition) {
    case defs::Condition::Eq:
      return a == b;
    case defs::Condition::Ne:
      return a != b;
    case defs::Condition::Lt:
      return as_signed(a) < as_signed(b);
    case defs::Condition::Ge:
      return as_signed(a) >= as_signed(b);
    case defs::Condition::Ltu:
      return a < b;
    case defs::Condition::Geu:
      return a >= b;
  }
  return false;
}

defs::Instr resolve(const defs::Instr& instr, const Registers& registers) {
  if (overlay_of(instr) == defs::Overlay::RegLoad) return resolve_load(instr, registers);
  if (overlay_of(instr) == defs::Overlay::DmaStart) return resolve_start(instr, registers);
  const auto* row = defs::row_of(instr.opcode);
  if (!row) return instr;
  defs::Instr out = instr;
  defs::Operand* const operands[] = {&out.src0, &out.src1, &out.dst};
  for (unsigned i = 0; i < row->operands.size(); ++i)
    if (row->operands[i].used()) resolve(*operands[i], registers);
  if (row->scalars == defs::ScalarPlace::Src1) {
    defs::Scalars scalars = scalars_of(out);
    constexpr auto kRegister = static_cast<std::uint8_t>(defs::ScalarKind::Register);
    // One of them: there is one port.
    for (defs::Scalar* scalar : {&scalars.first, &scalars.second}) {
      if (scalar->kind != kRegister) continue;
      scalar->kind = static_cast<std::uint8_t>(defs::ScalarKind::Immediate);
      scalar->value = registers[scalar->value % defs::kRegisters];
      break;
    }
    out.src1 = defs::Operand::from(scalars.words());
  }
  if (out.size_reg && row->computes()) {
    std::uint16_t* const sizes[] = {&out.size0, &out.size1, &out.size2, &out.size3};
    const std::uint32_t size = registers[out.size_reg];
    *sizes[out.size_dim] = static_cast<std::uint16_t>(size >> 16 ? 0 : size);
    for (unsigned i = 0; size == 1 && i < row->operands.size(); ++i)
      if (row->operands[i].used() && !defs::fixed_elements(row->operands[i].walk))
        set_stride(*operands[i], out.size_dim, 0);
    out.size_reg = out.size_dim = 0;
  }
  return out;
}

}  // namespace cmodel
