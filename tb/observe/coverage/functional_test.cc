// SPDX-License-Identifier: Apache-2.0
// Functional coverage: bins are counted, and what has no bin is illegal.
#include "tb/observe/coverage/functional.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cmodel/machine/dma.h"
#include "fabric/model/table_writer.h"

namespace tb {
namespace {

using defs::Engine;
using defs::ErrorCause;

struct Functionals : testing::Test {
  cmodel::Program program = [] {
    cmodel::Program p;
    p.chips = defs::kBoardChips;
    return p;
  }();
  Functional functional{defs::kMini, program, fabric::ring_tables(defs::kBoardChips)};
  CommitBuffer commits;

  void stop(Engine engine, ErrorCause cause) {
    cmodel::Commit commit;
    commit.kind = cmodel::CommitKind::Error;
    commit.stream.engine = static_cast<std::uint8_t>(engine);
    commit.delta = static_cast<std::int32_t>(cause);
    commits.commit(commit, {});
  }
  void row(Engine engine, std::uint32_t pc, std::uint64_t cycle, unsigned chip = 0,
           unsigned src = 0, unsigned core = 0) {
    cmodel::Commit commit;
    commit.kind = cmodel::CommitKind::MemBurst;
    commit.stream.chip = static_cast<std::uint8_t>(chip);
    commit.stream.engine = static_cast<std::uint8_t>(engine);
    commit.stream.core = static_cast<std::uint8_t>(core);
    commit.stream.src = static_cast<std::uint8_t>(src);
    commit.pc = commit.serial = pc;
    commits.set_cycle(cycle);
    commits.commit(commit, {});
  }
  std::uint64_t count(const std::string& bin) {
    const auto file = std::filesystem::path(testing::TempDir()) / "functional_test.json";
    functional.write(file);
    return nlohmann::json::parse(std::ifstream(file)).at("bins").at(bin);
  }
};

TEST_F(Functionals, CountsWhatHasABin) {
  stop(Engine::Tensor, ErrorCause::BadShape);
  stop(Engine::Tensor, ErrorCause::BadShape);
  stop(Engine::Rx, ErrorCause::SemaphoreOverflow);
  functional.observe(commits);
  EXPECT_EQ(count("tensor.error.BadShape"), 2u);
  EXPECT_EQ(count("fabric.error.SemaphoreOverflow"), 1u);
  EXPECT_EQ(count("vector.error.BadShape"), 0u);
  EXPECT_EQ(functional.illegal_report(), "");
}

TEST_F(Functionals, WhatHasNoBinIsIllegal) {
  stop(Engine::Tensor, ErrorCause::BadDescriptor);  // only a DMA engine has descriptors
  stop(Engine::Sync, ErrorCause::None);
  functional.observe(commits);
  EXPECT_EQ(functional.illegal_report(),
            "illegal coverage bin was hit: tensor.error.BadDescriptor\n"
            "illegal coverage bin was hit: sync.error.None\n");
}

TEST_F(Functionals, BackPressureIsAGapBetweenBursts) {
  row(Engine::Dma0, 5, 100);
  row(Engine::Dma0, 5, 102);
  row(Engine::Dma0, 5, 105);
  row(Engine::Dma0, 6, 200);      // another descriptor
  row(Engine::Rx, 0, 300, 7, 5);  // two hops
  row(Engine::Rx, 0, 301, 7, 5);
  row(Engine::Rx, 0, 302, 7, 4);  // another sender
  functional.observe(commits);
  EXPECT_EQ(count("dma.pressure.local.flowing"), 1u);
  EXPECT_EQ(count("dma.pressure.local.stalled"), 1u);
  EXPECT_EQ(count("dma.pressure.hops2.flowing"), 1u);
  EXPECT_EQ(count("dma.pressure.hops2.stalled"), 0u);
}

TEST_F(Functionals, ContentionIsTwoCoresInOneMemoryAtATime) {
  row(Engine::Dma0, 1, 100, 3, 0, 0);
  row(Engine::Dma0, 2, 101, 3, 0, 0);  // the same core
  row(Engine::Dma0, 1, 101, 4, 0, 1);  // another chip
  row(Engine::Dma0, 1, 110, 3, 0, 1);  // later
  functional.observe(commits);
  EXPECT_EQ(count("dma.contended.Hbm0"), 0u);
  commits = {};
  row(Engine::Dma0, 3, 112, 3, 0, 0);
  functional.observe(commits);
  EXPECT_EQ(count("dma.contended.Hbm0"), 1u);
  EXPECT_EQ(count("dma.contended.Hbm1"), 0u);
}

TEST_F(Functionals, ABranchIsTakenOrNot) {
  const cmodel::StreamId vector{.engine = static_cast<std::uint8_t>(Engine::Vector)};
  const defs::Instr branch = defs::encode_branch(defs::Condition::Ltu, {.target = 7});
  for (const std::uint32_t pc : {7u, 8u, 7u, 8u, 9u})
    functional.executed(vector, pc, pc == 8 ? branch : defs::encode_nop());
  EXPECT_EQ(count("control.branch.Ltu.taken"), 1u);
  EXPECT_EQ(count("control.branch.Ltu.not_taken"), 1u);
  EXPECT_EQ(count("control.branch.Eq.taken"), 0u);
}

TEST_F(Functionals, ACopyCountsByWhoBroughtItItsListAndItsFormats) {
  const cmodel::StreamId dma{.chip = 2, .engine = static_cast<std::uint8_t>(Engine::Dma0)};
  defs::Descriptor d{.rows = 3, .row_bytes = 12, .dst_chip = 2, .bound = 5};
  const auto list = [&](defs::IndexMode mode, bool skip, std::size_t moved, bool fault) {
    d.index_mode = static_cast<std::uint8_t>(mode);
    d.skip = skip;
    cmodel::RowPlaces places{{}, fault};
    places.rows.resize(moved);
    functional.copied(dma, mode == defs::IndexMode::None ? 4 : cmodel::started_pc(4), d, places);
  };
  list(defs::IndexMode::None, false, 3, false);
  EXPECT_EQ(count("dma.local.started"), 0u);
  list(defs::IndexMode::Gather, false, 3, false);
  list(defs::IndexMode::Gather, false, 0, true);
  list(defs::IndexMode::Gather, false, 2, true);
  list(defs::IndexMode::Scatter, true, 2, false);
  d.combine = static_cast<std::uint8_t>(defs::Combine::Cast);
  d.dtype = static_cast<std::uint8_t>(defs::Dtype::Fp16);
  d.dst_dtype = static_cast<std::uint8_t>(defs::Dtype::Int8);
  list(defs::IndexMode::Scatter, true, 0, false);
  EXPECT_EQ(count("dma.local.started"), 5u);
  EXPECT_EQ(count("dma.local.Gather"), 3u);
  EXPECT_EQ(count("dma.list.Gather.Hbm0"), 3u);
  EXPECT_EQ(count("dma.list.Gather.stopped.first"), 1u);
  EXPECT_EQ(count("dma.list.Gather.stopped.behind_rows"), 1u);
  EXPECT_EQ(count("dma.local.Scatter.skip"), 2u);
  EXPECT_EQ(count("dma.list.Scatter.left_out.some"), 1u);
  EXPECT_EQ(count("dma.list.Scatter.left_out.all"), 1u);
  EXPECT_EQ(count("dma.list.Scatter.Cast"), 1u);
  EXPECT_EQ(count("dma.cast.Fp16.Int8"), 1u);
  EXPECT_EQ(functional.illegal_report(), "");
}

TEST_F(Functionals, BinsComeFromTheDescriptions) {
  const auto names = functional.names();
  const auto has = [&](const char* name) { return std::ranges::count(names, name) == 1; };
  // Who never answers is given up, and a stalled packet is reported: tests of the fabric
  // provoke these, no board run does.
  constexpr std::array kNobodys{ErrorCause::None, ErrorCause::Unreachable, ErrorCause::Stalled};
  for (const auto cause : defs::kEveryErrorCause) {
    const auto names_cause = [&](const std::string& name) {
      return name.ends_with(fmt::format(".error.{}", to_string(cause)));
    };
    EXPECT_NE(std::ranges::any_of(names, names_cause), std::ranges::count(kNobodys, cause) == 1)
        << to_string(cause);
  }
  for (const auto opcode : defs::kEveryOpcode)
    EXPECT_TRUE(std::ranges::any_of(names, [&](const std::string& name) {
      return name.ends_with(fmt::format(".instruction.{}", to_string(opcode)));
    })) << to_string(opcode);
  EXPECT_TRUE(has("act.function.Activate.Relu"));
  EXPECT_TRUE(has("act.format.Activate.src0.Psum.Fp32"));
  EXPECT_TRUE(has("act.format.Activate.src1.None"));
  EXPECT_TRUE(has("fabric.transfer.size.full.hops6.vn3.WriteNotify"));
  EXPECT_TRUE(has("dma.local.bytes.2"));
  EXPECT_FALSE(has("dma.remote.bytes.2"));
  EXPECT_TRUE(has("dma.remote.combine.Max.Int32"));
  EXPECT_FALSE(has("dma.local.combine.Add.Fp16"));
  EXPECT_FALSE(has("dma.remote.combine.Cast.Fp32"));  // a cast stays on its chip
  EXPECT_TRUE(has("dma.cast.Fp16.Int8"));
  EXPECT_TRUE(has("dma.list.Gather.Add"));
  EXPECT_FALSE(has("dma.list.Scatter.Add"));
  EXPECT_TRUE(has("act.pressure.Activate.Int32.even.stalled"));  // it reads PSUM, like fp32
  EXPECT_TRUE(has("vector.pressure.Memset.Bf16.odd.flowing"));
  EXPECT_FALSE(has("vector.pressure.Memset.Bf16.odd.stalled"));
  EXPECT_TRUE(has("vector.pressure.BnStats.Fp32.odd.flowing"));
  EXPECT_FALSE(has("vector.pressure.BnStats.Fp32.odd.stalled"));  // its rows come last
  EXPECT_TRUE(has("vector.pressure.MatchReplace8.Fp32.odd.stalled"));
  EXPECT_FALSE(has("vector.pressure.MatchReplace8.Bf16.odd.stalled"));  // src1 comes first
  EXPECT_TRUE(has("vector.shape.TensorTensor.src1.outer3.negative"));
  EXPECT_FALSE(has("vector.shape.TensorCopy.src1.outer3.negative"));
  EXPECT_FALSE(has("act.format.Activate.src0.Psum.Bf16"));  // PSUM holds fp32
}

}  // namespace
}  // namespace tb
