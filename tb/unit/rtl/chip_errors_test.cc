// SPDX-License-Identifier: Apache-2.0
// What stops an engine of a chip (mini), RTL against golden model: every rule of an instruction or
// descriptor broken once, with work in flight everywhere. Exactly that engine stops, exactly there,
// with that cause; what is older is done, what is younger is not, and the rest of the chip goes on.
// Here what every sequencer checks, and doorbells.
#include "tb/unit/rtl/chip_errors_bench.h"

namespace {

using namespace chip_errors;

TEST(ChipErrors, TheBackgroundIsLegal) {
  Twins run(Busy().build());
  run.compare();
  EXPECT_TRUE(run.finished);
  EXPECT_EQ(run.count(HostKind::Error), 0u);
  EXPECT_EQ(run.count(HostKind::Completion), 8u);
}

/// What every sequencer checks itself, on every engine.
class EverySequencer : public testing::TestWithParam<Engine> {};
INSTANTIATE_TEST_SUITE_P(ChipErrors, EverySequencer,
                         testing::Values(Engine::Tensor, Engine::Vector, Engine::Act, Engine::Sync),
                         [](const auto& info) { return std::string(defs::to_string(info.param)); });

TEST_P(EverySequencer, RefusesWhatIsItsOwn) {
  const Instr legal = work(GetParam(), kBad);
  const Case cases[] = {
      {"no such opcode", legal, [](Instr& i) { i.opcode = 0xee; }, ErrorCause::UnknownOpcode},
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

/// As of descriptors, for the streams of instructions: engines and sequencers check ahead, too.
TEST(ChipErrors, WhatAnInstructionEndsWithGoesBeforeTheFaultOfTheNext) {
  struct {
    const char* what;
    bool nop;
    void (*spoil)(Instr&);
    ErrorCause cause;
  } const faults[] = {
      {"opcode", false, [](Instr& i) { i.opcode = 0xee; }, ErrorCause::UnknownOpcode},
      {"reserved", false, [](Instr& i) { i.reserved = 1; }, ErrorCause::ReservedBits},
      {"NOP with imm", true, [](Instr& i) { i.imm = 1; }, ErrorCause::ReservedBits},
      {"END with imm", true, [](Instr& i) { i.imm = 1, i.opcode = 1; }, ErrorCause::ReservedBits},
      {"below 0", false, [](Instr& i) { i.update = 1, i.update_sem = kIdle, i.update_delta = -1; },
       ErrorCause::SemaphoreOverflow},
      {"NOP above", true, [](Instr& i) { i.update = 1, i.update_sem = kFull, i.update_delta = 1; },
       ErrorCause::SemaphoreOverflow},
  };
  std::vector<Pair<Instr>> pairs;
  for (const auto& fault : faults)
    for (const auto& end : kEnds)
      for (unsigned e = 0; e < 4; ++e) {
        Instr older = work(Engine(e), e ? 1 : 0),
              younger = fault.nop ? nop() : work(Engine(e), e ? 2 : 0);
        older.update = end.delta != 0;
        older.update_sem = static_cast<std::uint16_t>(end.sem);
        older.update_delta = static_cast<std::int16_t>(end.delta);
        fault.spoil(younger);
        pairs.push_back({fault.what, older, younger, fault.cause, end.overflows});
      }
  expect_ends_before_faults<Instr>(
      pairs, 4, [](auto& program, unsigned core, unsigned place, const auto& pair) {
        program.add(0, core, Engine(place), pair.older);
        program.add(0, core, Engine(place), pair.younger);
        program.add(0, core, Engine(place), nop());
        if (place) program.add(0, core, place, copy_rows(0, kSource, kTarget, 1, 64, 0, 0));
        return StreamPlace{place, place < 3 ? 2u : core ? 3u : 7u};
      });
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

}  // namespace
