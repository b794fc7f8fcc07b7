// SPDX-License-Identifier: Apache-2.0
// The host port: tokens and credits, memory in order, completions, refusals; registers of cores and
// fabric.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "Vhost_if_inf2.h"
#include "Vhost_if_mini.h"
#include "rtl/defs/gen/defs.h"

namespace {

using defs::ErrorCause;
using defs::HostKind;
using defs::HostReq;
using defs::HostRsp;

/// host_if between a host that keeps to its credits and a memory with latency and stalls.
template <class Dut, unsigned LineBytes>
class Bench {
 public:
  explicit Bench(unsigned seed = 1) : rng(seed) {
    dut.clk_i = dut.fabric_en_i = 0;
    dut.chip_id_i = 7;
    dut.ring_size_i = 12;
    dut.mem_req_ready_i = dut.mem_rsp_valid_i = 0;
    dut.mem_settled_i = 1;
    dut.fabric_rdata_i = dut.count_rdata_i = 0;
    dut.fabric_stalled_i = 0;
    dut.rst_ni = 1;
    dut.eval();
    dut.rst_ni = 0;  // an edge, for the asynchronous resets
    edge();
    dut.rst_ni = 1;
    dut.eval();
  }
  static std::uint64_t tensor_count(unsigned core, unsigned index) {
    return 0xABCD'0000'1000ull + 0x10 * core + index;
  }
  void edge() {
    dut.clk_i = 1;
    dut.eval();
    dut.clk_i = 0;
    dut.eval();
  }
  void write(std::uint64_t addr, const std::vector<std::uint8_t>& bytes) {
    HostReq::Words words{};
    HostReq req;
    req.valid = req.write = 1;
    req.addr = addr;
    req.bytes = static_cast<std::uint8_t>(bytes.size());
    words = req.words();
    std::memcpy(words.data(), bytes.data(), bytes.size());  // data is the lowest field
    to_send.push_back(words);
  }
  void write64(std::uint64_t addr, std::uint64_t value) {
    std::vector<std::uint8_t> bytes(8);
    std::memcpy(bytes.data(), &value, 8);
    write(addr, bytes);
  }
  void read(std::uint64_t addr, unsigned bytes) {
    HostReq req;
    req.valid = 1;
    req.addr = addr;
    req.bytes = static_cast<std::uint8_t>(bytes);
    to_send.push_back(req.words());
  }
  /// One fabric cycle: token in, two core cycles, token out.
  void fabric_cycle() {
    HostReq::Words token{};
    if (credits && !to_send.empty() && (!lazy || rng() % 2)) {
      token = to_send.front();
      to_send.pop_front();
      --credits;
    }
    std::memcpy(&dut.host_req_i, token.data(), sizeof(token));
    for (int phase = 0; phase < 2; ++phase) {
      dut.fabric_en_i = phase;
      core_cycle();
    }
    HostRsp::Words words;
    std::memcpy(words.data(), &dut.host_rsp_o, sizeof(words));
    const HostRsp rsp = HostRsp::from(words);
    credits += rsp.credit;
    if (rsp.kind) {
      tokens.push_back(rsp);
      raw.emplace_back(reinterpret_cast<const std::uint8_t*>(words.data()),
                       reinterpret_cast<const std::uint8_t*>(words.data()) + 64);
    }
  }
  void core_cycle() {
    dut.mem_req_ready_i = !lazy || rng() % 3 == 0;
    dut.mem_rsp_valid_i = 0;
    if (!answers.empty() && answers.front().first <= now && (!lazy || rng() % 2)) {
      dut.mem_rsp_valid_i = 1;
      std::vector<std::uint8_t> rsp(sizeof(dut.mem_rsp_i));
      for (unsigned i = 0; i < LineBytes; ++i) rsp[i] = memory[answers.front().second + i];
      std::memcpy(&dut.mem_rsp_i, rsp.data(), rsp.size());
      answers.pop_front();
    }
    dut.mem_settled_i = now >= settled_at;
    dut.eval();
    if (dut.tensor_rd_o) {  // the cores answer in the same cycle
      EXPECT_NE(dut.tensor_rd_o, 3);
      const unsigned core = dut.tensor_rd_o >> 1;
      const unsigned index = dut.tensor_index_o >> 3 * core & 7;
      defs::put_bits(&dut.tensor_count_i[0], 48 * core, 48, tensor_count(core, index));
      defs::put_bits(&dut.tensor_count_i[0], 48 * (1 - core), 48, 0);
      dut.eval();
    }
    if (dut.mgmt_send_o)
      packets.emplace_back(dut.mgmt_dst_o, dut.fabric_index_o, dut.fabric_wdata_o);
    if (dut.count_write_o) count_writes.emplace_back(dut.count_index_o, dut.fabric_wdata_o);
    if (dut.fabric_write_o) fabric_writes.emplace_back(dut.fabric_index_o, dut.fabric_wdata_o);
    if (dut.mem_req_valid_o && dut.mem_req_ready_i) {
      const auto* words = reinterpret_cast<const std::uint32_t*>(&dut.mem_req_o);
      const unsigned top = LineBytes * 8;
      const auto bytes = defs::get_bits(words, top + 12, 9);
      const auto addr = defs::get_bits(words, top + 21, 48);
      const auto* data = reinterpret_cast<const std::uint8_t*>(words);
      if (defs::get_bits(words, top + 69, 1)) {
        for (unsigned i = 0; i < bytes; ++i) memory[addr + i] = data[(addr + i) % LineBytes];
        settled_at = now + 5;
      } else {
        answers.emplace_back(now + 150, addr / LineBytes * LineBytes);
      }
    }
    if (dut.seq_start_o) {
      started |= dut.seq_start_o;
      EXPECT_GE(now, settled_at) << "doorbell overtook a write";
    }
    edge();
    ++now;
  }
  void run(unsigned least = 4) {
    for (unsigned i = 0;
         i < 20000 && (i < least || !to_send.empty() || !dut.quiet_o || credits != 16); ++i) {
      fabric_cycle();
    }
    EXPECT_TRUE(dut.quiet_o);
    EXPECT_EQ(credits, 16u);
  }
  VerilatedContext context;
  Dut dut{&context};
  std::mt19937 rng;
  std::deque<HostReq::Words> to_send;
  std::map<std::uint64_t, std::uint8_t> memory;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> answers;
  std::vector<HostRsp> tokens;
  std::vector<std::vector<std::uint8_t>> raw;
  std::uint64_t now = 0, settled_at = 0;
  unsigned credits = 16, started = 0;
  std::vector<std::pair<unsigned, std::uint64_t>> fabric_writes;       // {register, value}
  std::vector<std::tuple<unsigned, unsigned, std::uint64_t>> packets;  // {chip, register, value}
  std::vector<std::pair<unsigned, std::uint64_t>> count_writes;        // likewise
  bool lazy = false;
};
using Mini = Bench<Vhost_if_mini, 64>;
using Inf2 = Bench<Vhost_if_inf2, 256>;

std::uint64_t csr(const defs::Csr& reg, unsigned core = 0, unsigned index = 0) {
  return defs::kAddrCsrBase + reg.offset + core * defs::kCsrCoreStride + 8 * index;
}

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
