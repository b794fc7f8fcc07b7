// SPDX-License-Identifier: Apache-2.0
// One whole chip (mini) against the golden model: the way of the data, both cores, error paths.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "Vchip_mini.h"
#include "cmodel/address_map.h"
#include "cmodel/board.h"
#include "tb/unit/chip_bench.h"
#include "tb/unit/tiny_program.h"

namespace {

using cmodel::sbuf_addr;
using defs::Engine;
using defs::ErrorCause;
using defs::HostKind;
using defs::Opcode;
using tb::copy_rows;
using tb::psum32;
using tb::ring_dma;
using tb::sbuf16;
using tb::TinyInstr;
using tb::TinyProgram;

using Bench = tb::ChipBench<Vchip_mini, defs::kMini.line_bytes, defs::kMini.hbm_line_cycles>;
constexpr unsigned kP = defs::kMini.partitions;
constexpr unsigned kN = defs::kMini.psum_cols;
constexpr auto kStride = static_cast<std::int64_t>(defs::kSbufStride);

std::string describe(const cmodel::Commit& c) {
  return fmt::format("kind {} core {} engine {} pc {} addr {:#x} first {} count {} delta {}",
                     static_cast<int>(c.kind), c.stream.core, c.stream.engine, c.pc, c.addr,
                     c.first, c.count, c.delta);
}

void expect_equal(const auto& expected, const auto& actual, const char* what) {
  EXPECT_EQ(expected.size(), actual.size()) << what << ": streams";
  for (const auto& [stream, want] : expected) {
    const auto it = actual.find(stream);
    ASSERT_NE(it, actual.end()) << what << ": core " << +stream.core << " engine " << +stream.engine
                                << " is silent";
    for (std::size_t i = 0; i < std::min(want.size(), it->second.size()); ++i) {
      ASSERT_EQ(want[i], it->second[i])
          << what << " " << i << "\n  want " << describe(want[i].commit) << "\n  got  "
          << describe(it->second[i].commit);
    }
    EXPECT_EQ(want.size(), it->second.size())
        << what << " of core " << +stream.core << " engine " << +stream.engine;
  }
}

/// Runs `program` on both sides and compares every commit and what the host reads back.
struct Twins {
  explicit Twins(const cmodel::Program& program, unsigned power_on_seed = 1)
      : board(defs::kMini, program, model), bench(&rtl, 0, power_on_seed) {
    board.load();
    finished = board.run();
    bench.load(program);
    EXPECT_TRUE(bench.run()) << "not quiet";
    for (const auto& region : program.regions)
      for (unsigned at = 0; at < region.bytes; at += 64) bench.read(region.addr + at, 64);
    EXPECT_TRUE(bench.run());
    std::size_t next = 0;
    for (const auto& region : program.regions) {
      for (unsigned at = 0; at < region.bytes; at += 64) {
        std::vector<std::uint8_t> expected(64);
        board.read(region.chip, region.addr + at, expected);
        EXPECT_EQ(bench.read_data.at(next++), expected) << region.name << " + " << at;
      }
    }
  }
  void compare() {
    expect_equal(model.writes, rtl.writes, "write");
    expect_equal(model.updates, rtl.updates, "update");
  }
  unsigned count(HostKind kind) const {
    unsigned n = 0;
    for (const auto& event : bench.events) n += event.kind == static_cast<unsigned>(kind);
    return n;
  }
  tb::CommitLists model, rtl;
  cmodel::Board board;
  Bench bench;
  bool finished = false;
};

std::vector<std::uint8_t> random_bf16(unsigned count, unsigned seed) {
  std::mt19937 rng(seed);
  std::vector<std::uint8_t> out;
  for (unsigned i = 0; i < count; ++i) {
    const auto value = static_cast<std::uint16_t>((rng() & 0x807F) | (0x3F00 + (rng() % 4 << 7)));
    out.push_back(static_cast<std::uint8_t>(value));
    out.push_back(static_cast<std::uint8_t>(value >> 8));
  }
  return out;
}

/// relu(W^T X), all tiles full: HBM -> SBUF -> tensor -> PSUM -> activation -> SBUF -> HBM on
/// `core`.
void add_layer(TinyProgram& program, unsigned core, std::uint64_t at, unsigned rounds) {
  constexpr unsigned kW = 2 * kP, kX = 2 * kN;  // bytes per row
  program.data(0, at, random_bf16(kP * kP, 1 + core));
  program.data(0, at + 0x1000, random_bf16(kP * kN, 3 + core));
  auto load_w = copy_rows(0, at, sbuf_addr(core, 0, 0), kP, kW, kW, kStride);
  auto load_x = copy_rows(0, at + 0x1000, sbuf_addr(core, 0, 0x100), kP, kX, kX, kStride);
  auto store = copy_rows(0, sbuf_addr(core, 0, 0x200), at + 0x2000, kP, kX, kStride, kX);
  for (auto* d : {&load_w, &load_x, &store}) d->update = 1, d->update_delta = 1;
  const unsigned base = 256 * core;
  load_w.update_sem = load_x.update_sem = static_cast<std::uint16_t>(base + 1);
  store.update_sem = static_cast<std::uint16_t>(base + 4);
  program.add(0, core, 0u, load_w);
  program.add(0, core, 0u, load_x);
  program.add(0, core, 1u, store);
  program.add(0, core, Engine::Sync, ring_dma(0, 2));
  for (unsigned r = 0; r < rounds; ++r) {
    program.add(0, core, Engine::Tensor,
                TinyInstr(Opcode::LoadStationary).wait(base + 1, 2).shape(kP, kP).from(sbuf16(0)));
    auto multiply =
        TinyInstr(Opcode::MultiplyMoving).shape(kP, kN).from(sbuf16(0x100)).to(psum32(0));
    if (r) multiply.acc();
    program.add(0, core, Engine::Tensor, multiply.then(base + 2));
  }
  program.add(0, core, Engine::Act,
              TinyInstr(Opcode::Activate)
                  .wait(base + 2, rounds)
                  .shape(kP, kN)
                  .with(defs::ActFunc::Relu)
                  .from(psum32(0))
                  .to(sbuf16(0x200))
                  .then(base + 3));
  program.add(0, core, Engine::Sync, ring_dma(1, 1).wait(base + 3, 1));
  program.add(0, core, Engine::Sync, TinyInstr(Opcode::Nop).wait(base + 4, 1).then(base + 5, 7));
  program.region(core ? "core1" : "core0", 0, at + 0x2000, kP * kX);
}

TEST(Chip, RunsALayerOnBothCoresAsTheModelDoes) {
  TinyProgram program(defs::kMini, 1);
  add_layer(program, 0, 0x20'0000, 1);
  add_layer(program, 1, defs::kAddrHbm1Base + 0x20'0000, 5);
  std::uint64_t cycles = 0;
  for (unsigned power_on_seed = 1; power_on_seed <= 3; ++power_on_seed) {
    Twins run(program.build(), power_on_seed);
    ASSERT_TRUE(run.finished) << run.board.blocked();
    run.compare();
    EXPECT_EQ(run.count(HostKind::Completion), 6u);
    EXPECT_EQ(run.count(HostKind::Error), 0u);
    EXPECT_TRUE(!cycles || cycles == run.bench.now) << "timing depends on the power-on state";
    cycles = run.bench.now;
  }
  RecordProperty("cycles", std::to_string(cycles));
}

TEST(Chip, AnUnknownOpcodeStopsOnlyItsEngine) {
  TinyProgram program(defs::kMini, 1);
  add_layer(program, 0, 0x20'0000, 2);
  program.add(0, 0, Engine::Vector, TinyInstr(Opcode::Nop).then(20));
  program.add(0, 0, Engine::Vector, TinyInstr(static_cast<Opcode>(0xEE)).then(20));
  program.add(0, 0, Engine::Vector, TinyInstr(Opcode::Nop).then(20));
  Twins run(program.build());
  run.compare();
  EXPECT_EQ(run.count(HostKind::Completion), 3u);
  ASSERT_EQ(run.count(HostKind::Error), 1u);
  for (const auto& event : run.bench.events) {
    if (event.kind != static_cast<unsigned>(HostKind::Error)) continue;
    EXPECT_EQ(event.core, 0u);
    EXPECT_EQ(event.engine, static_cast<unsigned>(Engine::Vector));
    EXPECT_EQ(event.cause, static_cast<unsigned>(ErrorCause::UnknownOpcode));
    EXPECT_EQ(event.pc, 1u);
  }
}

TEST(Chip, EveryEngineRefusesAndReportsAsTheModelDoes) {
  struct Case {
    const char* name;
    Engine engine;
    TinyInstr instr;
  };
  TinyInstr many = ring_dma(defs::kMini.dma_engines, 1), none = ring_dma(0, 0),
            odd = ring_dma(0, 1);
  odd.size0 = 1;
  const Case cases[] = {
      {"no such DMA engine", Engine::Sync, many},
      {"no descriptors", Engine::Sync, none},
      {"reserved field", Engine::Sync, odd},
      {"opcode of another engine", Engine::Sync, TinyInstr(Opcode::Activate)},
      {"K too large", Engine::Tensor,
       TinyInstr(Opcode::LoadStationary).shape(kP + 1, kP).from(sbuf16(0))},
      {"M too large", Engine::Tensor,
       TinyInstr(Opcode::LoadStationary).shape(kP, kP + 1).from(sbuf16(0))},
      {"beyond SBUF", Engine::Act,
       TinyInstr(Opcode::Activate)
           .shape(kP, 2)
           .from(sbuf16(0))
           .to(sbuf16(defs::kMini.sbuf_bytes - 2))},
      {"misaligned", Engine::Vector,
       TinyInstr(Opcode::TensorCopy).shape(kP, 2).from(sbuf16(1)).to(sbuf16(64))},
      {"semaphore overflow", Engine::Vector, TinyInstr(Opcode::Nop).then(7, -1)},
  };
  for (const auto& bad : cases) {
    TinyProgram program(defs::kMini, 1);
    for (unsigned core = 0; core < 2; ++core) {
      program.add(0, core, bad.engine, TinyInstr(Opcode::Nop).then(256 * core + 9, 3));
      program.add(0, core, bad.engine, bad.instr);
    }
    Twins run(program.build());
    SCOPED_TRACE(bad.name);
    run.compare();
    EXPECT_EQ(run.count(HostKind::Error), 2u);
    EXPECT_EQ(run.count(HostKind::Completion), 0u);
  }
}

TEST(Chip, ABadDescriptorStopsOnlyItsDmaEngine) {
  TinyProgram program(defs::kMini, 1);
  add_layer(program, 0, 0x20'0000, 1);
  auto unmapped = copy_rows(0, 0x20'0000, 0x8'0000'0000, 1, 64, 0, 0);
  auto elsewhere = copy_rows(9, 0x20'0000, 0x20'4000, 1, 64, 0, 0);
  elsewhere.vn = 1;
  program.add(0, 0, 2u, unmapped);
  program.add(0, 0, 3u, elsewhere);
  program.add(0, 0, Engine::Sync, ring_dma(2, 1));
  program.add(0, 0, Engine::Sync, ring_dma(3, 1));
  Twins run(program.build());
  run.compare();
  EXPECT_EQ(run.count(HostKind::Error), 2u);
  EXPECT_EQ(run.count(HostKind::Completion), 3u);
}

}  // namespace
