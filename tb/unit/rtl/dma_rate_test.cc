// SPDX-License-Identifier: Apache-2.0
// How much of what the ports allow the DMA of both cores moves together: both HBM stacks, reads and
// writes. The bound of a pattern is its busiest port: a line a cycle of a stack, of a core's SBUF,
// of a core's reads and of its writes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <verilated.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <utility>

#include "Vdma_pair_inf2.h"
#include "tb/dut/hbm.h"
#include "tb/unit/rtl/dma_descriptors.h"
#include "tb/unit/rtl/figure.h"

namespace {

using namespace dma;

constexpr const defs::Sizes& kSizes = defs::kInf2;
constexpr unsigned kLine = 256, kEngines = 16;

class Pair {
 public:
  Pair() : hbm_(kSizes) {
    dut = std::make_unique<Vdma_pair_inf2>(&context_);
    cmodel::kAllShared.pack(&dut->peer_i[0]);
    dut->trig_valid_i = dut->mem_req_ready_i = dut->mem_rsp_valid_i = 0;
    for (const unsigned reset : {0u, 1u}) {
      dut->rst_ni = reset != 0;
      clock();
    }
  }
  ~Pair() { dut->final(); }

  /// Adds a copy to the ring of an engine, and to the bound. A run of them is rung by ring_all().
  void copy(unsigned core, unsigned engine, const Descriptor& d) {
    auto& ring = rings_[core][engine];
    const auto words = d.words();
    std::array<std::uint8_t, 64> bytes;
    std::memcpy(bytes.data(), words.data(), 64);
    hbm_.memory().write(base(core, engine) + 64 * ring.size(), bytes);
    ring.push_back(d);
    const unsigned lines = d.rows * (d.row_bytes / kLine);
    for (const std::uint64_t addr : {d.src, d.dst})
      use_[static_cast<unsigned>(cmodel::decode(kSizes, addr, 1).target)] += lines;
    use_[4 + core] += lines;
    bytes_ += std::uint64_t{d.rows} * d.row_bytes;
  }

  /// Everything, until it is quiet: cycles from the first doorbell.
  std::uint64_t run() {
    auto* bases = reinterpret_cast<std::uint32_t*>(&dut->ring_base_i);
    auto* counts = reinterpret_cast<std::uint32_t*>(&dut->ring_count_i);
    for (unsigned core = 0; core < 2; ++core)
      for (unsigned e = 0; e < kEngines; ++e) {
        defs::put_bits(bases, (core * kEngines + e) * 48, 48, base(core, e));
        defs::put_bits(counts, (core * kEngines + e) * 16, 16, rings_[core][e].size());
      }
    const std::uint64_t start = cycle_;
    for (unsigned e = 0; e < kEngines; ++e) {
      dut->trig_valid_i = 0;
      dut->trig_engine_i = static_cast<std::uint16_t>(e * 0x101);
      for (unsigned core = 0; core < 2; ++core) {
        dut->trig_valid_i |= !rings_[core][e].empty() << core;
        defs::put_bits(&dut->trig_count_i, 16 * core, 16, rings_[core][e].size());
      }
      tick();
    }
    dut->trig_valid_i = 0;
    do tick();
    while (dut->busy_o && cycle_ < start + 200000);
    EXPECT_EQ(dut->error_valid_o, 0u);
    return cycle_ - start;
  }

  std::uint64_t bound() const { return *std::max_element(use_.begin(), use_.end()); }
  std::uint64_t bytes() const { return bytes_; }
  bool moved() {
    for (const auto& core : rings_)
      for (const auto& ring : core)
        for (const auto& d : ring)
          for (unsigned row = 0; row < d.rows; ++row) {
            Line from(d.row_bytes), to(d.row_bytes);
            get(d.src + static_cast<std::uint64_t>(d.src_stride) * row, from);
            get(d.dst + static_cast<std::uint64_t>(d.dst_stride) * row, to);
            if (from != to) return false;
          }
    return true;
  }
  /// Something else in every line of a source.
  void fill(const Descriptor& d) {
    for (unsigned row = 0; row < d.rows; ++row) {
      Line line(d.row_bytes);
      for (auto& byte : line) byte = static_cast<std::uint8_t>(random_());
      const std::uint64_t at = d.src + static_cast<std::uint64_t>(d.src_stride) * row;
      if (at >= defs::kAddrCore0Base)
        sbuf_.write(at, line);
      else
        hbm_.memory().write(at, line);
    }
  }

 private:
  static std::uint64_t base(unsigned core, unsigned engine) {
    return (core ? defs::kAddrHbm1Base : defs::kAddrHbm0Base) + (std::uint64_t{engine} << 16);
  }
  void get(std::uint64_t addr, Line& line) {
    if (addr >= defs::kAddrCore0Base)
      sbuf_.read(addr, line);
    else
      hbm_.memory().read(addr, line);
  }
  void clock() {
    dut->clk_i = 0;
    dut->eval();
    dut->clk_i = 1;
    dut->eval();
  }

  void tick() {
    hbm_.begin_cycle();
    dut->clk_i = 0;
    dut->mem_req_ready_i = dut->mem_rsp_valid_i = 0;
    for (unsigned port = 0; port < 2; ++port) {
      dut->mem_req_ready_i |= hbm_.ready(port) << port;
      if (!hbm_.answer_valid(port)) continue;
      dut->mem_rsp_valid_i |= 1 << port;
      hbm_.answer(port, reinterpret_cast<std::uint32_t*>(&dut->mem_rsp_i[port]));
    }
    for (unsigned core = 0; core < 2; ++core)
      if (held_[core].second) {
        dut->mem_rsp_valid_i |= 4 << core;
        tb::put(dut->mem_rsp_i[2 + core], held_[core].first, kLine);
      }
    dut->eval();
    const unsigned answered = dut->mem_rsp_valid_i & dut->mem_rsp_ready_o;
    for (unsigned port = 0; port < 2; ++port) {
      if (answered >> port & 1) hbm_.answer_taken(port);
      if (!(dut->mem_req_valid_o & dut->mem_req_ready_i & 1 << port)) continue;
      const auto* words = reinterpret_cast<const std::uint32_t*>(&dut->mem_req_o[port]);
      ASSERT_TRUE(hbm_.accept(port, hbm_.request(words), words));
    }
    for (unsigned core = 0; core < 2; ++core) {
      auto& [answer, full] = held_[core];
      if (answered >> (2 + core) & 1) full = false;
      if (!(dut->mem_req_valid_o >> (2 + core) & 1)) continue;
      const tb::MemReq req = tb::get_req(dut->mem_req_o[2 + core], kLine);
      if (!req.write && full) continue;
      const std::uint64_t at = (core ? defs::kAddrCore1Base : defs::kAddrCore0Base) + req.addr;
      if (req.write) {
        sbuf_.write(at, std::span(req.data).subspan(at % kLine, req.bytes));
      } else {
        answer = {req.tag, Line(kLine)};
        sbuf_.read(at / kLine * kLine, answer.data);
        full = true;
      }
      dut->mem_req_ready_i |= 4 << core;
    }
    dut->eval();
    clock();
    ++cycle_;
  }

  VerilatedContext context_;
  std::unique_ptr<Vdma_pair_inf2> dut;
  std::mt19937 random_{1};
  tb::HbmTiming hbm_;
  cmodel::Hbm sbuf_;  // sparse bytes at SBUF's addresses
  std::array<std::pair<tb::MemRsp, bool>, 2> held_;
  std::array<std::array<std::vector<Descriptor>, kEngines>, 2> rings_;
  std::array<std::uint64_t, 6> use_{};  // lines: four memories, and a core's reads (as many writes)
  std::uint64_t cycle_ = 0, bytes_ = 0;
};

/// Where transfer `n` of an engine begins: in a stack, or in the SBUF of its core.
std::uint64_t hbm_place(unsigned stack, unsigned core, unsigned engine, unsigned n) {
  return (stack ? defs::kAddrHbm1Base : defs::kAddrHbm0Base) + 0x4000'0000 +
         (std::uint64_t{core * kEngines + engine} << 24) + (std::uint64_t{n} << 15);
}
std::uint64_t sbuf_place(unsigned core, unsigned engine, unsigned n) {
  return cmodel::sbuf_addr(core, n / 12, engine * 12288 + n % 12 * 1024);
}

enum class Kind { Load, Store, Copy };

Descriptor transfer(Kind kind, unsigned stack, unsigned core, unsigned engine, unsigned n,
                    unsigned rows, unsigned bytes) {
  Descriptor d = plain_copy(0, 0, rows, bytes);
  d.dst_chip = 0;
  d.src = kind == Kind::Store ? sbuf_place(core, engine, n) : hbm_place(stack, core, engine, 2 * n);
  d.dst = kind == Kind::Load
              ? sbuf_place(core, engine, n)
              : hbm_place(kind == Kind::Copy ? !stack : stack, core, engine, 2 * n + 1);
  if (kind == Kind::Store) d.src_stride = defs::kSbufStride;
  if (kind == Kind::Load) d.dst_stride = defs::kSbufStride;
  return d;
}

/// Share of the bound. `rows` rows of 1 KiB, or descriptors of one line each if there are none.
void expect_share(const char* what, unsigned rows, double least,
                  const std::function<std::pair<Kind, unsigned>(unsigned core, unsigned engine,
                                                                unsigned n)>& kind) {
  Pair pair;
  for (unsigned core = 0; core < 2; ++core)
    for (unsigned e = 0; e < kEngines; ++e)
      for (unsigned n = 0; n < (rows ? 12u : 96u); ++n) {
        const auto [k, stack] = kind(core, e, n);
        const Descriptor d = transfer(k, stack, core, e, n, rows ? rows : 1, rows ? 1024 : kLine);
        pair.fill(d);
        pair.copy(core, e, d);
      }
  const std::uint64_t cycles = pair.run();
  EXPECT_TRUE(pair.moved()) << what;
  const auto part = [&](std::uint64_t n) {
    return static_cast<double>(n) / static_cast<double>(cycles);
  };
  tb::expect(
      {fmt::format("inf2, both cores, {}", what),
       "of the ports",
       part(pair.bound()),
       least,
       true,
       {{"cycles", cycles}, {"bound", pair.bound()}, {"B/cycle", std::round(part(pair.bytes()))}}});
}

TEST(DmaRate, BothCoresFillThePorts) {
  std::mt19937 rng(1);
  constexpr unsigned kRows = 32;
  expect_share("loads, stacks by turns", kRows, 0.95,
               [](unsigned, unsigned e, unsigned) { return std::pair(Kind::Load, e % 2); });
  expect_share("loads, eight engines per stack", kRows, 0.95,
               [](unsigned, unsigned e, unsigned) { return std::pair(Kind::Load, e / 8); });
  expect_share("stores, eight engines per stack", kRows, 0.95,
               [](unsigned, unsigned e, unsigned) { return std::pair(Kind::Store, e / 8); });
  expect_share("loads and stores, by turns", kRows, 0.95, [](unsigned, unsigned e, unsigned) {
    return std::pair(e % 2 ? Kind::Load : Kind::Store, e / 2 % 2);
  });
  expect_share("copies from stack to stack", kRows, 0.95,
               [](unsigned, unsigned e, unsigned) { return std::pair(Kind::Copy, e / 8); });
  expect_share("all at random", kRows, 0.75, [&](unsigned, unsigned, unsigned) {
    return std::pair(static_cast<Kind>(rng() % 3), static_cast<unsigned>(rng() % 2));
  });
}

TEST(DmaRate, DescriptorsOfOneLine) {
  expect_share("one-line loads", 0, 0.6,
               [](unsigned, unsigned e, unsigned) { return std::pair(Kind::Load, e % 2); });
  expect_share("one-line stores", 0, 0.55,
               [](unsigned, unsigned e, unsigned) { return std::pair(Kind::Store, e % 2); });
}

}  // namespace
