// SPDX-License-Identifier: Apache-2.0
// A chip (mini) with work in flight everywhere, RTL beside golden model, and what breaks one
// instruction of it.
#pragma once
#include <gtest/gtest.h>

#include <array>
#include <span>
#include <vector>

#include "cmodel/machine/address_map.h"
#include "tb/scenarios/tiny_program.h"
#include "tb/unit/rtl/chip_twins.h"

namespace chip_errors {

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
inline Instr load() { return TinyInstr(Opcode::LoadStationary).shape(kP, kP).from(sbuf16(0)); }
inline Instr multiply(unsigned i) {
  return TinyInstr(Opcode::MultiplyMoving)
      .shape(kP, 24)
      .from(sbuf16(64 + 2 * i))
      .to(psum32(kBank * i));
}
inline Instr copy(unsigned i) {
  return TinyInstr(Opcode::TensorCopy).shape(kP, 20).from(sbuf16(2 * i)).to(sbuf32(2048 + 128 * i));
}
inline Instr add(unsigned i) {
  return TinyInstr(Opcode::TensorTensor)
      .shape(kP, 20)
      .with(defs::AluOp::Add)
      .from(sbuf16(2 * i))
      .and_from(sbuf16(128))
      .to(sbuf32(2048 + 128 * i));
}
inline Instr reduce(unsigned i) {
  auto out = TinyInstr(Opcode::TensorReduce)
                 .shape(kP, 8, 4)
                 .with(defs::AluOp::Max)
                 .from(sbuf16(2 * i))
                 .to(sbuf32(2048 + 128 * i, 0));
  out.src0.stride1 = 8;
  out.dst.stride1 = 1;
  return out;
}
inline Instr activate(unsigned i) {
  return TinyInstr(Opcode::Activate)
      .shape(kP, 20)
      .with(defs::ActFunc::Relu)
      .from(sbuf16(2 * i))
      .and_from(sbuf32(256, 0))
      .to(sbuf16(4096 + 64 * i));
}
inline Instr doorbell(unsigned i) { return ring_dma(1 + i % 3, 1); }

inline Instr work(Engine engine, unsigned i) {
  if (engine == Engine::Tensor) return i ? multiply(i) : load();
  if (engine == Engine::Vector) return copy(i);
  if (engine == Engine::Act) return activate(i);
  return doorbell(i);
}

/// What a core finds in its SBUF, at `source` in HBM.
inline void add_data(TinyProgram& program, std::uint64_t source = kSource) {
  std::vector<std::uint8_t> data(kP * kData);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<std::uint8_t>(i % 2 ? 0x3c + i / 2 % 5 : i * 7);
  program.data(0, source, data);
}

/// DMA 0 fills the SBUF of `core` from there; all its engines wait for that.
inline void add_fill(TinyProgram& program, unsigned core, std::uint64_t source = kSource) {
  const unsigned filled = 256 * core + kFilled;
  auto fill = copy_rows(0, source, sbuf_addr(core, 0, 0), kP, kData, kData, defs::kSbufStride);
  fill.update = 1;
  fill.update_sem = static_cast<std::uint16_t>(filled);
  fill.update_delta = 1;
  program.add(0, core, 0u, fill);
  program.add(0, core, Engine::Sync, ring_dma(0, 1));
  for (unsigned e = 0; e < 4; ++e)
    program.add(0, core, Engine(e), TinyInstr(Opcode::Nop).wait(filled, 1));
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
    add_data(program);
    for (unsigned core = 0; core < 2; ++core) {
      add_fill(program, core);
      for (unsigned e = 0; e < 4; ++e) {
        const auto engine = static_cast<Engine>(e);
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
inline unsigned pc_of(Engine engine, unsigned index) {
  return index + (engine == Engine::Sync ? 2 : 1);
}

/// Runs it; `engine` of core 0 and nobody else stops, at `pc`.
inline void expect_one_stop(const Busy& busy, Engine engine, unsigned pc, ErrorCause cause) {
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

/// A legal instruction and what breaks it.
struct Case {
  const char* what;
  Instr instr;
  void (*spoil)(Instr&);
  ErrorCause cause;
};

inline void each(Engine engine, std::span<const Case> cases) {
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Busy busy;
    Instr& bad = busy.code[0][static_cast<unsigned>(engine)][kBad];
    bad = c.instr;
    c.spoil(bad);
    expect_one_stop(busy, engine, pc_of(engine, kBad), c.cause);
  }
}

inline Instr nop() { return TinyInstr(Opcode::Nop); }
inline Instr end() { return TinyInstr(Opcode::End); }

/// What an operation may end with: semaphore kFull is at 65535, kIdle at 0.
constexpr unsigned kFull = 42, kReady = 43;
struct End {
  unsigned sem;
  int delta;
  bool overflows;
};
constexpr End kEnds[] = {{0, 0, false}, {kBusy, 1, false}, {kIdle, -1, true}, {kFull, 1, true}};

/// Two operations of a stream: the end of the older decides before the fault of the younger.
template <class Operation>
struct Pair {
  const char* what;
  Operation older, younger;
  ErrorCause cause;  ///< of the younger
  bool overflows;    ///< the older
};
struct StreamPlace {
  unsigned engine;  ///< of the stream
  unsigned pc;      ///< of the older one
};

/// `places` pairs at a time in each core; add(program, core, place, pair) says where it is.
template <class Operation>
void expect_ends_before_faults(std::span<const Pair<Operation>> pairs, unsigned places, auto add) {
  while (!pairs.empty()) {
    TinyProgram program(defs::kMini, 1);
    add_data(program);
    for (unsigned core = 0; core < 2; ++core) add_fill(program, core);
    for (const int delta : {32767, 32767, 1})
      program.add(0, 0, Engine::Sync, TinyInstr(Opcode::Nop).then(kFull, delta));
    program.add(0, 0, Engine::Sync, TinyInstr(Opcode::Nop).then(kReady));
    for (unsigned i = 0; i < 8; ++i)
      program.add(0, i / 4, Engine(i % 4), TinyInstr(Opcode::Nop).wait(kReady, 1));
    std::vector<cmodel::ErrorRecord> expected;
    std::string what;
    const std::size_t count = std::min<std::size_t>(pairs.size(), 2 * places);
    for (unsigned i = 0; i < count; ++i) {
      const auto& pair = pairs[i];
      const unsigned core = i / places;
      const StreamPlace at = add(program, core, i % places, pair);
      expected.push_back(
          {{0, static_cast<std::uint8_t>(core), static_cast<std::uint8_t>(at.engine), 0, 0},
           at.pc + !pair.overflows,
           pair.overflows ? ErrorCause::SemaphoreOverflow : pair.cause,
           at.pc + !pair.overflows});
      what += fmt::format("{}; ", pair.what);
    }
    SCOPED_TRACE(what);
    Twins run(program.build());
    run.compare();
    auto errors = run.board.errors();
    std::sort(errors.begin(), errors.end());
    EXPECT_EQ(errors, expected);
    pairs = pairs.subspan(count);
  }
}

}  // namespace chip_errors
