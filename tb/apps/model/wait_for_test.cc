// SPDX-License-Identifier: Apache-2.0
// What the report says about stalled boards.
#include "tb/apps/model/wait_for.h"

#include <gtest/gtest.h>

#include "tb/scenarios/tiny_program.h"

namespace {

using defs::Engine;
using defs::Opcode;
using tb::TinyInstr;

struct NoSink : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

std::string report(const cmodel::Program& program) {
  NoSink sink;
  cmodel::Board board(defs::kMini, program, sink);
  board.load();
  EXPECT_FALSE(board.run());
  return tb::wait_for_report(board, program);
}

void expect_line(const std::string& text, const std::string& line) {
  EXPECT_NE(("\n" + text).find("\n" + line), std::string::npos) << line << "\nin\n" << text;
}

TEST(WaitFor, TwoEnginesThatWaitForEachOtherAreACycle) {
  tb::TinyProgram tiny(defs::kMini, 1);
  tiny.add(0, 0, Engine::Tensor, TinyInstr(Opcode::Nop).wait(1, 1).then(2));
  tiny.add(0, 0, Engine::Vector, TinyInstr(Opcode::Nop).wait(2, 1).then(1));
  const std::string text = report(tiny.build());
  expect_line(text, "chip 0 core 0 Tensor pc 0: waits for semaphore 0.1 >= 1, is 0");
  expect_line(text, "  could come from chip 0 core 0 Vector pc 0");
  expect_line(text, "cycle: chip 0 core 0 Tensor -> chip 0 core 0 Vector -> chip 0 core 0 Tensor");
}

TEST(WaitFor, DescriptorsAreNamedWithWhoRingsForThem) {
  tb::TinyProgram tiny(defs::kMini, 2);
  auto copy = tb::copy_rows(1, 0x1000, 0x2000, 1, 64, 0, 0);
  copy.vn = 1;
  copy.notify = 1;
  copy.notify_sem = 9;
  tiny.add(0, 0, 2, copy);
  tiny.add(0, 0, Engine::Act, TinyInstr(Opcode::Nop).wait(4, 1));
  auto ring = tb::ring_dma(2, 1);
  tiny.add(0, 0, Engine::Sync, ring.wait(5, 1));
  tiny.add(1, 0, Engine::Vector, TinyInstr(Opcode::Nop).wait(9, 1));
  const std::string text = report(tiny.build());
  expect_line(text, "  could come from descriptor 0 of DMA 2, rung by chip 0 core 0 Sync pc 0");
  expect_line(text, "  nobody is left to give it");
  EXPECT_EQ(text.find("cycle"), std::string::npos);
}

TEST(WaitFor, OneThatWaitsForItselfIsTheShortestCycle) {
  tb::TinyProgram tiny(defs::kMini, 1);
  tiny.add(0, 1, Engine::Act, TinyInstr(Opcode::Nop).then(258));
  tiny.add(0, 1, Engine::Act, TinyInstr(Opcode::Nop).wait(258, 2).then(258));
  expect_line(report(tiny.build()), "cycle: chip 0 core 1 Act -> chip 0 core 1 Act");
}

TEST(WaitFor, ALoopComesBackToItsProducers) {
  tb::TinyProgram tiny(defs::kMini, 1);
  auto copy = tb::copy_rows(0, 0x1000, 0x2000, 1, 64, 0, 0);
  copy.update = copy.update_delta = 1;
  copy.update_sem = 5;
  tiny.add(0, 0, 2, copy);
  const auto back =
      defs::encode_branch(defs::Condition::Ne, {0, 1, 0, 1});  // of register 1, set to 1
  const auto one = defs::encode_reg_alu(defs::RegOp::Add, {1, 0, 0, 1});
  // Two turns of one, one of the other, then each waits for the other.
  tiny.add(0, 0, Engine::Vector, one);
  tiny.add(0, 0, Engine::Vector, TinyInstr(Opcode::Nop).then(3));
  tiny.add(0, 0, Engine::Vector, TinyInstr(Opcode::Nop).wait(5, 1, defs::WaitOp::Take));
  tiny.add(0, 0, Engine::Vector, back);
  tiny.add(0, 0, Engine::Sync, one);
  tiny.add(0, 0, Engine::Sync, tb::ring_dma(2, 1));
  tiny.add(0, 0, Engine::Sync, TinyInstr(Opcode::Nop).wait(3, 2, defs::WaitOp::Take));
  tiny.add(0, 0, Engine::Sync, back);
  const std::string text = report(tiny.build());
  expect_line(text, "chip 0 core 0 Vector pc 2, visit 3: waits for semaphore 0.5 take 1, is 0");
  expect_line(text, "  could come from descriptor 2 of DMA 2, rung by chip 0 core 0 Sync pc 1");
  expect_line(text, "chip 0 core 0 Sync pc 2, visit 2: waits for semaphore 0.3 take 2, is 1");
  expect_line(text, "  could come from chip 0 core 0 Vector pc 1");
  expect_line(text, "cycle: chip 0 core 0 Vector -> chip 0 core 0 Sync -> chip 0 core 0 Vector");
}

}  // namespace
