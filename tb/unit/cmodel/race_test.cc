// SPDX-License-Identifier: Apache-2.0
// The race detector on programs that race and on programs that do not, and on exact footprints.
// Against all orders of random programs: race_orders_test.cc.
#include "cmodel/analysis/race.h"

#include <gtest/gtest.h>

#include "cmodel/machine/footprint.h"

namespace {

using cmodel::Cell;
using cmodel::Footprint;
using cmodel::RaceDetector;
using cmodel::StreamId;

StreamId engine(defs::Engine which, unsigned chip = 0, unsigned core = 0) {
  return {static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(core),
          static_cast<std::uint8_t>(which), 0, 0};
}
const StreamId kTensor = engine(defs::Engine::Tensor), kVector = engine(defs::Engine::Vector);
const StreamId kAct = engine(defs::Engine::Act), kSync = engine(defs::Engine::Sync);
const StreamId kDma = engine(defs::Engine::Dma0);

/// n elements of `bytes` every `pitch` bytes, on partitions 0 .. 3.
Footprint tile(std::uint64_t addr, unsigned n, unsigned bytes = 2, int pitch = 2) {
  Footprint f;
  f.count = 4;
  f.addr = addr;
  f.element = bytes;
  f.size[0] = n;
  f.stride[0] = pitch;
  return f;
}

TEST(RaceDetector, SemaphoreMakesAnOrder) {
  RaceDetector races(defs::kMini, 1);
  races.begin(kVector, 0);
  races.write(kVector, tile(64, 16));
  races.update(kVector, 0, 5, 1);
  races.begin(kAct, 0);
  races.wait(0, 5, 1);
  races.read(kAct, tile(64, 16));
  EXPECT_EQ(races.text(), "");
}

TEST(RaceDetector, NamesBothSidesWithoutOne) {
  RaceDetector races(defs::kMini, 1);
  races.begin(kVector, 7);
  races.write(kVector, tile(64, 16));
  races.update(kVector, 0, 5, 1);
  races.begin(kAct, 3);
  races.wait(0, 6, 1);  // the wrong one
  races.read(kAct, tile(80, 16));
  EXPECT_EQ(races.text(),
            "chip 0 core 0 SBUF partition 0 byte 80: chip 0 core 0 Vector pc 7 writes, "
            "chip 0 core 0 Act pc 3 reads, and no semaphore orders them\n");
}

TEST(RaceDetector, WriteAfterReadNeedsTheWayBack) {
  for (const bool waits : {true, false}) {
    RaceDetector races(defs::kMini, 1);
    for (unsigned round = 0; round < 3; ++round) {  // one buffer, filled and emptied in turn
      races.begin(kDma, round);
      if (waits) races.wait(0, 2, round);
      races.write(kDma, tile(0, 32));
      races.update(kDma, 0, 1, 1);
      races.begin(kTensor, round);
      races.wait(0, 1, round + 1);
      races.read(kTensor, tile(0, 32));
      races.update(kTensor, 0, 2, 1);
    }
    EXPECT_EQ(races.races().size(), waits ? 0u : 2u) << races.text();
    for (const auto& race : races.races()) {
      EXPECT_FALSE(race.older.write);
      EXPECT_EQ(race.newer.stream, kDma);
    }
  }
}

TEST(RaceDetector, WorkAfterTheReleaseIsNotOrdered) {
  RaceDetector races(defs::kMini, 1);
  races.begin(kVector, 0);
  races.write(kVector, tile(0, 1));
  races.update(kVector, 0, 1, 1);
  races.begin(kVector, 1);
  races.write(kVector, tile(8, 1));
  races.begin(kAct, 0);
  races.wait(0, 1, 1);
  races.read(kAct, tile(0, 1));
  EXPECT_EQ(races.text(), "");
  races.read(kAct, tile(8, 1));
  EXPECT_EQ(races.races().size(), 1u);
}

TEST(RaceDetector, OrderIsTransitive) {
  RaceDetector races(defs::kMini, 2);
  const StreamId far{1, 0, static_cast<std::uint8_t>(defs::Engine::Rx), 0, 0x40};
  const StreamId reader = engine(defs::Engine::Act, 1);
  races.begin(kVector, 0);
  races.write(kVector, tile(0, 8));
  races.update(kVector, 0, 1, 1);
  races.begin(kSync, 0);
  races.wait(0, 1, 1);
  races.ring(kSync, kDma, 1);
  races.begin(kDma, 0);
  races.answer();
  races.read(kDma, tile(0, 8));
  races.begin(far, 0);
  races.after(kDma);
  Footprint landing = tile(128, 8);
  landing.chip = 1;
  races.write(far, landing);
  races.update(far, 1, 9, 1);
  races.begin(reader, 0);
  races.wait(1, 9, 1);
  races.read(reader, landing);
  Footprint source = tile(0, 8);  // what chip 0's vector engine wrote: known through the packet
  races.write(reader, source);
  EXPECT_EQ(races.text(), "");
  races.begin(kAct, 0);
  races.read(kAct, source);
  EXPECT_EQ(races.races().size(), 1u);
}

TEST(RaceDetector, ManyReadersThenOneWriter) {
  for (const bool all : {true, false}) {
    RaceDetector races(defs::kMini, 1);
    unsigned sem = 0;
    for (const auto& reader : {kTensor, kAct, kDma}) {
      races.begin(reader, 0);
      races.read(reader, tile(0, 8));
      races.update(reader, 0, sem++, 1);
    }
    races.begin(kVector, 0);
    for (unsigned i = 0; i < (all ? 3u : 1u); ++i) races.wait(0, i, 1);
    races.write(kVector, tile(0, 8));
    EXPECT_EQ(races.races().size(), all ? 0u : 2u) << races.text();
  }
}

TEST(RaceDetector, InterleavedPatternsDoNotCollide) {
  RaceDetector races(defs::kMini, 1);
  races.begin(kVector, 0);
  races.write(kVector, tile(0, 64, 2, 4));  // even elements
  races.begin(kAct, 0);
  races.write(kAct, tile(2, 64, 2, 4));  // odd elements
  Footprint below = tile(0, 64, 2, 4);
  below.first = 4;  // the partitions beside
  races.write(kAct, below);
  EXPECT_EQ(races.text(), "");
  races.write(kAct, tile(252, 1));
  ASSERT_EQ(races.races().size(), 1u);
  EXPECT_EQ(races.races()[0].at.addr, 252u);
}

TEST(RaceDetector, MemoriesChipsAndCoresAreApart) {
  RaceDetector races(defs::kMini, 2);
  const auto at = [](Cell::Memory memory, unsigned chip, unsigned core) {
    Footprint f;
    f.memory = memory;
    f.chip = static_cast<std::uint8_t>(chip);
    f.core = static_cast<std::uint8_t>(core);
    f.count = memory == Cell::Memory::Hbm ? 0 : 1;
    f.element = 4;
    return f;
  };
  unsigned operation = 0;
  for (unsigned chip = 0; chip < 2; ++chip)
    for (unsigned core = 0; core < 2; ++core)
      for (auto memory : {Cell::Memory::Sbuf, Cell::Memory::Psum}) {
        const StreamId who =
            engine(static_cast<defs::Engine>(operation % 4), operation / 4, operation % 2);
        races.begin(who, operation++);
        races.write(who, at(memory, chip, core));
      }
  races.begin(kDma, 0);
  races.write(kDma, at(Cell::Memory::Hbm, 0, 0));
  const StreamId host = engine(defs::Engine::Host, 1);
  races.begin(host, 0);
  races.write(host, at(Cell::Memory::Hbm, 1, 0));
  EXPECT_EQ(races.text(), "");
  races.begin(kSync, 0);
  races.read(kSync, at(Cell::Memory::Hbm, 1, 0));
  EXPECT_EQ(races.text(),
            "chip 1 HBM address 0x0: chip 1 Host writes, chip 0 core 0 Sync pc 0 "
            "reads, and no semaphore orders them\n");
}

TEST(RaceDetector, ADescriptorComesAfterItsOwnDoorbellOnly) {
  for (const bool behind : {true, false}) {
    RaceDetector races(defs::kMini, 1);
    races.begin(kSync, 0);
    races.ring(kSync, kDma, 1);
    races.begin(kSync, 1);
    races.ring(kSync, kDma, 1);
    races.begin(kVector, 0);
    races.write(kVector, tile(0, 8));
    races.update(kVector, 0, 1, 1);
    races.begin(kSync, 2);
    races.wait(0, 1, 1);
    races.ring(kSync, kDma, 1);
    for (unsigned i = 0; i < 3; ++i) {
      races.begin(kDma, i);
      races.answer();
      if (i == (behind ? 2u : 1u)) races.read(kDma, tile(0, 8));
    }
    EXPECT_EQ(races.races().size(), behind ? 0u : 1u) << races.text();
  }
}

TEST(RaceDetector, AWaitThatAnotherProducerCouldSatisfyOrdersNothing) {
  for (const unsigned value : {1u, 2u}) {
    RaceDetector races(defs::kMini, 1);
    for (const auto& producer : {kVector, kTensor}) {
      races.begin(producer, 0);
      if (producer == kVector) races.write(producer, tile(0, 8));
      races.update(producer, 0, 1, 1);
    }
    races.begin(kAct, 0);
    races.wait(0, 1, value);
    races.read(kAct, tile(0, 8));
    EXPECT_EQ(races.races().size(), value == 1 ? 1u : 0u) << races.text();
  }
}

TEST(RaceDetector, AProducerThatRanAheadIsNotWaitedFor) {
  for (const unsigned value : {1u, 2u}) {
    RaceDetector races(defs::kMini, 1);
    for (unsigned i = 0; i < 2; ++i) {
      races.begin(kVector, i);
      races.write(kVector, tile(64 * i, 8));
      races.update(kVector, 0, 1, 1);
    }
    races.begin(kAct, 0);
    races.wait(0, 1, value);
    races.read(kAct, tile(64, 8));  // what the second one wrote
    EXPECT_EQ(races.races().size(), value == 1 ? 1u : 0u) << races.text();
  }
}

}  // namespace
