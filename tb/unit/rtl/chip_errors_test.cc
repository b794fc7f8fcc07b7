// SPDX-License-Identifier: Apache-2.0
// What stops an engine of a chip (mini), RTL against golden model: every rule of an instruction or
// descriptor broken once, with work in flight everywhere. Exactly that engine stops, exactly there,
// with that cause; what is older is done, what is younger is not, and the rest of the chip goes on.
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "cmodel/machine/address_map.h"
#include "tb/scenarios/tiny_program.h"
#include "tb/unit/rtl/chip_twins.h"

namespace {

using cmodel::sbuf_addr;
using defs::Descriptor;
using defs::Dtype;
using defs::Engine;
using defs::ErrorCause;
using defs::HostKind;
using defs::Instr;
using defs::Opcode;
using tb::copy_rows;
using tb::psum32;
using tb::ring_dma;
using tb::sbuf16;
using tb::sbuf32;
using tb::TinyInstr;
using tb::TinyProgram;
using tb::Twins;

constexpr unsigned kP = defs::kMini.partitions;
constexpr unsigned kCols = defs::kMini.psum_cols;
constexpr unsigned kSbuf = defs::kMini.sbuf_bytes;
constexpr unsigned kBank = kCols * 4;
constexpr unsigned kData = 1024;         // bytes of data in every partition
constexpr unsigned kWork = 8, kBad = 4;  // instructions of an engine, and which one is illegal
constexpr unsigned kFilled = 1, kIdle = 40, kBusy = 41;  // semaphores
constexpr unsigned kVictim = 2;  // the DMA engine whose descriptors are illegal
constexpr std::uint64_t kSource = 0x20'0000, kTarget = 0x30'0000;

/// Legal work, of which the whole pattern is one element or more; `i` shifts it.
Instr load() { return TinyInstr(Opcode::LoadStationary).shape(kP, kP).from(sbuf16(0)); }
Instr multiply(unsigned i) {
  return TinyInstr(Opcode::MultiplyMoving)
      .shape(kP, 24)
      .from(sbuf16(64 + 2 * i))
      .to(psum32(kBank * i));
}
Instr copy(unsigned i) {
  return TinyInstr(Opcode::TensorCopy).shape(kP, 20).from(sbuf16(2 * i)).to(sbuf32(2048 + 128 * i));
}
Instr add(unsigned i) {
  return TinyInstr(Opcode::TensorTensor)
      .shape(kP, 20)
      .with(defs::AluOp::Add)
      .from(sbuf16(2 * i))
      .and_from(sbuf16(128))
      .to(sbuf32(2048 + 128 * i));
}
Instr reduce(unsigned i) {
  auto out = TinyInstr(Opcode::TensorReduce)
                 .shape(kP, 8, 4)
                 .with(defs::AluOp::Max)
                 .from(sbuf16(2 * i))
                 .to(sbuf32(2048 + 128 * i, 0));
  out.src0.stride1 = 8;
  out.dst.stride1 = 1;
  return out;
}
Instr activate(unsigned i) {
  return TinyInstr(Opcode::Activate)
      .shape(kP, 20)
      .with(defs::ActFunc::Relu)
      .from(sbuf16(2 * i))
      .and_from(sbuf32(256, 0))
      .to(sbuf16(4096 + 64 * i));
}
Instr doorbell(unsigned i) { return ring_dma(1 + i % 3, 1); }

Instr work(Engine engine, unsigned i) {
  if (engine == Engine::Tensor) return i ? multiply(i) : load();
  if (engine == Engine::Vector) return copy(i);
  if (engine == Engine::Act) return activate(i);
  return doorbell(i);
}

/// Both cores fill SBUF and then keep all engines busy. Each engine's items can be changed.
struct Busy {
  std::array<std::vector<Instr>, 4> code[2];
  std::vector<Descriptor> ring[2][3];  // DMA 1 .. 3
  Busy() {
    for (unsigned core = 0; core < 2; ++core) {
      for (unsigned e = 0; e < 4; ++e)
        for (unsigned i = 0; i < kWork; ++i) code[core][e].push_back(work(Engine(e), i));
      for (unsigned e = 0; e < 3; ++e)
        for (unsigned i = 0; i < kWork; ++i)
          ring[core][e].push_back(copy_rows(0, kSource + 64 * i,
                                            kTarget + 0x2'0000 * core + 0x8000 * e + 0x400 * i, 3,
                                            100, 256, 256));
    }
  }
  cmodel::Program build() const {
    TinyProgram program(defs::kMini, 1);
    std::vector<std::uint8_t> data(kP * kData);
    for (std::size_t i = 0; i < data.size(); ++i)
      data[i] = static_cast<std::uint8_t>(i % 2 ? 0x3c + i / 2 % 5 : i * 7);
    program.data(0, kSource, data);
    for (unsigned core = 0; core < 2; ++core) {
      const unsigned filled = 256 * core + kFilled;
      auto fill = copy_rows(0, kSource, sbuf_addr(core, 0, 0), kP, kData, kData, defs::kSbufStride);
      fill.update = 1;
      fill.update_sem = static_cast<std::uint16_t>(filled);
      fill.update_delta = 1;
      program.add(0, core, 0u, fill);
      for (unsigned e = 0; e < 4; ++e) {
        const auto engine = static_cast<Engine>(e);
        if (engine == Engine::Sync) program.add(0, core, engine, ring_dma(0, 1));
        program.add(0, core, engine, TinyInstr(Opcode::Nop).wait(filled, 1));
        for (const auto& instr : code[core][e]) program.add(0, core, engine, instr);
      }
      // All doorbells of the other descriptors that the work above does not ring.
      for (unsigned e = 0; e < 3; ++e) {
        program.add(0, core, Engine::Sync, ring_dma(1 + e, kWork));
        for (const auto& d : ring[core][e]) program.add(0, core, 1 + e, d);
      }
    }
    program.region("out", 0, kTarget, 0x400);
    return program.build();
  }
};

/// Item `index` behind the prologue of its stream.
unsigned pc_of(Engine engine, unsigned index) { return index + (engine == Engine::Sync ? 2 : 1); }

/// Runs it; `engine` of core 0 and nobody else stops, at `pc`.
void expect_one_stop(const Busy& busy, Engine engine, unsigned pc, ErrorCause cause) {
  Twins run(busy.build());
  run.compare();
  EXPECT_TRUE(run.finished);
  ASSERT_EQ(run.count(HostKind::Error), 1u);
  EXPECT_EQ(run.count(HostKind::Completion), engine <= Engine::Sync ? 7u : 8u);
  for (const auto& event : run.bench.events) {
    if (event.kind != static_cast<unsigned>(HostKind::Error)) continue;
    EXPECT_EQ(event.core, 0u);
    EXPECT_EQ(event.engine, static_cast<unsigned>(engine));
    EXPECT_EQ(defs::to_string(static_cast<ErrorCause>(event.cause)), defs::to_string(cause));
    EXPECT_EQ(event.pc, pc);
  }
}

TEST(ChipErrors, TheBackgroundIsLegal) {
  Twins run(Busy().build());
  run.compare();
  EXPECT_TRUE(run.finished);
  EXPECT_EQ(run.count(HostKind::Error), 0u);
  EXPECT_EQ(run.count(HostKind::Completion), 8u);
}

/// A legal instruction and what breaks it.
struct Case {
  const char* what;
  Instr instr;
  void (*spoil)(Instr&);
  ErrorCause cause;
};

void each(Engine engine, std::span<const Case> cases) {
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Busy busy;
    Instr& bad = busy.code[0][static_cast<unsigned>(engine)][kBad];
    bad = c.instr;
    c.spoil(bad);
    expect_one_stop(busy, engine, pc_of(engine, kBad), c.cause);
  }
}

Instr nop() { return TinyInstr(Opcode::Nop); }
Instr end() { return TinyInstr(Opcode::End); }

/// What every sequencer checks itself, on every engine.
class EverySequencer : public testing::TestWithParam<Engine> {};
INSTANTIATE_TEST_SUITE_P(ChipErrors, EverySequencer,
                         testing::Values(Engine::Tensor, Engine::Vector, Engine::Act, Engine::Sync),
                         [](const auto& info) { return std::string(defs::to_string(info.param)); });

TEST_P(EverySequencer, RefusesWhatIsItsOwn) {
  const Instr legal = work(GetParam(), kBad);
  const Case cases[] = {
      {"no such opcode", legal, [](Instr& i) { i.opcode = 0xee; }, ErrorCause::UnknownOpcode},
      {"wait_op 3", legal, [](Instr& i) { i.wait_op = 3; }, ErrorCause::ReservedBits},
      {"wait_op 3 of no opcode", legal, [](Instr& i) { i.wait_op = 3, i.opcode = 0xee; },
       ErrorCause::UnknownOpcode},
      {"NOP with partitions", nop(), [](Instr& i) { i.partitions = 1; }, ErrorCause::ReservedBits},
      {"NOP with imm", nop(), [](Instr& i) { i.imm = 1; }, ErrorCause::ReservedBits},
      {"NOP with an operand", nop(), [](Instr& i) { i.src1.offset = 1; }, ErrorCause::ReservedBits},
      {"END with a size", end(), [](Instr& i) { i.size2 = 1; }, ErrorCause::ReservedBits},
      {"END with func", end(), [](Instr& i) { i.func = 1; }, ErrorCause::ReservedBits},
      {"reserved", legal, [](Instr& i) { i.reserved = 1; }, ErrorCause::ReservedBits},
      {"func", legal, [](Instr& i) { i.func = 200; },
       GetParam() == Engine::Act ? ErrorCause::UnknownOpcode : ErrorCause::ReservedBits},
      {"accumulate", GetParam() == Engine::Tensor ? load() : legal,
       [](Instr& i) { i.accumulate = 1; }, ErrorCause::ReservedBits},
  };
  each(GetParam(), cases);
  SCOPED_TRACE("no END");
  Busy busy;
  auto program = busy.build();
  for (auto& stream : program.streams)
    if (stream.core == 0 && stream.engine == static_cast<unsigned>(GetParam())) --stream.count;
  Twins run(program);
  run.compare();
  EXPECT_EQ(run.count(HostKind::Error), 1u);
  EXPECT_EQ(run.count(HostKind::Completion), 7u);
}

TEST_P(EverySequencer, StopsWhereAnUpdateIsRefused) {
  const auto low = [](Instr& i) { i.update = 1, i.update_sem = kIdle, i.update_delta = -1; };
  const Instr legal = work(GetParam(), kBad);
  const Case cases[] = {
      {"below 0", legal, low, ErrorCause::SemaphoreOverflow},
      {"NOP below 0", nop(), low, ErrorCause::SemaphoreOverflow},
      {"END below 0", end(), low, ErrorCause::SemaphoreOverflow},
      {"far below 0", legal,
       [](Instr& i) { i.update = 1, i.update_sem = kIdle, i.update_delta = -32768; },
       ErrorCause::SemaphoreOverflow},
  };
  each(GetParam(), cases);
  // Its own updates, some of them not yet made, decide.
  struct {
    const char* what;
    int first, rest;
    unsigned bad;
  } const sums[] = {{"above 65535", 16384, 16384, 3},
                    {"the last one too many", 32767, 8192, 5},
                    {"down to 0", 5, -1, 6},
                    {"down at once", 0, -1, 1}};
  for (const auto& sum : sums) {
    SCOPED_TRACE(sum.what);
    Busy busy;
    auto& code = busy.code[0][static_cast<unsigned>(GetParam())];
    for (unsigned i = 0; i < kWork; ++i) {
      code[i].update = 1;
      code[i].update_sem = kBusy;
      code[i].update_delta = static_cast<std::int16_t>(i ? sum.rest : sum.first);
    }
    expect_one_stop(busy, GetParam(), pc_of(GetParam(), sum.bad), ErrorCause::SemaphoreOverflow);
  }
}

TEST(ChipErrors, TensorInstructions) {
  const Case cases[] = {
      {"opcode of another engine", load(), [](Instr& i) { i.opcode = 32; },
       ErrorCause::UnknownOpcode},
      {"imm", multiply(1), [](Instr& i) { i.imm = 1; }, ErrorCause::ReservedBits},
      {"operand's reserved bits", load(), [](Instr& i) { i.src0.reserved = 512; },
       ErrorCause::ReservedBits},
      {"destination's reserved bits", multiply(1), [](Instr& i) { i.dst.reserved = 1; },
       ErrorCause::ReservedBits},
      {"src1", multiply(1), [](Instr& i) { i.src1.dtype = 1; }, ErrorCause::ReservedBits},
      {"dst of a load", load(), [](Instr& i) { i.dst = psum32(0); }, ErrorCause::ReservedBits},
      {"stride of a single trip", multiply(1), [](Instr& i) { i.src0.stride2 = 4; },
       ErrorCause::ReservedBits},
      {"stationary in PSUM", load(), [](Instr& i) { i.src0 = psum32(0); }, ErrorCause::BadOperand},
      {"moving in PSUM", multiply(1), [](Instr& i) { i.src0 = psum32(0); }, ErrorCause::BadOperand},
      {"space 3", multiply(1), [](Instr& i) { i.src0.space = 3; }, ErrorCause::BadOperand},
      {"no source", load(), [](Instr& i) { i.src0 = {}; }, ErrorCause::BadOperand},
      {"no destination", multiply(1), [](Instr& i) { i.dst = {}; }, ErrorCause::BadOperand},
      {"destination in SBUF", multiply(1), [](Instr& i) { i.dst = sbuf32(0); },
       ErrorCause::BadOperand},
      {"int32 stationary", load(), [](Instr& i) { i.src0.dtype = 8; }, ErrorCause::BadFormat},
      {"format 15", load(), [](Instr& i) { i.src0.dtype = 15; }, ErrorCause::BadFormat},
      {"fp32 moving over bf16", multiply(1), [](Instr& i) { i.src0.dtype = 0, i.src0.offset = 64; },
       ErrorCause::BadFormat},
      {"tf32 moving over bf16", multiply(1), [](Instr& i) { i.src0.dtype = 1, i.src0.offset = 64; },
       ErrorCause::BadFormat},
      {"int8 moving over bf16", multiply(1), [](Instr& i) { i.src0.dtype = 7, i.dst.dtype = 8; },
       ErrorCause::BadFormat},
      {"bf16 into PSUM", multiply(1), [](Instr& i) { i.dst.dtype = 2; }, ErrorCause::BadFormat},
      {"floats into int32", multiply(1), [](Instr& i) { i.dst.dtype = 8; }, ErrorCause::BadFormat},
      {"K 0", load(), [](Instr& i) { i.partitions = 0; }, ErrorCause::BadPartition},
      {"K above P", load(), [](Instr& i) { i.partitions = kP + 1; }, ErrorCause::BadPartition},
      {"start 1", load(), [](Instr& i) { i.partitions = kP / 4, i.src0.partition = 1; },
       ErrorCause::BadPartition},
      {"half from a quarter", load(),
       [](Instr& i) { i.partitions = kP / 2, i.src0.partition = kP / 4; },
       ErrorCause::BadPartition},
      {"more than half from P/2", load(),
       [](Instr& i) { i.partitions = kP / 2 + 1, i.src0.partition = kP / 2; },
       ErrorCause::BadPartition},
      {"start beyond P", load(), [](Instr& i) { i.partitions = 1, i.src0.partition = kP; },
       ErrorCause::BadPartition},
      {"destination from P/2", multiply(1), [](Instr& i) { i.dst.partition = kP / 2; },
       ErrorCause::BadPartition},
      {"a size of 0", multiply(1), [](Instr& i) { i.size3 = 0; }, ErrorCause::BadShape},
      {"M above P", load(), [](Instr& i) { i.size0 = kP + 1; }, ErrorCause::BadShape},
      {"M above P in two dimensions", load(),
       [](Instr& i) { i.size0 = kP / 2, i.size1 = 3, i.src0.stride1 = 8; }, ErrorCause::BadShape},
      {"N above the columns", multiply(1), [](Instr& i) { i.size0 = kCols + 1; },
       ErrorCause::BadShape},
      {"another K than the load", multiply(1), [](Instr& i) { i.partitions = kP - 1; },
       ErrorCause::BadShape},
      {"odd stationary offset", load(), [](Instr& i) { i.src0.offset = 1; },
       ErrorCause::Misaligned},
      {"odd moving offset", multiply(1), [](Instr& i) { i.src0.offset = 65; },
       ErrorCause::Misaligned},
      {"PSUM offset not of a word", multiply(1), [](Instr& i) { i.dst.offset += 2; },
       ErrorCause::Misaligned},
      {"stationary beyond SBUF", load(), [](Instr& i) { i.src0.offset = kSbuf - 2 * kP + 2; },
       ErrorCause::OutOfBounds},
      {"moving beyond SBUF", multiply(1), [](Instr& i) { i.src0.offset = kSbuf - 46; },
       ErrorCause::OutOfBounds},
      {"moving before SBUF", multiply(0), [](Instr& i) { i.src0.stride0 = -2; },
       ErrorCause::OutOfBounds},
      {"PSUM bank crossed", multiply(1), [](Instr& i) { i.dst.offset = 2 * kBank - 4; },
       ErrorCause::OutOfBounds},
      {"PSUM bank crossed by a stride", multiply(1), [](Instr& i) { i.dst.stride0 = 3; },
       ErrorCause::OutOfBounds},
      {"PSUM bank crossed backwards", multiply(1), [](Instr& i) { i.dst.stride0 = -1; },
       ErrorCause::OutOfBounds},
      {"beyond PSUM", multiply(1), [](Instr& i) { i.dst.offset = 8 * kBank; },
       ErrorCause::OutOfBounds},
  };
  each(Engine::Tensor, cases);

  SCOPED_TRACE("multiply before any load");
  Busy busy;
  for (auto& instr : busy.code[0][0]) instr = multiply(1);
  expect_one_stop(busy, Engine::Tensor, pc_of(Engine::Tensor, 0), ErrorCause::BadShape);
}

TEST(ChipErrors, VectorInstructions) {
  const Case cases[] = {
      {"opcode of another engine", copy(1), [](Instr& i) { i.opcode = 48; },
       ErrorCause::UnknownOpcode},
      {"no such operation", add(1), [](Instr& i) { i.func = 3; }, ErrorCause::UnknownOpcode},
      {"a reduction by subtraction", reduce(1),
       [](Instr& i) { i.func = static_cast<std::uint8_t>(defs::AluOp::Sub); },
       ErrorCause::UnknownOpcode},
      {"imm", add(1), [](Instr& i) { i.imm = 1 << 23; }, ErrorCause::ReservedBits},
      {"src1 of a copy", copy(1), [](Instr& i) { i.src1 = sbuf16(0); }, ErrorCause::ReservedBits},
      {"operand's reserved bits", add(1), [](Instr& i) { i.src1.reserved = 2; },
       ErrorCause::ReservedBits},
      {"stride of the reduced dimension", reduce(1), [](Instr& i) { i.dst.stride0 = 1; },
       ErrorCause::ReservedBits},
      {"no second source", add(1), [](Instr& i) { i.src1 = {}; }, ErrorCause::BadOperand},
      {"space 3", copy(1), [](Instr& i) { i.src0.space = 3; }, ErrorCause::BadOperand},
      {"destination in PSUM", copy(1), [](Instr& i) { i.dst = psum32(0); }, ErrorCause::BadOperand},
      {"fp16 source", copy(1), [](Instr& i) { i.src0.dtype = 3; }, ErrorCause::BadFormat},
      {"int8 destination", add(1), [](Instr& i) { i.dst.dtype = 7; }, ErrorCause::BadFormat},
      {"bf16 in PSUM", copy(1), [](Instr& i) { i.src0 = psum32(0), i.src0.dtype = 2; },
       ErrorCause::BadFormat},
      {"int32 in PSUM to be added", add(1), [](Instr& i) { i.src0 = psum32(0), i.src0.dtype = 8; },
       ErrorCause::BadFormat},
      {"no partitions", copy(1), [](Instr& i) { i.partitions = 0; }, ErrorCause::BadPartition},
      {"more than P", reduce(1), [](Instr& i) { i.partitions = kP + 1; }, ErrorCause::BadPartition},
      {"second source from P/2", add(1), [](Instr& i) { i.src1.partition = kP / 2; },
       ErrorCause::BadPartition},
      {"destination from 1", copy(1), [](Instr& i) { i.partitions = 1, i.dst.partition = 1; },
       ErrorCause::BadPartition},
      {"a size of 0", add(1), [](Instr& i) { i.size1 = 0; }, ErrorCause::BadShape},
      {"bf16 at an odd byte", copy(1), [](Instr& i) { i.src0.offset = 3; }, ErrorCause::Misaligned},
      {"fp32 at a half word", add(1), [](Instr& i) { i.dst.offset = 2050; },
       ErrorCause::Misaligned},
      {"source beyond SBUF", copy(1), [](Instr& i) { i.src0.offset = kSbuf - 38; },
       ErrorCause::OutOfBounds},
      {"destination before SBUF", copy(1), [](Instr& i) { i.dst.offset = 0, i.dst.stride0 = -1; },
       ErrorCause::OutOfBounds},
      {"source crosses a PSUM bank", add(1), [](Instr& i) { i.src1 = psum32(kBank - 4); },
       ErrorCause::OutOfBounds},
  };
  each(Engine::Vector, cases);
}

TEST(ChipErrors, ActivationInstructions) {
  const Case cases[] = {
      {"opcode of another engine", activate(1), [](Instr& i) { i.opcode = 17; },
       ErrorCause::UnknownOpcode},
      {"imm", activate(1), [](Instr& i) { i.imm = 7; }, ErrorCause::ReservedBits},
      {"operand's reserved bits", activate(1), [](Instr& i) { i.dst.reserved = 4; },
       ErrorCause::ReservedBits},
      {"no source", activate(1), [](Instr& i) { i.src0 = {}; }, ErrorCause::BadOperand},
      {"destination in PSUM", activate(1), [](Instr& i) { i.dst = psum32(0); },
       ErrorCause::BadOperand},
      {"bias in PSUM", activate(1), [](Instr& i) { i.src1 = psum32(0, 0); },
       ErrorCause::BadOperand},
      {"fp8 source", activate(1), [](Instr& i) { i.src0.dtype = 4; }, ErrorCause::BadFormat},
      {"tf32 bias", activate(1), [](Instr& i) { i.src1.dtype = 1; }, ErrorCause::BadFormat},
      {"more than P", activate(1), [](Instr& i) { i.partitions = kP + 1; },
       ErrorCause::BadPartition},
      {"source from 1", activate(1), [](Instr& i) { i.partitions = 4, i.src0.partition = 1; },
       ErrorCause::BadPartition},
      {"a size of 0", activate(1), [](Instr& i) { i.size0 = 0; }, ErrorCause::BadShape},
      {"odd bias", activate(1), [](Instr& i) { i.src1.offset = 257; }, ErrorCause::Misaligned},
      {"source crosses a PSUM bank", activate(1), [](Instr& i) { i.src0 = psum32(2 * kBank - 8); },
       ErrorCause::OutOfBounds},
      {"destination beyond SBUF", activate(1), [](Instr& i) { i.dst.offset = kSbuf - 38; },
       ErrorCause::OutOfBounds},
  };
  each(Engine::Act, cases);
}

TEST(ChipErrors, Doorbells) {
  const Case cases[] = {
      {"opcode of another engine", doorbell(1), [](Instr& i) { i.opcode = 16; },
       ErrorCause::UnknownOpcode},
      {"partitions", doorbell(1), [](Instr& i) { i.partitions = 1; }, ErrorCause::ReservedBits},
      {"a size", doorbell(1), [](Instr& i) { i.size0 = 1; }, ErrorCause::ReservedBits},
      {"an operand", doorbell(1), [](Instr& i) { i.src0.offset = 4; }, ErrorCause::ReservedBits},
      {"no descriptors", doorbell(1), [](Instr& i) { i.imm = 1 << 16; }, ErrorCause::BadShape},
      {"no such DMA engine", doorbell(1), [](Instr& i) { i.imm = 4 << 16 | 1; },
       ErrorCause::QueueOverflow},
      {"DMA engine 255", doorbell(1), [](Instr& i) { i.imm = 255 << 16 | 1; },
       ErrorCause::QueueOverflow},
  };
  each(Engine::Sync, cases);
}

TEST(ChipErrors, Descriptors) {
  struct {
    const char* what;
    void (*spoil)(Descriptor&);
    ErrorCause cause;
  } const cases[] = {
      {"reserved, low", [](Descriptor& d) { d.reserved_lo = 1; }, ErrorCause::ReservedBits},
      {"reserved", [](Descriptor& d) { d.reserved = 1ull << 63; }, ErrorCause::ReservedBits},
      {"reserved, middle", [](Descriptor& d) { d.reserved_mid = 1; }, ErrorCause::ReservedBits},
      {"reserved, high", [](Descriptor& d) { d.reserved_hi = 1; }, ErrorCause::ReservedBits},
      {"delta without update", [](Descriptor& d) { d.update_delta = 1; }, ErrorCause::ReservedBits},
      {"semaphore without update", [](Descriptor& d) { d.update_sem = 1; },
       ErrorCause::ReservedBits},
      {"semaphore without notify", [](Descriptor& d) { d.notify_sem = 1; },
       ErrorCause::ReservedBits},
      {"no rows", [](Descriptor& d) { d.rows = 0; }, ErrorCause::BadDescriptor},
      {"rows of nothing", [](Descriptor& d) { d.row_bytes = 0; }, ErrorCause::BadDescriptor},
      {"rows too long", [](Descriptor& d) { d.row_bytes = 65540; }, ErrorCause::BadDescriptor},
      {"local with a virtual network", [](Descriptor& d) { d.vn = 1; }, ErrorCause::BadDescriptor},
      {"local with notify", [](Descriptor& d) { d.notify = 1; }, ErrorCause::BadDescriptor},
      {"remote without a virtual network", [](Descriptor& d) { d.dst_chip = 3; },
       ErrorCause::BadDescriptor},
      {"SBUF rows that are not partitions",
       [](Descriptor& d) { d.dst = sbuf_addr(0, 0, 0x1000), d.dst_stride = 256; },
       ErrorCause::BadDescriptor},
      {"odd source", [](Descriptor& d) { d.src += 2; }, ErrorCause::Misaligned},
      {"odd destination", [](Descriptor& d) { d.dst += 1; }, ErrorCause::Misaligned},
      {"odd stride", [](Descriptor& d) { d.src_stride = 258; }, ErrorCause::Misaligned},
      {"odd length", [](Descriptor& d) { d.row_bytes = 101; }, ErrorCause::Misaligned},
      {"chip beyond the board", [](Descriptor& d) { d.dst_chip = 1, d.vn = 1; },
       ErrorCause::BadDestination},
      {"another board", [](Descriptor& d) { d.dst_chip = 1 << 4, d.vn = 3; },
       ErrorCause::BadDestination},
      {"source beyond HBM", [](Descriptor& d) { d.src = 0x8'0000'0000; },
       ErrorCause::UnmappedAddress},
      {"last row beyond HBM", [](Descriptor& d) { d.dst = defs::kAddrHbm0Size - 256; },
       ErrorCause::UnmappedAddress},
      {"rows before the memory", [](Descriptor& d) { d.src = 0, d.src_stride = -256; },
       ErrorCause::UnmappedAddress},
      {"beyond a partition", [](Descriptor& d) { d.rows = 1, d.dst = sbuf_addr(0, 3, kSbuf - 96); },
       ErrorCause::UnmappedAddress},
      {"no such partition",
       [](Descriptor& d) {
         d.dst = sbuf_addr(0, kP - 2, 0x1000), d.dst_stride = defs::kSbufStride;
       },
       ErrorCause::UnmappedAddress},
      {"registers", [](Descriptor& d) { d.src = defs::kAddrCsrBase; }, ErrorCause::UnmappedAddress},
      {"semaphore below 0",
       [](Descriptor& d) { d.update = 1, d.update_sem = kIdle, d.update_delta = -1; },
       ErrorCause::SemaphoreOverflow},
  };
  const auto dma = static_cast<Engine>(static_cast<unsigned>(Engine::Dma0) + kVictim);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Busy busy;
    c.spoil(busy.ring[0][kVictim - 1][kBad]);
    expect_one_stop(busy, dma, kBad, c.cause);
  }
}

TEST(ChipErrors, Rings) {
  struct {
    const char* what;
    std::uint64_t base;
    std::uint32_t count;
    ErrorCause cause;
  } const cases[] = {{"not on a line", 0x10'0020, 1, ErrorCause::Misaligned},
                     {"empty", 0x10'0000, 0, ErrorCause::BadDescriptor},
                     {"without memory", 0x5'0000'0000, 1, ErrorCause::UnmappedAddress}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    auto program = Busy().build();
    for (auto& ring : program.rings)
      if (ring.core == 0 && ring.engine == kVictim) ring.base = c.base, ring.count = c.count;
    Twins run(program);
    run.compare();
    ASSERT_EQ(run.count(HostKind::Error), 1u);
    EXPECT_EQ(run.count(HostKind::Completion), 8u);
  }
}

/// A doorbell that finds no room waits, and goes on when there is some or the engine has stopped.
TEST(ChipErrors, ADoorbellWaitsForRoom) {
  for (const unsigned bad : {5u, 30u}) {
    SCOPED_TRACE(bad);
    Busy busy;
    auto& ring = busy.ring[0][kVictim - 1];
    ring.clear();
    for (unsigned i = 0; i < 40; ++i) ring.push_back(copy_rows(0, kSource, kTarget, 1, 64, 0, 0));
    ring[bad].rows = 0;
    auto& sync = busy.code[0][static_cast<unsigned>(Engine::Sync)];
    sync = {ring_dma(kVictim, 0xffff), ring_dma(kVictim, 20), TinyInstr(Opcode::Nop).then(kIdle)};
    const auto dma = static_cast<Engine>(static_cast<unsigned>(Engine::Dma0) + kVictim);
    expect_one_stop(busy, dma, bad, ErrorCause::BadDescriptor);
  }
}

}  // namespace
