// SPDX-License-Identifier: Apache-2.0
// Registers, branches, loads and Take of the golden model, at the corners of their contract.
#include <gtest/gtest.h>

#include <array>

#include "cmodel/board/provenance.h"
#include "cmodel/machine/chip.h"
#include "cmodel/machine/instruction.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using defs::Condition;
using defs::ErrorCause;
using defs::RegOp;
using defs::WaitOp;

constexpr std::array<std::uint32_t, 9> kCorners{
    0, 1, 2, 31, 32, 0x7fff'ffff, 0x8000'0000, 0x8000'0001, 0xffff'ffff};

TinyInstr set(unsigned rd, std::uint32_t value) {
  return TinyInstr(defs::encode_reg_alu(RegOp::Add, {static_cast<std::uint8_t>(rd), 0, 0, value}));
}
TinyInstr alu(RegOp op, unsigned rd, unsigned ra, unsigned rb, std::uint32_t value = 0) {
  return TinyInstr(
      defs::encode_reg_alu(op, {static_cast<std::uint8_t>(rd), static_cast<std::uint8_t>(ra),
                                static_cast<std::uint8_t>(rb), value}));
}
TinyInstr branch(Condition condition, unsigned ra, unsigned rb, unsigned target, int add = 0) {
  return TinyInstr(
      defs::encode_branch(condition, {static_cast<std::uint8_t>(ra), static_cast<std::uint8_t>(rb),
                                      static_cast<std::uint32_t>(add), target}));
}
TinyInstr load(unsigned rd, unsigned ra, std::uint64_t addr) {
  return TinyInstr(
      defs::encode_reg_load({static_cast<std::uint8_t>(rd), static_cast<std::uint8_t>(ra), addr}));
}
const TinyInstr kNop(Opcode::Nop);

/// Code of the vector engine of chip 0 core 0, run to its end.
struct Ran : Bench {
  explicit Ran(const std::vector<defs::Instr>& code, bool isolated = false)
      : Bench(program_of(code, isolated)) {
    EXPECT_TRUE(board.run());
  }
  static cmodel::Program program_of(const std::vector<defs::Instr>& code, bool isolated) {
    TinyProgram tiny(kSizes, 1);
    const std::vector<std::uint8_t> words{1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff};
    tiny.data(0, 0x40, words);
    if (isolated)
      for (const unsigned core : {0u, 1u}) tiny.isolate({0, core, core, 0, 0x40});
    for (const auto& instr : code) tiny.add(0, 0, Engine::Vector, instr);
    return tiny.build();
  }
  const cmodel::Sequencer& sequencer() const {
    return board.machine(0).core(0).sequencers[static_cast<unsigned>(Engine::Vector)];
  }
  std::uint32_t reg(unsigned number) const { return sequencer().registers()[number]; }
  /// The one error that there is.
  cmodel::ErrorRecord error() const {
    EXPECT_EQ(board.errors().size(), 1u);
    return board.errors().empty() ? cmodel::ErrorRecord{} : board.errors()[0];
  }
};

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
  // Nothing of these is an operand: all stays, to be rejected.
  auto nop = kNop;
  nop.src0.index = nop.size_reg = 1;
  EXPECT_EQ(cmodel::resolve(nop, registers), nop);
  auto dim = TinyInstr(Opcode::TensorCopy).shape(4, 4).from(sbuf32(0)).to(sbuf32(64));
  dim.size_dim = 2;
  dim.src1.index = 1;
  EXPECT_EQ(cmodel::resolve(dim, registers), dim);
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
  EXPECT_EQ(cause(1, sized), ErrorCause::ReservedBits) << "size 1 with a stride";
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

// ------------------------------------------------------------------------------------- Take

TEST(Control, ATakeCommitsBeforeWhatItsInstructionDoes) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Act, TinyInstr(kNop).then(9, 3));
  tiny.add(0, 0, Engine::Vector, TinyInstr(kNop).wait(9, 2, WaitOp::Take).then(4, 5));
  tiny.add(0, 0, Engine::Vector, TinyInstr(kNop).wait(9, 0, WaitOp::Take));
  tiny.add(0, 0, Engine::Vector, TinyInstr(kNop).wait(9, 1, WaitOp::Take));
  Bench bench(tiny.build());
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.semaphore(0, 9), 0u);
  const auto& updates = bench.recorder.updates[stream(0, 0, Engine::Vector)];
  ASSERT_EQ(updates.size(), 3u) << "a Take of 0 commits nothing";
  const std::array<std::array<int, 3>, 3> expected{{{0, 9, -2}, {0, 4, 5}, {2, 9, -1}}};
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(updates[i].commit.pc, static_cast<unsigned>(expected[i][0]));
    EXPECT_EQ(updates[i].commit.addr, static_cast<unsigned>(expected[i][1]));
    EXPECT_EQ(updates[i].commit.delta, expected[i][2]);
  }
}

TEST(Control, ATakeOfTheMostThereIs) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Act, TinyInstr(kNop).then(9, 32767));
  tiny.add(0, 0, Engine::Act, TinyInstr(kNop).then(9, 32767));
  tiny.add(0, 0, Engine::Act, TinyInstr(kNop).then(9, 1));
  tiny.add(0, 0, Engine::Vector, TinyInstr(kNop).wait(9, 65535, WaitOp::Take));
  Bench bench(tiny.build());
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.semaphore(0, 9), 0u);
  EXPECT_EQ(bench.recorder.updates[stream(0, 0, Engine::Vector)][0].commit.delta, -65535);
}

TEST(Control, ARejectedInstructionHasTaken) {
  TinyProgram tiny(kSizes, 1);
  auto bad = TinyInstr(kNop).wait(9, 1, WaitOp::Take);
  bad.reserved = 1;
  tiny.add(0, 0, Engine::Act, TinyInstr(kNop).then(9));
  tiny.add(0, 0, Engine::Vector, bad);
  Bench bench(tiny.build());
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.errors().at(0).cause, ErrorCause::ReservedBits);
  EXPECT_EQ(bench.board.semaphore(0, 9), 0u);
}

/// Two loops hand a token to and fro: counters stay small, whatever the turns.
TEST(Control, TwoLoopsMeetByTakingTurns) {
  constexpr unsigned kTurns = 70000;  // more than a semaphore holds
  TinyProgram tiny(kSizes, 1);
  const auto add = [&](Engine engine, unsigned from, unsigned to, bool first) {
    if (first) tiny.add(0, 0, engine, TinyInstr(kNop).then(from));
    const unsigned top = first ? 2 : 1;
    tiny.add(0, 0, engine, set(1, kTurns));
    tiny.add(0, 0, engine, TinyInstr(kNop).wait(from, 1, WaitOp::Take).then(to));
    tiny.add(0, 0, engine, branch(Condition::Ne, 1, 0, top, -1));
  };
  add(Engine::Vector, 3, 4, true);
  add(Engine::Act, 4, 3, false);
  Bench bench(tiny.build());
  ASSERT_TRUE(bench.board.run()) << bench.board.blocked();
  EXPECT_EQ(bench.board.semaphore(0, 3), 1u);
  EXPECT_EQ(bench.board.semaphore(0, 4), 0u);
}

TEST(Control, ALoopWithoutAWayOutIsNamed) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Act, TinyInstr(kNop).wait(3, 1));
  tiny.add(0, 1, Engine::Vector, set(1, 1));
  tiny.add(0, 1, Engine::Vector, kNop);
  tiny.add(0, 1, Engine::Vector, branch(Condition::Eq, 0, 0, 1));
  Bench bench(tiny.build());
  EXPECT_FALSE(bench.board.run(1000));
  EXPECT_EQ(bench.board.busiest(),
            "chip 0 core 1 Vector pc 2, visit 500: 1000 instructions and no END; "
            "next: BRANCH eq r0 += 0 r0 to 1");
}

TEST(Control, WhoTakesTurnsDoesNotRace) {
  for (const bool both_ways : {true, false}) {
    TinyProgram tiny(kSizes, 1);
    const auto write = TinyInstr(Opcode::TensorCopy).shape(4, 4).from(sbuf32(0)).to(sbuf32(64));
    auto read = TinyInstr(Opcode::Activate).shape(4, 4).from(sbuf32(64)).to(sbuf32(128));
    tiny.add(0, 0, Engine::Vector, TinyInstr(kNop).then(4));
    tiny.add(0, 0, Engine::Vector, set(1, 5));
    tiny.add(
        0, 0, Engine::Vector,
        both_ways ? TinyInstr(write).wait(4, 1, WaitOp::Take).then(3) : TinyInstr(write).then(3));
    tiny.add(0, 0, Engine::Vector, branch(Condition::Ne, 1, 0, 2, -1));
    tiny.add(0, 0, Engine::Act, set(1, 5));
    tiny.add(0, 0, Engine::Act, TinyInstr(read).wait(3, 1, WaitOp::Take).then(4));
    tiny.add(0, 0, Engine::Act, branch(Condition::Ne, 1, 0, 1, -1));
    if (both_ways) tiny.add(0, 0, Engine::Act, kNop);
    Bench bench(tiny.build(), {.detect_races = true});
    bench.board.run();
    const std::string races = bench.board.races();
    if (both_ways)
      EXPECT_EQ(races, "");
    else
      EXPECT_NE(races.find("Vector pc 2, visit 2 writes"), std::string::npos) << races;
  }
}

}  // namespace
}  // namespace tb::model
