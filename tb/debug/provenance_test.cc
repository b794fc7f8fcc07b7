// SPDX-License-Identifier: Apache-2.0
// The trace from an element to the bytes it was made of, and distances between numbers.
#include "cmodel/board/provenance.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "cmodel/program/assembler.h"
#include "tb/check/number.h"

namespace {

using cmodel::Cell;

struct Kept : cmodel::CommitSink {
  std::vector<std::pair<cmodel::Commit, std::vector<std::uint8_t>>> commits;
  void commit(const cmodel::Commit& c, std::span<const std::uint8_t> data) override {
    commits.push_back({c, {data.begin(), data.end()}});
  }
  /// Commit number `n` of an engine of chip 0, semaphores not counted.
  const cmodel::Commit& write(defs::Engine engine, std::size_t n) const {
    for (const auto& [c, data] : commits)
      if (c.stream.engine == static_cast<unsigned>(engine) &&
          c.kind != cmodel::CommitKind::Semaphore && n-- == 0)
        return c;
    throw std::out_of_range("no such commit");
  }
};

/// weights and inputs by DMA, one product of 4 rows, then a copy out of PSUM.
cmodel::Program product() {
  cmodel::Assembler a(defs::kMini, 1);
  cmodel::Core& core = a.core(0, 0);
  const auto in = core.sbuf(4, 4, defs::Dtype::Bf16), w = core.sbuf(4, 3, defs::Dtype::Bf16);
  const auto acc = core.psum(1, 3, 4), out = core.sbuf(3, 4, defs::Dtype::Fp32);
  const auto loaded = core.semaphore(), summed = core.semaphore();
  std::vector<std::uint8_t> bytes(32);
  for (unsigned i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i % 2 ? 0x3f : i);
  const auto from = a.data(0, 0, "in", 8, 4, bytes);
  core.sync().copy(0, from, a.block(in)).signal(loaded);
  a.label("the product");
  core.tensor().wait_ge(loaded, 1).load_stationary(w).multiply_moving(in, acc).signal(summed);
  a.label("");
  core.vector().wait_ge(summed, 1).copy(acc, out);
  return a.assemble();
}

TEST(Provenance, AProductComesFromItsRowOfWeightsAndItsColumnOfInputs) {
  const auto program = product();
  Kept kept;
  cmodel::Board board(defs::kMini, program, kept);
  board.load();
  ASSERT_TRUE(board.run()) << board.blocked();
  const cmodel::Provenance provenance(defs::kMini, program);
  const cmodel::Commit& row = kept.write(defs::Engine::Tensor, 2);  // column 2
  const auto operation = provenance.operation_of(row.stream, 2);
  ASSERT_TRUE(operation);
  EXPECT_EQ(operation->pc, 1u);
  const auto cells = provenance.sources(*operation, row, 2, 1 * 4);  // partition 1
  ASSERT_EQ(cells.size(), 2u * 4 * 2);
  for (unsigned k = 0; k < 4; ++k)
    for (unsigned b = 0; b < 2; ++b) {
      EXPECT_EQ(cells[2 * k + b].partition, k);
      EXPECT_EQ(cells[2 * k + b].addr, 2u * 2 + b);
      EXPECT_EQ(cells[8 + 2 * k + b].partition, k);
      EXPECT_EQ(cells[8 + 2 * k + b].addr, 8u + 1 * 2 + b);
    }
  const auto writer = provenance.writer(cells[0], *operation);
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->stream.engine, static_cast<unsigned>(defs::Engine::Dma0));
}

TEST(Provenance, ACopyComesFromPsumAndThatFromTheProduct) {
  const auto program = product();
  const cmodel::Provenance provenance(defs::kMini, program);
  cmodel::Commit row;
  row.kind = cmodel::CommitKind::SbufRow;
  row.stream = {0, 0, static_cast<std::uint8_t>(defs::Engine::Vector), 0, 0};
  row.count = 3;
  row.element_bytes = 4;
  const auto operation = provenance.operation_of(row.stream, 3);
  ASSERT_TRUE(operation);
  const auto cells = provenance.sources(*operation, row, 3, 2 * 4);
  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[0].memory, Cell::Memory::Psum);
  EXPECT_EQ(cells[0].partition, 2u);
  EXPECT_EQ(cells[0].addr, (defs::kMini.psum_cols + 3) * 4u);
  const auto writer = provenance.writer(cells[0], *operation);
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->stream.engine, static_cast<unsigned>(defs::Engine::Tensor));
  EXPECT_FALSE(provenance.operation_of(row.stream, 4));
}

TEST(Provenance, ARowOfAListComesFromWhereTheListSaidThen) {
  cmodel::Assembler a(defs::kMini, 1);
  const auto words = [&](const char* name, const std::vector<std::uint32_t>& w, unsigned rows) {
    return a.data(0, 0, name, static_cast<unsigned>(4 * w.size()) / rows, rows,
                  {reinterpret_cast<const std::uint8_t*>(w.data()), 4 * w.size()});
  };
  const auto table = words("table", {10, 11, 12, 13}, 4), list = words("list", {2, 0}, 1),
             later = words("later", {1, 1}, 1), out = a.hbm(0, 0, "out", 4, 2);
  a.core(0, 0).sync().start(0, table, out, {.how = {.gather = list}}).copy(0, later, list);
  const auto program = a.assemble();
  const cmodel::Provenance provenance(defs::kMini, program);
  cmodel::Commit burst;
  burst.kind = cmodel::CommitKind::MemBurst;
  burst.stream = {0, 0, static_cast<std::uint8_t>(defs::Engine::Dma0), 0, 0};
  burst.addr = out.addr;
  burst.count = 4;
  const auto operation = provenance.operation_of(burst.stream, 0);
  ASSERT_TRUE(operation);
  EXPECT_TRUE(cmodel::is_started(operation->pc));
  const auto cells = provenance.sources(*operation, burst, 0, 0);
  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[0].addr, table.row_addr(2));
}

TEST(Sources, EveryInstructionKnowsItsLineAndLabel) {
  const auto program = product();
  const auto of = [&](defs::Engine engine, unsigned pc) {
    return program.source_of(0, 0, static_cast<unsigned>(engine), pc);
  };
  EXPECT_NE(of(defs::Engine::Tensor, 1).find("provenance_test.cc:"), std::string::npos);
  EXPECT_NE(of(defs::Engine::Tensor, 1).find("(the product)"), std::string::npos);
  EXPECT_EQ(of(defs::Engine::Vector, 0).find("(the product)"), std::string::npos);
  EXPECT_EQ(of(defs::Engine::Dma0, 0), of(defs::Engine::Sync, 0)) << "trigger and descriptor";
  EXPECT_EQ(of(defs::Engine::Act, 0), "");
}

TEST(Sources, EveryFormOfAnInstructionKnowsItsLine) {
  cmodel::Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  const auto x = core.sbuf(16, 8, defs::Dtype::Fp32), bias = core.sbuf(16, 1, defs::Dtype::Fp32);
  const unsigned line = __LINE__;
  core.act().activate(defs::ActFunc::Relu, x, x);
  core.act().activate(defs::ActFunc::Relu, x, bias, x);
  const auto program = assembler.assemble();
  for (unsigned pc : {0u, 1u}) {
    const auto source = program.source_of(0, 0, static_cast<unsigned>(defs::Engine::Act), pc);
    EXPECT_TRUE(source.ends_with(fmt::format("provenance_test.cc:{}", line + 1 + pc))) << source;
  }
}

TEST(Ulp, CountsNumbersBetween) {
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  EXPECT_EQ(tb::ulp_distance(bits(1.0f), bits(1.0f), 4), 0);
  EXPECT_EQ(tb::ulp_distance(bits(1.0f), bits(std::nextafter(1.0f, 2.0f)), 4), 1);
  EXPECT_EQ(tb::ulp_distance(bits(0.0f), bits(-0.0f), 4), 0);
  EXPECT_EQ(tb::ulp_distance(1, 0x80000001u, 4), 2) << "across zero";
  EXPECT_EQ(tb::ulp_distance(0x3f80, 0x3f82, 2), 2) << "bf16";
  EXPECT_EQ(tb::ulp_distance(bits(std::numeric_limits<float>::quiet_NaN()), 0, 4), -1);
}

}  // namespace
