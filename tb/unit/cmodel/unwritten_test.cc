// SPDX-License-Identifier: Apache-2.0
// Reads of bytes that nobody has written: by every kind of operation, and to the byte.
#include <fmt/format.h>

#include <set>

#include "cmodel/machine/footprint.h"
#include "tb/base/seed.h"
#include "tb/unit/cmodel/model_bench.h"

namespace {

using namespace tb::model;
using cmodel::Cell;
using cmodel::UnwrittenBytes;
using cmodel::UnwrittenRead;
using tb::copy_rows;
using tb::psum32;
using tb::ring_dma;
using tb::sbuf16;
using tb::sbuf32;
using tb::TinyInstr;
using tb::TinyProgram;

constexpr unsigned kReady = 5;
constexpr std::uint64_t kHbm = 0x20'0000;

/// Bytes 0 .. 255 of every partition are written before `engine` does `instrs`.
std::vector<UnwrittenRead> reads_of(Engine engine, const std::vector<defs::Instr>& instrs) {
  TinyProgram program(kSizes, 1);
  auto fill = copy_rows(0, kHbm, sbuf_addr(0, 0, 0), kP, 256, 0, kStride);
  fill.update = fill.update_delta = 1;
  fill.update_sem = kReady;
  program.add(0, 0, 0u, fill);
  program.add(0, 0, Engine::Sync, ring_dma(0, 1));
  program.add(0, 0, engine, TinyInstr(Opcode::Nop).wait(kReady, 1));
  for (const auto& instr : instrs) program.add(0, 0, engine, instr);
  Bench bench(program.build());
  EXPECT_TRUE(bench.board.run());
  EXPECT_TRUE(bench.board.errors().empty());
  return bench.board.unwritten();
}

std::string text(const UnwrittenRead& read) {
  const UnwrittenBytes& b = read.bytes;
  return fmt::format("{} pc {}: {} partitions {} .. {}, bytes {} .. {}", +read.stream.engine,
                     read.operation.pc, read.memory == Cell::Memory::Psum ? "PSUM" : "SBUF",
                     b.first, b.last, b.low, b.high);
}

TEST(Unwritten, EveryKindOfOperationIsSeen) {
  const auto load = TinyInstr(Opcode::LoadStationary).shape(kP, kP).from(sbuf16(0));
  const auto multiply = [](unsigned from) {
    return TinyInstr(Opcode::MultiplyMoving).shape(kP, 4).from(sbuf16(from)).to(psum32(16));
  };
  const auto copy = [](const defs::Operand& from) {
    return TinyInstr(Opcode::TensorCopy).shape(kP, 4).from(from).to(sbuf32(512));
  };
  const auto relu = [](const defs::Operand& from, const defs::Operand& bias) {
    return TinyInstr(Opcode::Activate)
        .shape(kP / 4, 2)
        .with(defs::ActFunc::Relu)
        .from(from)
        .and_from(bias)
        .to(sbuf32(512));
  };
  auto load_unwritten = load;
  load_unwritten.src0.offset = 248;
  auto add = multiply(0);
  add.accumulate = 1;
  struct {
    Engine engine;
    std::vector<defs::Instr> instrs;
    std::string expected;
  } const cases[] = {
      {Engine::Vector, {copy(sbuf32(240))}, ""},
      {Engine::Vector, {copy(sbuf32(252))}, "1 pc 1: SBUF partitions 0 .. 15, bytes 256 .. 267"},
      {Engine::Vector, {copy(psum32(8))}, "1 pc 1: PSUM partitions 0 .. 15, bytes 8 .. 23"},
      {Engine::Act,
       {relu(sbuf32(0), sbuf32(256, 0))},
       "2 pc 1: SBUF partitions 0 .. 3, bytes 256 .. 259"},
      {Engine::Tensor, {load, multiply(0), add}, ""},
      {Engine::Tensor, {load, add}, "0 pc 2: PSUM partitions 0 .. 15, bytes 16 .. 31"},
      {Engine::Tensor, {load_unwritten}, "0 pc 1: SBUF partitions 0 .. 15, bytes 256 .. 279"},
      {Engine::Tensor, {load, multiply(250)}, "0 pc 2: SBUF partitions 0 .. 15, bytes 256 .. 257"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.expected);
    const auto reads = reads_of(c.engine, c.instrs);
    ASSERT_EQ(reads.size(), c.expected.empty() ? 0u : 1u);
    if (!reads.empty()) EXPECT_EQ(text(reads[0]), c.expected);
  }
}

TEST(Unwritten, DescriptorsToo) {
  for (const unsigned destination : {0u, 1u}) {
    SCOPED_TRACE(destination);
    TinyProgram program(kSizes, 2);
    auto copy = copy_rows(destination, sbuf_addr(1, 3, 0x100), kHbm, 2, 64, kStride, 64);
    copy.vn = destination != 0;
    program.add(0, 0, 0u, copy);
    program.add(0, 0, Engine::Sync, ring_dma(0, 1));
    Bench bench(program.build());
    EXPECT_TRUE(bench.board.run());
    ASSERT_EQ(bench.board.unwritten().size(), 1u);
    const UnwrittenRead& read = bench.board.unwritten()[0];
    EXPECT_EQ(read.core, 1);
    EXPECT_EQ(text(read), "16 pc 0: SBUF partitions 3 .. 4, bytes 256 .. 319");
  }
}

/// Random copies, bounds of what is missing by sets of bytes.
TEST(Unwritten, ExactToTheByte) {
  std::mt19937 rng(static_cast<std::mt19937::result_type>(tb::seed()));
  const auto pick = [&](unsigned most) { return static_cast<unsigned>(rng() % (most + 1)); };
  std::vector<defs::Instr> copies;
  for (unsigned i = 0; i < 400; ++i) {
    const bool narrow = rng() % 2, quarter = rng() % 2;
    const auto dtype = narrow ? defs::Dtype::Bf16 : defs::Dtype::Fp32;
    const unsigned bytes = narrow ? 2 : 4, first = quarter ? kP / 4 * pick(3) : 0;
    const auto operand = [&](unsigned from) {
      return tb::tiny_operand(defs::Space::Sbuf, dtype, from + bytes * pick(150),
                              static_cast<int>(1 + pick(2)), first, static_cast<int>(pick(9)));
    };
    auto copy = TinyInstr(Opcode::TensorCopy)
                    .shape(1 + pick(quarter ? kP / 4 - 1 : kP - 1), 2 + pick(5), 2 + pick(2))
                    .from(operand(0))
                    .to(operand(1024));
    if (rng() % 2) std::swap(copy.src0.offset, copy.dst.offset);
    copies.push_back(copy);
  }
  std::set<std::pair<unsigned, std::uint64_t>> written;
  for (unsigned p = 0; p < kP; ++p)
    for (unsigned b = 0; b < 256; ++b) written.emplace(p, b);
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    std::vector<cmodel::Footprint> footprints;
    cmodel::footprints_of(copies[i], 0, 0, 0, footprints);
    UnwrittenRead read{
        stream(0, 0, Engine::Vector), static_cast<std::uint32_t>(i + 1), Cell::Memory::Sbuf, 0, {}};
    for (const auto& f : footprints)
      for (unsigned p = f.first; p < f.first + f.count; ++p)
        for (std::uint64_t at = f.lowest(); at < f.highest(); ++at) {
          if (!f.contains({Cell::Memory::Sbuf, 0, 0, static_cast<std::uint16_t>(p), at})) continue;
          if (f.write)
            written.emplace(p, at);
          else if (!written.contains({p, at}))
            read.bytes.add(p, static_cast<std::uint32_t>(at), 1);
        }
    if (read.bytes.count) expected.push_back(text(read));
  }
  std::vector<std::string> actual;
  for (const auto& read : reads_of(Engine::Vector, copies)) actual.push_back(text(read));
  EXPECT_GT(expected.size(), 100u);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_EQ(actual[i], expected[i]);
}

}  // namespace
