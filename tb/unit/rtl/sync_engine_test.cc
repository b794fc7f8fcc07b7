// SPDX-License-Identifier: Apache-2.0
// What the sync engine hands to the DMA engines, and what it refuses, against the model's reading
// of the instruction.
#include <gtest/gtest.h>
#include <verilated.h>

#include <random>

#include "Vsync_engine.h"
#include "cmodel/machine/instruction.h"

namespace {

using defs::ErrorCause;
using defs::Instr;

struct Bench {
  Bench() {
    dut.clk_i = dut.instr_valid_i = dut.trig_ready_i = 0;
    dut.rst_ni = 0;
    edge();
    dut.rst_ni = 1;
    edge();
  }
  ~Bench() { dut.final(); }
  void edge() {
    dut.eval();
    dut.clk_i = 1;
    dut.eval();
    dut.clk_i = 0;
    dut.eval();
  }
  void give(const Instr& instr, std::uint32_t pc, std::uint32_t serial) {
    instr.pack(reinterpret_cast<std::uint32_t*>(&dut.instr_i));
    dut.pc_i = pc;
    dut.serial_i = serial;
    dut.instr_valid_i = 1;
    edge();
    dut.instr_valid_i = 0;
    dut.eval();
  }
  VerilatedContext context;
  Vsync_engine dut{&context};
};

/// Any bits that its row has, without registers.
Instr random_start(std::mt19937& rng) {
  defs::DmaStart::Words words;
  for (auto& word : words) word = static_cast<std::uint32_t>(rng());
  auto start = defs::DmaStart::from(words);
  start.engine = static_cast<std::uint8_t>(rng() % 4);
  start.src_reg = start.dst_reg = start.index_reg = start.rows_reg = 0;
  Instr instr = defs::encode_dma_start(start);
  instr.update = rng() % 2;
  instr.update_sem = rng() % 512;
  instr.update_delta = static_cast<std::int16_t>(rng());
  return instr;
}

TEST(SyncEngine, HandsOverTheDescriptorOfAStart) {
  std::mt19937 rng(1);
  Bench bench;
  for (unsigned i = 0; i < 2000; ++i) {
    const bool start = rng() % 4 != 0;
    const defs::Doorbell bell{static_cast<std::uint8_t>(rng() % 4),
                              static_cast<std::uint16_t>(1 + rng() % 65535)};
    const Instr instr = start ? random_start(rng) : defs::encode_dma_trigger(bell);
    const auto pc = static_cast<std::uint32_t>(rng() % (1u << 24));
    bench.give(instr, pc, i);
    ASSERT_TRUE(bench.dut.trig_valid_o);
    ASSERT_FALSE(bench.dut.done_o) << "the DMA has no room yet";
    for (unsigned wait = rng() % 3; wait--;) bench.edge();
    bench.dut.trig_ready_i = 1;
    bench.dut.eval();
    ASSERT_TRUE(bench.dut.done_o);
    const auto work = cmodel::work_of(instr);
    EXPECT_EQ(bench.dut.trig_engine_o, work.engine);
    EXPECT_EQ(bench.dut.trig_count_o, work.count);
    ASSERT_EQ(bench.dut.trig_start_o, start);
    if (start) {
      EXPECT_EQ(bench.dut.trig_pc_o, pc);
      ASSERT_EQ(
          defs::Descriptor::unpack(reinterpret_cast<const std::uint32_t*>(&bench.dut.trig_desc_o)),
          cmodel::started_copy(instr))
          << i;
    }
    bench.edge();
    bench.dut.trig_ready_i = 0;
  }
}

TEST(SyncEngine, RefusesWhatIsNoDoorbell) {
  std::mt19937 rng(2);
  struct {
    const char* what;
    ErrorCause cause;
    void (*spoil)(Instr&);
  } const kCases[] = {
      {"function", ErrorCause::ReservedBits, [](Instr& i) { i.func = 1; }},
      {"accumulate", ErrorCause::ReservedBits, [](Instr& i) { i.accumulate = 1; }},
      {"partitions", ErrorCause::ReservedBits, [](Instr& i) { i.partitions = 128; }},
      {"opcode", ErrorCause::UnknownOpcode, [](Instr& i) { i.opcode = 66; }},
      {"engine", ErrorCause::QueueOverflow,
       [](Instr& i) {
         auto start = defs::dma_start_of(i);
         const auto before = start;
         start.engine = 4;
         i = cmodel::with_overlay(i, before, start);
       }},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    Bench bench;
    Instr instr = random_start(rng);
    c.spoil(instr);
    bench.give(instr, 5, 77);
    EXPECT_FALSE(bench.dut.trig_valid_o);
    ASSERT_TRUE(bench.dut.error_valid_o);
    EXPECT_EQ(to_string(static_cast<ErrorCause>(bench.dut.error_cause_o)), to_string(c.cause));
    EXPECT_EQ(bench.dut.error_serial_o, 77u);
    EXPECT_FALSE(bench.dut.instr_ready_o);
  }
}

}  // namespace
