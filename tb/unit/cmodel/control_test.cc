// SPDX-License-Identifier: Apache-2.0
// Registers, branches and loads of the golden model, at the corners of their contract.
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "cmodel/board/provenance.h"
#include "tb/unit/cmodel/control_bench.h"

namespace tb::model {
namespace {

constexpr std::array<std::uint32_t, 9> kCorners{
    0, 1, 2, 31, 32, 0x7fff'ffff, 0x8000'0000, 0x8000'0001, 0xffff'ffff};

// -------------------------------------------------------------------------------- registers

std::uint32_t plain(RegOp op, std::uint32_t a, std::uint32_t b) {
  const auto x = static_cast<std::int64_t>(static_cast<std::int32_t>(a));
  const auto y = static_cast<std::int64_t>(static_cast<std::int32_t>(b));
  const unsigned by = b % 32;
  std::int64_t out = 0;
  if (op == RegOp::Add) out = x + y;
  if (op == RegOp::Sub) out = x - y;
  if (op == RegOp::Mul) out = static_cast<std::int64_t>(std::uint64_t{a} * b);
  if (op == RegOp::And) out = x & y;
  if (op == RegOp::Or) out = x | y;
  if (op == RegOp::Xor) out = x ^ y;
  if (op == RegOp::Sll) out = static_cast<std::int64_t>(std::uint64_t{a} << by);
  if (op == RegOp::Srl) out = static_cast<std::int64_t>(std::uint64_t{a} >> by);
  if (op == RegOp::Sra) out = x >> by;
  if (op == RegOp::Min) out = std::min(x, y);
  if (op == RegOp::Max) out = std::max(x, y);
  return static_cast<std::uint32_t>(out);
}

bool plain(Condition condition, std::uint32_t a, std::uint32_t b) {
  const std::int64_t x = static_cast<std::int32_t>(a), y = static_cast<std::int32_t>(b);
  switch (condition) {
    case Condition::Eq:
      return x == y;
    case Condition::Ne:
      return x != y;
    case Condition::Lt:
      return x - y < 0;
    case Condition::Ge:
      return x - y >= 0;
    case Condition::Ltu:
      return std::int64_t{a} - std::int64_t{b} < 0;
    case Condition::Geu:
      return std::int64_t{a} - std::int64_t{b} >= 0;
  }
  return false;
}

TEST(Control, EveryOperationOfRegistersAtItsCorners) {
  for (const RegOp op : defs::kEveryRegOp) {
    std::vector<defs::Instr> code;
    std::vector<std::uint32_t> expected;
    for (const auto a : kCorners)
      for (const auto b : kCorners) {
        const unsigned rd = 3 + static_cast<unsigned>(expected.size()) % 60;
        if (rd == 3 && !expected.empty()) {
          const Ran run(code);
          for (unsigned i = 0; i < expected.size(); ++i)
            EXPECT_EQ(run.reg(3 + i), expected[i]) << to_string(op) << " " << i;
          code.clear();
          expected.clear();
        }
        // Half of b from the register, half from the value.
        code.insert(code.end(), {set(1, a), set(2, b - 5), alu(op, 3 + expected.size(), 1, 2, 5)});
        expected.push_back(plain(op, a, b));
      }
    const Ran run(code);
    for (unsigned i = 0; i < expected.size(); ++i)
      EXPECT_EQ(run.reg(3 + i), expected[i]) << to_string(op) << " " << i;
  }
}

TEST(Control, EveryConditionAtItsCorners) {
  for (const Condition condition : defs::kEveryCondition)
    for (const auto a : kCorners)
      for (const auto b : kCorners) {
        // R[1] becomes a only by the addition of the branch.
        const Ran run({set(1, a + 7), set(2, b), branch(condition, 1, 2, 4, -7), set(3, 1), kNop});
        EXPECT_EQ(run.reg(3), plain(condition, a, b) ? 0u : 1u)
            << to_string(condition) << " " << a << " " << b;
        EXPECT_EQ(run.reg(1), a);
      }
}

TEST(Control, RegisterZeroIsZero) {
  const Ran run({set(0, 7), load(0, 0, 0x40), branch(Condition::Eq, 0, 0, 4, 9), set(1, 1),
                 alu(RegOp::Add, 2, 0, 0, 3)});
  EXPECT_EQ(run.reg(0), 0u);
  EXPECT_EQ(run.reg(1), 0u) << "0 + 9 in register 0 is still 0";
  EXPECT_EQ(run.reg(2), 3u);
}

TEST(Control, ABranchThatComparesARegisterWithItselfSeesTheSumTwice) {
  const Ran run({set(1, 5), branch(Condition::Ne, 1, 1, 3, 1), set(2, 1), kNop});
  EXPECT_EQ(run.reg(2), 1u);
}

TEST(Control, ALoadReadsWhatIsInMemoryWhenItIssues) {
  const Ran run({load(1, 0, 0x40), set(2, 0xffff'fffcu), load(3, 2, 0x48), set(4, 4),
                 load(4, 4, 0x40), load(5, 0, 0x10'0000)});
  EXPECT_EQ(run.reg(1), 0x0403'0201u);
  EXPECT_EQ(run.reg(3), 0xffff'ffffu) << "the index is signed";
  EXPECT_EQ(run.reg(4), 0xffff'ffffu) << "into the register that it adds";
  EXPECT_EQ(run.reg(5), 0x40u) << "the low word of the first instruction: its address";
}

TEST(Control, ARestartBeginsAtZeroAndCountsOn) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Vector, TinyInstr(alu(RegOp::Add, 1, 1, 0, 5)).then(3));
  const auto program = tiny.build();
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  ASSERT_TRUE(board.run());
  auto& chip = const_cast<cmodel::Chip&>(board.machine(0));
  const auto& sequencer = chip.core(0).sequencers[1];
  chip.start(0, 1, program.streams[0].base, program.streams[0].count);
  ASSERT_TRUE(board.run());
  EXPECT_EQ(sequencer.registers()[1], 5u);
  ASSERT_EQ(recorder.count(CommitKind::Semaphore), 2u);
  const auto& updates = recorder.updates[stream(0, 0, Engine::Vector)];
  EXPECT_EQ(updates[0].commit.pc, 0u);
  EXPECT_EQ(updates[0].commit.serial, 0u);
  EXPECT_EQ(updates[1].commit.pc, 0u);
  EXPECT_EQ(updates[1].commit.serial, 2u);
}

// ---------------------------------------------------------------------------------- resolve

TEST(Control, ResolveAddsSaturatesAndLeavesWhatIsNoOperand) {
  cmodel::Registers registers;
  registers.set(1, 0x10);
  registers.set(2, 0xffff'fff0u);
  registers.set(3, 0xff'ffffu);
  registers.set(4, 65535);
  registers.set(5, 65536);
  const auto offset = [&](unsigned from, unsigned index) {
    auto copy = TinyInstr(Opcode::TensorCopy).shape(4, 4).from(sbuf32(from)).to(sbuf32(0));
    copy.src0.index = static_cast<std::uint8_t>(index);
    const auto out = cmodel::resolve(copy, registers);
    EXPECT_EQ(out.src0.index, 0u);
    return out.src0.offset;
  };
  EXPECT_EQ(offset(0x20, 1), 0x30u);
  EXPECT_EQ(offset(0x20, 2), 0x10u) << "backwards";
  EXPECT_EQ(offset(0x00, 2), 0xff'fffcu) << "below zero";
  EXPECT_EQ(offset(0x00, 3), 0xff'ffffu);
  EXPECT_EQ(offset(0x01, 3), 0xff'fffcu) << "one beyond the field";
  EXPECT_EQ(offset(0x20, 6), 0x20u) << "a register that is zero";

  auto sized = TinyInstr(Opcode::TensorCopy).shape(4, 9).from(sbuf32(0)).to(sbuf32(64));
  for (unsigned dim = 0; dim < 4; ++dim) {
    sized.size_dim = static_cast<std::uint8_t>(dim);
    sized.size_reg = 4;
    const auto out = cmodel::resolve(sized, registers);
    const std::array sizes{out.size0, out.size1, out.size2, out.size3};
    EXPECT_EQ(sizes[dim], 65535u);
    EXPECT_EQ(out.size_reg, 0u);
    EXPECT_EQ(out.size_dim, 0u);
    sized.size_reg = 5;
    const auto beyond = cmodel::resolve(sized, registers);
    EXPECT_EQ((std::array{beyond.size0, beyond.size1, beyond.size2, beyond.size3}[dim]), 0u);
  }
  // At 1 the strides of that dimension are 0, but of operands whose elements the row counts.
  registers.set(8, 1);
  auto eight = TinyInstr(Opcode::MatchReplace8).shape(4, 9).from(sbuf32(0)).to(sbuf32(64));
  eight.src1 = sbuf32(128);
  eight.size_reg = 8;
  const auto one = cmodel::resolve(eight, registers);
  EXPECT_EQ((std::array{one.src0.stride0, one.src1.stride0, one.dst.stride0}),
            (std::array<std::int16_t, 3>{0, 1, 0}));
  // Nothing of these is an operand: all stays, to be rejected.
  auto nop = kNop;
  nop.src0.index = nop.size_reg = 1;
  EXPECT_EQ(cmodel::resolve(nop, registers), nop);
  auto dim = TinyInstr(Opcode::TensorCopy).shape(4, 4).from(sbuf32(0)).to(sbuf32(64));
  dim.size_dim = 2;
  dim.src1.index = 1;
  EXPECT_EQ(cmodel::resolve(dim, registers), dim);
}

TEST(Control, AScalarInARegisterBecomesAnImmediateAndOnlyOneDoes) {
  cmodel::Registers registers;
  registers.set(7, 0x3fc0'0000u);
  auto instr = TinyInstr(Opcode::TensorScalar).shape(4, 4).from(sbuf32(0)).to(sbuf32(64));
  const auto resolved = [&](const defs::Scalars& scalars) {
    instr.src1 = defs::Operand::from(scalars.words());
    return defs::Scalars::from(cmodel::resolve(instr, registers).src1.words());
  };
  const defs::Scalar in_register{.kind = 3, .reverse = 1, .value = 7};
  const defs::Scalar immediate{.kind = 1, .reverse = 1, .value = 0x3fc0'0000u};
  EXPECT_EQ(resolved({.first = in_register}), (defs::Scalars{.first = immediate}));
  EXPECT_EQ(resolved({in_register, immediate}), (defs::Scalars{immediate, immediate}));
  EXPECT_EQ(resolved({in_register, in_register}), (defs::Scalars{in_register, immediate}));
}

TEST(Control, WhatRegistersMakeWrongIsRejectedByItsEngine) {
  const auto cause = [](std::uint32_t value, auto&& change) {
    auto copy = TinyInstr(Opcode::TensorCopy).shape(4, 4).from(sbuf32(0)).to(sbuf32(64));
    change(copy);
    const Ran run({set(9, value), copy});
    return run.board.errors().empty() ? ErrorCause::None : run.error().cause;
  };
  const auto source = [](TinyInstr& i) { i.src0.index = 9; };
  const auto target = [](TinyInstr& i) { i.dst.index = 9; };
  const auto sized = [](TinyInstr& i) { i.size_reg = 9; };
  EXPECT_EQ(cause(64, source), ErrorCause::None);
  EXPECT_EQ(cause(4, target), ErrorCause::None);
  EXPECT_EQ(cause(2, target), ErrorCause::Misaligned);
  EXPECT_EQ(cause(8192 - 16, source), ErrorCause::None);
  EXPECT_EQ(cause(8192 - 12, source), ErrorCause::OutOfBounds);
  EXPECT_EQ(cause(0xffff'ffffu, source), ErrorCause::OutOfBounds);
  EXPECT_EQ(cause(3, sized), ErrorCause::None);
  EXPECT_EQ(cause(1, sized), ErrorCause::None) << "a stride that nothing walks";
  EXPECT_EQ(cause(0, sized), ErrorCause::BadShape);
  EXPECT_EQ(cause(65536, sized), ErrorCause::BadShape);
  EXPECT_EQ(cause(65535, sized), ErrorCause::OutOfBounds);
  EXPECT_EQ(cause(1, [](TinyInstr& i) { i.src1.index = 9; }), ErrorCause::ReservedBits);
  EXPECT_EQ(cause(1, [](TinyInstr& i) { i.size_dim = 1; }), ErrorCause::ReservedBits);
}

// ------------------------------------------------------------------------------- rejections

TEST(Control, EveryRejectionWithItsPcInTheOrderOfTheContract) {
  const auto with = [](TinyInstr instr, auto&& change) {
    change(instr);
    return instr;
  };
  const auto reserved = [](TinyInstr& i) { i.reserved = 1; };
  const auto bad_func = [](TinyInstr& i) { i.func = 63; };
  const TinyInstr add = alu(RegOp::Add, 1, 0, 0, 1), back = branch(Condition::Eq, 0, 0, 4),
                  read = load(1, 0, 0x40);
  const struct {
    const char* what;
    TinyInstr instr;
    ErrorCause cause;
  } cases[] = {
      {"no such operation", with(add, bad_func), ErrorCause::UnknownOpcode},
      {"nor with reserved bits", with(with(add, bad_func), reserved), ErrorCause::UnknownOpcode},
      {"beyond 63", with(add, [](TinyInstr& i) { i.func = 64; }), ErrorCause::UnknownOpcode},
      {"no such condition", with(back, bad_func), ErrorCause::UnknownOpcode},
      {"a load has no function", with(read, bad_func), ErrorCause::ReservedBits},
      {"reserved", with(add, reserved), ErrorCause::ReservedBits},
      {"partitions", with(add, [](TinyInstr& i) { i.partitions = 1; }), ErrorCause::ReservedBits},
      {"size", with(back, [](TinyInstr& i) { i.size0 = 1; }), ErrorCause::ReservedBits},
      {"source", with(read, [](TinyInstr& i) { i.src0.space = 1; }), ErrorCause::ReservedBits},
      {"behind the operands", with(add, [](TinyInstr& i) { i.dst.space = 1; }),
       ErrorCause::ReservedBits},
      {"size register", with(add, [](TinyInstr& i) { i.size_reg = 1; }), ErrorCause::ReservedBits},
      {"target", branch(Condition::Eq, 0, 0, 5), ErrorCause::OutOfBounds},
      {"target, though not taken", branch(Condition::Ne, 0, 0, 5), ErrorCause::OutOfBounds},
      {"reserved first", with(branch(Condition::Ne, 0, 0, 5), reserved), ErrorCause::ReservedBits},
      {"misaligned", load(1, 0, 0x42), ErrorCause::Misaligned},
      {"misaligned by its register", load(1, 2, 0x40), ErrorCause::Misaligned},
      {"misaligned first", load(1, 0, defs::kAddrHbm0Size + 1), ErrorCause::Misaligned},
      {"unmapped", load(1, 0, defs::kAddrHbm0Size), ErrorCause::UnmappedAddress},
      {"SBUF is none of it", load(1, 0, defs::kAddrCore0Base), ErrorCause::UnmappedAddress},
      {"below zero", load(1, 3, 0), ErrorCause::UnmappedAddress},
      {"the END's", with(TinyInstr(Opcode::End), [](TinyInstr& i) { i.src0.index = 1; }),
       ErrorCause::ReservedBits},
      {"nothing wrong", branch(Condition::Eq, 0, 0, 4), ErrorCause::None},
  };
  for (const auto& test : cases) {
    const Ran run({set(2, 1), set(3, 0xffff'fffcu), TinyInstr(kNop).then(7), test.instr});
    SCOPED_TRACE(test.what);
    EXPECT_EQ(run.board.semaphore(0, 7), 1u) << "what is older is done";
    if (test.cause == ErrorCause::None) {
      EXPECT_TRUE(run.board.errors().empty());
      continue;
    }
    const auto error = run.error();
    EXPECT_EQ(to_string(error.cause), to_string(test.cause));
    EXPECT_EQ(error.pc, 3u);
    EXPECT_EQ(error.serial, 3u);
    EXPECT_EQ(run.reg(1), 0u);
    EXPECT_EQ(run.sequencer().pc(), 3u);
  }
}

TEST(Control, ALoadOrATakeFromTheOtherCoreNeedsItsLeave) {
  EXPECT_EQ(Ran({load(1, 0, defs::kAddrHbm1Base)}, true).error().cause, ErrorCause::Forbidden);
  EXPECT_TRUE(Ran({load(1, 0, defs::kAddrHbm1Base)}).board.errors().empty());
  const auto take = TinyInstr(kNop).wait(defs::kSemaphores + 1, 0, WaitOp::Take);
  EXPECT_EQ(Ran({take}, true).error().cause, ErrorCause::Forbidden);
  EXPECT_TRUE(Ran({take}).board.errors().empty());
}

TEST(Control, TheVisitOfALoopIsNamed) {
  const Ran run({set(1, 3), set(2, 0), load(3, 2, 0x40), branch(Condition::Ne, 1, 0, 2, -1),
                 set(2, 1), branch(Condition::Eq, 0, 0, 2)});
  const auto error = run.error();  // the load again, of an odd address
  EXPECT_EQ(error.cause, ErrorCause::Misaligned);
  EXPECT_EQ(to_string(error.operation()), "pc 2, visit 4");
  EXPECT_EQ(error.serial, 10u);
}

TEST(Control, ProvenanceFollowsTheTurnsOfALoop) {
  TinyProgram tiny(kSizes, 1);
  auto weights = TinyInstr(Opcode::LoadStationary).shape(16, 4).from(sbuf16(0x100));
  auto multiply = TinyInstr(Opcode::MultiplyMoving).shape(16, 2).from(sbuf16(0)).to(psum32(0));
  weights.src0.index = multiply.dst.index = 1;
  for (const auto& instr : {set(2, 3), weights, multiply, alu(RegOp::Add, 1, 1, 0, 8),
                            branch(Condition::Ne, 2, 0, 1, -1)})
    tiny.add(0, 0, Engine::Tensor, instr);
  Bench bench(tiny.build());
  ASSERT_TRUE(bench.board.run());
  const auto id = stream(0, 0, Engine::Tensor);
  const auto& rows = bench.recorder.writes[id];
  ASSERT_EQ(rows.size(), 6u);
  const cmodel::Provenance provenance(kSizes, bench.program);
  for (unsigned turn = 0; turn < 3; ++turn) {
    const unsigned ordinal = 2 * turn + 1;
    const auto operation = provenance.operation_of(id, ordinal);
    ASSERT_TRUE(operation);
    EXPECT_EQ(operation->pc, 2u);
    EXPECT_EQ(operation->serial, 4 * turn + 2);
    EXPECT_EQ(rows[ordinal].commit.serial, operation->serial);
    EXPECT_EQ(provenance.operation_at(id, operation->serial)->begin, 2 * turn);
    EXPECT_EQ(provenance.stationary(*operation)->serial, 4 * turn + 1);
    const auto cells = provenance.sources(*operation, rows[ordinal].commit, ordinal, 0);
    ASSERT_EQ(cells.size(), 64u);
    EXPECT_EQ(cells[0].addr, 2u) << "the second column";
    EXPECT_EQ(cells[32].addr, 0x100 + 8 * turn) << "this turn's weights";
  }
}

TEST(Control, ASeedComesOutOfARegister) {
  const auto scalar = [](std::uint8_t kind, std::uint32_t value) {
    return defs::Operand::from(defs::Scalars{.first = {.kind = kind, .value = value}}.words());
  };
  const auto thirds = [&](std::uint8_t kind, std::uint32_t value) {
    auto seed = TinyInstr(Opcode::SetSeed), fill = TinyInstr(Opcode::Memset).shape(16, 8);
    seed.src1 = scalar(kind, value);
    fill.src1 = scalar(1, 0x3EAAAAABu);  // 1/3
    fill.to(sbuf16(0)).dst.stochastic = 1;
    TinyProgram tiny(kSizes, 1);
    for (const auto& instr : {set(1, 7), seed, fill}) tiny.add(0, 0, Engine::Vector, instr);
    Bench bench(tiny.build());
    EXPECT_TRUE(bench.board.run());
    EXPECT_TRUE(bench.board.errors().empty());
    std::vector<std::uint8_t> data;
    for (const auto& row : bench.recorder.writes[stream(0, 0, Engine::Vector)])
      data.insert(data.end(), row.data.begin(), row.data.end());
    return data;
  };
  EXPECT_EQ(thirds(3, 1), thirds(1, 7));
  EXPECT_NE(thirds(3, 1), thirds(1, 8));
}

/// What went into a sum: the elements of older instructions since its reset, unless they were
/// overwritten since.
TEST(Control, ProvenanceFollowsASumToWhatWasAdded) {
  TinyProgram tiny(kSizes, 1);
  const auto act = [](defs::ReduceCommand command, std::uint32_t from) {
    auto instr = TinyInstr(Opcode::Activate).shape(16, 2).from(sbuf16(from)).to(sbuf16(0x200));
    instr.imm = static_cast<std::uint32_t>(command);
    return instr;
  };
  using enum defs::ReduceCommand;
  for (const auto& instr :
       {act(Reduce, 0x80), act(ResetReduce, 0), act(Idle, 0x90), act(Reduce, 0x10),
        TinyInstr(Opcode::ActReadAccumulator).shape(16, 2).to(sbuf16(0x300))})
    tiny.add(0, 0, Engine::Act, instr);
  Bench bench(tiny.build());
  ASSERT_TRUE(bench.board.run());
  const auto id = stream(0, 0, Engine::Act);
  const auto& rows = bench.recorder.writes[id];
  ASSERT_EQ(rows.size(), 10u);
  const cmodel::Provenance provenance(kSizes, bench.program);
  const auto operation = provenance.operation_of(id, 8);
  ASSERT_TRUE(operation);
  std::set<std::uint64_t> addresses;
  for (const auto& cell : provenance.sources(*operation, rows[8].commit, 8, 6)) {
    EXPECT_EQ(cell.partition, 3u);
    addresses.insert(cell.addr);
  }
  EXPECT_EQ(addresses, (std::set<std::uint64_t>{0, 1, 2, 3, 0x10, 0x11, 0x12, 0x13}));
}

}  // namespace
}  // namespace tb::model
