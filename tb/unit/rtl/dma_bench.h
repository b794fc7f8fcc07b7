// SPDX-License-Identifier: Apache-2.0
// dma_top between random memories and stalls, compared with its twin.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <verilated.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>

#include "tb/unit/rtl/dma_twin.h"

namespace dma {

/// How the surroundings behave.
struct Timing {
  unsigned stall = 0;  ///< percent of cycles in which a ready is low
  unsigned hbm_latency = defs::kHbmLatency;
  unsigned sbuf_latency = 4;
  unsigned jitter = 0;  ///< 0 .. jitter more cycles per answer
};

template <class Model>
class Bench {
 public:
  Bench(const defs::Sizes& sizes, unsigned seed, Timing timing)
      : sizes(sizes), rng(seed), timing(timing) {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed) + 1);
    dut = std::make_unique<Model>(&context);
    expected.resize(sizes.dma_engines);
    partial.resize(sizes.dma_engines);
    last_update.resize(sizes.dma_engines);
    refuse.resize(sizes.dma_engines);
    late.resize(sizes.dma_engines);
    dut->chip_id_i = kChip;
    dut->ring_size_i = kRingSize;
    dut->core_id_i = 0;
    share(cmodel::kAllShared);
    dut->trig_valid_i = 0;
    dut->rd_rsp_valid_i = 0;
    dut->upd_error_i = 0;
    dut->clk_i = 0;
    dut->rst_ni = 0;
    dut->eval();
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->rst_ni = 1;
    dut->eval();
  }
  ~Bench() { dut->final(); }

  void share(const defs::PeerAccess& peer) { peer.pack(&dut->peer_i[0]); }
  void set_ring(unsigned engine, const Ring& ring) {
    auto* base = reinterpret_cast<std::uint32_t*>(&dut->ring_base_i);
    auto* count = reinterpret_cast<std::uint32_t*>(&dut->ring_count_i);
    defs::put_bits(base, engine * 48, 48, ring.base);
    defs::put_bits(count, engine * 16, 16, ring.count);
  }
  void trigger(unsigned engine, unsigned count) {
    dut->trig_valid_i = 1;
    dut->trig_engine_i = static_cast<std::uint8_t>(engine);
    dut->trig_count_i = static_cast<std::uint16_t>(count);
    dut->trig_start_i = 0;
  }
  void start(unsigned engine, const Start& start) {
    trigger(engine, 1);
    dut->trig_start_i = 1;
    dut->trig_pc_i = start.pc;
    start.descriptor.pack(reinterpret_cast<std::uint32_t*>(&dut->trig_desc_i));
  }
  bool stopped(unsigned engine) const { return dut->error_valid_o >> engine & 1; }
  ErrorCause cause(unsigned engine) const {
    return static_cast<ErrorCause>(
        defs::get_bits(reinterpret_cast<const std::uint32_t*>(&dut->error_cause_o), engine * 8, 8));
  }
  std::uint32_t error_pc(unsigned engine) const {
    return static_cast<std::uint32_t>(
        defs::get_bits(reinterpret_cast<const std::uint32_t*>(&dut->error_pc_o), engine * 32, 32));
  }

  /// One clock cycle; inputs given before it (doorbell) last for it.
  void tick() {
    const unsigned line = sizes.line_bytes;
    dut->rd_req_ready_i = go();
    dut->msg_ready_i = go();
    std::array<bool, 4> accept;
    unsigned stuck = 0;
    for (unsigned t = 0; t < 4; ++t) {
      accept[t] = go();
      stuck |= (waiting[t] && !accept[t]) << t;
    }
    dut->wr_stuck_i = static_cast<std::uint8_t>(stuck);
    unsigned target = 4;
    tb::MemReq req;
    if (dut->wr_req_valid_o) {
      req = tb::get_req(dut->wr_req_o, line);
      target = static_cast<unsigned>(cmodel::decode(sizes, req.addr, req.bytes).target);
      ASSERT_LT(target, 4u) << fmt::format("write to {:#x}", req.addr);
    }
    dut->wr_req_ready_i = target == 4 || !waiting[target] || accept[target];

    dut->rd_rsp_valid_i = 0;
    const unsigned first = static_cast<unsigned>(rng() % 5);
    for (unsigned i = 0; i < 5; ++i) {
      auto& queue = answers[(first + i) % 5];
      if (queue.empty() || queue.front().due > cycle) continue;
      dut->rd_rsp_valid_i = 1;
      dut->rd_rsp_err_i = queue.front().error;
      tb::put(dut->rd_rsp_i, queue.front().rsp, line);
      mark((queue.front().rsp.tag & 15) == kDescriptor ? steps.descriptor : steps.data);
      queue.pop_front();
      break;
    }
    dut->eval();
    rung = dut->trig_valid_i && dut->trig_ready_o;

    // --- what happens at this edge
    ASSERT_TRUE(dut->rd_rsp_ready_o);
    const bool refused = dut->upd_valid_o && refuse[dut->upd_engine_o] == dut->upd_serial_o;
    if (dut->upd_valid_o) take_update();
    std::optional<tb::MemReq> read;
    if (dut->rd_req_valid_o && dut->rd_req_ready_i) read = tb::get_req(dut->rd_req_o, line);
    if (read) start_read(*read);
    const bool write = dut->wr_req_valid_o && dut->wr_req_ready_i;
    ASSERT_EQ(write, bool(dut->commit_valid_o));
    if (write) take_write(req);
    if (dut->msg_valid_o && dut->msg_ready_i) take_beat(tb::get_chunk(dut->msg_o, line));
    for (unsigned t = 0; t < 4; ++t) {
      if (!waiting[t] || !accept[t]) continue;
      const auto& w = *waiting[t];
      memory.write(w.addr, std::span(w.data).subspan(w.addr % line, w.bytes));
      waiting[t].reset();
    }
    if (write) waiting[target] = req;

    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->trig_valid_i = 0;
    dut->upd_error_i = refused;
    dut->eval();
    ++cycle;
  }

  /// Until nothing is in flight, at most `limit` cycles.
  void drain(std::uint64_t limit) {
    const std::uint64_t end = cycle + limit;
    tick();
    while (dut->busy_o && cycle < end && !testing::Test::HasFatalFailure()) tick();
    ASSERT_FALSE(dut->busy_o) << "still busy";
    tick();
  }

  void expect_done() {
    for (unsigned e = 0; e < sizes.dma_engines; ++e) {
      const auto& x = expected[e];
      EXPECT_TRUE(x.writes.empty()) << fmt::format("engine {} wrote too little", e);
      EXPECT_TRUE(x.packets.empty()) << fmt::format("engine {} sent too little", e);
      EXPECT_TRUE(x.updates.empty()) << fmt::format("engine {} updated too little", e);
      EXPECT_EQ(stopped(e), x.cause != ErrorCause::None) << fmt::format("engine {}", e);
      if (!stopped(e)) continue;
      EXPECT_EQ(defs::to_string(cause(e)), defs::to_string(x.cause)) << fmt::format("engine {}", e);
      EXPECT_EQ(error_pc(e), x.error_pc) << fmt::format("engine {}", e);
    }
  }

  const defs::Sizes& sizes;
  std::mt19937 rng;
  Timing timing;
  VerilatedContext context;
  std::unique_ptr<Model> dut;
  Memory memory;
  std::vector<Expected> expected;
  bool compare = true;
  std::uint64_t cycle = 0;
  std::uint64_t writes = 0, first_write = 0, last_write = 0, bytes = 0;
  std::vector<std::uint64_t> last_update;
  std::vector<std::optional<std::uint32_t>> refuse;  ///< serial whose update is rejected
  bool rung = false;                                 ///< the last doorbell was taken
  /// First descriptor read, its answer, first read of data, its answer. (The first write: above.)
  struct Steps {
    std::uint64_t fetch = 0, descriptor = 0, read = 0, data = 0;
  } steps;

 private:
  static constexpr unsigned kDescriptor = 15;  // tag of a descriptor read

  struct Answer {
    std::uint64_t due;
    tb::MemRsp rsp;
    bool error;
  };

  void mark(std::uint64_t& step) const {
    if (!step) step = cycle;
  }

  bool go() { return timing.stall == 0 || rng() % 100 >= timing.stall; }

  void start_read(const tb::MemReq& req) {
    ASSERT_FALSE(req.write);
    mark((req.tag & 15) == kDescriptor ? steps.fetch : steps.read);
    const unsigned e = req.tag >> 4 & 15;
    late[e] += stopped(e);
    ASSERT_LE(late[e], 1u) << fmt::format("engine {} reads on behind its stop", e);
    ASSERT_LE(req.addr % sizes.line_bytes + req.bytes, sizes.line_bytes);
    const auto target = cmodel::decode(sizes, req.addr, req.bytes).target;
    Answer answer{cycle, {req.tag, Line(sizes.line_bytes)}, target == cmodel::Target::Unmapped};
    if (!answer.error) memory.read(req.addr / sizes.line_bytes * sizes.line_bytes, answer.rsp.data);
    answer.due += cmodel::is_hbm(target) ? timing.hbm_latency : timing.sbuf_latency;
    if (timing.jitter) answer.due += rng() % timing.jitter;
    answers[static_cast<unsigned>(target)].push_back(answer);
  }

  void take_write(const tb::MemReq& req) {
    const unsigned e = dut->commit_engine_o;
    if (!writes) first_write = cycle;
    last_write = cycle;
    ++writes;
    bytes += req.bytes;
    if (!compare) return;
    ASSERT_LE(req.addr % sizes.line_bytes + req.bytes, sizes.line_bytes);
    ASSERT_FALSE(expected[e].writes.empty()) << fmt::format("engine {} writes too much", e);
    const auto at = req.data.begin() + static_cast<long>(req.addr % sizes.line_bytes);
    const Write got{dut->commit_pc_o, dut->commit_serial_o, req.addr, Line(at, at + req.bytes)};
    const Write& want = expected[e].writes.front();
    ASSERT_EQ(got, want) << fmt::format("engine {}: pc {} addr {:#x} bytes {}, want {} {:#x} {}", e,
                                        got.pc, got.addr, req.bytes, want.pc, want.addr,
                                        want.data.size());
    expected[e].writes.pop_front();
  }

  void take_beat(const tb::MsgChunk& beat) {
    const unsigned e = beat.engine;
    bytes += beat.bytes;
    if (!writes) first_write = cycle;
    last_write = cycle;
    ++writes;
    if (!compare) return;
    ASSERT_FALSE(expected[e].packets.empty()) << fmt::format("engine {} sends too much", e);
    const Packet& want = expected[e].packets.front();
    auto& payload = partial[e];
    ASSERT_EQ(beat.addr, want.header.addr + payload.size()) << fmt::format("engine {}", e);
    ASSERT_EQ(beat.dst, want.header.dst);
    ASSERT_EQ(beat.vn, want.header.vn);
    ASSERT_EQ(beat.bytes % 4, 0u);
    ASSERT_LE(beat.bytes, sizes.line_bytes);
    ASSERT_GT(beat.bytes, 0u);
    payload.insert(payload.end(), beat.data.begin(), beat.data.begin() + beat.bytes);
    ASSERT_EQ(beat.last, payload.size() == want.payload.size());
    const bool notify = want.header.op == static_cast<std::uint8_t>(defs::PktOp::WriteNotify);
    ASSERT_EQ(beat.notify, beat.last && notify);
    if (!beat.last) return;
    if (notify) ASSERT_EQ(beat.sem, want.header.tag | (want.header.group & 1u) << 8);
    ASSERT_EQ(payload, want.payload) << fmt::format("engine {}", e);
    payload.clear();
    expected[e].packets.pop_front();
  }

  void take_update() {
    const unsigned e = dut->upd_engine_o;
    last_update[e] = cycle;
    for (const auto& w : waiting) {
      ASSERT_FALSE(w && (w->tag & 15) == e) << "update before the write is in memory";
    }
    if (!compare) return;
    ASSERT_FALSE(expected[e].updates.empty()) << fmt::format("engine {} updates too much", e);
    const auto upd = defs::SemUpdate::unpack(reinterpret_cast<const std::uint32_t*>(&dut->upd_o));
    const Update got{dut->upd_pc_o, dut->upd_serial_o, upd.sem, upd.delta};
    ASSERT_EQ(got, expected[e].updates.front()) << fmt::format("engine {}", e);
    const bool writes_left =
        !expected[e].writes.empty() && expected[e].writes.front().serial <= got.serial;
    ASSERT_FALSE(writes_left) << "update before the last write";
    expected[e].updates.pop_front();
  }

  std::array<std::optional<tb::MemReq>, 4> waiting;  // in the crossbar's registers
  std::array<std::deque<Answer>, 5> answers;
  std::vector<Line> partial;
  std::vector<unsigned>
      late;  // reads that began behind the engine's stop: what stood in the register
};

}  // namespace dma
