// SPDX-License-Identifier: Apache-2.0
// Program files on the board: what it says about programs that stop, hang, or use one chip only.
#include <gtest/gtest.h>

#include "cmodel/program/program.h"
#include "tb/apps/board/board_run.h"
#include "tb/scenarios/tiny_program.h"

namespace {

using defs::Engine;
using defs::Opcode;
using tb::TinyInstr;

using ProgramFile = tb::BoardRun;

TEST_F(ProgramFile, OneChipAloneCopiesAndSignals) {
  tb::TinyProgram tiny(defs::kMini, 1);
  std::vector<std::uint8_t> bytes(128);
  for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(3 * i + 1);
  tiny.data(0, 0x1000, bytes);
  auto copy = tb::copy_rows(0, 0x1000, defs::kAddrHbm1Base + 0x40, 2, 64, 64, 64);
  copy.update = 1;
  copy.update_sem = 5;
  copy.update_delta = 1;
  tiny.add(0, 0, 0, copy);
  tiny.add(0, 0, Engine::Sync, tb::ring_dma(0, 1));
  tiny.add(0, 0, Engine::Act, TinyInstr(Opcode::Nop).wait(5, 1));
  tiny.region("copied", 0, defs::kAddrHbm1Base + 0x40, 128);
  EXPECT_EQ(run(tiny.build()), 0) << errors();
  EXPECT_EQ(result()["status"], "passed");
  EXPECT_EQ(result()["chips"], 1);
}

TEST_F(ProgramFile, AnEngineThatStopsIsNamedAndTheRestGoesOn) {
  tb::TinyProgram tiny(defs::kMini, 2);
  TinyInstr bad(Opcode::Nop);
  bad.reserved = 1;
  tiny.add(1, 0, Engine::Vector, TinyInstr(Opcode::Nop).then(7));
  tiny.add(1, 0, Engine::Vector, bad);
  // Waits for something that the stopped engine would have sent.
  tiny.add(1, 1, Engine::Act, TinyInstr(Opcode::Nop).wait(9, 1));
  tiny.add(0, 0, Engine::Tensor, TinyInstr(Opcode::Nop).then(3));
  EXPECT_EQ(run(tiny.build()), 1);
  EXPECT_EQ(result()["status"], "failed");
  EXPECT_EQ(result()["mismatches"], 0);
  EXPECT_EQ(result()["metrics"]["errors"].size(), 1u);
  EXPECT_NE(errors().find("chip 1 core 0 Vector pc 1: ReservedBits"), std::string::npos)
      << errors();
}

TEST_F(ProgramFile, AWaitForNothingIsAHangWithEverySequencerNamed) {
  tb::TinyProgram tiny(defs::kMini, 2);
  tiny.add(0, 1, Engine::Tensor, TinyInstr(Opcode::Nop).wait(258, 4));
  tiny.add(1, 0, Engine::Sync, TinyInstr(Opcode::Nop).then(2));
  EXPECT_EQ(run(tiny.build()), 1);
  EXPECT_EQ(result()["status"], "hang");
  EXPECT_NE(errors().find("chip 0 core 1 Tensor pc 0: waits for semaphore 1.2 >= 4, is 0"),
            std::string::npos)
      << errors();
  EXPECT_EQ(errors().find("chip 1 core"), std::string::npos) << errors();
  EXPECT_LT(result()["cycles"].get<unsigned>(), 20'000u) << "was not noticed early";
}

TEST_F(ProgramFile, AProgramOfTheOtherSizeIsRefused) {
  tb::TinyProgram tiny(defs::kInf2, 1);
  tiny.add(0, 0, Engine::Tensor, TinyInstr(Opcode::Nop));
  EXPECT_EQ(run(tiny.build()), 2);
  EXPECT_NE(errors().find("allows mini"), std::string::npos) << errors();
}

}  // namespace
