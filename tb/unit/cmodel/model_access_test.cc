// SPDX-License-Identifier: Apache-2.0
// Who touches what in a run of the golden model: which cells still matter, and which accesses race.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

TEST(Model, KnowsWhichCellsStillMatter) {
  const Matmul matmul(5);
  TinyProgram tiny(kSizes, 1);
  matmul.write(tiny);
  BoardOptions options;
  options.track_liveness = true;
  Bench bench(tiny.build(), options);
  ASSERT_TRUE(bench.board.run());
  using Cell = cmodel::Cell;
  using Kind = cmodel::NextAccess::Kind;
  const auto tensor = stream(0, 0, Engine::Tensor), act = stream(0, 0, Engine::Act);
  const auto host = stream(0, 0, Engine::Host), out = stream(0, 0, Engine::Dma0, 3);
  const auto done = [&](const StreamId& id) { return bench.recorder.writes[id].size(); };
  cmodel::StreamPositions after{{host, done(host)}};
  // Before anything ran: weights in HBM are read; PSUM and SBUF are overwritten first.
  const auto next = [&](const Cell& cell) {
    return bench.board.liveness().next_access(cell, after).kind;
  };
  EXPECT_EQ(next({Cell::Memory::Hbm, 0, 0, 0, 0x10}), Kind::Read);
  EXPECT_EQ(next({Cell::Memory::Hbm, 0, 0, 0, 0x9'0000}), Kind::None);
  EXPECT_EQ(next({Cell::Memory::Sbuf, 0, 0, 3, 0x104}), Kind::Overwritten);
  EXPECT_EQ(next({Cell::Memory::Psum, 0, 0, 3, 0x44}), Kind::Overwritten);
  EXPECT_EQ(next({Cell::Memory::Psum, 0, 1, 3, 0x44}), Kind::None) << "the other core";
  EXPECT_EQ(next({Cell::Memory::Psum, 0, 0, 3, 0x3c}), Kind::None) << "left of the tile";
  EXPECT_FALSE(bench.board.psum_live(0, 0, 3, 0x44 / 4, after));
  // First tile in PSUM: the accumulating matmul reads it.
  after[tensor] = Matmul::kN;
  EXPECT_TRUE(bench.board.psum_live(0, 0, 3, 0x44 / 4, after));
  // All of PSUM written and read by the activation engine: compared at the end, where written.
  after[tensor] = done(tensor);
  after[act] = done(act);
  EXPECT_TRUE(bench.board.psum_live(0, 0, 3, 0x44 / 4, after));
  EXPECT_FALSE(bench.board.psum_live(0, 0, 3, 0x3c / 4, after)) << "left of the tile";
  EXPECT_TRUE(bench.board.live({Cell::Memory::Sbuf, 0, 0, 3, 0xa00}, after))
      << "the copy out is to come";
  after[out] = done(out);
  EXPECT_TRUE(bench.board.live({Cell::Memory::Sbuf, 0, 0, 3, 0xa00}, after));
  EXPECT_FALSE(bench.board.live({Cell::Memory::Sbuf, 0, 1, 3, 0xa00}, after)) << "the other core";
  EXPECT_TRUE(bench.board.live({Cell::Memory::Hbm, 0, 0, 0, 0xe000}, after));
}

TEST(Model, ADeadCellCannotChangeARun) {
  const Matmul matmul(6);
  TinyProgram tiny(kSizes, 1);
  matmul.write(tiny);
  BoardOptions options;
  options.track_liveness = true;
  Bench reference(tiny.build(), options);
  Board& judge = reference.board;
  unsigned steps = 0;
  while (judge.step()) ++steps;
  const auto result = read_back(judge, 0, 0xe000, kP * Matmul::kN * 4);

  std::mt19937 rng(99);
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(rng() % limit); };
  unsigned dead = 0, changed = 0;
  for (unsigned round = 0; round < 2500; ++round) {
    Bench bench(reference.program);
    for (unsigned stop = below(steps); stop > 0; --stop) bench.board.step();
    cmodel::StreamPositions after;
    for (const auto& [id, list] : bench.recorder.writes) after[id] = list.size();
    cmodel::Cell cell;
    cell.memory = static_cast<cmodel::Cell::Memory>(below(3));
    const bool hbm = cell.memory == cmodel::Cell::Memory::Hbm;
    cell.partition = hbm ? 0 : static_cast<std::uint16_t>(below(kP));
    cell.addr = hbm ? std::array{0x0u, 0x8000u, 0xc000u, 0xe000u}[below(4)] + below(512)
                    : (cell.memory == cmodel::Cell::Memory::Psum ? below(512) : below(0x1000));
    bench.board.corrupt(cell, 0x40);
    bench.board.run();
    const bool same = bench.recorder.writes == reference.recorder.writes &&
                      bench.recorder.updates == reference.recorder.updates &&
                      read_back(bench.board, 0, 0xe000, result.size()) == result;
    if (!judge.live(cell, after)) {
      ++dead;
      EXPECT_TRUE(same) << "round " << round;
    }
    changed += !same;
  }
  EXPECT_GT(dead, 100u);
  EXPECT_GT(changed, 100u);
}

TEST(Model, ReportsARaceAndOnlyThen) {
  for (const bool ordered : {true, false}) {
    TinyProgram tiny(kSizes, 1);
    TinyInstr write(Opcode::TensorCopy), read(Opcode::Activate);
    write.shape(kP, 8).from(sbuf32(0)).to(sbuf32(0x100)).then(5);
    read.shape(kP, 8).from(sbuf32(0x110)).to(sbuf32(0x200));
    if (ordered) read.wait(5, 1);
    tiny.add(0, 0, Engine::Vector, write);
    tiny.add(0, 0, Engine::Act, read);
    const auto program = tiny.build();
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      BoardOptions options;
      options.detect_races = true;
      options.order_seed = seed;
      Bench bench(program, options);
      ASSERT_TRUE(bench.board.run());
      EXPECT_EQ(bench.board.races().empty(), ordered) << bench.board.races();
    }
  }
}

TEST(Model, ATransferThatNobodyWaitsForRacesWithTheHost) {
  for (const bool waits : {true, false}) {
    TinyProgram tiny(kSizes, 2);
    auto copy = copy_rows(1, 0x0, 0x1000, 1, 128, 0, 0);
    copy.vn = 1;
    copy.notify = 1;
    copy.notify_sem = 9;
    tiny.add(0, 0, 0, copy);
    tiny.add(0, 0, Engine::Sync, ring_dma(0, 1));
    if (waits) tiny.add(1, 0, Engine::Vector, TinyInstr(Opcode::Nop).wait(9, 1));
    tiny.region("out", 1, 0x1000, 128);
    BoardOptions options;
    options.detect_races = true;
    Bench bench(tiny.build(), options);
    ASSERT_TRUE(bench.board.run());
    EXPECT_EQ(bench.board.races().empty(), waits) << bench.board.races();
  }
}

}  // namespace
}  // namespace tb::model
