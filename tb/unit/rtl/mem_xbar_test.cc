// SPDX-License-Identifier: Apache-2.0
// The crossbar under random traffic and stalls: every request reaches its memory once, in order,
// every answer its requester; unmapped addresses are refused; one line per cycle and target.
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

/// Calls f(index, pins...) for each requester or target; absent pins are null.
template <class Wide, class RspWide>
struct Requester {
  CData *req_valid, *req_ready, *req_err;
  Wide* req;
  CData* settled = nullptr;
  CData *rsp_valid = nullptr, *rsp_ready = nullptr, *rsp_err = nullptr;
  RspWide* rsp = nullptr;
};
template <class Wide, class RspWide>
struct Target {
  CData *req_valid, *req_ready;
  Wide* req;
  CData *rsp_valid, *rsp_ready;
  RspWide* rsp;
};

struct Timing {
  unsigned idle = 30, stall = 30;  ///< percent of cycles without a request, with a low ready
  unsigned latency = 20;
  bool unmapped = true;
};

template <class Model>
class Bench {
  using Wide = std::remove_reference_t<decltype(Model::hbm0_req_o)>;
  using RspWide = std::remove_reference_t<decltype(Model::hbm0_rsp_i)>;

 public:
  Bench(const defs::Sizes& sizes, unsigned seed, Timing timing)
      : sizes(sizes), rng(seed), timing(timing) {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed) + 1);
    dut = std::make_unique<Model>(&context);
    auto& d = *dut;
#define READER(n)                                                                   \
  {&d.n##_req_valid_i, &d.n##_req_ready_o, &d.n##_req_err_o, &d.n##_req_i, nullptr, \
   &d.n##_rsp_valid_o, &d.n##_rsp_ready_i, &d.n##_rsp_err_o, &d.n##_rsp_o}
#define WRITER(n) \
  { &d.n##_req_valid_i, &d.n##_req_ready_o, &d.n##_req_err_o, &d.n##_req_i, &d.n##_settled_o }
#define TARGET(n)                                                                                 \
  {                                                                                               \
    &d.n##_req_valid_o, &d.n##_req_ready_i, &d.n##_req_o, &d.n##_rsp_valid_i, &d.n##_rsp_ready_o, \
        &d.n##_rsp_i                                                                              \
  }
    requesters = {{READER(fetch0), READER(dma_rd0), WRITER(dma_wr0), READER(fetch1),
                   READER(dma_rd1), WRITER(dma_wr1), WRITER(rx0), WRITER(rx1), READER(host)}};
    requesters[8].settled = &d.host_settled_o;
    targets = {{TARGET(hbm0), TARGET(hbm1), TARGET(sbuf0), TARGET(sbuf1)}};
    for (auto& r : requesters) {
      *r.req_valid = 0;
      if (r.rsp_ready) *r.rsp_ready = 0;
    }
    for (auto& t : targets) *t.rsp_valid = *t.req_ready = 0;
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
    for (unsigned r = 0; r < kRequesters; ++r) {
      auto& pins = requesters[r];
      if (!offered[r] && offer && !chance(timing.idle) && (only[r] > -2)) {
        offered[r] = make(r, only[r]);
        tb::put(*pins.req, *offered[r], line);
      }
      *pins.req_valid = offered[r].has_value();
      if (pins.rsp_ready) *pins.rsp_ready = !chance(timing.stall);
    }
    for (unsigned t = 0; t < kTargets; ++t) {
      auto& pins = targets[t];
      *pins.req_ready = !chance(timing.stall);
      if (!*pins.rsp_valid && !pipe[t].empty() && pipe[t].front().due <= cycle) {
        *pins.rsp_valid = 1;
        tb::put(*pins.rsp, pipe[t].front().rsp, line);
      }
    }
    dut->eval();

    // --- what happens at this edge. Writes accepted earlier and settled now are in memory after
    // it.
    for (unsigned t = 0; t < kTargets; ++t) take_at_target(t);
    for (unsigned r = 0; r < kRequesters; ++r) {
      auto& pins = requesters[r];
      if (pins.settled) {
        bool held = false;
        for (const auto& queue : sent)
          for (const auto& req : queue) held |= req.write && req.tag >> 8 == r;
        ASSERT_EQ(*pins.settled, !held) << fmt::format("requester {}", r);
      }
    }
    for (unsigned r = 0; r < kRequesters; ++r) accept_from(r);
    for (unsigned r = 0; r < kRequesters; ++r) take_answer(r);
    std::array<bool, kTargets> answered{};
    for (unsigned t = 0; t < kTargets; ++t)
      answered[t] = *targets[t].rsp_valid && *targets[t].rsp_ready;

    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    for (unsigned t = 0; t < kTargets; ++t) {
      if (!answered[t]) continue;
      pipe[t].pop_front();
      *targets[t].rsp_valid = 0;
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
  std::array<Requester<Wide, RspWide>, kRequesters> requesters;
  std::array<Target<Wide, RspWide>, kTargets> targets;
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
    auto& pins = requesters[r];
    if (!*pins.req_valid) return;
    auto& req = *offered[r];
    const auto at = cmodel::decode(sizes, req.addr, req.bytes);
    ASSERT_EQ(*pins.req_err, at.target == cmodel::Target::Unmapped)
        << fmt::format("{:#x}", req.addr);
    if (!*pins.req_ready) return;
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
    auto& pins = targets[t];
    if (!*pins.req_valid || !*pins.req_ready) return;
    ++taken[t];
    const tb::MemReq got = tb::get_req(*pins.req, sizes.line_bytes);
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
    auto& pins = requesters[r];
    if (!pins.rsp || !*pins.rsp_valid || !*pins.rsp_ready) return;
    const tb::MemRsp got = tb::get_rsp(*pins.rsp, sizes.line_bytes);
    // In order per target: it must be the oldest of one of them.
    for (unsigned t = 0; t <= kTargets; ++t) {
      auto& queue = awaited[r][t];
      if (queue.empty() || queue.front().tag != got.tag || queue.front().data != got.data) continue;
      if (bool(*pins.rsp_err) != (t == kTargets)) continue;
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
