// SPDX-License-Identifier: Apache-2.0
// The sequencer: order, waits, and the errors that stop it.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

#include "tb/unit/rtl/sequencer_bench.h"

namespace {

using namespace sequencer;

template <class B>
unsigned issues_in_order(unsigned seed) {
  std::mt19937 rng(seed);
  std::vector<Instr> program;
  std::vector<unsigned> expected_issue;
  std::vector<Update> expected_updates;
  for (unsigned pc = 0; pc < 203; ++pc) {
    const bool nop = rng() % 4 == 0;
    Instr i = instr(nop         ? Opcode::Nop
                    : rng() % 2 ? Opcode::LoadStationary
                                : Opcode::MultiplyMoving);
    if (rng() % 4 == 0) i = with_wait(i, defs::WaitOp::Ge, pc % 512, 0);
    if (rng() % 2) {
      i = with_update(i, pc % 512, 1 + static_cast<int>(rng() % 9));
      expected_updates.push_back({pc % 512, i.update_delta, pc});
    }
    if (!nop) expected_issue.push_back(pc);
    program.push_back(i);
  }
  program.push_back(with_update(kEnd, 511, 3));
  expected_updates.push_back({511, 3, 203});
  program.push_back(kWork);  // beyond END: read ahead, never issued
  B bench(program, seed);
  bench.shuffle = true;
  bench.start();
  bench.run();
  EXPECT_EQ(bench.dut.state_o, kDone);
  EXPECT_EQ(bench.dut.pc_o, 203u);
  EXPECT_EQ(bench.issued, expected_issue);
  EXPECT_EQ(bench.updates, expected_updates);
  EXPECT_EQ(bench.events, std::vector<unsigned>{kDone});
  EXPECT_LE(bench.max_answers, 48u);
  // Again, from done.
  bench.issued.clear();
  bench.start();
  bench.run();
  EXPECT_EQ(bench.issued, expected_issue);
  EXPECT_EQ(bench.events.size(), 2u);
  return bench.pairs;
}

TEST(Sequencer, IssuesAndUpdatesInOrderUnderRandomStalls) {
  unsigned mini_pairs = 0, inf2_pairs = 0;
  for (unsigned seed = 1; seed < 6; ++seed) {
    mini_pairs += issues_in_order<Mini>(seed);
    inf2_pairs += issues_in_order<Inf2>(seed);
  }
  EXPECT_GT(mini_pairs, 0u);
  EXPECT_GT(inf2_pairs, 20u);
}

TEST(Sequencer, AConditionNeedHoldForOneCycleOnly) {
  Mini bench({with_wait(kWork, defs::WaitOp::Eq, 17, 3), kEnd});
  bench.engine_depth = 0;
  bench.start();
  for (int i = 0; i < 1000; ++i) bench.cycle();
  bench.semaphores[17] = 3;
  bench.cycle();
  bench.semaphores[17] = 9;
  for (int i = 0; i < 100; ++i) bench.cycle();
  EXPECT_TRUE(bench.issued.empty()) << "the engine takes nothing";
  bench.engine_depth = 4;
  bench.run();
  EXPECT_EQ(bench.issued, std::vector<unsigned>{0});
}

TEST(Sequencer, WaitsForItsSemaphore) {
  Mini bench({with_wait(kWork, defs::WaitOp::Ge, 17, 3), with_wait(kWork, defs::WaitOp::Eq, 300, 2),
              kEnd});
  bench.start();
  for (int i = 0; i < 1000; ++i) bench.cycle();
  EXPECT_TRUE(bench.issued.empty());
  EXPECT_TRUE(bench.dut.asleep_o) << "else the core's clock would never stop";
  bench.semaphores[17] = 4;
  bench.cycle();
  EXPECT_FALSE(bench.dut.asleep_o);
  for (int i = 0; i < 100; ++i) bench.cycle();
  EXPECT_EQ(bench.issued, std::vector<unsigned>{0});
  EXPECT_TRUE(bench.dut.asleep_o);
  bench.semaphores[300] = 3;
  for (int i = 0; i < 100; ++i) bench.cycle();
  EXPECT_EQ(bench.issued, std::vector<unsigned>{0});
  bench.semaphores[300] = 2;
  bench.run();
  EXPECT_EQ(bench.issued, (std::vector<unsigned>{0, 1}));
  EXPECT_EQ(bench.dut.state_o, kDone);
}

/// A condition that held once is not asked again, however long the engine lets wait.
TEST(Sequencer, RemembersThatAWaitIsOver) {
  Mini bench({with_wait(kWork, defs::WaitOp::Eq, 17, 3), kEnd});
  bench.engine_depth = 0;
  bench.start();
  for (int i = 0; i < 500; ++i) bench.cycle();
  bench.semaphores[17] = 3;
  bench.cycle();
  bench.semaphores[17] = 4;
  for (int i = 0; i < 10; ++i) bench.cycle();
  EXPECT_FALSE(bench.dut.asleep_o) << "the engine may take it in any cycle";
  bench.engine_depth = 1;
  bench.run();
  EXPECT_EQ(bench.issued.size(), 1u);
  EXPECT_EQ(bench.dut.state_o, kDone);
}

TEST(Sequencer, IssuesNothingBehindAnUpdateWithoutRoom) {
  struct {
    const char* what;
    int value;
    std::vector<int> deltas;
    unsigned refused;
  } const cases[] = {{"at once", 0, {-1, 1, 1}, 0},
                     {"the least", 5, {-6, 1, 1}, 0},
                     {"by its own", 4, {-2, -2, -1, 1}, 2},
                     {"at the top", 65535, {1, -1}, 0},
                     {"to the top", 65000, {500, 35, 0, 1, 1}, 3},
                     {"the greatest", 40000, {-32768, 32767, 32767, -1}, 2}};
  for (const auto& c : cases)
    for (const bool nop : {false, true})
      for (unsigned seed = 1; seed < 20; ++seed) {
        SCOPED_TRACE(testing::Message() << c.what << (nop ? ", NOP" : "") << ", seed " << seed);
        std::vector<Instr> program;
        for (std::size_t i = 0; i < c.deltas.size(); ++i)
          program.push_back(
              with_update(nop && i == c.refused ? instr(Opcode::Nop) : kWork, 9, c.deltas[i]));
        program.push_back(kEnd);
        Mini bench(program, seed);
        bench.shuffle = seed > 1;
        bench.engine_depth = 16;
        bench.engine_latency = 40;
        bench.semaphores[9] = c.value;
        bench.start();
        bench.run();
        EXPECT_EQ(bench.dut.state_o, kError);
        EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(ErrorCause::SemaphoreOverflow));
        EXPECT_EQ(bench.dut.pc_o, c.refused);
        EXPECT_EQ(bench.issued.size(), c.refused + !nop);
        EXPECT_EQ(bench.updates.size(), c.refused);
      }
}

struct BadStream {
  const char* name;
  std::vector<Instr> program;
  ErrorCause cause;
  unsigned pc, issued;
};

Instr changed(Instr i, const std::function<void(Instr&)>& change) {
  change(i);
  return i;
}

TEST(Sequencer, StopsAtABadInstructionAfterTheOlderOnes) {
  const Instr nop = instr(Opcode::Nop);
  const BadStream cases[] = {
      {"nop field",
       {kWork, changed(nop, [](Instr& i) { i.imm = 1; }), kWork},
       ErrorCause::ReservedBits,
       1,
       1},
      {"end field",
       {kWork, changed(kEnd, [](Instr& i) { i.dst.stride0 = -1; })},
       ErrorCause::ReservedBits,
       1,
       1},
      {"no END", {kWork, kWork, kWork}, ErrorCause::OutOfBounds, 3, 3},
      {"overflow",
       {with_update(kWork, 9, 5), with_update(kWork, 9, -6), kEnd},
       ErrorCause::SemaphoreOverflow,
       1,
       2},
      {"overflow by END", {kWork, with_update(kEnd, 9, -1)}, ErrorCause::SemaphoreOverflow, 1, 1},
      {"engine",
       {with_update(kWork, 1, 1), changed(kWork, [](Instr& i) { i.opcode = 0xEE; }), kWork, kEnd},
       ErrorCause::BadShape,
       1,
       1},
  };
  for (const auto& bad : cases) {
    for (unsigned seed = 1; seed < 5; ++seed) {
      Mini bench(bad.program, seed);
      bench.shuffle = seed > 1;
      bench.start();
      bench.run();
      EXPECT_EQ(bench.dut.state_o, kError) << bad.name;
      EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(bad.cause)) << bad.name;
      EXPECT_EQ(bench.dut.pc_o, bad.pc) << bad.name;
      EXPECT_EQ(bench.issued.size(), bad.issued) << bad.name;
      EXPECT_TRUE(bench.held.empty()) << bad.name;
      EXPECT_EQ(bench.events, std::vector<unsigned>{kError}) << bad.name;
    }
  }
}

TEST(Sequencer, RefusesABadStart) {
  const std::pair<std::uint64_t, ErrorCause> cases[] = {
      {0x10020, ErrorCause::Misaligned},
      {defs::kAddrHbm0Base + defs::kAddrHbm0Size - 64, ErrorCause::UnmappedAddress},
      {defs::kAddrCore0Base, ErrorCause::UnmappedAddress}};
  for (const auto& [base, cause] : cases) {
    Mini bench({kWork, kEnd});
    bench.start(base);
    bench.run();
    EXPECT_EQ(bench.dut.state_o, kError);
    EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(cause)) << std::hex << base;
    EXPECT_TRUE(bench.issued.empty());
  }
}

}  // namespace
