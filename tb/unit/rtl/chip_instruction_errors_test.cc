// SPDX-License-Identifier: Apache-2.0
// Illegal instructions of the tensor, vector and activation engine.
#include "tb/unit/rtl/chip_errors_bench.h"

namespace {

using namespace chip_errors;

TEST(ChipErrors, TensorInstructions) {
  const Case cases[] = {
      {"opcode of another engine", load(), [](Instr& i) { i.opcode = 32; },
       ErrorCause::UnknownOpcode},
      {"imm", multiply(1), [](Instr& i) { i.imm = 1; }, ErrorCause::ReservedBits},
      {"operand's reserved bits", load(), [](Instr& i) { i.src0.reserved = 2; },
       ErrorCause::ReservedBits},
      {"destination's reserved bits", multiply(1), [](Instr& i) { i.dst.reserved = 1; },
       ErrorCause::ReservedBits},
      {"src1", multiply(1), [](Instr& i) { i.src1.dtype = 1; }, ErrorCause::ReservedBits},
      {"dst of a load", load(), [](Instr& i) { i.dst = psum32(0); }, ErrorCause::ReservedBits},
      {"stride of a single trip", multiply(1), [](Instr& i) { i.src0.stride2 = 4; },
       ErrorCause::ReservedBits},
      {"stationary in PSUM", load(), [](Instr& i) { i.src0 = psum32(0); }, ErrorCause::BadOperand},
      {"moving in PSUM", multiply(1), [](Instr& i) { i.src0 = psum32(0); }, ErrorCause::BadOperand},
      {"space 3", multiply(1), [](Instr& i) { i.src0.space = 3; }, ErrorCause::BadOperand},
      {"no source", load(), [](Instr& i) { i.src0 = {}; }, ErrorCause::BadOperand},
      {"no destination", multiply(1), [](Instr& i) { i.dst = {}; }, ErrorCause::BadOperand},
      {"destination in SBUF", multiply(1), [](Instr& i) { i.dst = sbuf32(0); },
       ErrorCause::BadOperand},
      {"int32 stationary", load(), [](Instr& i) { i.src0.dtype = 8; }, ErrorCause::BadFormat},
      {"format 15", load(), [](Instr& i) { i.src0.dtype = 15; }, ErrorCause::BadFormat},
      {"fp32 moving over bf16", multiply(1), [](Instr& i) { i.src0.dtype = 0, i.src0.offset = 64; },
       ErrorCause::BadFormat},
      {"tf32 moving over bf16", multiply(1), [](Instr& i) { i.src0.dtype = 1, i.src0.offset = 64; },
       ErrorCause::BadFormat},
      {"int8 moving over bf16", multiply(1), [](Instr& i) { i.src0.dtype = 7, i.dst.dtype = 8; },
       ErrorCause::BadFormat},
      {"bf16 into PSUM", multiply(1), [](Instr& i) { i.dst.dtype = 2; }, ErrorCause::BadFormat},
      {"floats into int32", multiply(1), [](Instr& i) { i.dst.dtype = 8; }, ErrorCause::BadFormat},
      {"K 0", load(), [](Instr& i) { i.partitions = 0; }, ErrorCause::BadPartition},
      {"K above P", load(), [](Instr& i) { i.partitions = kP + 1; }, ErrorCause::BadPartition},
      {"start 1", load(), [](Instr& i) { i.partitions = kP / 4, i.src0.partition = 1; },
       ErrorCause::BadPartition},
      {"half from a quarter", load(),
       [](Instr& i) { i.partitions = kP / 2, i.src0.partition = kP / 4; },
       ErrorCause::BadPartition},
      {"more than half from P/2", load(),
       [](Instr& i) { i.partitions = kP / 2 + 1, i.src0.partition = kP / 2; },
       ErrorCause::BadPartition},
      {"start beyond P", load(), [](Instr& i) { i.partitions = 1, i.src0.partition = kP; },
       ErrorCause::BadPartition},
      {"destination from P/2", multiply(1), [](Instr& i) { i.dst.partition = kP / 2; },
       ErrorCause::BadPartition},
      {"a size of 0", multiply(1), [](Instr& i) { i.size3 = 0; }, ErrorCause::BadShape},
      {"M above P", load(), [](Instr& i) { i.size0 = kP + 1; }, ErrorCause::BadShape},
      {"M above P in two dimensions", load(),
       [](Instr& i) { i.size0 = kP / 2, i.size1 = 3, i.src0.stride1 = 8; }, ErrorCause::BadShape},
      {"N above the columns", multiply(1), [](Instr& i) { i.size0 = kCols + 1; },
       ErrorCause::BadShape},
      {"another K than the load", multiply(1), [](Instr& i) { i.partitions = kP - 1; },
       ErrorCause::BadShape},
      {"odd stationary offset", load(), [](Instr& i) { i.src0.offset = 1; },
       ErrorCause::Misaligned},
      {"odd moving offset", multiply(1), [](Instr& i) { i.src0.offset = 65; },
       ErrorCause::Misaligned},
      {"PSUM offset not of a word", multiply(1), [](Instr& i) { i.dst.offset += 2; },
       ErrorCause::Misaligned},
      {"stationary beyond SBUF", load(), [](Instr& i) { i.src0.offset = kSbuf - 2 * kP + 2; },
       ErrorCause::OutOfBounds},
      {"moving beyond SBUF", multiply(1), [](Instr& i) { i.src0.offset = kSbuf - 46; },
       ErrorCause::OutOfBounds},
      {"moving before SBUF", multiply(0), [](Instr& i) { i.src0.stride0 = -2; },
       ErrorCause::OutOfBounds},
      {"PSUM bank crossed", multiply(1), [](Instr& i) { i.dst.offset = 2 * kBank - 4; },
       ErrorCause::OutOfBounds},
      {"PSUM bank crossed by a stride", multiply(1), [](Instr& i) { i.dst.stride0 = 3; },
       ErrorCause::OutOfBounds},
      {"PSUM bank crossed backwards", multiply(1), [](Instr& i) { i.dst.stride0 = -1; },
       ErrorCause::OutOfBounds},
      {"beyond PSUM", multiply(1), [](Instr& i) { i.dst.offset = 8 * kBank; },
       ErrorCause::OutOfBounds},
  };
  each(Engine::Tensor, cases);

  SCOPED_TRACE("multiply before any load");
  Busy busy;
  for (auto& instr : busy.code[0][0]) instr = multiply(1);
  expect_one_stop(busy, Engine::Tensor, pc_of(Engine::Tensor, 0), ErrorCause::BadShape);
}

TEST(ChipErrors, VectorInstructions) {
  const Case cases[] = {
      {"opcode of another engine", copy(1), [](Instr& i) { i.opcode = 48; },
       ErrorCause::UnknownOpcode},
      {"no such operation", add(1), [](Instr& i) { i.func = 60; }, ErrorCause::UnknownOpcode},
      {"a reduction by comparison", reduce(1),
       [](Instr& i) { i.func = static_cast<std::uint8_t>(defs::AluOp::Lt); },
       ErrorCause::UnknownOpcode},
      {"imm", add(1), [](Instr& i) { i.imm = 1 << 23; }, ErrorCause::ReservedBits},
      {"src1 of a copy", copy(1), [](Instr& i) { i.src1 = sbuf16(0); }, ErrorCause::ReservedBits},
      {"operand's reserved bits", add(1), [](Instr& i) { i.src1.reserved = 2; },
       ErrorCause::ReservedBits},
      {"stride of the reduced dimension", reduce(1), [](Instr& i) { i.dst.stride0 = 1; },
       ErrorCause::ReservedBits},
      {"no second source", add(1), [](Instr& i) { i.src1 = {}; }, ErrorCause::BadOperand},
      {"space 3", copy(1), [](Instr& i) { i.src0.space = 3; }, ErrorCause::BadOperand},
      {"destination in PSUM", copy(1), [](Instr& i) { i.dst = psum32(0); }, ErrorCause::BadOperand},
      {"format 13", copy(1), [](Instr& i) { i.src0.dtype = 13; }, ErrorCause::BadFormat},
      {"bits of bf16", add(1),
       [](Instr& i) { i.func = static_cast<std::uint8_t>(defs::AluOp::BitAnd); },
       ErrorCause::BadFormat},
      {"bf16 in PSUM", copy(1), [](Instr& i) { i.src0 = psum32(0), i.src0.dtype = 2; },
       ErrorCause::BadFormat},
      {"uint32 in PSUM", add(1), [](Instr& i) { i.src0 = psum32(0), i.src0.dtype = 12; },
       ErrorCause::BadFormat},
      {"no partitions", copy(1), [](Instr& i) { i.partitions = 0; }, ErrorCause::BadPartition},
      {"more than P", reduce(1), [](Instr& i) { i.partitions = kP + 1; }, ErrorCause::BadPartition},
      {"second source from P/2", add(1), [](Instr& i) { i.src1.partition = kP / 2; },
       ErrorCause::BadPartition},
      {"destination from 1", copy(1), [](Instr& i) { i.partitions = 1, i.dst.partition = 1; },
       ErrorCause::BadPartition},
      {"a size of 0", add(1), [](Instr& i) { i.size1 = 0; }, ErrorCause::BadShape},
      {"bf16 at an odd byte", copy(1), [](Instr& i) { i.src0.offset = 3; }, ErrorCause::Misaligned},
      {"fp32 at a half word", add(1), [](Instr& i) { i.dst.offset = 2050; },
       ErrorCause::Misaligned},
      {"source beyond SBUF", copy(1), [](Instr& i) { i.src0.offset = kSbuf - 38; },
       ErrorCause::OutOfBounds},
      {"destination before SBUF", copy(1), [](Instr& i) { i.dst.offset = 0, i.dst.stride0 = -1; },
       ErrorCause::OutOfBounds},
      {"source crosses a PSUM bank", add(1), [](Instr& i) { i.src1 = psum32(kBank - 4); },
       ErrorCause::OutOfBounds},
  };
  each(Engine::Vector, cases);
}

TEST(ChipErrors, ActivationInstructions) {
  const Case cases[] = {
      {"opcode of another engine", activate(1), [](Instr& i) { i.opcode = 17; },
       ErrorCause::UnknownOpcode},
      {"imm", activate(1), [](Instr& i) { i.imm = 4; }, ErrorCause::ReservedBits},
      {"operand's reserved bits", activate(1), [](Instr& i) { i.dst.reserved = 1; },
       ErrorCause::ReservedBits},
      {"no source", activate(1), [](Instr& i) { i.src0 = {}; }, ErrorCause::BadOperand},
      {"destination in PSUM", activate(1), [](Instr& i) { i.dst = psum32(0); },
       ErrorCause::BadOperand},
      {"bias in PSUM", activate(1), [](Instr& i) { i.src1 = psum32(0, 0); },
       ErrorCause::BadOperand},
      {"format 14", activate(1), [](Instr& i) { i.src0.dtype = 14; }, ErrorCause::BadFormat},
      {"tf32 bias", activate(1), [](Instr& i) { i.src1.dtype = 1; }, ErrorCause::BadFormat},
      {"more than P", activate(1), [](Instr& i) { i.partitions = kP + 1; },
       ErrorCause::BadPartition},
      {"source from 1", activate(1), [](Instr& i) { i.partitions = 4, i.src0.partition = 1; },
       ErrorCause::BadPartition},
      {"a size of 0", activate(1), [](Instr& i) { i.size0 = 0; }, ErrorCause::BadShape},
      {"odd bias", activate(1), [](Instr& i) { i.src1.offset = 257; }, ErrorCause::Misaligned},
      {"source crosses a PSUM bank", activate(1), [](Instr& i) { i.src0 = psum32(2 * kBank - 8); },
       ErrorCause::OutOfBounds},
      {"destination beyond SBUF", activate(1), [](Instr& i) { i.dst.offset = kSbuf - 38; },
       ErrorCause::OutOfBounds},
  };
  each(Engine::Act, cases);
}

}  // namespace
