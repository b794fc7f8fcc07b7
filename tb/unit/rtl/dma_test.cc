// SPDX-License-Identifier: Apache-2.0
// Rings, doorbells and refused updates of the DMA.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numeric>

#include "Vdma_inf2.h"
#include "Vdma_mini.h"
#include "tb/unit/rtl/dma_bench.h"
#include "tb/unit/rtl/dma_descriptors.h"

namespace {

using namespace dma;

TEST(Dma, RefusesBadRings) {
  Bench<Vdma_mini> bench(defs::kMini, 1, {});
  Twin twin(defs::kMini, bench.memory);
  const Ring rings[3] = {{kRings + 4, 1}, {kRings, 0}, {0x5'0000'0000, 1}};
  for (unsigned e = 0; e < 3; ++e) {
    bench.set_ring(e, rings[e]);
    bench.expected[e] = twin.run(e, rings[e], 1);
    bench.trigger(e, 1);
    bench.tick();
  }
  EXPECT_EQ(bench.expected[0].cause, ErrorCause::Misaligned);
  EXPECT_EQ(bench.expected[1].cause, ErrorCause::BadDescriptor);
  EXPECT_EQ(bench.expected[2].cause, ErrorCause::UnmappedAddress);
  bench.drain(10000);
  bench.trigger(1, 1);  // behind the stop, doorbells change nothing
  bench.tick();
  bench.tick();
  EXPECT_FALSE(bench.dut->busy_o);
  bench.expect_done();
}

/// Rings whose last descriptors lie behind the end: of memory, of what the other core shares (in
/// the middle of a line). What is before them is done.
TEST(Dma, StopsWhereARingEnds) {
  const std::uint64_t shared = defs::kAddrHbm1Base + 0x1000;
  const Ring rings[] = {{defs::kAddrHbm0Size - 2 * 256, 11}, {shared, 11}};
  const ErrorCause causes[] = {ErrorCause::UnmappedAddress, ErrorCause::Forbidden};
  for (unsigned n = 0; n < 2; ++n) {
    const auto run = [&]<class Model>(Bench<Model> bench) {
      Twin twin(bench.sizes, bench.memory);
      if (n) twin.peer.base = shared, twin.peer.limit = shared + 6 * 64;
      bench.share(twin.peer);
      for (unsigned i = 0; i < rings[n].count; ++i)
        store(bench.memory, rings[n], i, plain_copy(0x1000000, 0x2000000 + 4096 * i, 1, 256));
      bench.set_ring(2, rings[n]);
      bench.expected[2] = twin.run(2, rings[n], 10);
      EXPECT_EQ(bench.expected[2].cause, causes[n]);
      EXPECT_EQ(bench.expected[2].updates.size(), n ? 6u : 8u);
      bench.trigger(2, 10);
      bench.drain(20000);
      bench.expect_done();
    };
    run(Bench<Vdma_mini>(defs::kMini, 1, {}));
    run(Bench<Vdma_inf2>(defs::kInf2, 1, {}));
  }
}

TEST(Dma, ADoorbellWaitsForRoomOrForTheStop) {
  Bench<Vdma_mini> bench(defs::kMini, 1, {});
  Twin twin(defs::kMini, bench.memory);
  const Ring ring = ring_of(3, 8);
  for (unsigned i = 0; i < 8; ++i)
    store(bench.memory, ring, i, plain_copy(0x1000000, 0x2000000, i == 6 ? 0 : 1, 256));
  bench.set_ring(3, ring);
  bench.expected[3] = twin.run(3, ring, 8);
  ASSERT_EQ(bench.expected[3].cause, ErrorCause::BadDescriptor);
  const auto ring_bell = [&](unsigned count) {
    while (bench.cycle < 10000) {
      bench.trigger(3, count);
      bench.dut->eval();
      if (bench.dut->trig_ready_o) break;
      bench.tick();
    }
    bench.tick();
  };
  ring_bell(0xffff);
  EXPECT_EQ(bench.cycle, 1u);
  ring_bell(3);
  EXPECT_EQ(bench.expected[3].updates.size(), 3u);  // three are done
  ring_bell(0xffff);
  EXPECT_TRUE(bench.stopped(3));
  bench.drain(10);
  bench.expect_done();
}

/// A list that the descriptor before copies to its place, in every memory; what the place held
/// before is no index.
TEST(Dma, ReadsAListThatAnOlderOneWrote) {
  const std::uint64_t places[] = {0x1800000, defs::kAddrHbm1Base + 0x1800000,
                                  cmodel::sbuf_addr(0, 3, 0x400), cmodel::sbuf_addr(1, 0, 0x800)};
  for (const std::uint64_t at : places) {
    SCOPED_TRACE(fmt::format("list at {:#x}", at));
    Bench<Vdma_mini> bench(defs::kMini, 1, {});
    Memory twin_memory;
    Twin twin(defs::kMini, twin_memory);
    std::vector<std::uint32_t> list(50);
    for (unsigned i = 0; i < list.size(); ++i) list[i] = i * 7 % 50;
    Descriptor first = plain_copy(0x1700000, at, 1, 200),
               second = plain_copy(0x1000000, 0x2000000, 50, 64);
    second.index_mode = static_cast<std::uint8_t>(defs::IndexMode::Gather);
    second.index = at;
    second.bound = 50;
    for (Memory* memory : {&bench.memory, &twin_memory}) {
      memory->write(0x1700000, {reinterpret_cast<const std::uint8_t*>(list.data()), 200});
      store(*memory, ring_of(0, 2), 0, first);
      store(*memory, ring_of(0, 2), 1, second);
    }
    bench.set_ring(0, ring_of(0, 2));
    bench.expected[0] = twin.run(0, ring_of(0, 2), 2);
    ASSERT_EQ(bench.expected[0].updates.size(), 2u);
    bench.trigger(0, 2);
    bench.drain(20000);
    bench.expect_done();
  }
}

/// A copy reads what the one before it writes, in HBM around a multiple of 2^18 bytes (where bytes
/// of a partition would begin anew) and along rows of SBUF that go up or down.
TEST(Dma, ReadsWhatTheOlderOneWrote) {
  constexpr std::uint64_t kFrom = 0x1000000, kTo = 0x2000000, kEdge = 0x1840000;
  constexpr std::int64_t kStride = defs::kSbufStride;
  struct Case {
    std::uint64_t dst;
    std::int64_t stride;
    unsigned rows, row_bytes;
    std::uint64_t read;
  };
  const Case cases[] = {
      {kEdge - 256, 512, 1, 512, kEdge},
      {kEdge - 256, 512, 1, 512, kEdge - 256},
      {kEdge - 512, 256, 4, 256, kEdge + 256},
      {kEdge + 256, -256, 4, 256, kEdge - 512},
      {cmodel::sbuf_addr(0, 2, 0x400), 128, 8, 64, cmodel::sbuf_addr(0, 2, 0x600)},
      {cmodel::sbuf_addr(0, 2, 0x800), -128, 8, 64, cmodel::sbuf_addr(0, 2, 0x600)},
      {cmodel::sbuf_addr(0, 2, 0x400), kStride, 8, 64, cmodel::sbuf_addr(0, 6, 0x400)},
      {cmodel::sbuf_addr(0, 9, 0x400), -kStride, 8, 64, cmodel::sbuf_addr(0, 2, 0x400)}};
  for (const Case& c : cases) {
    SCOPED_TRACE(fmt::format("{} rows at {:#x}, read at {:#x}", c.rows, c.dst, c.read));
    Bench<Vdma_mini> bench(defs::kMini, 1, {.hbm_latency = 200});
    Memory twin_memory;
    Twin twin(defs::kMini, twin_memory);
    std::vector<std::uint8_t> bytes(c.rows * c.row_bytes);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
    Descriptor first = plain_copy(kFrom, c.dst, c.rows, c.row_bytes),
               second = plain_copy(c.read, kTo, 1, 64);
    first.dst_stride = c.stride;
    for (Memory* memory : {&bench.memory, &twin_memory}) {
      memory->write(kFrom, bytes);
      store(*memory, ring_of(0, 2), 0, first);
      store(*memory, ring_of(0, 2), 1, second);
    }
    bench.set_ring(0, ring_of(0, 2));
    bench.expected[0] = twin.run(0, ring_of(0, 2), 2);
    ASSERT_EQ(bench.expected[0].updates.size(), 2u);
    bench.trigger(0, 2);
    bench.drain(20000);
    bench.expect_done();
  }
}

/// An index that is the bound, in the third row of five: what is before it is done, and what it
/// stands for. Skipped, it is the last row, too: the update still comes behind the others.
TEST(Dma, AnIndexOutOfBoundsStopsOrIsSkipped) {
  for (const bool skip : {false, true})
    for (const unsigned bad : {0u, 2u, 4u})
      for (const auto mode : {defs::IndexMode::Gather, defs::IndexMode::Scatter}) {
        SCOPED_TRACE(fmt::format("skip {} row {} {}", skip, bad, to_string(mode)));
        Bench<Vdma_mini> bench(defs::kMini, 1, {});
        Memory twin_memory;
        Twin twin(defs::kMini, twin_memory);
        std::vector<std::uint32_t> list{4, 0, 3, 1, 2};
        list[bad] = 5;
        Descriptor d = plain_copy(0x1000000, 0x2000000, 5, 64);
        d.index_mode = static_cast<std::uint8_t>(mode);
        d.skip = skip;
        d.index = 0x1800000;
        d.bound = 5;
        for (Memory* memory : {&bench.memory, &twin_memory})
          memory->write(d.index, {reinterpret_cast<const std::uint8_t*>(list.data()), 20});
        const Starts starts{{0, {99, d}}};
        bench.expected[1] = twin.run(1, {}, 1, starts);
        EXPECT_EQ(bench.expected[1].writes.size(), skip ? 4u : bad);
        EXPECT_EQ(bench.expected[1].cause, skip ? ErrorCause::None : ErrorCause::OutOfBounds);
        bench.start(1, starts.at(0));
        bench.drain(20000);
        bench.expect_done();
      }
}

TEST(Dma, StopsOnARefusedSemaphoreUpdate) {
  Bench<Vdma_mini> bench(defs::kMini, 1, {});
  Twin twin(defs::kMini, bench.memory);
  const Ring ring = ring_of(1, 3);
  for (unsigned i = 0; i < 3; ++i) {
    store(bench.memory, ring, i, plain_copy(0x1000000, 0x2000000 + 4096 * i, 1, 256));
  }
  bench.set_ring(1, ring);
  bench.expected[1] = twin.run(1, ring, 2);
  bench.expected[1].cause = ErrorCause::SemaphoreOverflow;
  bench.expected[1].error_pc = 1;
  bench.refuse[1] = 1;
  bench.trigger(1, 3);
  bench.drain(2000);
  bench.expect_done();
}

}  // namespace
