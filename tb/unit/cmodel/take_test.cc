// SPDX-License-Identifier: Apache-2.0
// Take of the golden model, and loops that meet by it.
#include <gtest/gtest.h>

#include <array>

#include "tb/unit/cmodel/control_bench.h"

namespace tb::model {
namespace {

/// The takes of a sequencer are a list of their own.
cmodel::StreamId takes_of(Engine engine) {
  auto id = stream(0, 0, engine);
  id.lane = cmodel::kTakes;
  return id;
}

TEST(Control, TakesAndUpdatesAreTwoLists) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Act, TinyInstr(kNop).then(9, 3));
  tiny.add(0, 0, Engine::Vector, TinyInstr(kNop).wait(9, 2, WaitOp::Take).then(4, 5));
  tiny.add(0, 0, Engine::Vector, TinyInstr(kNop).wait(9, 0, WaitOp::Take));
  tiny.add(0, 0, Engine::Vector, TinyInstr(kNop).wait(9, 1, WaitOp::Take));
  Bench bench(tiny.build());
  ASSERT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.semaphore(0, 9), 0u);
  const auto& updates = bench.recorder.updates[stream(0, 0, Engine::Vector)];
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_EQ(updates[0].commit.addr, 4u);
  const auto& takes = bench.recorder.updates[takes_of(Engine::Vector)];
  ASSERT_EQ(takes.size(), 2u) << "a Take of 0 commits nothing";
  for (unsigned i = 0; i < 2; ++i) {
    EXPECT_EQ(takes[i].commit.pc, 2 * i);
    EXPECT_EQ(takes[i].commit.addr, 9u);
    EXPECT_EQ(takes[i].commit.delta, static_cast<int>(i) - 2);
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
  EXPECT_EQ(bench.recorder.updates.at(takes_of(Engine::Vector))[0].commit.delta, -65535);
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
