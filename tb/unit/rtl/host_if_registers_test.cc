// SPDX-License-Identifier: Apache-2.0
// Registers of cores and fabric through the host port.
#include <gtest/gtest.h>

#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include "tb/unit/rtl/host_if_bench.h"

namespace {

using namespace host_if;

TEST(HostIf, RegistersKeepTheirValuesAndDoorbellsRing) {
  Inf2 bench;
  bench.write(0, std::vector<std::uint8_t>(64, 1));
  for (unsigned core = 0; core < 2; ++core) {
    for (unsigned s = 0; s < 4; ++s) {
      bench.write64(csr(defs::kCsrSeqBase, core, s), 0x1000 * (8 * core + s));
      bench.write64(csr(defs::kCsrSeqCount, core, s), 100 + 8 * core + s);
    }
    for (unsigned e = 0; e < 16; ++e) {
      bench.write64(csr(defs::kCsrDmaRingBase, core, e), 0x100000 * (16 * core + e));
      bench.write64(csr(defs::kCsrDmaRingCount, core, e), 1 + 16 * core + e);
    }
  }
  bench.write64(csr(defs::kCsrSeqStart, 0), 0x5);
  bench.write64(csr(defs::kCsrSeqStart, 1), 0x8);
  std::vector<std::uint64_t> expected;
  for (unsigned core = 0; core < 2; ++core) {
    for (unsigned s = 0; s < 4; ++s) {
      bench.read(csr(defs::kCsrSeqBase, core, s), 8), expected.push_back(0x1000 * (8 * core + s));
      bench.read(csr(defs::kCsrSeqCount, core, s), 8), expected.push_back(100 + 8 * core + s);
    }
    for (unsigned e = 0; e < 16; ++e) {
      bench.read(csr(defs::kCsrDmaRingBase, core, e), 8);
      expected.push_back(0x100000 * (16 * core + e));
      bench.read(csr(defs::kCsrDmaRingCount, core, e), 8), expected.push_back(1 + 16 * core + e);
    }
  }
  for (unsigned core = 0; core < 2; ++core)
    for (unsigned i = 0; i < defs::kCsrTensorCount.count; ++i) {
      bench.read(csr(defs::kCsrTensorCount, core, i), 8);
      expected.push_back(bench.tensor_count(core, i));
    }
  bench.read(csr(defs::kCsrRingSize), 8), expected.push_back(12);
  bench.read(csr(defs::kCsrFabricTimeout), 8), expected.push_back(defs::kRetryTimeout);
  bench.write64(csr(defs::kCsrFabricTimeout), 1000);
  bench.read(csr(defs::kCsrFabricTimeout), 8), expected.push_back(1000);
  bench.run();
  EXPECT_EQ(bench.started, 0x85u);
  ASSERT_EQ(bench.raw.size(), expected.size());
  for (unsigned i = 0; i < expected.size(); ++i) {
    std::uint64_t value;
    std::memcpy(&value, bench.raw[i].data(), 8);
    EXPECT_EQ(value, expected[i]) << i;
  }
}

TEST(HostIf, FabricRegistersAreWrittenAndReadInTheFabric) {
  Mini bench;
  bench.dut.fabric_rdata_i = 0x123456789abcdef0;
  bench.write64(csr(defs::kCsrRouteSource), 0xfffffffful);
  bench.write64(csr(defs::kCsrRouteTable, 0, 0), ~0ull);
  bench.write64(csr(defs::kCsrRouteTable, 0, 1), 0xfedcba9876543210);
  bench.write64(csr(defs::kCsrFabricControl), 0x3f);
  bench.write64(csr(defs::kCsrFabricSlots), 0x7'1234'5678);
  bench.write64(csr(defs::kCsrFabricArbiter), 0x1ff'ffff);
  bench.read(csr(defs::kCsrFabricStatus), 8);
  bench.run();
  const std::vector<std::pair<unsigned, std::uint64_t>> expected{
      {0, 0xffffffff}, {1, ~0ull},         {2, 0xfedcba9876543210},
      {3, 0x3f},       {5, 0x7'1234'5678}, {6, 0x1ff'ffff}};
  EXPECT_EQ(bench.fabric_writes, expected);
  ASSERT_EQ(bench.raw.size(), 1u);
  std::uint64_t value;
  std::memcpy(&value, bench.raw[0].data(), 8);
  EXPECT_EQ(value, 0x123456789abcdef0);
}

TEST(HostIf, RegistersOfOtherChipsGoByPackets) {
  Mini bench;
  const std::uint64_t now = 0x1234;
  bench.dut.fabric_rdata_i = now << 32;
  bench.dut.mgmt_status_i = 6;
  const std::pair<unsigned, std::uint64_t> values[] = {
      {0, 0xffff'ffff}, {1, ~0ull}, {2, 1}, {3, 0x7f}, {5, 7}, {6, 9}, {12, 0x8001'1244}};
  std::vector<std::tuple<unsigned, unsigned, std::uint64_t>> expected;
  for (unsigned chip = 0; chip < 16; ++chip) {
    for (const auto& [index, value] : values) {
      bench.write64(csr(defs::kCsrMgmt, 0, 16 * chip + index), value);
      expected.emplace_back(chip, index, value);
    }
  }
  bench.read(csr(defs::kCsrMgmt, 0, 255), 8);
  bench.run();
  EXPECT_EQ(bench.packets, expected);
  EXPECT_TRUE(bench.fabric_writes.empty()) << "not this chip's";
  ASSERT_EQ(bench.raw.size(), 1u);
  EXPECT_EQ(bench.raw[0][0], 6u);
  bench.dut.mgmt_status_i = 1;  // the last one has not left
  bench.write64(csr(defs::kCsrMgmt, 0, 16), 0);
  bench.run();
  EXPECT_EQ(bench.packets, expected);
  ASSERT_EQ(bench.tokens.size(), 2u);
  EXPECT_EQ(bench.tokens[1].cause, static_cast<unsigned>(ErrorCause::QueueOverflow));
}

TEST(HostIf, CountersAreReadInTheFabricAndStallsAreToldOnce) {
  Mini bench;
  bench.dut.count_rdata_i = 0xfedcba9876543210;
  bench.write64(csr(defs::kCsrFabricSnapshot), 0xffffffff);
  bench.write64(csr(defs::kCsrFabricPatience), 0xa5);
  for (const auto& [reg, index] : {std::pair{defs::kCsrFabricTime, 0u},
                                   {defs::kCsrFabricStall, 0u},
                                   {defs::kCsrFabricCounts, 0u},
                                   {defs::kCsrFabricCounts, defs::kCsrFabricCounts.count - 1}})
    bench.read(csr(reg, 0, index), 8);
  bench.run();
  const std::vector<std::pair<unsigned, std::uint64_t>> expected{{2, 0xffffffff}, {3, 0xa5}};
  EXPECT_EQ(bench.count_writes, expected);
  EXPECT_TRUE(bench.fabric_writes.empty());
  ASSERT_EQ(bench.raw.size(), 4u);
  for (const auto& raw : bench.raw) {
    std::uint64_t value;
    std::memcpy(&value, raw.data(), 8);
    EXPECT_EQ(value, 0xfedcba9876543210);
  }
  bench.dut.fabric_stalled_i = 1;  // a level
  for (unsigned i = 0; i < 20; ++i) bench.fabric_cycle();
  ASSERT_EQ(bench.tokens.size(), 5u);
  EXPECT_EQ(bench.tokens[4].kind, static_cast<unsigned>(HostKind::Error));
  EXPECT_EQ(bench.tokens[4].engine, static_cast<unsigned>(defs::Engine::Rx));
  EXPECT_EQ(bench.tokens[4].cause, static_cast<unsigned>(ErrorCause::Stalled));
}

TEST(HostIf, RegistersHoldEveryBit) {
  Inf2 bench;
  std::vector<std::uint64_t> expected;
  const auto walk = [&](const defs::Csr& reg, unsigned core, unsigned index, unsigned bits) {
    for (unsigned bit = 0; bit < bits; ++bit)
      for (const std::uint64_t value : {1ull << bit, ((1ull << bits) - 1) ^ 1ull << bit}) {
        bench.write64(csr(reg, core, index), value);
        bench.read(csr(reg, core, index), 8);
        expected.push_back(value);
      }
    bench.run();
  };
  for (unsigned core = 0; core < 2; ++core) {
    for (unsigned s = 0; s < 4; ++s) {
      walk(defs::kCsrSeqBase, core, s, 48);
      walk(defs::kCsrSeqCount, core, s, 25);
    }
    for (unsigned e = 0; e < 16; ++e) {
      walk(defs::kCsrDmaRingBase, core, e, 48);
      walk(defs::kCsrDmaRingCount, core, e, 16);
    }
    walk(defs::kCsrFabricKey, core, 0, 8);
    walk(defs::kCsrFabricBase, core, 0, 48);
    walk(defs::kCsrFabricEnd, core, 0, 48);
    for (unsigned port = 0; port < 2; ++port) walk(defs::kCsrFabricRate, core, port, 14);
  }
  walk(defs::kCsrFabricTimeout, 0, 0, 20);
  walk(defs::kCsrFabricManagers, 0, 0, 16);
  walk(defs::kCsrLinkErrorLimit, 0, 0, 16);
  for (unsigned entry = 0; entry < defs::kCsrFabricKeys.count; ++entry)
    walk(defs::kCsrFabricKeys, 0, entry, 9);
  ASSERT_EQ(bench.raw.size(), expected.size());
  for (unsigned i = 0; i < expected.size(); ++i) {
    std::uint64_t value;
    std::memcpy(&value, bench.raw[i].data(), 8);
    EXPECT_EQ(value, expected[i]) << i;
  }
}

}  // namespace
