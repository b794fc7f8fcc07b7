// SPDX-License-Identifier: Apache-2.0
// Program files on the board: what it says about programs that stop, hang, or use one chip only.
#include <gtest/gtest.h>

#include "cmodel/program/assembler.h"
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

TEST_F(ProgramFile, MuchGoesThroughTheBackDoorUnlessTold) {
  tb::TinyProgram tiny(defs::kMini, 1);
  tiny.data(0, 0x1000, std::vector<std::uint8_t>(64, 1));
  tiny.add(0, 0, Engine::Sync, TinyInstr(Opcode::Nop).then(2));
  tiny.region("little", 0, 0x1000, 64);
  EXPECT_EQ(run(tiny.build()), 0) << errors();
  EXPECT_EQ(result()["metrics"]["load"], "front");
  tiny.region("much", 0, 0x1000, 8 << 20);
  EXPECT_EQ(run(tiny.build()), 0) << errors();
  EXPECT_EQ(result()["metrics"]["load"], "backdoor");
  EXPECT_LT(result()["cycles"].get<unsigned>(), 5000u);
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

/// Two engines write the same bytes, and nothing orders them.
cmodel::Program race() {
  cmodel::Assembler assembler(defs::kMini, 2);
  auto& core = assembler.core(0, 0);
  const auto in = core.sbuf(16, 8, defs::Dtype::Fp32), out = core.sbuf(16, 8, defs::Dtype::Fp32);
  const auto loaded = core.semaphore();
  core.sync().copy(0, assembler.hbm(0, 0, "zeros", 32, 16), assembler.block(in)).signal(loaded);
  core.vector().wait_ge(loaded, 1).copy(in, out);
  core.act().wait_ge(loaded, 1).activate(defs::ActFunc::Relu, in, out);
  return assembler.assemble();
}

cmodel::Program stops() {
  tb::TinyProgram tiny(defs::kMini, 2);
  TinyInstr bad(Opcode::Nop);
  bad.reserved = 1;
  tiny.add(1, 0, Engine::Vector, bad);
  return tiny.build();
}

cmodel::Program waits() {
  tb::TinyProgram tiny(defs::kMini, 2);
  tiny.add(0, 1, Engine::Tensor, TinyInstr(Opcode::Nop).wait(258, 4));
  return tiny.build();
}

TEST_F(ProgramFile, TheReproLineOfEveryFailureRepeatsIt) {
  const struct {
    cmodel::Program program;
    const char *options, *about;
  } failures[] = {
      {race(), "--races", "and no semaphore orders them"},
      {stops(), "--no-debug", "ReservedBits"},
      {waits(), "--no-debug", "hang: every engine waits"},
      {race(), "--no-debug --timeout-cycles 300", "not finished after 300"},
      {race(), "--stuck-lane 0-1:3@99999999 --stuck-lane 1-0:4@99999999 --no-debug", "1-0:4@"},
      {race(), "--link-latency 16 --no-failure-waves --inject semaphore_lost", "repro: "},
  };
  for (const auto& [program, options, about] : failures) {
    const int status = run(program, options);
    const std::string said = errors(), line = repro();
    EXPECT_NE(said.find(about), std::string::npos) << options << "\n" << said;
    EXPECT_NE(line.find(options), std::string::npos) << line;
    EXPECT_EQ(status, 1) << options << "\n" << said;
    EXPECT_EQ(start(line), status) << line;
    EXPECT_EQ(errors(), said) << line;
  }
}

TEST_F(ProgramFile, AProgramOfTheOtherSizeIsRefused) {
  tb::TinyProgram tiny(defs::kInf2, 1);
  tiny.add(0, 0, Engine::Tensor, TinyInstr(Opcode::Nop));
  EXPECT_EQ(run(tiny.build()), 2);
  EXPECT_NE(errors().find("allows inf2"), std::string::npos) << errors();
}

}  // namespace
