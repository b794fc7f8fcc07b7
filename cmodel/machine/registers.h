// SPDX-License-Identifier: Apache-2.0
// The registers of a sequencer, and what instructions make of them. Twin of
// rtl/control/seq_registers.sv, seq_alu.sv and seq_resolve.sv.
#pragma once
#include <array>
#include <cstdint>

#include "rtl/defs/gen/instructions.h"

namespace cmodel {

/// 64 x 32 bits, zero at the start; register 0 reads as zero and takes no value.
class Registers {
 public:
  std::uint32_t operator[](unsigned index) const { return values_[index]; }
  void set(unsigned index, std::uint32_t value) {
    if (index) values_[index] = value;
  }

 private:
  std::array<std::uint32_t, defs::kRegisters> values_{};
};

/// a `op` b. Only a value of the enumeration.
std::uint32_t evaluate(defs::RegOp op, std::uint32_t a, std::uint32_t b);
/// Is it true of a and b? Only a value of the enumeration.
bool holds(defs::Condition condition, std::uint32_t a, std::uint32_t b);

/// The instruction as its engine gets it: offsets and a size out of registers, their indices zero;
/// of a RegLoad and a DmaStart, the addresses (modulo 2^48). What leaves its field becomes a value
/// that every engine rejects: offset 0xFFFFFC (OutOfBounds), size 0 (BadShape), rows 0. A size of 1
/// takes the strides of its dimension with it, which must then be zero. The first scalar in a
/// register becomes an immediate; a second one stays, to be rejected (BadOperand). An index where
/// the row has no operand stays, to be rejected (ReservedBits).
defs::Instr resolve(const defs::Instr& instr, const Registers& registers);

}  // namespace cmodel
