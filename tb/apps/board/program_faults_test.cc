// SPDX-License-Identifier: Apache-2.0
// What a program does to memory that is not what its writer meant: bytes that nobody has written, a
// write that nobody reads, the other tenant's memory. What the board says of each.
#include <gtest/gtest.h>

#include "cmodel/program/assembler.h"
#include "tb/apps/board/board_run.h"
#include "tb/scenarios/tiny_program.h"

namespace {

using cmodel::Assembler;
using defs::Dtype;
using ProgramFaults = tb::BoardRun;

bool says(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

TEST_F(ProgramFaults, BytesThatNobodyWroteAreTheProgramsFaultWhateverThePowerOn) {
  Assembler sbuf(defs::kMini, 2);
  auto& core = sbuf.core(0, 0);
  const auto from = core.sbuf(16, 8, Dtype::Fp32), to = core.sbuf(16, 8, Dtype::Fp32);
  core.vector().copy(from, to);

  Assembler psum(defs::kMini, 2);
  auto& other = psum.core(0, 0);
  const auto weights = other.sbuf(16, 16, Dtype::Bf16), moving = other.sbuf(16, 16, Dtype::Bf16);
  const auto loaded = other.semaphore();
  const auto zeros = psum.hbm(0, 0, "zeros", 32, 16);
  other.sync().copy(0, zeros, psum.block(weights)).signal(loaded);
  other.sync().copy(0, zeros, psum.block(moving)).signal(loaded);
  other.tensor().wait_ge(loaded, 2).load_stationary(weights).multiply_moving(
      moving, other.psum(0, 16, 16), true);

  const auto of_sbuf = sbuf.assemble(), of_psum = psum.assemble();
  for (const char* options : {"--seed 1", "--seed 2 --waves", "--seed 3 --races --threads 2"}) {
    EXPECT_EQ(run(of_sbuf, options), 1) << options;
    EXPECT_TRUE(says(errors(),
                     "reads bytes that nobody has written: SBUF of core 0, partitions 0 .. 15, "
                     "bytes 0 .. 31"))
        << errors();
    EXPECT_EQ(result()["divergence"]["cause"]["block"], "program") << options;
    EXPECT_EQ(result()["divergence"]["cause"]["engine"], "Vector") << options;
    EXPECT_EQ(run(of_psum, options), 1) << options;
    EXPECT_TRUE(says(errors(), "PSUM of core 0, partitions 0 .. 15, bytes 0 .. 63")) << errors();
    EXPECT_EQ(result()["divergence"]["cause"]["engine"], "Tensor") << options;
  }
}

TEST_F(ProgramFaults, AWriteThatIsLostAndThatNobodyReadsIsSeenAtTheEnd) {
  Assembler a(defs::kMini, 1);
  auto& core = a.core(0, 0);
  const auto from = core.sbuf(16, 8, Dtype::Fp32);
  const auto loaded = core.semaphore();
  std::vector<std::uint8_t> data(16 * 32);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(7 * i + 1);
  core.sync().copy(0, a.data(0, 0, "in", 32, 16, data), a.block(from)).signal(loaded);
  for (unsigned i = 0; i < 8; ++i)
    core.vector().wait_ge(loaded, 1).copy(from, core.sbuf(16, 8, Dtype::Fp32));
  const auto program = a.assemble();
  EXPECT_EQ(run(program), 0) << errors();
  EXPECT_EQ(run(program, "--inject sbuf_write_lost"), 1);
  EXPECT_TRUE(says(errors(), "at the end chip 0 core 0 SBUF partition ")) << errors();
  EXPECT_EQ(result()["divergence"]["cause"]["block"], "sbuf");
  EXPECT_EQ(result()["divergence"]["cause"]["engine"], "Vector");
}

/// Core 0, another tenant, writes into core 1's memory and waits for its semaphore.
TEST_F(ProgramFaults, TheOtherTenantIsOutOfReach) {
  tb::TinyProgram tiny(defs::kMini, 1);
  tiny.isolate({.chip = 0, .core = 0, .key = 1});
  tiny.isolate({.chip = 0, .core = 1, .key = 2});
  tiny.add(0, 0, 0u, tb::copy_rows(0, 0x1000, defs::kAddrHbm1Base + 0x1000, 1, 64, 0, 0));
  tiny.add(0, 0, defs::Engine::Sync, tb::ring_dma(0, 1));
  tiny.add(0, 0, defs::Engine::Act, tb::TinyInstr(defs::Opcode::Nop).wait(256, 1));
  tiny.add(0, 1, defs::Engine::Act, tb::TinyInstr(defs::Opcode::Nop).then(256));
  auto program = tiny.build();
  program.keys = {1, 2};
  EXPECT_EQ(run(program), 1);
  EXPECT_EQ(result()["mismatches"], 0) << errors();
  for (const char* who :
       {"chip 0 core 0 Dma0 pc 0: Forbidden", "chip 0 core 0 Act pc 0: Forbidden"})
    EXPECT_TRUE(says(errors(), who)) << errors();
}

}  // namespace
