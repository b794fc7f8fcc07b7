// SPDX-License-Identifier: Apache-2.0
// What a program with registers, branches and takes means, written down once more: plain, without a
// clock.
#pragma once
#include <array>
#include <cstring>
#include <vector>

#include "rtl/defs/gen/instructions.h"
#include "tb/unit/rtl/sequencer_bench.h"

namespace sequencer {

inline Instr reg_alu(defs::RegOp op, unsigned rd, unsigned ra, unsigned rb, std::uint32_t value) {
  const auto index = [](unsigned r) { return static_cast<std::uint8_t>(r); };
  return defs::encode_reg_alu(op, {index(rd), index(ra), index(rb), value});
}
inline Instr set(unsigned rd, std::uint32_t value) {
  return reg_alu(defs::RegOp::Add, rd, 0, 0, value);
}
inline Instr branch(defs::Condition when, unsigned ra, unsigned rb, std::uint32_t add,
                    unsigned target) {
  return defs::encode_branch(
      when, {static_cast<std::uint8_t>(ra), static_cast<std::uint8_t>(rb), add, target});
}
inline Instr reg_load(unsigned rd, unsigned ra, std::uint64_t address) {
  return defs::encode_reg_load(
      {static_cast<std::uint8_t>(rd), static_cast<std::uint8_t>(ra), address});
}

/// Runs a program. Waits always hold; nothing is rejected but what `run` says.
struct Reference {
  std::vector<unsigned> issued;     ///< pc of what goes to the engine
  std::vector<unsigned> serials;    ///< ... and how many operations came before it
  std::vector<Instr> issued_instr;  ///< ... as it sees it
  std::vector<Update> updates, takes;
  std::array<std::uint32_t, defs::kRegisters> reg{};
  std::size_t steps = 0, longest_jump = 0;

  std::uint32_t alu(unsigned op, std::uint32_t a, std::uint32_t b) const {
    const auto sa = static_cast<std::int32_t>(a), sb = static_cast<std::int32_t>(b);
    switch (static_cast<defs::RegOp>(op)) {
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
        return a << (b % 32);
      case defs::RegOp::Srl:
        return a >> (b % 32);
      case defs::RegOp::Sra:
        return static_cast<std::uint32_t>(std::int64_t{sa} >> (b % 32));
      case defs::RegOp::Min:
        return sa < sb ? a : b;
      case defs::RegOp::Max:
        return sa < sb ? b : a;
    }
    return 0;
  }
  bool holds(unsigned condition, std::uint32_t a, std::uint32_t b) const {
    const auto sa = static_cast<std::int32_t>(a), sb = static_cast<std::int32_t>(b);
    switch (static_cast<defs::Condition>(condition)) {
      case defs::Condition::Eq:
        return a == b;
      case defs::Condition::Ne:
        return a != b;
      case defs::Condition::Lt:
        return sa < sb;
      case defs::Condition::Ge:
        return sa >= sb;
      case defs::Condition::Ltu:
        return a < b;
      case defs::Condition::Geu:
        return a >= b;
    }
    return false;
  }
  void write(unsigned index, std::uint32_t value) {
    if (index) reg[index] = value;
  }
  void resolve(defs::Operand& operand, bool used) const {
    if (!used || !operand.index || operand.space == static_cast<unsigned>(defs::Space::None))
      return;
    const std::uint32_t offset = operand.offset + reg[operand.index];
    operand.offset = offset < 1u << 24 ? offset : 0xFFFFFC;
    operand.index = 0;
  }
  Instr resolved(Instr i) const {
    const auto is = [&](Opcode opcode) { return i.opcode == static_cast<unsigned>(opcode); };
    if (is(Opcode::DmaStart)) {
      auto f = defs::dma_start_of(i);
      const auto moved = [&](std::uint64_t address, unsigned r) {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(address) +
                                          static_cast<std::int32_t>(reg[r])) &
               ((1ull << 48) - 1);
      };
      f.src = moved(f.src, f.src_reg);
      f.dst = moved(f.dst, f.dst_reg);
      f.index = moved(f.index, f.index_reg);
      if (f.rows_reg)
        f.rows = static_cast<std::uint16_t>(reg[f.rows_reg] < 65536 ? reg[f.rows_reg] : 0);
      f.src_reg = f.dst_reg = f.index_reg = f.rows_reg = 0;
      Instr out = defs::encode_dma_start(f);
      for (auto field : {&Instr::wait_op, &Instr::update}) out.*field = i.*field;
      for (auto field : {&Instr::wait_sem, &Instr::wait_value, &Instr::update_sem})
        out.*field = i.*field;
      out.update_delta = i.update_delta;
      return out;
    }
    const bool two_sources = is(Opcode::TensorTensor) || is(Opcode::Activate);
    resolve(i.src0, !is(Opcode::DmaTrigger));
    resolve(i.src1, two_sources);
    if (is(Opcode::TensorScalar)) {  // one of its scalars, the first that asks
      auto scalars = defs::Scalars::from(i.src1.words());
      defs::Scalar& one = scalars.first.kind == 3 ? scalars.first : scalars.second;
      if (one.kind == 3) one.kind = 1, one.value = reg[one.value & 63];
      i.src1 = defs::Operand::from(scalars.words());
    }
    resolve(i.dst, !is(Opcode::DmaTrigger) && !is(Opcode::LoadStationary));
    if (i.size_reg && !is(Opcode::DmaTrigger)) {
      const std::uint32_t value = reg[i.size_reg];
      const auto size = static_cast<std::uint16_t>(value <= 65535 ? value : 0);
      (i.size_dim == 0   ? i.size0
       : i.size_dim == 1 ? i.size1
       : i.size_dim == 2 ? i.size2
                         : i.size3) = size;
      const auto one = [&](defs::Operand& o, bool used) {
        if (used && size == 1)
          (i.size_dim == 0   ? o.stride0
           : i.size_dim == 1 ? o.stride1
           : i.size_dim == 2 ? o.stride2
                             : o.stride3) = 0;
      };
      one(i.src0, true);
      one(i.src1, two_sources);
      one(i.dst, !is(Opcode::LoadStationary));
      i.size_reg = i.size_dim = 0;
    }
    return i;
  }

  /// From a start to END, or `limit` steps. `data`: memory from kDataBase on.
  void run(const std::vector<Instr>& program, const std::vector<std::uint8_t>& data,
           std::size_t limit = 100000) {
    reg = {};
    unsigned pc = 0;
    for (; limit--; ++steps) {
      const Instr& i = program.at(pc);
      unsigned next = pc + 1;
      if (i.wait_op == static_cast<unsigned>(defs::WaitOp::Take) && i.wait_value)
        takes.push_back({i.wait_sem, -int{i.wait_value}, pc});
      // The copy's own.
      if (i.update && i.opcode != static_cast<unsigned>(Opcode::DmaStart))
        updates.push_back({i.update_sem, i.update_delta, pc});
      switch (static_cast<Opcode>(i.opcode)) {
        case Opcode::Nop:
          break;
        case Opcode::End:
          return;
        case Opcode::RegAlu: {
          const auto f = defs::reg_alu_of(i);
          write(f.rd, alu(i.func, reg[f.ra], reg[f.rb] + f.value));
          break;
        }
        case Opcode::Branch: {
          const auto f = defs::branch_of(i);
          write(f.ra, reg[f.ra] + f.add);
          if (holds(i.func, reg[f.ra], reg[f.rb])) next = f.target;
          if (next < pc) longest_jump = std::max<std::size_t>(longest_jump, pc - next);
          break;
        }
        case Opcode::RegLoad: {
          const auto f = defs::reg_load_of(i);
          const auto at = f.address + static_cast<std::uint64_t>(
                                          std::int64_t{static_cast<std::int32_t>(reg[f.ra])});
          std::uint32_t value = 0;
          std::memcpy(&value, &data.at(at - kDataBase), 4);
          write(f.rd, value);
          break;
        }
        default:
          issued.push_back(pc);
          serials.push_back(static_cast<unsigned>(steps));
          issued_instr.push_back(resolved(i));
      }
      pc = next;
    }
  }
};

}  // namespace sequencer
