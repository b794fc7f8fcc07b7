// SPDX-License-Identifier: Apache-2.0
// Stalled boards: does the report say who waits for whom, and where the cycle is?
#include <gtest/gtest.h>

#include <algorithm>

#include "tb/apps/board/board_run.h"
#include "tb/scenarios/tiny_program.h"

namespace {

using defs::Engine;
using defs::Opcode;
using nlohmann::json;
using tb::TinyInstr;
using Hang = tb::BoardRun;
/// On boards of which a chip may be a golden model: what it waits for is reported as well.
class MixedHang : public tb::BoardRun, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Chips, MixedHang, testing::Values("", "--model 0", "--model 1"));

bool contains(const json& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// 64 bytes to `chip`, where a semaphore is raised behind them.
defs::Descriptor message(unsigned chip, std::uint16_t semaphore) {
  auto send = tb::copy_rows(chip, 0x1000, 0x2000, 1, 64, 0, 0);
  send.vn = 1;
  send.notify = 1;
  send.notify_sem = semaphore;
  return send;
}

TEST_P(MixedHang, TwoEnginesThatWaitForEachOtherAreACycle) {
  tb::TinyProgram tiny(defs::kMini, 2);
  tiny.add(1, 0, Engine::Tensor, TinyInstr(Opcode::Nop).wait(3, 1).then(4));
  tiny.add(1, 0, Engine::Vector, TinyInstr(Opcode::Nop).wait(4, 1).then(3));
  tiny.add(1, 0, Engine::Act, TinyInstr(Opcode::Nop).then(9));  // has nothing to do with it
  EXPECT_EQ(run(tiny.build(), GetParam()), 1);
  EXPECT_EQ(result()["status"], "hang");
  const json cycle = divergence()["hang"]["cycle"];
  EXPECT_EQ(cycle.size(), 5u) << cycle;
  EXPECT_EQ(cycle.front(), cycle.back());
  for (const char* node : {"chip 1 core 0 Tensor", "chip 1 semaphore 0.3", "chip 1 core 0 Vector",
                           "chip 1 semaphore 0.4"})
    EXPECT_TRUE(contains(cycle, node)) << node << " is not in " << cycle;
  EXPECT_NE(errors().find("cycle:\n"), std::string::npos) << errors();
  EXPECT_NE(errors().find("pc 0 waits for >= 1"), std::string::npos) << errors();
}

TEST_P(MixedHang, ACycleOverChipsGoesThroughTheirMessages) {
  tb::TinyProgram tiny(defs::kMini, 2);
  for (unsigned chip : {0u, 1u}) {
    tiny.data(chip, 0x1000, std::vector<std::uint8_t>(64, 7));
    tiny.add(chip, 0, 0, message(1 - chip, 6));
    tiny.add(chip, 0, Engine::Sync, TinyInstr(Opcode::Nop).wait(6, 1));  // each wants to be second
    tiny.add(chip, 0, Engine::Sync, tb::ring_dma(0, 1));
  }
  EXPECT_EQ(run(tiny.build(), GetParam()), 1);
  const json cycle = divergence()["hang"]["cycle"];
  for (const char* node : {"chip 0 core 0 Sync", "chip 0 semaphore 0.6", "chip 1 core 0 Dma0",
                           "chip 1 core 0 Sync", "chip 1 semaphore 0.6", "chip 0 core 0 Dma0"})
    EXPECT_TRUE(contains(cycle, node)) << node << " is not in " << cycle;
}

/// A message on its way over four long cables moves once in a while; only its delivery is progress.
TEST_F(Hang, WhatOnlyMovesDoesNotGetOn) {
  tb::TinyProgram tiny(defs::kMini, 8);
  tiny.data(0, 0x1000, std::vector<std::uint8_t>(64, 7));
  tiny.add(0, 0, 0, message(4, 6));
  tiny.add(0, 0, Engine::Sync, tb::ring_dma(0, 1));
  tiny.add(4, 0, Engine::Sync, TinyInstr(Opcode::Nop).wait(6, 1));
  const std::string far = "--no-debug --link-latency 240 --hang-cycles ";
  EXPECT_EQ(run(tiny.build(), far + "700"), 1);
  EXPECT_EQ(result()["status"], "hang");
  EXPECT_NE(errors().find("hang: nothing was committed for 700 fabric cycles"), std::string::npos)
      << errors();
  EXPECT_EQ(run(tiny.build(), far + "2000"), 0) << errors();
}

TEST_P(MixedHang, ASemaphoreThatNobodyGivesIsADeadEnd) {
  tb::TinyProgram tiny(defs::kMini, 2);
  tiny.data(0, 0x1000, std::vector<std::uint8_t>(64, 7));
  tiny.add(0, 0, 0, message(1, 5));
  tiny.add(0, 0, Engine::Sync, TinyInstr(Opcode::Nop).wait(8, 2));  // nobody gives it
  tiny.add(0, 0, Engine::Sync, tb::ring_dma(0, 1));
  tiny.add(1, 0, Engine::Act, TinyInstr(Opcode::Nop).wait(5, 1));  // for the message
  EXPECT_EQ(run(tiny.build(), GetParam()), 1);
  const json hang = divergence()["hang"];
  EXPECT_TRUE(hang["cycle"].empty()) << hang["cycle"];
  EXPECT_EQ(hang["dead_ends"], json::array({"chip 0 semaphore 0.8"}));
  EXPECT_EQ(hang["state"]["chip 0 semaphore 0.8"], "is 0");
  EXPECT_EQ(hang["state"]["chip 0 core 0 Dma0"], "not triggered");
}

TEST_F(Hang, ACreditThatNeverComesBackIsNamedWithItsChannel) {
  EXPECT_EQ(start("digits --inject credit_lost --seed 1"), 1);
  const json hang = divergence()["hang"];
  const json dead_ends = hang["dead_ends"];
  ASSERT_EQ(dead_ends.size(), 1u) << dead_ends;
  const std::string channel = dead_ends[0];
  EXPECT_NE(channel.find(" channel out of port "), std::string::npos) << channel;
  EXPECT_NE(hang["state"][channel].get<std::string>().find(" credits"), std::string::npos);
  EXPECT_EQ(divergence()["cause"]["block"], "fabric");
}

/// Of an engine that never ends, by injection site and seed; all but its own work goes on.
struct Endless {
  const char *site, *block;
  unsigned seed;
};
class EndlessHang : public tb::BoardRun, public testing::WithParamInterface<Endless> {};
INSTANTIATE_TEST_SUITE_P(Sites, EndlessHang,
                         testing::Values(Endless{"tensor_stuck", "tensor_array", 1},
                                         Endless{"tensor_busy", "tensor_array", 1},
                                         Endless{"dma_stuck", "dma", 1},
                                         Endless{"sequencer_stuck", "sequencer", 2}),
                         [](const auto& info) { return std::string(info.param.site); });

TEST_P(EndlessHang, IsTheCauseWithItsInstructionAndWhatItDidLast) {
  const auto& [site, block, seed] = GetParam();
  EXPECT_EQ(
      start(fmt::format("digits --chips 2 --hang-cycles 4096 --inject {} --seed {}", site, seed)),
      1);
  EXPECT_EQ(result()["status"], "hang");
  const json cause = divergence()["cause"], inject = result()["metrics"]["inject"];
  EXPECT_EQ(cause["block"], block);
  EXPECT_EQ(cause["chip"], inject["chip"]);
  EXPECT_EQ(cause["core"], inject["core"]);
  EXPECT_TRUE(cause.contains("pc")) << cause;
  const std::string why = cause["why"];
  EXPECT_NE(why.find("nothing has moved for"), std::string::npos) << why;
  EXPECT_NE(why.find(cause.contains("last_moved") ? "; its last commit, " : "done nothing yet"),
            std::string::npos)
      << why;
  const json path = divergence()["path"], waves = divergence()["waves"];
  ASSERT_FALSE(path.empty());
  EXPECT_TRUE(path.back().contains("instruction") && path.back().contains("source")) << path;
  EXPECT_NE(errors().find("\n               at tb/scenarios/"), std::string::npos) << errors();
  EXPECT_EQ(waves["files"].size(), 1u) << waves;
  if (cause.contains("last_moved")) EXPECT_EQ(waves["marker"], cause["last_moved"]);
  EXPECT_NE(errors().find("\nwaves: scripts/dodeca waves "), std::string::npos) << errors();
}

/// Every update was applied, the register is another one: not who waits is to blame.
TEST_F(Hang, ASemaphoreThatHoldsAnotherValueIsTheCause) {
  EXPECT_EQ(start("digits --inject semaphore_value --seed 1"), 1);
  EXPECT_EQ(result()["status"], "hang");
  const json cause = divergence()["cause"], inject = result()["metrics"]["inject"];
  EXPECT_EQ(cause["block"], "semaphores");
  EXPECT_EQ(cause["chip"], inject["chip"]);
  EXPECT_EQ(cause["cycle"], inject["cycle"].get<unsigned>() + 1);
  EXPECT_NE(cause["why"].get<std::string>().find("its updates make"), std::string::npos) << cause;
  EXPECT_EQ(errors().find("earliest cause: "), 0u) << errors();
  EXPECT_NE(errors().find("\nwaves: scripts/dodeca waves "), std::string::npos) << errors();
}

}  // namespace
