// SPDX-License-Identifier: Apache-2.0
// Illegal descriptors and rings, and doorbells that find no room.
#include "tb/unit/rtl/chip_errors_bench.h"

namespace {

using namespace chip_errors;

/// What is wrong with a descriptor.
struct {
  const char* what;
  void (*spoil)(Descriptor&);
  ErrorCause cause;
} const kCases[] = {
    {"reserved, low", [](Descriptor& d) { d.reserved_lo = 1; }, ErrorCause::ReservedBits},
    {"reserved", [](Descriptor& d) { d.reserved = 1 << 15; }, ErrorCause::ReservedBits},
    {"reserved, middle", [](Descriptor& d) { d.reserved_mid = 1; }, ErrorCause::ReservedBits},
    {"reserved, high", [](Descriptor& d) { d.reserved_hi = 1; }, ErrorCause::ReservedBits},
    {"delta without update", [](Descriptor& d) { d.update_delta = 1; }, ErrorCause::ReservedBits},
    {"semaphore without update", [](Descriptor& d) { d.update_sem = 1; }, ErrorCause::ReservedBits},
    {"semaphore without notify", [](Descriptor& d) { d.notify_sem = 1; }, ErrorCause::ReservedBits},
    {"no rows", [](Descriptor& d) { d.rows = 0; }, ErrorCause::BadDescriptor},
    {"rows of nothing", [](Descriptor& d) { d.row_bytes = 0; }, ErrorCause::BadDescriptor},
    {"rows too long", [](Descriptor& d) { d.row_bytes = 65540; }, ErrorCause::BadDescriptor},
    {"local with a virtual network", [](Descriptor& d) { d.vn = 1; }, ErrorCause::BadDescriptor},
    {"local with notify", [](Descriptor& d) { d.notify = 1; }, ErrorCause::BadDescriptor},
    {"remote without a virtual network", [](Descriptor& d) { d.dst_chip = 3; },
     ErrorCause::BadDescriptor},
    {"SBUF rows that are not partitions",
     [](Descriptor& d) { d.dst = sbuf_addr(0, 0, 0x1000), d.dst_stride = defs::kSbufStride + 256; },
     ErrorCause::BadDescriptor},
    {"an odd element", [](Descriptor& d) { d.row_bytes = 2, d.src += 1; }, ErrorCause::Misaligned},
    {"elements to another chip", [](Descriptor& d) { d.row_bytes = 2, d.dst_chip = 1, d.vn = 1; },
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
     [](Descriptor& d) { d.dst = sbuf_addr(0, kP - 2, 0x1000), d.dst_stride = defs::kSbufStride; },
     ErrorCause::UnmappedAddress},
    {"registers", [](Descriptor& d) { d.src = defs::kAddrCsrBase; }, ErrorCause::UnmappedAddress},
    {"skip without indices", [](Descriptor& d) { d.skip = 1; }, ErrorCause::ReservedBits},
    {"indices beyond HBM",
     [](Descriptor& d) { d.index_mode = 1, d.bound = 1, d.index = 0x8'0000'0000; },
     ErrorCause::UnmappedAddress},
    {"odd indices", [](Descriptor& d) { d.index_mode = 1, d.bound = 1, d.index = 2; },
     ErrorCause::Misaligned},
    {"semaphore below 0",
     [](Descriptor& d) { d.update = 1, d.update_sem = kIdle, d.update_delta = -1; },
     ErrorCause::SemaphoreOverflow},
};

TEST(ChipErrors, Descriptors) {
  const auto dma = static_cast<Engine>(static_cast<unsigned>(Engine::Dma0) + kVictim);
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    Busy busy;
    c.spoil(busy.ring[0][kVictim - 1][kBad]);
    expect_one_stop(busy, dma, kBad, c.cause);
  }
}

/// Every end of a descriptor times every fault of the next one, which is checked while that one
/// works. The older goes first, whatever the size of its rows and whatever else its core does.
TEST(ChipErrors, WhatADescriptorEndsWithGoesBeforeTheFaultOfTheNext) {
  std::vector<Pair<Descriptor>> pairs;
  for (const auto& fault : kCases)
    for (const unsigned bytes : {4u, 60u, 64u, 1024u})
      for (const auto& end : kEnds) {
        auto older = copy_rows(0, kSource, kTarget, 1, bytes, 0, 0);
        older.update = end.delta != 0;
        older.update_sem = static_cast<std::uint16_t>(end.sem);
        older.update_delta = static_cast<std::int16_t>(end.delta);
        auto younger = copy_rows(0, kSource, kTarget + 0x1000, 3, 100, 256, 256);
        fault.spoil(younger);
        pairs.push_back({fault.what, older, younger, fault.cause, end.overflows});
      }
  expect_ends_before_faults<Descriptor>(
      pairs, 3, [](auto& program, unsigned core, unsigned place, const auto& pair) {
        const unsigned engine = 1 + place;
        program.add(0, core, engine, pair.older);
        program.add(0, core, engine, pair.younger);
        program.add(0, core, engine, copy_rows(0, kSource, kTarget + 0x2000, 1, 64, 0, 0));
        program.add(0, core, Engine::Sync, ring_dma(engine, 3));
        return StreamPlace{static_cast<unsigned>(Engine::Dma0) + engine, 0};
      });
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
