// SPDX-License-Identifier: Apache-2.0
// The race detector on programs that race and on programs that do not, and on exact footprints.
#include "cmodel/race.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "cmodel/footprint.h"
#include "tb/harness/seed.h"

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
  races.release(kVector, 0, 5);
  races.begin(kAct, 0);
  races.acquire(kAct, 0, 5);
  races.read(kAct, tile(64, 16));
  EXPECT_EQ(races.text(), "");
}

TEST(RaceDetector, NamesBothSidesWithoutOne) {
  RaceDetector races(defs::kMini, 1);
  races.begin(kVector, 7);
  races.write(kVector, tile(64, 16));
  races.release(kVector, 0, 5);
  races.begin(kAct, 3);
  races.acquire(kAct, 0, 6);  // the wrong one
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
      if (waits) races.acquire(kDma, 0, 2);
      races.write(kDma, tile(0, 32));
      races.release(kDma, 0, 1);
      races.begin(kTensor, round);
      races.acquire(kTensor, 0, 1);
      races.read(kTensor, tile(0, 32));
      races.release(kTensor, 0, 2);
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
  races.release(kVector, 0, 1);
  races.begin(kVector, 1);
  races.write(kVector, tile(8, 1));
  races.begin(kAct, 0);
  races.acquire(kAct, 0, 1);
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
  races.release(kVector, 0, 1);
  races.begin(kSync, 0);
  races.acquire(kSync, 0, 1);
  races.order(kSync, kDma);  // doorbell
  races.begin(kDma, 0);
  races.read(kDma, tile(0, 8));
  const auto token = races.send(kDma);
  races.begin(far, 0);
  races.receive(far, token);
  Footprint landing = tile(128, 8);
  landing.chip = 1;
  races.write(far, landing);
  races.release(far, 1, 9);
  races.begin(reader, 0);
  races.acquire(reader, 1, 9);
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
      races.release(reader, 0, sem++);
    }
    races.begin(kVector, 0);
    for (unsigned i = 0; i < (all ? 3u : 1u); ++i) races.acquire(kVector, 0, i);
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
  unsigned unit = 0;
  for (unsigned chip = 0; chip < 2; ++chip)
    for (unsigned core = 0; core < 2; ++core)
      for (auto memory : {Cell::Memory::Sbuf, Cell::Memory::Psum}) {
        const StreamId who = engine(static_cast<defs::Engine>(unit % 4), unit / 4, unit % 2);
        races.begin(who, unit++);
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

/// Random programs against the definition: every pair of accesses, the graph of all orders.
TEST(RaceDetector, AgreesWithAllPairs) {
  const auto seed = tb::seed();
  SCOPED_TRACE(tb::repro(seed));
  std::mt19937_64 rng(seed);
  const std::vector<StreamId> streams{kTensor, kVector, kAct, kSync, kDma};
  unsigned racy = 0, clean = 0;
  for (unsigned round = 0; round < 400; ++round) {
    RaceDetector races(defs::kMini, 1);
    struct Unit {
      std::size_t stream;
      std::set<std::size_t> before;  // units ordered before this one
      std::set<unsigned> reads, writes;
    };
    std::vector<Unit> units;
    std::vector<std::set<std::size_t>> known(streams.size()), semaphore(3);
    bool expected = false;
    for (unsigned step = 0, steps = 2 + rng() % 10; step < steps; ++step) {
      Unit unit;
      unit.stream = rng() % streams.size();
      const auto& who = streams[unit.stream];
      races.begin(who, step);
      for (unsigned waits = rng() % 3; waits--;) {
        const unsigned sem = rng() % 3;
        races.acquire(who, 0, sem);
        known[unit.stream].insert(semaphore[sem].begin(), semaphore[sem].end());
      }
      unit.before = known[unit.stream];
      for (unsigned accesses = 1 + rng() % 2; accesses--;) {
        const bool write = rng() % 3 == 0;
        const unsigned at = rng() % 80 * 2, n = 1 + rng() % 4, pitch = 2 << rng() % 3;
        for (unsigned i = 0; i < n; ++i) (write ? unit.writes : unit.reads).insert(at + i * pitch);
        Footprint f = tile(at, n, 2, static_cast<int>(pitch));
        f.write = write;
        races.access(who, f);
      }
      for (std::size_t i = 0; i < units.size(); ++i) {
        const auto& old = units[i];
        if (unit.before.contains(i)) continue;
        for (auto byte : unit.writes)
          expected |= old.writes.contains(byte) || old.reads.contains(byte);
        for (auto byte : unit.reads) expected |= old.writes.contains(byte);
      }
      units.push_back(unit);
      known[unit.stream].insert(units.size() - 1);
      if (rng() % 2) {
        const unsigned sem = rng() % 3;
        races.release(who, 0, sem);
        semaphore[sem].insert(known[unit.stream].begin(), known[unit.stream].end());
      }
    }
    ASSERT_EQ(!races.races().empty(), expected) << "round " << round << "\n" << races.text();
    ++(expected ? racy : clean);
  }
  EXPECT_GT(racy, 50u);
  EXPECT_GT(clean, 50u);
}

}  // namespace
