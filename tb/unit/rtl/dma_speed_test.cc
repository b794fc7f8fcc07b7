// SPDX-License-Identifier: Apache-2.0
// Speed of the DMA.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "Vdma_inf2.h"
#include "Vdma_mini.h"
#include "tb/unit/rtl/dma_bench.h"
#include "tb/unit/rtl/dma_descriptors.h"
#include "tb/unit/rtl/figure.h"

namespace {

using namespace dma;

/// Cycles from the doorbell to the first write and to the update, and bytes per cycle between the
/// first and the last write.
struct Speed {
  std::uint64_t first, done;
  double rate;
};

template <class Model>
Speed measure(const defs::Sizes& sizes, unsigned engines, bool sbuf, bool remote, unsigned shift) {
  Bench<Model> bench(sizes, 1, {});
  Twin twin(sizes, bench.memory);
  const unsigned row = sbuf ? sizes.sbuf_bytes / sizes.dma_engines / 4 : 65536;
  const unsigned rows = sbuf ? sizes.partitions : 2;
  for (unsigned e = 0; e < engines; ++e) {
    Descriptor d = plain_copy(
        0x1000000 + (std::uint64_t{e} << 20) + shift,
        (e % 2 ? defs::kAddrHbm0Base : defs::kAddrHbm1Base) + 0x8000000 + (std::uint64_t{e} << 20),
        rows, row);
    if (e % 2) d.src += defs::kAddrHbm1Base;
    if (sbuf) {
      d.dst = cmodel::sbuf_addr(0, 0, e * row);
      d.dst_stride = defs::kSbufStride;
    }
    if (remote) {
      d.dst_chip = 1;
      d.vn = 1;
    }
    store(bench.memory, ring_of(e, 1), 0, d);
    bench.set_ring(e, ring_of(e, 1));
    bench.expected[e] = twin.run(e, ring_of(e, 1), 1);
  }
  for (unsigned i = 0; i < 5; ++i) bench.tick();
  const std::uint64_t start = bench.cycle;
  for (unsigned e = 0; e < engines; ++e) {
    bench.trigger(e, 1);
    bench.tick();
  }
  bench.drain(200000);
  bench.expect_done();
  return {bench.first_write - start, bench.last_update[engines - 1] - start,
          static_cast<double>(bench.bytes) /
              static_cast<double>(bench.last_write - bench.first_write + 1)};
}

TEST(Dma, SpeedIsAsStated) {
  const auto expect_rate = [](const std::string& what, const Speed& s, double least) {
    tb::expect(
        {what, "B/cycle", s.rate, least, true, {{"first_write", s.first}, {"update", s.done}}});
  };
  const auto& i = defs::kInf2;
  const auto& m = defs::kMini;
  const Speed one = measure<Vdma_inf2>(i, 1, false, false, 0);
  expect_rate("inf2, 1 engine, HBM to HBM", one, 15.9);
  EXPECT_LE(one.first, 307u);
  expect_rate("inf2, 1 engine, source shifted by 4", measure<Vdma_inf2>(i, 1, false, false, 4),
              7.9);
  expect_rate("inf2, 1 engine, HBM to message", measure<Vdma_inf2>(i, 1, false, true, 0), 15.9);
  expect_rate("inf2, 16 engines, HBM to HBM", measure<Vdma_inf2>(i, 16, false, false, 0), 250);
  expect_rate("inf2, 16 engines, HBM to SBUF, 3 KiB rows",
              measure<Vdma_inf2>(i, 16, true, false, 0), 250);
  // 15 lines of 64 B in flight over 150 cycles
  expect_rate("mini, 1 engine, HBM to HBM", measure<Vdma_mini>(m, 1, false, false, 0), 6);
  expect_rate("mini, 4 engines, HBM to HBM", measure<Vdma_mini>(m, 4, false, false, 0), 24);
}

/// From the doorbell of an idle engine on, whatever the cycle it comes in: the steps of one line.
TEST(Dma, DoorbellToFirstWrite) {
  struct {
    const char* what;
    bool ring_in_sbuf, data_in_sbuf, start;
    unsigned most;  ///< to the first write
  } const kCases[] = {{"ring and line in HBM", false, false, false, 307},
                      {"ring in HBM, line in SBUF", false, true, false, 161},
                      {"ring in SBUF, line in HBM", true, false, false, 161},
                      {"ring and line in SBUF", true, true, false, 15},
                      {"DmaStart, line in HBM", false, false, true, 155},
                      {"DmaStart, line in SBUF", false, true, true, 9}};
  for (const auto& c : kCases) {
    using Steps = std::array<std::uint64_t, 6>;
    Steps least{}, most{};
    for (unsigned phase = 0; phase < 16; ++phase) {
      Bench<Vdma_inf2> bench(defs::kInf2, 1, {});
      Twin twin(defs::kInf2, bench.memory);
      const Ring ring = c.ring_in_sbuf ? Ring{cmodel::sbuf_addr(1, 5, 0x1000), 1} : ring_of(3, 1);
      const Descriptor d =
          plain_copy(c.data_in_sbuf ? cmodel::sbuf_addr(0, 0, 0) : 0x1000000, 0x2000000, 1, 256);
      Starts starts;
      if (c.start)
        starts[0] = {17, d};
      else
        store(bench.memory, ring, 0, d);
      bench.set_ring(3, ring);
      bench.expected[3] = twin.run(3, ring, 1, starts);
      for (unsigned i = 0; i < 20 + phase; ++i) bench.tick();
      const std::uint64_t start = bench.cycle;
      if (c.start)
        bench.start(3, starts[0]);
      else
        bench.trigger(3, 1);
      bench.drain(1000);
      bench.expect_done();
      const auto& at = bench.steps;
      Steps steps{at.fetch, at.descriptor,     at.read,
                  at.data,  bench.first_write, bench.last_update[3]};
      for (unsigned i = 0; i < steps.size(); ++i) {
        if (steps[i]) steps[i] -= start;  // a DmaStart fetches nothing
        least[i] = phase ? std::min(least[i], steps[i]) : steps[i];
        most[i] = phase ? std::max(most[i], steps[i]) : steps[i];
      }
    }
    constexpr const char* kNames[] = {"fetch", "descriptor", "read", "data", "write", "update"};
    nlohmann::ordered_json steps;
    for (unsigned i = 0; i < least.size(); ++i)
      steps[kNames[i]] = least[i] == most[i] ? fmt::format("{}", most[i])
                                             : fmt::format("{}..{}", least[i], most[i]);
    tb::expect({fmt::format("inf2, doorbell to first write, {}", c.what), "cycles",
                static_cast<double>(most[4]), static_cast<double>(c.most), false, steps});
  }
}

/// Every 64th pair of bytes to a row, and back: an element per line that the engine earns.
TEST(Dma, ElementsAreMovedOneByOne) {
  for (const bool scatter : {false, true}) {
    Bench<Vdma_inf2> bench(defs::kInf2, 1, {});
    Twin twin(defs::kInf2, bench.memory);
    Descriptor d = plain_copy(0x1000000, cmodel::sbuf_addr(0, 7, 0x300), 600, 2);
    d.src_stride = 128;
    if (scatter) {
      std::swap(d.src, d.dst);
      std::swap(d.src_stride, d.dst_stride);
    }
    store(bench.memory, ring_of(0, 1), 0, d);
    bench.set_ring(0, ring_of(0, 1));
    bench.expected[0] = twin.run(0, ring_of(0, 1), 1);
    EXPECT_EQ(bench.expected[0].writes.size(), 600u);
    bench.trigger(0, 1);
    bench.drain(20000);
    bench.expect_done();
    const double each = static_cast<double>(bench.last_write - bench.first_write) / 599;
    tb::expect(
        {fmt::format("inf2, elements of 2 bytes, {}", scatter ? "SBUF to HBM" : "HBM to SBUF"),
         "cycles each", each, 16, false});
  }
}

/// Sums into where the second source is: two lines are read for one that is written.
TEST(Dma, CombiningReadsTwoLines) {
  for (const unsigned engines : {1u, 16u}) {
    Bench<Vdma_inf2> bench(defs::kInf2, 1, {});
    Memory twin_memory;  // a sum in place is not made twice
    Twin twin(defs::kInf2, twin_memory);
    for (unsigned e = 0; e < engines; ++e) {
      Descriptor d = plain_copy(0x1000000 + (std::uint64_t{e} << 20),
                                cmodel::sbuf_addr(0, 0, e * 12288), 64, 1024);
      d.dst_stride = d.src1_stride = defs::kSbufStride;
      d.src1 = d.dst;
      d.combine = static_cast<std::uint8_t>(defs::Combine::Add);
      d.dtype = static_cast<std::uint8_t>(defs::Dtype::Bf16);
      for (Memory* memory : {&bench.memory, &twin_memory}) store(*memory, ring_of(e, 1), 0, d);
      bench.set_ring(e, ring_of(e, 1));
      bench.expected[e] = twin.run(e, ring_of(e, 1), 1);
    }
    for (unsigned e = 0; e < engines; ++e) {
      bench.trigger(e, 1);
      bench.tick();
    }
    bench.drain(50000);
    bench.expect_done();
    const double rate = static_cast<double>(bench.bytes) /
                        static_cast<double>(bench.last_write - bench.first_write + 1);
    tb::expect({fmt::format("inf2, {} engines, sums of bf16 in place", engines), "B/cycle", rate,
                7.9 * engines});
  }
}

/// Rows of one line, each where an index says: as fast as rows in order, once the first list is
/// here.
TEST(Dma, GatherAndScatterAtTheRateOfLines) {
  for (const unsigned engines : {1u, 16u})
    for (const auto mode : {defs::IndexMode::Gather, defs::IndexMode::Scatter}) {
      Bench<Vdma_inf2> bench(defs::kInf2, 1, {});
      Twin twin(defs::kInf2, bench.memory);
      for (unsigned e = 0; e < engines; ++e) {
        const std::uint64_t stack = e % 2 ? defs::kAddrHbm1Base : 0;
        Descriptor d = plain_copy(
            stack + 0x1000000 + (std::uint64_t{e} << 20),
            defs::kAddrHbm1Base - stack + 0x8000000 + (std::uint64_t{e} << 20), 400, 256);
        d.index_mode = static_cast<std::uint8_t>(mode);
        d.index = stack + 0x6000000 + 2048 * e;
        d.bound = 400;
        for (unsigned i = 0; i < 400; ++i) {
          const std::uint32_t index = i * 7 % 400;
          bench.memory.write(d.index + 4 * i, {reinterpret_cast<const std::uint8_t*>(&index), 4});
        }
        const Starts starts{{0, {e, d}}};
        bench.expected[e] = twin.run(e, {}, 1, starts);
        bench.start(e, starts.at(0));
        bench.tick();
      }
      bench.drain(50000);
      bench.expect_done();
      const double rate = static_cast<double>(bench.bytes) /
                          static_cast<double>(bench.last_write - bench.first_write + 1);
      tb::expect({.name = fmt::format("inf2, {} of lines, {} engines", to_string(mode), engines),
                  .unit = "B/cycle",
                  .measured = rate,
                  .limit = 15.5 * engines});
    }
}

/// A line read or 64 elements for every turn of an engine, whatever is less.
TEST(Dma, CastsALineOrASixtyFourElementsATurn) {
  struct {
    defs::Dtype from, to;
    double elements;  ///< a cycle, of one engine
  } const kCases[] = {{defs::Dtype::Fp32, defs::Dtype::Bf16, 3.9},
                      {defs::Dtype::Bf16, defs::Dtype::Fp32, 3.9},
                      {defs::Dtype::Fp8E4M3, defs::Dtype::Bf16, 3.9},
                      {defs::Dtype::Fp32, defs::Dtype::Fp8E5M2, 3.9}};
  for (const auto& c : kCases) {
    Bench<Vdma_inf2> bench(defs::kInf2, 1, {});
    Twin twin(defs::kInf2, bench.memory);
    Descriptor d = plain_copy(0x1000000, defs::kAddrHbm1Base + 0x2000000, 8,
                              4096 * cmodel::element_bytes(static_cast<std::uint8_t>(c.from)));
    d.combine = static_cast<std::uint8_t>(defs::Combine::Cast);
    d.dtype = static_cast<std::uint8_t>(c.from);
    d.dst_dtype = static_cast<std::uint8_t>(c.to);
    d.dst_stride = cmodel::destination_bytes(d);
    const Starts starts{{0, {0, d}}};
    bench.expected[0] = twin.run(0, {}, 1, starts);
    bench.start(0, starts.at(0));
    bench.drain(50000);
    bench.expect_done();
    const double rate = 8 * 4096 / static_cast<double>(bench.last_write - bench.first_write + 1);
    tb::expect({.name = fmt::format("inf2, cast {} to {}", to_string(c.from), to_string(c.to)),
                .unit = "elements/cycle",
                .measured = rate,
                .limit = c.elements});
  }
}

/// Descriptors back to back: the price of one, its predecessor's prefetch included.
TEST(Dma, CostOfADescriptor) {
  for (const bool sbuf : {false, true}) {
    Bench<Vdma_inf2> bench(defs::kInf2, 1, {});
    Twin twin(defs::kInf2, bench.memory);
    const Ring ring = ring_of(0, 10);
    for (unsigned i = 0; i < 10; ++i) {
      store(bench.memory, ring, i,
            plain_copy(sbuf ? cmodel::sbuf_addr(0, 0, 0) : 0x1000000, 0x2000000, 1, 256));
    }
    bench.set_ring(0, ring);
    bench.expected[0] = twin.run(0, ring, 10);
    bench.trigger(0, 10);
    bench.drain(20000);
    bench.expect_done();
    tb::expect({fmt::format("inf2, one-line descriptors from {}", sbuf ? "SBUF" : "HBM"),
                "cycles each", static_cast<double>(bench.last_write - bench.first_write) / 9, 16,
                false});
  }
}

}  // namespace
