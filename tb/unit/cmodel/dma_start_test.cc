// SPDX-License-Identifier: Apache-2.0
// DmaStart in the golden model: registers, order with doorbells, errors by name, what checkers see.
#include <gtest/gtest.h>

#include "cmodel/board/unroll.h"
#include "cmodel/program/assembler.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using cmodel::Assembler;
using cmodel::AssemblerError;
using cmodel::Block;
using cmodel::Register;
using cmodel::Started;
using defs::ErrorCause;

/// Numbers of 4 bytes, from `first` on.
std::vector<std::uint8_t> numbers(unsigned first, unsigned count) {
  std::vector<std::uint8_t> out;
  for (unsigned i = 0; i < count; ++i)
    for (unsigned b = 0; b < 4; ++b) out.push_back(static_cast<std::uint8_t>((first + i) >> 8 * b));
  return out;
}

/// Core 0 of one chip: 8 rows of 16 bytes, and as much room.
struct Start : testing::Test {
  Assembler assembler{kSizes, 2};
  cmodel::Core& core = assembler.core(0, 0);
  cmodel::SyncStream& sync = core.sync();
  Block src = assembler.data(0, 0, "src", 16, 8, numbers(0, 32));
  Block dst = assembler.hbm(0, 1, "dst", 16, 8);
  cmodel::Semaphore done = core.semaphore("done");

  /// Stops at the DmaStart at `pc`, when it is there for the visit-th time.
  static void expect_stop(const Bench& bench, ErrorCause cause, std::uint32_t pc,
                          std::uint32_t serial, std::uint32_t visit) {
    ASSERT_EQ(bench.board.errors().size(), 1u);
    const auto& error = bench.board.errors()[0];
    EXPECT_EQ(to_string(error.cause), to_string(cause));
    EXPECT_EQ(error.stream, stream(0, 0, Engine::Dma0, 3));
    EXPECT_EQ(error.pc, cmodel::started_pc(pc));
    EXPECT_EQ(error.serial, serial);
    EXPECT_EQ(error.visit, visit);
    EXPECT_EQ(bench.program.source_of(0, 0, error.stream.engine, error.pc),
              bench.program.source_of(0, 0, static_cast<unsigned>(Engine::Sync), pc));
    EXPECT_NE(bench.program.source_of(0, 0, error.stream.engine, error.pc), "");
  }
};

/// The rows in reverse, one by one; the unrolled program does the same.
TEST_F(Start, RegistersMoveBothSidesInALoop) {
  const Register to = sync.reg();
  sync.set(to, 7 * 16);
  sync.loop(8, 16, [&](Register at) {
    sync.start(3, src.row_range(0, 1), dst.row_range(0, 1), {.src = at, .dst = to}).signal(done);
    sync.add(to, -16);
  });
  sync.wait_ge(done, 8).nop();
  const auto program = assembler.assemble();
  Bench bench(program, {.detect_races = true});
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.errors().size(), 0u);
  EXPECT_EQ(bench.board.races(), "");
  for (unsigned row = 0; row < 8; ++row)
    EXPECT_EQ(read_back(bench.board, 0, dst.row_addr(7 - row), 16), numbers(4 * row, 4)) << row;
  const auto& writes = bench.recorder.writes[stream(0, 0, Engine::Dma0, 3)];
  ASSERT_EQ(writes.size(), 8u);
  for (unsigned i = 0; i < 8; ++i) {
    EXPECT_EQ(writes[i].commit.pc, cmodel::started_pc(3)) << "the one instruction";
    EXPECT_EQ(writes[i].commit.serial, i);
  }
  Bench line(cmodel::unroll(kSizes, program));
  ASSERT_TRUE(line.board.run());
  const auto& straight = line.recorder.writes[stream(0, 0, Engine::Dma0, 3)];
  ASSERT_EQ(straight.size(), 8u);
  for (unsigned i = 0; i < 8; ++i) {
    EXPECT_EQ(straight[i].data, writes[i].data);
    EXPECT_EQ(straight[i].commit.addr, writes[i].commit.addr);
  }
}

TEST_F(Start, RowsOutOfARegister) {
  const Register rows = sync.reg();
  sync.set(rows, 5);
  sync.start(3, src, dst, {.rows = rows}).signal(done);
  Bench bench(assembler.assemble());
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(read_back(bench.board, 0, dst.row_addr(4), 16), numbers(16, 4));
  EXPECT_EQ(read_back(bench.board, 0, dst.row_addr(5), 16), std::vector<std::uint8_t>(16));
}

/// In the order in which they were given; the ring does not move for a start.
TEST_F(Start, StandsInOrderWithDoorbells) {
  for (unsigned i = 0; i < 3; ++i) {
    sync.copy(3, src.row_range(i, 1), dst.row_range(0, 1)).signal(done);
    sync.start(3, src.row_range(4 + i, 1), dst.row_range(0, 1)).signal(done);
  }
  sync.wait_ge(done, 6).nop();
  Bench bench(assembler.assemble(), {.detect_races = true});
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.races(), "");
  const auto& writes = bench.recorder.writes[stream(0, 0, Engine::Dma0, 3)];
  ASSERT_EQ(writes.size(), 6u);
  for (unsigned i = 0; i < 6; ++i) {
    EXPECT_EQ(writes[i].data, numbers(4 * (i / 2 + i % 2 * 4), 4)) << i;
    EXPECT_EQ(writes[i].commit.pc, i % 2 ? cmodel::started_pc(i) : i / 2);
    EXPECT_EQ(writes[i].commit.serial, i);
    EXPECT_EQ(bench.recorder.updates[stream(0, 0, Engine::Dma0, 3)][i].commit.serial, i);
  }
}

TEST_F(Start, CombinesWithItsDestination) {
  sync.start(3, src, dst, {.combine = defs::Combine::Add, .dtype = defs::Dtype::Int32});
  sync.start(3, src, dst, {.combine = defs::Combine::Add, .dtype = defs::Dtype::Int32});
  Bench bench(assembler.assemble());
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(read_back(bench.board, 0, dst.row_addr(1) + 4, 4), numbers(10, 1));
}

/// Rows of src by a list that a register moves, then spread by it, with one left out; both orders
/// are undone.
TEST_F(Start, GathersAndScattersByLists) {
  const std::uint32_t lists[] = {0, 0, 0, 0, 0, 0, 0, 0, 5, 3, 0, 7,
                                 2, 6, 1, 4, 5, 3, 0, 8, 2, 6, 1, 4};
  const Block list = assembler.data(0, 0, "lists", sizeof lists, 1,
                                    {reinterpret_cast<const std::uint8_t*>(lists), sizeof lists});
  const Block mixed = assembler.hbm(0, 0, "mixed", 16, 8);
  const Register at = sync.reg();
  sync.set(at, 32);
  sync.start(3, src, mixed, {.how = {.gather = list}, .index = at});
  sync.set(at, 64);
  sync.start(3, mixed, dst, {.how = {.scatter = list, .skip = true}, .index = at}).signal(done);
  Bench bench(assembler.assemble(), {.detect_races = true});
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.errors().size(), 0u);
  EXPECT_EQ(bench.board.races(), "");
  for (unsigned row = 0; row < 8; ++row) {
    EXPECT_EQ(read_back(bench.board, 0, mixed.row_addr(row), 16), numbers(4 * lists[8 + row], 4));
    EXPECT_EQ(read_back(bench.board, 0, dst.row_addr(row), 16),
              row == 7 ? std::vector<std::uint8_t>(16) : numbers(4 * row, 4));
  }
}

/// By a ring and by a DmaStart: the rows before it are written, and the report names it.
TEST_F(Start, AnIndexOutOfBoundsStopsTheEngineThere) {
  for (const bool started : {false, true}) {
    Assembler one(kSizes, 1);
    auto& s = one.core(0, 0).sync();
    const Block table = one.data(0, 0, "table", 16, 8, numbers(0, 32)),
                to = one.hbm(0, 0, "to", 16, 4);
    const std::uint32_t indices[] = {7, 1, 8, 2};
    const Block list = one.data(0, 0, "list", sizeof indices, 1,
                                {reinterpret_cast<const std::uint8_t*>(indices), sizeof indices});
    const auto done_there = one.core(0, 0).semaphore();
    if (started)
      s.start(3, table, to, {.how = {.gather = list}}).signal(done_there);
    else
      s.copy(3, table, to, {.gather = list}).signal(done_there);
    Bench bench(one.assemble());
    ASSERT_TRUE(bench.board.run());
    ASSERT_EQ(bench.board.errors().size(), 1u);
    EXPECT_EQ(bench.board.errors()[0].cause, ErrorCause::OutOfBounds);
    EXPECT_EQ(bench.board.errors()[0].pc, started ? cmodel::started_pc(0) : 0u);
    EXPECT_EQ(read_back(bench.board, 0, to.row_addr(1), 16), numbers(4, 4));
    EXPECT_EQ(read_back(bench.board, 0, to.row_addr(2), 32), std::vector<std::uint8_t>(32));
    EXPECT_EQ(bench.board.semaphore(0, done_there.id), 0u);
  }
}

/// The list and what it names are reads and writes like any other.
TEST_F(Start, ARaceWithAListIsFound) {
  const std::uint32_t indices[] = {0, 1, 2, 3, 4, 5, 6, 7};
  const Block list =
      assembler.data(0, 0, "list", 32, 1, {reinterpret_cast<const std::uint8_t*>(indices), 32});
  sync.start(2, src.row_range(0, 2), {0, list.addr, 16, 2, 16});
  sync.start(3, src, dst, {.how = {.gather = list}});
  Bench bench(assembler.assemble(), {.detect_races = true});
  ASSERT_TRUE(bench.board.run());
  EXPECT_NE(bench.board.races(), "");
}

TEST_F(Start, CastsOnTheWay) {
  const std::vector<float> values{1.5F, -2.25F, 3e38F, 65504.0F};
  const Block floats = assembler.data(0, 0, "floats", 16, 1, fp32_bytes(values));
  const Block small = assembler.hbm(0, 0, "small", 4, 1), ints = assembler.hbm(0, 0, "ints", 16, 1);
  using defs::Dtype;
  sync.start(3, floats, small, {.how = {.cast = {{Dtype::Fp32, Dtype::Int8}}}});
  sync.start(3, small, ints, {.how = {.cast = {{Dtype::Int8, Dtype::Int32}}}});
  Bench bench(assembler.assemble());
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(read_back(bench.board, 0, small.addr, 4),
            (std::vector<std::uint8_t>{2, 0xfe, 127, 127}));
  EXPECT_EQ(read_back(bench.board, 0, ints.addr + 4, 4),
            (std::vector<std::uint8_t>{0xfe, 0xff, 0xff, 0xff}));
}

TEST_F(Start, ANotifyGoesBehindTheLastByte) {
  const auto there = assembler.core(1, 1).semaphore("there");
  const Block far = assembler.hbm(1, 0, "far", 16, 8);
  sync.start(3, src, far, {.vn = 2, .notify = there}).signal(done);
  assembler.core(1, 1).act().wait_ge(there, 1).nop();
  Bench bench(assembler.assemble(), {.detect_races = true});
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.races(), "");
  EXPECT_EQ(read_back(bench.board, 1, far.row_addr(7), 16), numbers(28, 4));
}

/// Wrong in the third turn: two copies are made, and nothing else is written.
TEST_F(Start, WhatRegistersMakeWrongStopsTheEngineByName) {
  struct {
    const char* what;
    std::uint32_t wrong;  ///< value of the register in the third turn
    Register Started::* which;
    ErrorCause cause;
  } const cases[] = {
      {"source before HBM", 0x8000'0000, &Started::src, ErrorCause::UnmappedAddress},
      {"destination before HBM", 0x8000'0000, &Started::dst, ErrorCause::UnmappedAddress},
      {"source on a byte", 2, &Started::src, ErrorCause::Misaligned},
      {"no rows", 0, &Started::rows, ErrorCause::BadDescriptor},
      {"65537 rows", 65537, &Started::rows, ErrorCause::BadDescriptor},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Assembler one(kSizes, 1);
    auto& s = one.core(0, 0).sync();
    const Block from = one.data(0, 0, "from", 16, 8, numbers(0, 32));
    const Block to = one.hbm(0, 0, "to", 16, 8);
    const Register r = s.reg(), turn = s.reg(), two = s.reg();
    const bool rows = c.which == &Started::rows;
    s.set(r, rows ? 1 : 0);
    s.set(turn, 0);
    s.set(two, 2);
    const auto again = s.here();
    const auto good = s.ahead();
    s.branch(defs::Condition::Ne, turn, two, good);
    s.set(r, c.wrong);
    s.place(good);
    Started more;
    more.*c.which = r;
    s.start(3, from, to, more);
    s.add(turn, 1);
    s.branch(defs::Condition::Geu, two, turn, again);
    Bench bench(one.assemble());
    ASSERT_TRUE(bench.board.run());
    expect_stop(bench, c.cause, 5, 2, 3);
    const unsigned each = rows ? 1 : 8;
    EXPECT_EQ(bench.recorder.writes[stream(0, 0, Engine::Dma0, 3)].size(), 2 * each + 1)
        << "two copies and the error";
  }
}

TEST_F(Start, TheSyncEngineRefusesWhatItCannotHandOver) {
  for (const bool reserved : {true, false}) {
    TinyProgram tiny(kSizes, 1);
    defs::DmaStart start;
    start.engine = 4;  // of a size without it
    auto instr = defs::encode_dma_start(start);
    instr.accumulate = reserved;
    tiny.add(0, 0, Engine::Sync, TinyInstr(instr));
    Bench bench(tiny.build());
    bench.board.run();
    ASSERT_EQ(bench.board.errors().size(), 1u);
    EXPECT_EQ(bench.board.errors()[0].cause,
              reserved ? ErrorCause::ReservedBits : ErrorCause::QueueOverflow);
    EXPECT_EQ(bench.board.errors()[0].stream, stream(0, 0, Engine::Sync));
  }
}

TEST_F(Start, ARaceNamesIt) {
  sync.start(3, src, dst);
  sync.start(2, dst, src);
  Bench bench(assembler.assemble(), {.detect_races = true});
  ASSERT_TRUE(bench.board.run());
  EXPECT_NE(bench.board.races().find("DMA 3 DmaStart at pc 0 "), std::string::npos)
      << bench.board.races();
  EXPECT_NE(bench.board.races().find("DMA 2 DmaStart at pc 1 "), std::string::npos);
}

TEST_F(Start, TheBuilderRefusesByName) {
  const auto why = [&](auto&& act) -> std::string {
    try {
      act();
    } catch (const AssemblerError& error) {
      const std::string text = error.what();
      return text.substr(text.find("): ") + 3);
    }
    return "accepted";
  };
  const Block far = assembler.hbm(1, 0, "far", 16, 8);
  EXPECT_EQ(why([&] { sync.start(4, src, dst); }), "start of DMA engine 4, allowed 0..3");
  EXPECT_EQ(why([&] { sync.start(0, far, dst); }), "source on chip 1, allowed 0");
  EXPECT_EQ(why([&] { sync.start(0, src, dst.row_range(0, 2)); }),
            "destination of 2 x 16 bytes, allowed 8 x 16");
  EXPECT_EQ(why([&] { sync.start(0, src, far, {.vn = 4}); }), "virtual network 4, allowed 1..3");
  EXPECT_EQ(why([&] { sync.start(0, src, dst, {.notify = done}); }),
            "notify of a local copy, allowed for remote ones; use signal");
  EXPECT_EQ(why([&] { sync.start(0, src, dst, {.src = core.act().reg()}); }),
            "register of chip 0 core 0 Act, allowed: of this stream");
  EXPECT_EQ(why([&] {
              sync.start(0, src, dst, {.combine = defs::Combine::Add, .dtype = defs::Dtype::Fp16});
            }),
            "combine of Fp16, allowed Fp32, Bf16, Int32");
  using defs::Dtype;
  const auto how = [&](const Block& to, const cmodel::Rows& rows) {
    return why([&] { sync.start(0, src, to, {.how = rows}); });
  };
  const Block list = assembler.hbm(0, 0, "list", 32, 1), half = assembler.hbm(0, 0, "half", 8, 8);
  EXPECT_EQ(how(dst, {.gather = list, .scatter = list}), "gather and scatter, allowed one of them");
  EXPECT_EQ(how(dst, {.gather = src}),
            "8 x 16 bytes of indices at 0x0, allowed one row of 32 at multiples of 4");
  EXPECT_EQ(how(dst, {.gather = far}), "indices on chip 1, allowed 0");
  EXPECT_EQ(how(dst, {.skip = true}), "rows skipped without indices, allowed with them");
  EXPECT_EQ(how(far, {.gather = list, .skip = true}),
            "rows skipped on another chip, allowed on one");
  EXPECT_EQ(how(dst, {.cast = {{Dtype::Fp32, Dtype::Bf16}}}),
            "destination of 8 x 16 bytes, allowed 8 x 8");
  EXPECT_EQ(why([&] {
              sync.start(
                  0, src, half,
                  {.how = {.cast = {{Dtype::Fp32, Dtype::Bf16}}}, .combine = defs::Combine::Add});
            }),
            "combine of a cast, allowed of a copy");
  EXPECT_EQ(why([&] { sync.start(0, src, dst).signal(done).signal(done); }),
            "second signal of a started copy, allowed one: what comes next does not wait for it");
}

}  // namespace
}  // namespace tb::model
