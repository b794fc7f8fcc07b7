// SPDX-License-Identifier: Apache-2.0
// Rate of the sequencer: what it fetches ahead, pairs of load and multiply, updates that cost
// nothing.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tb/unit/rtl/sequencer_reference.h"

namespace {

using namespace sequencer;

template <class B>
double cycles_per_instruction(const Instr& work = kWork, int value = 0) {
  std::vector<Instr> program(400, work);
  program.push_back(kEnd);
  B bench(program);
  bench.engine_depth = 16;
  bench.semaphores[9] = value;
  bench.start();
  bench.run();
  EXPECT_EQ(bench.issued.size(), 400u);
  return static_cast<double>(bench.issued_at[399] - bench.issued_at[39]) / 360;
}

TEST(Sequencer, FetchesAheadFastEnough) {
  const double inf2 = cycles_per_instruction<Inf2>(), mini = cycles_per_instruction<Mini>();
  RecordProperty("inf2_cycles_per_instruction", std::to_string(inf2));
  RecordProperty("mini_cycles_per_instruction", std::to_string(mini));
  EXPECT_LE(inf2, 1.8);
  EXPECT_LE(mini, 3.6);
}

/// Cycles of a pass through a loop of `body` instructions and its branch, in the long run.
template <class B>
double cycles_per_pass(unsigned body, const Instr& work) {
  std::uint64_t ends[2];
  for (const unsigned passes : {20u, 60u}) {
    std::vector<Instr> program{set(1, passes)};
    program.insert(program.end(), body, work);
    program.push_back(branch(defs::Condition::Ne, 1, 0, 0xFFFFFFFF, 1));
    program.push_back(kWork);
    program.push_back(kEnd);
    program.insert(program.end(), 400, work);  // what fetch should not give the loop up for
    B bench(program);
    bench.engine_depth = 16;
    bench.start();
    while (bench.dut.state_o == kRunning && bench.now < 200000) bench.cycle();
    EXPECT_EQ(bench.dut.state_o, kDone);
    ends[passes == 60] = bench.issued_at.back();
  }
  return static_cast<double>(ends[1] - ends[0]) / 40;
}

/// A loop in the lines that fetch keeps costs one cycle per instruction, its branch included.
TEST(Sequencer, ALoopIssuesOneInstructionACycle) {
  for (const Instr& work : {instr(Opcode::Nop), kWork, reg_alu(defs::RegOp::Add, 2, 2, 1, 3)}) {
    EXPECT_EQ(cycles_per_pass<Inf2>(0, work), 1);
    EXPECT_EQ(cycles_per_pass<Inf2>(7, work), 8);
    EXPECT_EQ(cycles_per_pass<Inf2>(31, work), 32);
    EXPECT_EQ(cycles_per_pass<Mini>(0, work), 1);
    EXPECT_EQ(cycles_per_pass<Mini>(7, work), 8);
    EXPECT_EQ(cycles_per_pass<Mini>(62, work), 63);
    EXPECT_EQ(cycles_per_pass<Inf2>(123, work), 124);
  }
  // One that does not fit is fetched in every pass.
  RecordProperty("inf2_cycles_of_200", std::to_string(cycles_per_pass<Inf2>(199, kWork)));
  RecordProperty("mini_cycles_of_100", std::to_string(cycles_per_pass<Mini>(99, kWork)));
}

/// Only near 0 and 65535 does an update cost time.
TEST(Sequencer, UpdatesWithRoomCostNothing) {
  const double plain = cycles_per_instruction<Inf2>();
  EXPECT_EQ(cycles_per_instruction<Inf2>(with_update(kWork, 9, 1)), plain);
  EXPECT_EQ(cycles_per_instruction<Inf2>(with_update(kWork, 9, -1), 400), plain);
  EXPECT_EQ(cycles_per_instruction<Inf2>(with_update(kWork, 9, 100), 25535), plain);
}

/// What has been read ahead goes out two a cycle, a load with its multiply, whatever stands before.
template <class B>
void pairs_go_together(unsigned before) {
  SCOPED_TRACE(before);
  std::vector<Instr> program(before, instr(Opcode::Nop));
  program.push_back(with_wait(kWork, defs::WaitOp::Ge, 3, 1));
  program.push_back(instr(Opcode::MultiplyMoving));
  for (unsigned i = 1; i < 4; ++i) {
    program.push_back(kWork);
    program.push_back(instr(Opcode::MultiplyMoving));
  }
  program.push_back(kEnd);
  B bench(program);
  bench.engine_depth = 16;
  bench.start();
  for (int i = 0; i < 1000; ++i) bench.cycle();
  EXPECT_TRUE(bench.issued.empty());
  bench.semaphores[3] = 1;
  bench.run();
  ASSERT_EQ(bench.issued.size(), 8u);
  EXPECT_EQ(bench.pairs, 4u);
  EXPECT_EQ(bench.issued_at[7] - bench.issued_at[0], 3u);
  EXPECT_EQ(bench.dut.state_o, kDone);
}

TEST(Sequencer, ALoadAndItsMultiplyAreIssuedTogether) {
  for (unsigned before = 0; before < 4; ++before) {
    pairs_go_together<Inf2>(before);
    pairs_go_together<Mini>(before);
  }
}

/// In a long stream of the shortest tiles 16 pairs are under way, each for as long as the array of
/// inf2 takes: rtl/tensor/tensor_engine.md, Cycles.
TEST(Sequencer, PairsInFlightHideTheArray) {
  constexpr unsigned kPairs = 300, kArray = 2 * 128 + 15;
  std::vector<Instr> program;
  for (unsigned i = 0; i < kPairs; ++i) {
    program.push_back(kWork);
    program.push_back(instr(Opcode::MultiplyMoving));
  }
  program.push_back(kEnd);
  Inf2 bench(program);
  bench.engine_depth = 64;
  bench.engine_latency = kArray;
  bench.start();
  bench.run();
  ASSERT_EQ(bench.issued.size(), 2 * kPairs);
  const double cycles =
      static_cast<double>(bench.issued_at[2 * kPairs - 2] - bench.issued_at[200]) / (kPairs - 101);
  RecordProperty("cycles_per_pair", std::to_string(cycles));
  EXPECT_LE(cycles, 17.5);
}

/// Not if the multiply waits, or if the load has an update; a pair's update comes after both.
TEST(Sequencer, APairHasOneWaitAndOneUpdate) {
  const Instr multiply = instr(Opcode::MultiplyMoving);
  struct {
    std::vector<Instr> program;
    unsigned pairs;
    std::vector<Update> updates;
  } const cases[] = {
      {{kWork, with_update(multiply, 7, 2), kEnd}, 1, {{7, 2, 1}}},
      {{with_update(kWork, 6, 1), with_update(multiply, 7, 2), kEnd}, 0, {{6, 1, 0}, {7, 2, 1}}},
      {{kWork, with_wait(multiply, defs::WaitOp::Eq, 5, 0), kEnd}, 0, {}},
      {{multiply, kWork, kEnd}, 0, {}},
      {{kWork, kWork, multiply, multiply, kEnd}, 1, {}}};
  for (const auto& c : cases) {
    Inf2 bench(c.program);
    bench.start();
    bench.run();
    EXPECT_EQ(bench.dut.state_o, kDone);
    EXPECT_EQ(bench.issued.size(), c.program.size() - 1);
    EXPECT_EQ(bench.pairs, c.pairs);
    EXPECT_EQ(bench.updates, c.updates);
  }
  // The engine refuses one of them, behind those before it: the update does not happen.
  for (const unsigned refused : {0u, 1u}) {
    Inf2 bench({kWork, with_update(multiply, 7, 2), kEnd});
    bench.engine_latency = 1000000;
    bench.start();
    for (int i = 0; i < 400; ++i) bench.cycle();
    ASSERT_EQ(bench.pairs, 1u);
    bench.held.assign(refused, bench.now);
    bench.cycle();
    bench.engine_error = true;
    bench.engine_error_serial = refused;
    bench.run();
    EXPECT_EQ(bench.dut.state_o, kError);
    EXPECT_EQ(bench.dut.pc_o, refused);
    EXPECT_EQ(bench.dut.instr_serial_o, refused);
    EXPECT_TRUE(bench.updates.empty());
  }
}

}  // namespace
