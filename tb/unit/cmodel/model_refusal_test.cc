// SPDX-License-Identifier: Apache-2.0
// Error causes of the golden model, and what is no error: causes by name, rings, doorbells.
#include <gtest/gtest.h>

#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using defs::ErrorCause;

/// Runs one instruction on an engine of an otherwise idle chip; returns the first error.
cmodel::ErrorRecord error_of(Engine engine, const defs::Instr& instr) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, engine, instr);
  tiny.add(0, 1, Engine::Act, TinyInstr(Opcode::Nop).then(20));
  Bench bench(tiny.build());
  EXPECT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.semaphore(0, 20), 1u) << "the rest of the board goes on";
  EXPECT_EQ(bench.recorder.count(CommitKind::Error), bench.board.errors().size());
  if (bench.board.errors().empty()) return {};
  EXPECT_EQ(bench.board.sequencer(0, 0, static_cast<unsigned>(engine)).state,
            defs::SeqState::Error);
  return bench.board.errors()[0];
}

TEST(Model, RefusesBadInstructionsByName) {
  const auto cause = [](Engine engine, const defs::Instr& instr) {
    return error_of(engine, instr).cause;
  };
  const TinyInstr nop(Opcode::Nop);
  EXPECT_EQ(cause(Engine::Tensor, nop), ErrorCause::None);
  EXPECT_EQ(cause(Engine::Tensor, TinyInstr(Opcode::Activate)), ErrorCause::UnknownOpcode);
  EXPECT_EQ(cause(Engine::Vector, TinyInstr(Opcode::MultiplyMoving)), ErrorCause::UnknownOpcode);
  EXPECT_EQ(cause(Engine::Act, TinyInstr(Opcode::TensorCopy)), ErrorCause::UnknownOpcode);
  EXPECT_EQ(cause(Engine::Sync, TinyInstr(static_cast<Opcode>(99))), ErrorCause::UnknownOpcode);
  auto instr = nop;
  instr.size1 = 1;
  EXPECT_EQ(cause(Engine::Sync, instr), ErrorCause::ReservedBits);
  instr = nop;
  instr.size_dim = 3;
  EXPECT_EQ(cause(Engine::Act, instr), ErrorCause::ReservedBits);
  EXPECT_EQ(cause(Engine::Act, TinyInstr(Opcode::Nop).then(1, -1)), ErrorCause::SemaphoreOverflow);
  EXPECT_EQ(cause(Engine::Sync, ring_dma(4, 1)), ErrorCause::QueueOverflow);
  EXPECT_EQ(cause(Engine::Sync, ring_dma(0, 0)), ErrorCause::BadShape);
  EXPECT_EQ(cause(Engine::Vector,
                  TinyInstr(Opcode::TensorCopy).shape(kP, 8).from(sbuf32(8192 - 16)).to(sbuf32(0))),
            ErrorCause::OutOfBounds);
  const auto error = error_of(
      Engine::Tensor, TinyInstr(Opcode::MultiplyMoving).shape(kP, 8).from(sbuf16(0)).to(psum32(0)));
  EXPECT_EQ(error.cause, ErrorCause::BadShape) << "no LOAD_STATIONARY before";
  EXPECT_EQ(error.pc, 0u);
  EXPECT_EQ(error.stream, stream(0, 0, Engine::Tensor));
}

TEST(Model, AStreamWithoutEndIsAnError) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Act, TinyInstr(Opcode::Nop).then(1));
  Bench bench(tiny.build(false));
  EXPECT_TRUE(bench.board.run());
  ASSERT_EQ(bench.board.errors().size(), 1u);
  EXPECT_EQ(bench.board.errors()[0].cause, ErrorCause::OutOfBounds);
  EXPECT_EQ(bench.board.errors()[0].pc, 1u);
}

/// Runs one descriptor and returns the error of its engine.
cmodel::ErrorRecord error_of(const defs::Descriptor& descriptor, unsigned chips = 2) {
  TinyProgram tiny(kSizes, chips);
  tiny.add(0, 1, 2, descriptor);
  tiny.add(0, 1, Engine::Sync, ring_dma(2, 1));
  Bench bench(tiny.build());
  EXPECT_TRUE(bench.board.run());
  if (bench.board.errors().empty()) return {};
  EXPECT_EQ(bench.board.errors()[0].stream, stream(0, 1, Engine::Dma0, 2));
  EXPECT_EQ(bench.recorder.count(CommitKind::MemBurst),
            bench.recorder.writes[stream(0, 0, Engine::Host)].size())
      << "no effect of a refused descriptor";
  return bench.board.errors()[0];
}

TEST(Model, RefusesBadDescriptorsByName) {
  const auto good = copy_rows(0, 0x0, 0x1000, 2, 64, 64, 64);
  EXPECT_EQ(error_of(good).cause, ErrorCause::None);
  auto bad = good;
  bad.rows = 0;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::BadDescriptor);
  bad = good;
  bad.src = 0x4'0000'0000;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::UnmappedAddress);
  bad = good;
  bad.rows = 1;
  bad.dst = sbuf_addr(0, 0, kSizes.sbuf_bytes - 32);
  EXPECT_EQ(error_of(bad).cause, ErrorCause::UnmappedAddress);
  bad = good;
  bad.src = 2;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::Misaligned);
  bad = good;
  bad.dst_chip = 2;
  bad.vn = 1;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::BadDestination);
  bad = good;
  bad.reserved_mid = 1;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::ReservedBits);
}

TEST(Model, MoreThan65535DoorbellsAheadAreAllServed) {
  TinyProgram tiny(kSizes, 1);
  auto copy = copy_rows(0, 0x0, 0x1000, 1, 64, 0, 0);
  copy.update = copy.update_delta = 1;
  tiny.add(0, 0, 0, copy);
  copy.update_sem = 1;
  tiny.add(0, 0, 0, copy);
  for (int i = 0; i < 2; ++i) tiny.add(0, 0, Engine::Sync, ring_dma(0, 0xffff));
  Bench bench(tiny.build());
  EXPECT_TRUE(bench.board.run());
  EXPECT_TRUE(bench.board.errors().empty());
  EXPECT_EQ(bench.board.semaphore(0, 0), 65535u);
  EXPECT_EQ(bench.board.semaphore(0, 1), 65535u);
}

TEST(Model, ARingWraps) {
  TinyProgram tiny(kSizes, 1);
  for (unsigned i = 0; i < 2; ++i) {
    auto copy = copy_rows(0, 0x0, 0x1000 + 64 * i, 1, 64, 0, 0);
    copy.update = 1;
    copy.update_sem = 5 + i;
    copy.update_delta = 1;
    tiny.add(0, 0, 0, copy);
  }
  tiny.add(0, 0, Engine::Sync, ring_dma(0, 2));
  tiny.add(0, 0, Engine::Sync, ring_dma(0, 3).wait(6, 1));
  Bench bench(tiny.build());
  EXPECT_TRUE(bench.board.run());
  EXPECT_EQ(bench.board.semaphore(0, 5), 3u);
  EXPECT_EQ(bench.board.semaphore(0, 6), 2u);
  EXPECT_EQ(bench.recorder.writes[stream(0, 0, Engine::Dma0)].back().commit.pc, 4u) << "counts on";
}

TEST(Model, ADmaEngineWithoutARingStopsWhenRung) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Sync, ring_dma(1, 1));
  Bench bench(tiny.build());
  EXPECT_TRUE(bench.board.run());
  ASSERT_EQ(bench.board.errors().size(), 1u);
  EXPECT_EQ(bench.board.errors()[0].cause, ErrorCause::BadDescriptor);
}

}  // namespace
}  // namespace tb::model
