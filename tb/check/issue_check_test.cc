// SPDX-License-Identifier: Apache-2.0
// Issues of one sequencer against a program of three instructions.
#include "tb/check/issue_check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cmodel/program/assembler.h"

namespace {

constexpr unsigned kCore = 1;
constexpr auto kVector = static_cast<unsigned>(defs::Engine::Vector);

class Issues : public testing::Test {
 protected:
  Issues() { load(three()); }
  void load(cmodel::Program program) {
    program_ = std::move(program);
    check_ = {};
    check_.load(program_, 0);
    check_.set_registers([this](unsigned) { return register_; });
    for (const cmodel::InstrStream& stream : program_.streams)
      if (stream.core == kCore && stream.engine == kVector) stream_ = stream;
  }

  /// 0: at once; 1: when `semaphore_` is at least 2; 2: at once.
  cmodel::Program three() {
    cmodel::Assembler a(defs::kMini, 1);
    cmodel::Core& core = a.core(0, kCore);
    const auto from = core.psum(1, 3, 4), to = core.sbuf(3, 4, defs::Dtype::Fp32);
    const auto semaphore = core.semaphore();
    core.vector().copy(from, to).wait_ge(semaphore, 2).copy(from, to).copy(from, to);
    core.sync().nop().signal(semaphore).nop().signal(semaphore);
    return a.assemble();
  }

  defs::Instr::Words words(std::uint32_t pc) const {
    defs::Instr::Words words{};
    const std::uint64_t addr = stream_.base + std::uint64_t{pc} * defs::kInstrBytes;
    for (const cmodel::Segment& s : program_.segments)
      if (s.chip == 0 && addr >= s.addr && addr - s.addr < s.bytes.size())
        std::copy_n(s.bytes.data() + (addr - s.addr), defs::kInstrBytes,
                    reinterpret_cast<std::uint8_t*>(words.data()));
    return words;
  }
  void issue(std::uint32_t pc, const defs::Instr::Words& words) {
    check_.set_cycle(++cycle_);
    check_.issue(kCore, kVector, pc, reinterpret_cast<const std::uint8_t*>(words.data()));
  }
  void issue(std::uint32_t pc) { issue(pc, words(pc)); }
  unsigned semaphore() const { return defs::Instr::from(words(1)).wait_sem; }

  tb::IssueCheck check_;
  cmodel::Program program_;
  cmodel::InstrStream stream_;
  unsigned register_ = 0;
  std::uint64_t cycle_ = 0;
};

TEST_F(Issues, InTheirTimeAreNoNews) {
  issue(0);
  check_.update(semaphore(), 1);
  check_.update(semaphore(), 1);
  issue(1);
  issue(2);
  EXPECT_TRUE(check_.early().empty());
  EXPECT_TRUE(check_.wrong().empty());
}

TEST_F(Issues, AWaitThatHeldOnceMayBeOverWhenItGoes) {
  issue(0);
  check_.update(semaphore(), 2);
  check_.update(semaphore(), -2);
  issue(1);
  EXPECT_TRUE(check_.early().empty());
}

TEST_F(Issues, BeforeItsWaitHeldIsEarly) {
  issue(0);
  check_.update(semaphore(), 1);
  register_ = 1;
  issue(1);
  ASSERT_EQ(check_.early().size(), 1u);
  const tb::EarlyIssue& early = check_.early()[0];
  EXPECT_EQ(early.cycle, 2u);
  EXPECT_EQ(early.core, kCore);
  EXPECT_EQ(early.sequencer, kVector);
  EXPECT_EQ(early.pc, 1u);
  EXPECT_EQ(early.value, 1u);
  EXPECT_EQ(early.held, 1u);
  EXPECT_EQ(tb::to_string(early), "waits for semaphore 1.0 >= 2, which was 1");
  check_.update(semaphore(), 1);
  issue(2);
  EXPECT_EQ(check_.early().size(), 1u);
}

TEST_F(Issues, ARegisterThatHoldsMoreThanItsUpdatesIsReported) {
  issue(0);
  register_ = 514;
  issue(1);
  ASSERT_EQ(check_.early().size(), 1u);
  EXPECT_EQ(check_.early()[0].value, 0u);
  EXPECT_EQ(check_.early()[0].held, 514u);
}

TEST_F(Issues, AnotherInstructionIsWrongNotEarly) {
  issue(0);
  auto other = words(1);
  other[3] ^= 4;
  issue(1, other);
  EXPECT_TRUE(check_.early().empty());
  ASSERT_EQ(check_.wrong().size(), 1u);
  EXPECT_EQ(check_.wrong()[0].pc, 1u);
  EXPECT_EQ(defs::Instr::from(other), check_.wrong()[0].actual);
}

/// Of a semaphore that the other core does not share: rejected, whatever its value.
TEST_F(Issues, WhatIsRejectedWithoutWaitingIsNotEarly) {
  cmodel::Program apart = program_;
  apart.partitions.push_back({.chip = 0, .core = 1 - kCore, .key = 1});
  for (cmodel::Segment& s : apart.segments)
    if (stream_.base >= s.addr && stream_.base - s.addr < s.bytes.size()) {
      auto instr = defs::Instr::from(words(1));
      instr.wait_sem ^= defs::kSemaphores;
      const auto packed = instr.words();
      std::memcpy(s.bytes.data() + (stream_.base - s.addr) + defs::kInstrBytes, packed.data(),
                  defs::kInstrBytes);
    }
  program_ = apart;
  tb::IssueCheck check;
  check.load(program_, 0);
  check.set_registers([](unsigned) { return 0u; });
  for (const std::uint32_t pc : {0u, 1u}) {
    const auto packed = words(pc);
    check.issue(kCore, kVector, pc, reinterpret_cast<const std::uint8_t*>(packed.data()));
  }
  EXPECT_TRUE(check.wrong().empty());
  EXPECT_TRUE(check.early().empty());
}

/// A turn takes a token and copies.
class LoopIssues : public Issues {
 protected:
  LoopIssues() {
    cmodel::Assembler a(defs::kMini, 1);
    cmodel::Core& core = a.core(0, kCore);
    const auto from = core.psum(1, 3, 4), to = core.sbuf(3, 4, defs::Dtype::Fp32);
    const auto token = core.semaphore();
    core.vector().loop(2, [&] { core.vector().take(token).copy(from, to); });
    core.sync().nop().signal(token).nop().signal(token);
    load(a.assemble());
    const auto instr = [&](std::uint32_t pc) { return defs::Instr::from(words(pc)); };
    while (instr(take_).wait_op != static_cast<unsigned>(defs::WaitOp::Take)) ++take_;
    for (branch_ = take_; instr(branch_).opcode != static_cast<unsigned>(defs::Opcode::Branch);)
      ++branch_;
    for (std::uint32_t pc = 0; pc < take_; ++pc) issue(pc);
    check_.update(semaphore(), 1);
    turn();
  }
  unsigned semaphore() const { return defs::Instr::from(words(take_)).wait_sem; }
  void turn() {
    issue(take_);
    check_.update(semaphore(), -1);
    for (std::uint32_t pc = take_ + 1; pc <= branch_; ++pc) issue(pc);
  }
  std::uint32_t take_ = 0, branch_ = 0;
};

TEST_F(LoopIssues, ATurnWithATokenIsNoNews) {
  check_.update(semaphore(), 1);
  turn();
  issue(branch_ + 1);
  EXPECT_TRUE(check_.early().empty());
  EXPECT_TRUE(check_.wrong().empty());
}

TEST_F(LoopIssues, BehindABranchATurnWithoutATokenIsEarly) {
  turn();
  ASSERT_EQ(check_.early().size(), 1u);
  EXPECT_EQ(check_.early()[0].pc, take_);
  EXPECT_EQ(check_.early()[0].value, 0u);
}

}  // namespace
