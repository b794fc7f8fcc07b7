// SPDX-License-Identifier: Apache-2.0
// Looped and unrolled programs commit alike: those of scenario loops, and small ones that stop.
#include "cmodel/board/unroll.h"

#include <gtest/gtest.h>

#include "cmodel/machine/chip.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/program/program_view.h"
#include "tb/base/seed.h"
#include "tb/scenarios/scenario.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using defs::RegOp;

cmodel::Program random_loops(std::uint64_t seed, unsigned chips) {
  return find_scenario("loops").build(
      {.sizes = kSizes, .chips = chips, .seed = seed, .data_dir = {}, .out_dir = {}});
}

/// What a board committed, by stream, without what loops and their unrolling name differently.
auto commits_of(const cmodel::Program& program, std::uint64_t order_seed = 0) {
  Recorder recorder;
  Board board(kSizes, program, recorder, {.order_seed = order_seed});
  board.load();
  board.run();
  std::erase_if(recorder.writes, [](const auto& entry) {
    return entry.first.engine == static_cast<unsigned>(Engine::Host);
  });
  for (auto* lists : {&recorder.writes, &recorder.updates})
    for (auto& [id, entries] : *lists)
      for (auto& entry : entries)
        // A started copy is named by its instruction.
        if (id.engine < defs::kSequencers || entry.commit.pc >> defs::kStartedBit)
          entry.commit.pc = 0;
  return std::pair{recorder.writes, recorder.updates};
}

bool is_straight(const cmodel::Program& program) {
  for (const auto& stream : program.streams)
    for (std::uint32_t pc = 0; pc < stream.count; ++pc) {
      const auto instr = cmodel::instr_at(program, stream, pc);
      const auto* row = defs::row_of(instr.opcode);
      if (row->overlay != defs::Overlay::None || instr.size_reg || instr.src0.index ||
          instr.src1.index || instr.dst.index)
        return false;
    }
  return true;
}

TEST(Unroll, LoopedAndUnrolledCommitAlike) {
  const std::uint64_t seed = tb::seed();
  unsigned longer = 0;
  for (unsigned round = 0; round < 60; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " round " << round);
    const cmodel::Program looped = random_loops(seed + round, 1 + round % 2);
    cmodel::validate_program(looped, "looped");
    Recorder recorder;
    Board board(kSizes, looped, recorder, {.detect_races = true});
    board.load();
    ASSERT_TRUE(board.run()) << board.blocked();
    ASSERT_TRUE(board.errors().empty())
        << board.errors()[0].pc << to_string(board.errors()[0].cause);
    ASSERT_EQ(board.unwritten_text(), "");
    ASSERT_EQ(board.races(), "");

    const cmodel::Program line = cmodel::unroll(kSizes, looped);
    cmodel::validate_program(line, "unrolled");
    ASSERT_TRUE(is_straight(line));
    const auto expected = commits_of(looped);
    ASSERT_EQ(commits_of(line), expected);
    ASSERT_EQ(commits_of(looped, 1 + round), expected) << "in another order";
    ASSERT_EQ(commits_of(line, 1 + round), expected) << "in another order";
    for (std::size_t i = 0; i < line.streams.size(); ++i)
      longer += line.streams[i].count > looped.streams[i].count;
  }
  EXPECT_GT(longer, 60u);
}

bool has_loops(const cmodel::Program& program) {
  for (const auto& stream : program.streams)
    for (std::uint32_t pc = 0; pc < stream.count; ++pc)
      if (cmodel::overlay_of(cmodel::instr_at(program, stream, pc)) == defs::Overlay::Branch)
        return true;
  return false;
}

TEST(Unroll, EveryScenarioWithLoopsCommitsAlike) {
  unsigned looped = 0;
  for (const Scenario& scenario : scenarios())
    for (std::uint64_t seed = tb::seed(); seed < tb::seed() + 3; ++seed) {
      SCOPED_TRACE(testing::Message() << scenario.name << " seed " << seed);
      const auto program = scenario.build({.sizes = kSizes,
                                           .chips = 2,
                                           .seed = seed,
                                           .data_dir = DODECA_SCENARIO_DATA,
                                           .out_dir = {}});
      if (!has_loops(program)) continue;
      if (scenario.serves) {
        EXPECT_THROW(cmodel::unroll(kSizes, program), std::runtime_error) << "starts again";
        continue;
      }
      ++looped;
      const auto line = cmodel::unroll(kSizes, program);
      cmodel::validate_program(line, "unrolled");
      EXPECT_TRUE(commits_of(line) == commits_of(program));
    }
  EXPECT_GT(looped, 0u);
}

/// Serials name the operations of a stream in its order, whatever its loops do.
TEST(Unroll, SerialsCountWhatAStreamIssued) {
  const cmodel::Program program = random_loops(tb::seed(), 1);
  Bench bench(program, {.keep_trace = true});
  ASSERT_TRUE(bench.board.run());
  bool repeated = false;
  for (const auto& [id, entries] : bench.recorder.writes) {
    if (id.engine >= defs::kSequencers) continue;
    std::uint32_t serial = 0;
    std::map<std::uint32_t, std::uint32_t> seen;  // serials by pc
    for (const auto& [commit, data] : entries) {
      EXPECT_GE(commit.serial, serial);
      serial = commit.serial;
      const auto [at, fresh] = seen.try_emplace(commit.pc, serial);
      repeated |= at->second != serial;
    }
  }
  EXPECT_TRUE(repeated);
}

/// One that stops by an error, or waits for ever, or has no END, does so unrolled.
TEST(Unroll, WhatStopsStopsAgain) {
  const auto branch = [](unsigned target, int add) {
    return defs::encode_branch(defs::Condition::Ne,
                               {1, 0, static_cast<std::uint32_t>(add), target});
  };
  const auto set = defs::encode_reg_alu(RegOp::Add, {1, 0, 0, 3});
  const auto count = TinyInstr(Opcode::Nop).then(5);
  auto bad = TinyInstr(Opcode::TensorCopy).shape(4, 4).from(sbuf32(0)).to(sbuf32(64));
  bad.src0.index = 2;
  const auto far = defs::encode_reg_alu(RegOp::Add, {2, 2, 0, 8192});
  const auto down = TinyInstr(branch(1, -1)).then(6, -1);
  const std::vector<std::vector<defs::Instr>> programs{
      {set, count, branch(1, -1), branch(99, 0)},
      {set, count, far, bad, branch(1, -1)},
      {set, count, branch(1, -1), TinyInstr(Opcode::Nop).wait(7, 1), count},
      {set, count, down},
      {set, count, branch(1, -1), defs::encode_reg_load({3, 0, 2})},
  };
  for (const bool end : {true, false})
    for (const auto& code : programs) {
      TinyProgram tiny(kSizes, 1);
      for (const auto& instr : code) tiny.add(0, 0, Engine::Vector, instr);
      const auto looped = tiny.build(end);
      const auto line = cmodel::unroll(kSizes, looped);
      EXPECT_EQ(commits_of(line), commits_of(looped));
    }
}

TEST(Unroll, ALoopWithoutAWayOutIsRefused) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Vector, defs::encode_branch(defs::Condition::Eq, {0, 0, 0, 0}));
  try {
    cmodel::unroll(kSizes, tiny.build(), 100);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "no end within 100 operations: chip 0 core 0 Vector pc 0, visit 102: 101 "
                 "instructions and no END; next: BRANCH eq r0 += 0 r0 to 0");
  }
}

}  // namespace
}  // namespace tb::model
