// SPDX-License-Identifier: Apache-2.0
// The host port: tokens and credits, memory in order, completions, rejections.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tb/unit/rtl/host_if_bench.h"

namespace {

using namespace host_if;

template <class B>
void writes_come_back(bool lazy) {
  B bench(3);
  bench.lazy = lazy;
  std::mt19937 rng(5);
  std::map<std::uint64_t, std::uint8_t> expected;
  std::vector<std::pair<std::uint64_t, unsigned>> reads;
  for (unsigned i = 0; i < 400; ++i) {
    const unsigned at = rng() % 64, bytes = 1 + rng() % (64 - at);
    const std::uint64_t addr =
        (rng() % 2 ? defs::kAddrHbm1Base : defs::kAddrHbm0Base) + rng() % 64 * 64 + at;
    if (rng() % 2) {
      std::vector<std::uint8_t> data(bytes);
      for (auto& byte : data) byte = static_cast<std::uint8_t>(rng());
      for (unsigned b = 0; b < bytes; ++b) expected[addr + b] = data[b];
      bench.write(addr, data);
    } else if (i > 200) {
      bench.read(addr, bytes);
      reads.emplace_back(addr, bytes);
      bench.run();  // so that `expected` is what it must read
      ASSERT_EQ(bench.raw.size(), reads.size());
      for (unsigned b = 0; b < 64; ++b) {
        ASSERT_EQ(bench.raw.back()[b], b < bytes ? expected[addr + b] : 0) << "read " << i;
      }
    }
  }
}

TEST(HostIf, WritesComeBack) {
  for (const bool lazy : {false, true}) {
    writes_come_back<Mini>(lazy);
    writes_come_back<Inf2>(lazy);
  }
}

TEST(HostIf, ManyReadsInFlightAnswerInRequestOrder) {
  Inf2 bench;
  std::mt19937 rng(2);
  std::vector<std::uint64_t> addrs;
  for (unsigned i = 0; i < 200; ++i) {
    const std::uint64_t base = i / 50 % 2 ? defs::kAddrHbm1Base : 0;
    addrs.push_back(base + 64 * i);
    bench.memory[addrs.back()] = static_cast<std::uint8_t>(i + 1);
    bench.read(addrs.back(), 64);
    if (i == 77) bench.read(csr(defs::kCsrChipId), 8);
  }
  bench.run();
  ASSERT_EQ(bench.raw.size(), 201u);
  for (unsigned i = 0; i < 201; ++i) {
    EXPECT_EQ(bench.raw[i][0], i < 78 ? i + 1 : i == 78 ? 7u : i) << i;
  }
  EXPECT_LT(bench.now, 200u * 16);  // 16 in flight share one latency
}

TEST(HostIf, ManyInFlightCoverTheRoundTrip) {
  constexpr unsigned kBeats = 4000;
  for (const bool write : {true, false}) {
    Inf2 bench;
    bench.latency = defs::kLinkLatency;
    for (unsigned i = 0; i < kBeats; ++i)
      if (write)
        bench.write(64 * i, std::vector<std::uint8_t>(64, 1));
      else
        bench.read(64 * i, 64);
    bench.run();
    EXPECT_EQ(bench.raw.size(), write ? 0 : kBeats);
    // A token of 64 bytes in each fabric cycle is all that the port can carry.
    const double rate = 64.0 * kBeats / static_cast<double>(bench.now);
    EXPECT_GT(rate, 0.95 * 64 / defs::kFabricDivide) << "bytes in a core cycle";
  }
}

TEST(HostIf, RefusesByName) {
  struct Case {
    std::uint64_t addr;
    unsigned bytes;
    bool write;
    std::uint64_t value;
    ErrorCause cause;
  };
  const Case cases[] = {
      {0x4'0000'0000, 64, false, 0, ErrorCause::UnmappedAddress},
      {defs::kAddrHbm1Base + defs::kAddrHbm1Size, 8, true, 0, ErrorCause::UnmappedAddress},
      {defs::kAddrCore0Base, 8, true, 0, ErrorCause::UnmappedAddress},
      {0x1001, 64, false, 0, ErrorCause::Misaligned},
      {0x1000, 0, false, 0, ErrorCause::Misaligned},
      {csr(defs::kCsrChipId), 4, false, 0, ErrorCause::Misaligned},
      {csr(defs::kCsrChipId) + 4, 8, false, 0, ErrorCause::Misaligned},
      {defs::kAddrCsrBase + 0x600, 8, false, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrFabricStall) + 8, 8, false, 0, ErrorCause::UnmappedAddress},
      {defs::kAddrCsrBase + 0x3800, 8, false, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrDmaRingBase, 0, 4), 8, false, 0, ErrorCause::UnmappedAddress},  // mini has 4
      {csr(defs::kCsrChipId), 8, true, 1, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrTensorCount, 1, 0), 8, true, 1, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrTensorCount, 0, defs::kCsrTensorCount.count), 8, false, 0,
       ErrorCause::UnmappedAddress},
      {csr(defs::kCsrSeqStart), 8, false, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrSeqStart), 8, true, 0x10, ErrorCause::ReservedBits},
      {csr(defs::kCsrSeqBase), 8, true, 1ull << 48, ErrorCause::ReservedBits},
      {csr(defs::kCsrFabricTimeout), 8, true, 1 << 20, ErrorCause::ReservedBits},
      {csr(defs::kCsrSeqStart, 1), 8, true, 2, ErrorCause::QueueOverflow},  // is running
      {csr(defs::kCsrFabricStatus), 8, true, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrFabricTime), 8, true, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrFabricStall), 8, true, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrFabricCounts), 8, true, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrFabricCounts) - 8, 8, false, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrFabricCounts, 0, defs::kCsrFabricCounts.count), 8, false, 0,
       ErrorCause::UnmappedAddress},
      {csr(defs::kCsrFabricSnapshot), 8, true, 1ull << 32, ErrorCause::ReservedBits},
      {csr(defs::kCsrFabricPatience), 8, true, 1ull << 8, ErrorCause::ReservedBits},
      {csr(defs::kCsrFabricArbiter) + 8, 8, false, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrRouteSource), 8, true, 1ull << 32, ErrorCause::ReservedBits},
      {csr(defs::kCsrFabricControl), 8, true, 1ull << 7, ErrorCause::ReservedBits},
      {csr(defs::kCsrFabricSlots), 8, true, 1ull << 35, ErrorCause::ReservedBits},
      {csr(defs::kCsrFabricArbiter), 8, true, 1ull << 25, ErrorCause::ReservedBits},
      {csr(defs::kCsrFabricSwitch), 8, true, 0x8000'1000, ErrorCause::ReservedBits},  // no time
      {csr(defs::kCsrFabricSwitch), 8, true, 0x8001'9000, ErrorCause::ReservedBits},  // has passed
      {csr(defs::kCsrFabricSwitch), 8, true, 0x8001'000f, ErrorCause::ReservedBits},  // too soon
      {csr(defs::kCsrFabricManagers), 8, true, 1 << 16, ErrorCause::ReservedBits},
      {csr(defs::kCsrLinkErrorLimit), 8, true, 1 << 16, ErrorCause::ReservedBits},
      {csr(defs::kCsrLinkErrorLimit) + 8, 8, false, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrFabricRate, 1, 1), 8, true, 1 << 14, ErrorCause::ReservedBits},
      {csr(defs::kCsrFabricRate) - 8, 8, true, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrMgmt, 0, 4), 8, true, 0, ErrorCause::UnmappedAddress},  // read only
      {csr(defs::kCsrMgmt, 0, 255), 8, true, 0, ErrorCause::UnmappedAddress},
      {csr(defs::kCsrMgmt, 0, 0), 8, true, 1ull << 32, ErrorCause::ReservedBits},
  };
  for (const auto& bad : cases) {
    Mini bench;
    bench.dut.seq_state_i = 1 << 10;
    bench.memory[64] = 0xAB;
    bench.read(64, 64);
    if (bad.write) {
      std::vector<std::uint8_t> bytes(bad.bytes);
      std::memcpy(bytes.data(), &bad.value, bad.bytes);
      bench.write(bad.addr, bytes);
    } else {
      bench.read(bad.addr, bad.bytes);
    }
    bench.read(64, 64);
    bench.run();
    ASSERT_EQ(bench.tokens.size(), 3u) << std::hex << bad.addr;
    EXPECT_EQ(bench.raw[0][0], 0xAB);
    EXPECT_EQ(bench.raw[2][0], 0xAB);
    EXPECT_EQ(bench.tokens[1].kind, static_cast<unsigned>(HostKind::Error));
    EXPECT_EQ(bench.tokens[1].engine, static_cast<unsigned>(defs::Engine::Host));
    EXPECT_EQ(bench.tokens[1].cause, static_cast<unsigned>(bad.cause)) << std::hex << bad.addr;
    EXPECT_EQ(std::memcmp(bench.raw[1].data(), &bad.addr, 6), 0);
    EXPECT_EQ(bench.started, 0u);
  }
}

TEST(HostIf, TellsCompletionsAndErrorsOnce) {
  Mini bench;
  bench.dut.seq_event_valid_i = 0x82;  // {0, Vector} and {1, Sync}
  bench.dut.seq_state_i = 3 << 14 | 2 << 2;
  bench.dut.seq_pc_i[1] = 11;
  bench.dut.seq_pc_i[7] = 77;
  bench.dut.seq_cause_i = 2ull << 56;
  bench.dut.dma_error_i = 0x40;  // {1, engine 2}
  bench.dut.dma_cause_i = 8ull << 48;
  bench.dut.dma_pc_i[6] = 66;
  for (unsigned i = 0; i < 10; ++i) {
    bench.dut.eval();
    bench.fabric_cycle();
    bench.dut.eval();
    // A sequencer's event falls when it was taken; here: after it was seen.
    for (const auto& token : bench.tokens) {
      if (token.engine == 1) bench.dut.seq_event_valid_i &= ~0x02;
      if (token.engine == 3) bench.dut.seq_event_valid_i &= ~0x80;
    }
  }
  ASSERT_EQ(bench.tokens.size(), 3u);
  const auto& done = bench.tokens[0];
  EXPECT_EQ(done.kind, static_cast<unsigned>(HostKind::Completion));
  EXPECT_EQ(done.core, 0u);
  EXPECT_EQ(done.engine, 1u);
  EXPECT_EQ(done.pc, 11u);
  const auto& stopped = bench.tokens[1];
  EXPECT_EQ(stopped.kind, static_cast<unsigned>(HostKind::Error));
  EXPECT_EQ(stopped.core, 1u);
  EXPECT_EQ(stopped.engine, 3u);
  EXPECT_EQ(stopped.cause, 2u);
  EXPECT_EQ(stopped.pc, 77u);
  const auto& dma = bench.tokens[2];
  EXPECT_EQ(dma.core, 1u);
  EXPECT_EQ(dma.engine, 18u);
  EXPECT_EQ(dma.cause, 8u);
  EXPECT_EQ(dma.pc, 66u);
}

}  // namespace
