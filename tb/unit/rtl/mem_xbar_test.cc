// SPDX-License-Identifier: Apache-2.0
// The crossbar under random traffic and stalls: every request reaches its memory once, in order,
// every answer its requester; unmapped addresses are rejected; one line per cycle and target.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>

#include "Vmem_xbar_inf2.h"
#include "Vmem_xbar_mini.h"
#include "cmodel/machine/address_map.h"
#include "tb/unit/rtl/mem_channel.h"

namespace {

/// Seeds per random test: the usual number, or times DODECA_SEEDS for a soak.
unsigned seeds(unsigned usual) {
  const char* factor = std::getenv("DODECA_SEEDS");
  return factor ? usual * static_cast<unsigned>(std::atoi(factor)) : usual;
}

using tb::Line;
constexpr unsigned kRequesters = 9, kTargets = 4;
constexpr std::array kReads{true, true, false, true, true, false, false, false, true};
constexpr std::array kWrites{false, false, true, false, false, true, true, true, true};

struct Timing {
  unsigned idle = 30, stall = 30;  ///< percent of cycles without a request, with a low ready
  unsigned latency = 20;
  bool unmapped = true;
};

template <class Model>
class Bench {
 public:
  Bench(const defs::Sizes& sizes, unsigned seed, Timing timing)
      : sizes(sizes), rng(seed), timing(timing) {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed) + 1);
    dut = std::make_unique<Model>(&context);
    auto& d = *dut;
    d.req_valid_i = d.rsp_ready_i = d.mem_rsp_valid_i = d.mem_req_ready_i = 0;
    d.clk_i = 0;
    d.rst_ni = 0;
    d.eval();
    d.clk_i = 1;
    d.eval();
    d.clk_i = 0;
    d.rst_ni = 1;
    d.eval();
  }
  ~Bench() { dut->final(); }

  bool chance(unsigned percent) { return rng() % 100 < percent; }

  /// A request of requester r; `only` restricts it to one target.
  tb::MemReq make(unsigned r, int only) {
    tb::MemReq req;
    req.write = kWrites[r] && (!kReads[r] || rng() % 2);
    const unsigned line = sizes.line_bytes;
    const unsigned first = static_cast<unsigned>(rng() % line);
    req.bytes = 1 + static_cast<unsigned>(rng() % (line - first));
    const unsigned kind =
        only >= 0 ? static_cast<unsigned>(only) : static_cast<unsigned>(rng() % 4);
    switch (kind) {
      case 0:
        req.addr = defs::kAddrHbm0Base + (rng() % 4096 << 22);
        break;
      case 1:
        req.addr = defs::kAddrHbm1Base + (rng() % 4096 << 22);
        break;
      default:
        req.addr = cmodel::sbuf_addr(kind - 2, static_cast<unsigned>(rng() % sizes.partitions),
                                     rng() % (sizes.sbuf_bytes / line) * line);
    }
    if (timing.unmapped && chance(10)) {
      switch (rng() % 6) {
        case 0:
          req.addr = defs::kAddrHbm0Size;
          break;
        case 1:
          req.addr = defs::kAddrHbm1Base + defs::kAddrHbm1Size;
          break;
        case 2:
          req.addr = cmodel::sbuf_addr(0, sizes.partitions, 0);
          break;
        case 3:
          req.addr = cmodel::sbuf_addr(1, 0, sizes.sbuf_bytes);
          break;
        case 4:
          req.addr = defs::kAddrCsrBase;
          break;
        default:
          req.addr = std::uint64_t{1} << (34 + rng() % 14) | rng() % 4096 << 12;
          break;
      }
      req.addr &= (std::uint64_t{1} << 48) - line;
    }
    req.addr += first;
    req.tag = static_cast<unsigned>(rng() % 4096);
    req.data.resize(line);
    for (auto& byte : req.data) byte = static_cast<std::uint8_t>(rng());
    return req;
  }

  void tick(bool offer) {
    const unsigned line = sizes.line_bytes;
    auto& d = *dut;
    d.req_valid_i = d.rsp_ready_i = d.mem_req_ready_i = 0;
    for (unsigned r = 0; r < kRequesters; ++r) {
      if (!offered[r] && offer && !chance(timing.idle) && (only[r] > -2)) {
        offered[r] = make(r, only[r]);
        tb::put(d.req_i[r], *offered[r], line);
      }
      d.req_valid_i |= offered[r].has_value() << r;
      if (kReads[r]) d.rsp_ready_i |= !chance(timing.stall) << r;
    }
    for (unsigned t = 0; t < kTargets; ++t) {
      d.mem_req_ready_i |= !chance(timing.stall) << t;
      if (!(d.mem_rsp_valid_i >> t & 1) && !pipe[t].empty() && pipe[t].front().due <= cycle) {
        d.mem_rsp_valid_i |= 1 << t;
        tb::put(d.mem_rsp_i[t], pipe[t].front().rsp, line);
      }
    }
    dut->eval();

    // --- what happens at this edge. Writes accepted earlier and completed now are in memory after
    // it.
    for (unsigned t = 0; t < kTargets; ++t) take_at_target(t);
    for (unsigned r = 0; r < kRequesters; ++r) {
      unsigned held = 0;
      for (unsigned t = 0; t < kTargets; ++t)
        for (const auto& req : sent[t]) held |= (req.write && req.tag >> 8 == r) << t;
      ASSERT_EQ(d.stuck_o >> (r * kTargets) & 15, held) << fmt::format("requester {}", r);
    }
    for (unsigned r = 0; r < kRequesters; ++r) accept_from(r);
    for (unsigned r = 0; r < kRequesters; ++r) take_answer(r);
    const unsigned answered = d.mem_rsp_valid_i & d.mem_rsp_ready_o;

    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    d.mem_rsp_valid_i &= ~answered;
    for (unsigned t = 0; t < kTargets; ++t) {
      if (!(answered >> t & 1)) continue;
      pipe[t].pop_front();
    }
    dut->eval();
    ++cycle;
  }

  void expect_done() {
    for (const auto& queue : sent) EXPECT_TRUE(queue.empty()) << "a request never came";
    for (const auto& from : awaited)
      for (const auto& queue : from) EXPECT_TRUE(queue.empty()) << "an answer never came";
    for (const auto& pipeline : pipe) EXPECT_TRUE(pipeline.empty());
  }

  const defs::Sizes& sizes;
  std::mt19937 rng;
  Timing timing;
  VerilatedContext context;
  std::unique_ptr<Model> dut;
  std::array<int, kRequesters> only{-1, -1, -1, -1, -1, -1, -1, -1, -1};  ///< -2: silent
  std::uint64_t cycle = 0, refused = 0;
  std::array<std::uint64_t, kTargets> taken{};
  std::array<std::uint64_t, kRequesters> accepted{};

 private:
  struct Reply {
    std::uint64_t due;
    tb::MemRsp rsp;
  };

  void accept_from(unsigned r) {
    if (!(dut->req_valid_i >> r & 1)) return;
    auto& req = *offered[r];
    const auto at = cmodel::decode(sizes, req.addr, req.bytes);
    ASSERT_EQ(bool(dut->req_err_o >> r & 1), at.target == cmodel::Target::Unmapped)
        << fmt::format("{:#x}", req.addr);
    if (!(dut->req_ready_o >> r & 1)) return;
    ++accepted[r];
    const unsigned t = static_cast<unsigned>(at.target);
    req.tag = (req.tag & 0xff) | r << 8;
    if (t == kTargets) {
      ++refused;
      if (!req.write) awaited[r][t].push_back({req.tag, Line(sizes.line_bytes)});
    } else {
      if (cmodel::is_sbuf(at.target)) req.addr %= 128 * defs::kSbufStride;
      sent[t].push_back(req);
    }
    offered[r].reset();
  }

  void take_at_target(unsigned t) {
    if (!(dut->mem_req_valid_o & dut->mem_req_ready_i & 1 << t)) return;
    ++taken[t];
    const tb::MemReq got = tb::get_req(dut->mem_req_o[t], sizes.line_bytes);
    ASSERT_FALSE(sent[t].empty()) << "a request out of nothing";
    const tb::MemReq want = sent[t].front();  // one register per target: at most one is waiting
    ASSERT_EQ(sent[t].size(), 1u);
    sent[t].pop_front();
    ASSERT_EQ(got.addr, want.addr);
    ASSERT_EQ(got.tag, want.tag);
    ASSERT_EQ(got.bytes, want.bytes);
    ASSERT_EQ(got.write, want.write);
    if (got.write) {
      ASSERT_EQ(got.data, want.data);
      return;
    }
    Reply reply{cycle + 1 + timing.latency, {got.tag, Line(sizes.line_bytes)}};
    for (auto& byte : reply.rsp.data) byte = static_cast<std::uint8_t>(rng());
    awaited[got.tag >> 8][t].push_back(reply.rsp);
    pipe[t].push_back(reply);
  }

  void take_answer(unsigned r) {
    if (!(dut->rsp_valid_o & dut->rsp_ready_i & 1 << r)) return;
    const tb::MemRsp got = tb::get_rsp(dut->rsp_o[r], sizes.line_bytes);
    // In order per target: it must be the oldest of one of them.
    for (unsigned t = 0; t <= kTargets; ++t) {
      auto& queue = awaited[r][t];
      if (queue.empty() || queue.front().tag != got.tag || queue.front().data != got.data) continue;
      if (bool(dut->rsp_err_o >> r & 1) != (t == kTargets)) continue;
      queue.pop_front();
      return;
    }
    FAIL() << fmt::format("requester {}: unexpected answer, tag {:#x}", r, got.tag);
  }

  std::array<std::optional<tb::MemReq>, kRequesters> offered;
  std::array<std::deque<tb::MemReq>, kTargets> sent;  // in the registers
  std::array<std::array<std::deque<tb::MemRsp>, kTargets + 1>, kRequesters> awaited;
  std::array<std::deque<Reply>, kTargets> pipe;
};

template <class Model>
void random_run(const defs::Sizes& sizes, unsigned seed) {
  std::mt19937 rng(seed);
  Timing timing;
  timing.idle = static_cast<unsigned>(rng() % 100);
  timing.stall = rng() % 3 ? static_cast<unsigned>(rng() % 80) : 0;
  timing.latency = static_cast<unsigned>(rng() % 60);
  Bench<Model> bench(sizes, seed, timing);
  for (int i = 0; i < 2000 && !testing::Test::HasFatalFailure(); ++i) bench.tick(true);
  for (int i = 0; i < 2000 && !testing::Test::HasFatalFailure(); ++i) bench.tick(false);
  bench.expect_done();
  EXPECT_GT(bench.refused, 0u);
  for (auto n : bench.taken) EXPECT_GT(n, 0u);
}

TEST(MemXbar, EveryRequestAndAnswerArrivesOnceInOrder) {
  for (unsigned seed = 1; seed <= seeds(20) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mini seed {}", seed));
    random_run<Vmem_xbar_mini>(defs::kMini, seed);
  }
  for (unsigned seed = 1; seed <= seeds(5) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("inf2 seed {}", seed));
    random_run<Vmem_xbar_inf2>(defs::kInf2, seed);
  }
}

TEST(MemXbar, OneRequesterGetsALinePerCycle) {
  Timing timing{0, 0, 150, false};
  Bench<Vmem_xbar_mini> bench(defs::kMini, 1, timing);
  bench.only = {-2, -2, 0, -2, 1, 2, -2, 3, -2};
  for (int i = 0; i < 1000; ++i) bench.tick(true);
  for (auto n : bench.taken) EXPECT_EQ(n, 999u);
}

TEST(MemXbar, ContendersShareATargetEqually) {
  Timing timing{0, 0, 10, false};
  Bench<Vmem_xbar_mini> bench(defs::kMini, 1, timing);
  bench.only = {0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (int i = 0; i < 900; ++i) bench.tick(true);
  EXPECT_EQ(bench.taken[0], 899u);
  for (auto n : bench.accepted) EXPECT_EQ(n, 100u);
}

}  // namespace
