// SPDX-License-Identifier: Apache-2.0
// One whole chip (mini) against the golden model: the way of the data, both cores.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "cmodel/machine/address_map.h"
#include "tb/scenarios/tiny_program.h"
#include "tb/unit/rtl/chip_twins.h"

namespace {

using cmodel::sbuf_addr;
using defs::Engine;
using defs::HostKind;
using defs::Opcode;
using tb::copy_rows;
using tb::psum32;
using tb::ring_dma;
using tb::sbuf16;
using tb::TinyInstr;
using tb::TinyProgram;
using tb::Twins;

constexpr unsigned kP = defs::kMini.partitions;
constexpr unsigned kN = defs::kMini.psum_cols;
constexpr auto kStride = static_cast<std::int64_t>(defs::kSbufStride);

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

}  // namespace
