// SPDX-License-Identifier: Apache-2.0
// Loops, branches, registers and takers as the assembler writes them, and what it refuses.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cmodel/machine/chip.h"
#include "cmodel/program/assembler.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/program_view.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using cmodel::Assembler;
using cmodel::AssemblerError;
using cmodel::Register;
using cmodel::Tile;
using defs::Condition;
using defs::Dtype;
using defs::RegOp;
namespace fs = std::filesystem;

std::vector<std::string> lines_of(const cmodel::Program& program, unsigned stream = 0) {
  std::vector<std::string> out;
  const auto& s = program.streams.at(stream);
  for (std::uint32_t pc = 0; pc < s.count; ++pc)
    out.push_back(cmodel::disassemble(cmodel::instr_at(program, s, pc)));
  return out;
}

TEST(ControlStream, ALoopIsASetABodyAndABranch) {
  Assembler assembler(kSizes, 1);
  auto& core = assembler.core(0, 0);
  const auto full = core.semaphore("full"), done = core.semaphore("done");
  const Tile x = core.sbuf(16, 8, Dtype::Fp32), y = core.sbuf(16, 64, Dtype::Fp32);
  auto& v = core.vector();
  v.loop(8, 32, [&](Register at) {
    v.take(full, 2).copy(x, y.columns(0, 8).at(at));
    v.signal(done);
  });
  v.signal(done, 5);
  core.act().nop().signal(full, 16);
  EXPECT_EQ(lines_of(assembler.assemble()),
            (std::vector<std::string>{
                "REG_ALU add r2 = r0 r0 + 256", "REG_ALU add r1 = r0 r0 + 0",
                "TENSOR_COPY partitions 16 size 1x1x1x8 src0 sbuf.fp32[p0 +0x0 s 0,0,0,1] -> "
                "sbuf.fp32[p0 +0x20+r1 s 0,0,0,1] wait 0.0 take 2 update 0.1 += 1",
                "BRANCH ltu r1 += 32 r2 to 2", "NOP update 0.1 += 5", "END"}));
}

TEST(ControlStream, ASignalBelongsToItsTurnAndAWaitToItsSideOfALabel) {
  Assembler assembler(kSizes, 1);
  auto& core = assembler.core(0, 0);
  const auto s = core.semaphore();
  auto& v = core.act();
  v.nop();
  v.wait_ge(s, 1);
  const auto top = v.here();
  v.signal(s);
  v.branch(Condition::Eq, v.zero(), v.zero(), top);
  EXPECT_EQ(lines_of(assembler.assemble()),
            (std::vector<std::string>{"NOP", "NOP wait 0.0 >= 1", "NOP update 0.0 += 1",
                                      "BRANCH eq r0 += 0 r0 to 2", "END"}));
}

/// Turns of nested loops and of loops whose turns are in a register, none included.
TEST(ControlStream, LoopsTurnAsOftenAsTheySay) {
  for (const unsigned n : {0u, 1u, 3u}) {
    Assembler assembler(kSizes, 1);
    auto& core = assembler.core(0, 0);
    const std::vector<std::uint8_t> word{static_cast<std::uint8_t>(n), 0, 0, 0};
    const auto turns = assembler.data(0, 0, "turns", 4, 1, word);
    const auto counted = core.semaphore(), inner = core.semaphore(), up = core.semaphore();
    auto& v = core.vector();
    const Register total = v.reg(), r = v.reg();
    v.load(r, turns);
    v.loop(r, [&] {
      v.nop().signal(counted);
      v.loop(4, [&](Register i) {
        v.alu(RegOp::Add, total, total, i);
        v.nop().signal(inner);
      });
    });
    v.loop(r, 16, [&](Register at) {
      v.alu(RegOp::Add, total, total, at, 1000);
      v.nop().signal(up);
    });
    Bench bench(assembler.assemble());
    ASSERT_TRUE(bench.board.run(10000)) << bench.board.busiest();
    EXPECT_EQ(bench.board.semaphore(0, counted.id), n);
    EXPECT_EQ(bench.board.semaphore(0, inner.id), 4 * n);
    EXPECT_EQ(bench.board.semaphore(0, up.id), n);
    const auto& registers = bench.board.machine(0).core(0).sequencers[1].registers();
    EXPECT_EQ(registers[total.number], 6 * n + 1000 * n + 16 * (n * (n - 1) / 2));
  }
}

TEST(ControlStream, CopiesInALoopGoRoundTheirRing) {
  Assembler assembler(kSizes, 1);
  auto& core = assembler.core(0, 0);
  const std::vector<std::uint8_t> bytes(64, 7);
  const auto from = assembler.data(0, 0, "from", 64, 1, bytes);
  const auto a = assembler.hbm(0, 0, "a", 64), b = assembler.hbm(0, 0, "b", 64);
  const auto done = core.semaphore();
  core.sync().loop(5, [&] {
    core.sync().copy(1, from, a).signal(done);
    core.sync().copy(1, a, b).signal(done);
    core.sync().take(done, 2).nop();
  });
  EXPECT_THROW(core.sync().copy(1, from, a), AssemblerError);
  Bench bench(assembler.assemble());
  ASSERT_TRUE(bench.board.run()) << bench.board.blocked();
  EXPECT_EQ(bench.program.rings[0].count, 2u);
  EXPECT_EQ(bench.board.counters().descriptors, 10u);
  EXPECT_EQ(read_back(bench.board, 0, b.addr, 64), bytes);
}

/// A ring that several loops go through once, together.
TEST(ControlStream, TriggersOfLoopsAreCountedByTheirTurns) {
  for (const unsigned copies : {8u, 9u}) {
    Assembler assembler(kSizes, 1);
    auto& core = assembler.core(0, 0);
    const std::vector<std::uint8_t> bytes(64, 7);
    const auto from = assembler.data(0, 0, "from", 64, 1, bytes);
    const auto to = assembler.hbm(0, 0, "to", 64, 8);
    const auto done = core.semaphore();
    for (unsigned i = 0; i < copies; ++i)
      core.dma(0).copy(from, to.row_range(i % 8, 1)).signal(done);
    auto& s = core.sync();
    s.trigger(0);
    s.loop(3, [&] { s.loop(2, [&] { s.trigger(0).take(done).nop(); }); });
    s.trigger(0).take(done, 2).nop();
    if (copies == 9) {
      EXPECT_THROW(assembler.assemble(), AssemblerError);
      continue;
    }
    Bench bench(assembler.assemble());
    ASSERT_TRUE(bench.board.run()) << bench.board.blocked();
    EXPECT_EQ(bench.board.counters().descriptors, 8u);
    EXPECT_EQ(read_back(bench.board, 0, to.row_addr(7), 64), bytes);
  }
}

TEST(ControlStream, ASizeComesFromARegister) {
  Assembler assembler(kSizes, 1);
  auto& core = assembler.core(0, 0);
  const Tile x = core.sbuf(16, 8, Dtype::Fp32), y = core.sbuf(16, 8, Dtype::Fp32);
  auto& v = core.vector();
  const Register n = v.reg();
  v.set(n, 3);
  v.size_from(n).copy(x, y);
  Bench bench(assembler.assemble());
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.recorder.count(CommitKind::SbufRow), 3u);
  EXPECT_NE(bench.board.disassemble(0, 0, 1, 1).find("size 1x1x1x8 sized 0 by r1"),
            std::string::npos);
}

/// The streams that rtl/README.md shows, behind a page that fills their tiles.
TEST(ControlStream, ThePagesExampleRuns) {
  std::ifstream page(DODECA_LOOP);
  const auto folder = fs::temp_directory_path() / fmt::format("dodeca-loop-{}", getpid());
  fs::create_directories(folder);
  const auto file = folder / "loop.dasm";
  std::ofstream(file) << "config mini\nchips 1\nsegment chip 0 at 0x0\n" << page.rdbuf();
  const auto program = cmodel::load_program(file);
  fs::remove_all(folder);
  Bench bench(program, {.detect_races = true});
  for (unsigned p = 0; p < 16; ++p) {
    std::vector<float> values(128);
    for (unsigned i = 0; i < 128; ++i) values[i] = static_cast<float>(i) - 4;
    const_cast<cmodel::Chip&>(bench.board.machine(0)).write(sbuf_addr(0, p, 0), fp32_bytes(values));
  }
  ASSERT_TRUE(bench.board.run()) << bench.board.blocked();
  EXPECT_TRUE(bench.board.errors().empty());
  EXPECT_EQ(bench.board.races(), "");
  EXPECT_EQ(bench.board.semaphore(0, 0), 0u);
  EXPECT_EQ(bench.board.semaphore(0, 1), 2u);
  const auto out = read_back(bench.board, 0, sbuf_addr(0, 5, 0x600), 512);
  for (unsigned i = 0; i < 128; ++i)
    EXPECT_EQ(fp32_at(out, i), i < 4 ? 0.0f : static_cast<float>(i) - 4);
}

TEST(ControlStream, RefusesWithTheCallersLine) {
  Assembler assembler(kSizes, 2);
  auto& core = assembler.core(0, 0);
  auto& v = core.vector();
  auto& a = core.act();
  const Tile x = core.sbuf(16, 8, Dtype::Fp32), y = core.sbuf(16, 8, Dtype::Fp32);
  const auto expect = [](int line, auto&& call, const std::string& what) {
    try {
      call();
      FAIL() << "no error: " << what;
    } catch (const AssemblerError& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find(what), std::string::npos) << text << "\n  wanted: " << what;
      EXPECT_NE(text.find(fmt::format("control_stream_test.cc:{})", line)), std::string::npos)
          << text << "\n  wanted: line " << line;
    }
  };
  const Register r = v.reg(), other = a.reg();
  const Register beyond{0, 0, 1, 64};
  expect(__LINE__, [&] { v.set(other, 1); }, "register of chip 0 core 0 Act, allowed: of this");
  expect(__LINE__, [&] { v.set(beyond, 1); }, "register 64, allowed 0..63");
  expect(__LINE__, [&] { v.copy(x.at(beyond), y); }, "register 64, allowed 0..63");
  expect(__LINE__, [&] { v.copy(x.at(other), y); }, "register of chip 0 core 0 Act");
  expect(__LINE__, [&] { v.add(r, std::int64_t{1} << 32); }, "allowed -2147483648..4294967295");
  expect(__LINE__, [&] { v.loop(0, [] {}); }, "loop of 0 turns, allowed 1..4294967295");
  expect(__LINE__, [&] { v.loop(1u << 31, 2, [](Register) {}); }, "allowed 1..2147483647");
  expect(__LINE__, [&] { v.size_from(r, 4); }, "size of dimension 4, allowed 0..3");
  expect(__LINE__, [&] { v.size_from(v.zero()); }, "register 0, allowed 1..63");
  expect(__LINE__, [&] { v.size_from(r, 1).copy(x, y); }, "size 1 of dimension 1");
  expect(__LINE__, [&] { v.size_from(r).nop(); }, "instruction without operands");
  expect(__LINE__, [&] { v.size_from(r).size_from(r); }, "second size");
  v.copy(x, y);
  const auto foreign = a.ahead(), twice = v.here();
  expect(__LINE__, [&] { v.branch(Condition::Eq, r, r, foreign); }, "label of another stream");
  expect(__LINE__, [&] { v.place(twice); }, "second place of a label");
  const auto block = assembler.hbm(0, 0, "b", 8), far = assembler.hbm(1, 0, "f", 8);
  expect(__LINE__, [&] { v.load(r, far); }, "load from chip 1, allowed 0");
  expect(__LINE__, [&] { v.load(r, block, 2); }, "allowed multiples of 4 in HBM");
  expect(__LINE__, [&] { v.load(r, assembler.block(x)); }, "allowed multiples of 4 in HBM");

  const auto token = core.semaphore(), spent = core.semaphore();
  v.take(token).nop();
  v.take(token).nop();
  expect(
      __LINE__, [&] { a.take(token); },
      "second taker of semaphore 0.0, allowed one, chip 0 "
      "core 0 Vector");
  expect(__LINE__, [&] { a.nop().signal(token, -1); }, "semaphore 0.0 counted down");
  expect(__LINE__, [&] { v.signal(token, -1); }, "semaphore 0.0 counted down");
  a.signal(spent, 2).nop().signal(spent, -1);
  expect(__LINE__, [&] { v.take(spent); }, "take from semaphore 0.1, allowed where nobody counts");
  expect(__LINE__, [&] { v.take(token, 65536); }, "allowed 0..65535");

  a.nop().signal(token);
  v.nop();
  const auto nowhere = v.ahead();
  const int line = __LINE__ + 1;
  v.branch(Condition::Ne, r, v.zero(), nowhere);
  expect(line, [&] { assembler.assemble(); }, "to a label without a place");
}

/// Whatever gives will do; what is not waited for needs nobody.
TEST(ControlStream, WhoTakesIsGivenSomething) {
  for (const std::string giver : {"nobody", "a stream", "DMA", "another chip", "not needed"}) {
    Assembler assembler(kSizes, 2);
    auto& core = assembler.core(0, 0);
    core.semaphore();
    const auto token = core.semaphore();
    const int line = __LINE__ + 1;
    core.act().loop(3, [&] { core.act().take(token, giver == "not needed" ? 0 : 1).nop(); });
    const auto from = assembler.hbm(0, 0, "from", 64), to = assembler.hbm(0, 0, "to", 64);
    const auto far = assembler.hbm(1, 0, "far", 64);
    if (giver == "a stream") core.vector().nop().signal(token, 3);
    if (giver == "DMA") core.sync().copy(0, from, to).signal(token);
    if (giver == "another chip") assembler.core(1, 0).sync().copy(0, far, to).notify(token);
    if (giver != "nobody") {
      EXPECT_NO_THROW(assembler.assemble()) << giver;
      continue;
    }
    try {
      assembler.assemble();
      FAIL();
    } catch (const AssemblerError& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find("chip 0 core 0 Act pc 1 ("), 0u) << text;
      EXPECT_NE(text.find(fmt::format("control_stream_test.cc:{}): take from semaphore 0.1, "
                                      "allowed where somebody gives",
                                      line)),
                std::string::npos)
          << text;
    }
  }
}

TEST(ControlStream, ARegisterAtATimeIsForOneLoop) {
  Assembler assembler(kSizes, 1);
  auto& v = assembler.core(0, 0).vector();
  for (unsigned i = 0; i < 100; ++i) v.loop(2, 4, [&](Register at) { EXPECT_EQ(at.number, 1u); });
  for (unsigned i = 0; i < 63; ++i) v.reg();
  EXPECT_THROW(v.reg(), AssemblerError);
  EXPECT_THROW(
      assembler.core(0, 0).sbuf(16, 8, Dtype::Fp32).at(v.zero()).at({0, 0, 1, 1}).at({0, 0, 1, 2}),
      AssemblerError);
}

}  // namespace
}  // namespace tb::model
