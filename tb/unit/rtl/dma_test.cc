// SPDX-License-Identifier: Apache-2.0
// The DMA against its twin: every chunk, packet, semaphore update and error cause, in order per
// engine, under random memories, stalls and doorbells; and its speed.
#include "cmodel/machine/dma.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <unordered_map>

#include "Vdma_check_inf2.h"
#include "Vdma_check_mini.h"
#include "Vdma_inf2.h"
#include "Vdma_mini.h"
#include "tb/unit/rtl/mem_channel.h"

namespace {

/// Seeds per random test: the usual number, or times DODECA_SEEDS for a soak.
unsigned seeds(unsigned usual) {
  const char* factor = std::getenv("DODECA_SEEDS");
  return factor ? usual * static_cast<unsigned>(std::atoi(factor)) : usual;
}

using defs::Descriptor;
using defs::ErrorCause;
using tb::Line;

constexpr unsigned kChip = 3;
constexpr unsigned kRingSize = 5;
constexpr std::uint64_t kRings = 0x3'0000'0000;  // descriptor rings, in HBM 0

/// Sparse bytes; what was never written is a hash of its address.
class Memory {
 public:
  void read(std::uint64_t addr, std::span<std::uint8_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = page(addr + i)[(addr + i) % kPage];
  }
  void write(std::uint64_t addr, std::span<const std::uint8_t> in) {
    for (std::size_t i = 0; i < in.size(); ++i) page(addr + i)[(addr + i) % kPage] = in[i];
  }

 private:
  static constexpr std::uint64_t kPage = 4096;
  std::vector<std::uint8_t>& page(std::uint64_t addr) {
    auto& p = pages_[addr / kPage];
    if (p.empty()) {
      p.resize(kPage);
      for (std::uint64_t i = 0; i < kPage; ++i) {
        p[i] = static_cast<std::uint8_t>(((addr / kPage * kPage + i) * 0x9e3779b97f4a7c15u) >> 56);
      }
    }
    return p;
  }
  std::unordered_map<std::uint64_t, std::vector<std::uint8_t>> pages_;
};

struct Write {
  std::uint32_t pc;
  std::uint64_t addr;
  Line data;
  bool operator==(const Write&) const = default;
};
struct Packet {
  defs::Header header;
  Line payload;
};
struct Update {
  std::uint32_t pc;
  unsigned sem;
  int delta;
  bool operator==(const Update&) const = default;
};

/// What one engine must do, made by the twin.
struct Expected {
  std::deque<Write> writes;
  std::deque<Packet> packets;
  std::deque<Update> updates;
  ErrorCause cause = ErrorCause::None;
  std::uint32_t error_pc = 0;
};

struct Ring {
  std::uint64_t base = 0;
  std::uint32_t count = 0;
};

/// Runs `total` descriptors of a ring in the twin.
class Twin : public cmodel::DmaPort {
 public:
  Twin(const defs::Sizes& sizes, Memory& memory) : sizes_(sizes), memory_(memory) {}

  Expected run(unsigned engine, const Ring& ring, std::uint32_t total) {
    expected_ = {};
    const cmodel::DmaIdentity id{kChip, 0, engine, kRingSize};
    ErrorCause cause = cmodel::check_ring(sizes_, ring.base, ring.count);
    for (pc_ = 0; pc_ < total && cause == ErrorCause::None; ++pc_) {
      const std::uint64_t addr = cmodel::descriptor_addr(ring.base, ring.count, pc_);
      if (cmodel::decode(sizes_, addr, defs::kInstrBytes).target == cmodel::Target::Unmapped) {
        cause = ErrorCause::UnmappedAddress;
        break;
      }
      Descriptor::Words words;
      memory_.read(addr, std::span(reinterpret_cast<std::uint8_t*>(words.data()), 64));
      const Descriptor d = Descriptor::from(words);
      cause = cmodel::check(sizes_, id, d);
      if (cause != ErrorCause::None) break;
      cmodel::execute(sizes_, id, d, *this, scratch_);
      if (d.update) expected_.updates.push_back({pc_, d.update_sem, d.update_delta});
    }
    expected_.cause = cause;
    expected_.error_pc = cause == ErrorCause::None ? 0 : pc_;
    return std::move(expected_);
  }

  void read(std::uint64_t addr, std::span<std::uint8_t> bytes) override {
    memory_.read(addr, bytes);
  }
  void write(std::uint64_t addr, std::span<const std::uint8_t> bytes) override {
    memory_.write(addr, bytes);
    expected_.writes.push_back({pc_, addr, Line(bytes.begin(), bytes.end())});
  }
  void send(const defs::Header& header, std::span<const std::uint8_t> payload) override {
    expected_.packets.push_back({header, Line(payload.begin(), payload.end())});
  }

 private:
  const defs::Sizes& sizes_;
  Memory& memory_;
  Expected expected_;
  std::uint32_t pc_ = 0;
  std::vector<std::uint8_t> scratch_;
};

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
    dut->chip_id_i = kChip;
    dut->ring_size_i = kRingSize;
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
    bool settled = true;
    for (unsigned t = 0; t < 4; ++t) {
      accept[t] = go();
      if (waiting[t] && !accept[t]) settled = false;
    }
    dut->wr_settled_i = settled;
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
      queue.pop_front();
      break;
    }
    dut->eval();

    // --- what happens at this edge
    ASSERT_TRUE(dut->rd_rsp_ready_o);
    if (dut->upd_valid_o) take_update();
    std::optional<tb::MemReq> read;
    if (dut->rd_req_valid_o && dut->rd_req_ready_i) read = tb::get_req(dut->rd_req_o, line);
    if (read) start_read(*read);
    const bool write = dut->wr_req_valid_o && dut->wr_req_ready_i;
    ASSERT_EQ(write, bool(dut->commit_valid_o));
    if (write) take_write(req);
    if (dut->msg_valid_o && dut->msg_ready_i) take_chunk(tb::get_chunk(dut->msg_o, line));
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
    dut->upd_error_i = 0;
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

 private:
  struct Answer {
    std::uint64_t due;
    tb::MemRsp rsp;
    bool error;
  };

  bool go() { return timing.stall == 0 || rng() % 100 >= timing.stall; }

  void start_read(const tb::MemReq& req) {
    ASSERT_FALSE(req.write);
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
    const Write got{dut->commit_pc_o, req.addr, Line(at, at + req.bytes)};
    const Write& want = expected[e].writes.front();
    ASSERT_EQ(got, want) << fmt::format("engine {}: pc {} addr {:#x} bytes {}, want {} {:#x} {}", e,
                                        got.pc, got.addr, req.bytes, want.pc, want.addr,
                                        want.data.size());
    expected[e].writes.pop_front();
  }

  void take_chunk(const tb::MsgChunk& chunk) {
    const unsigned e = chunk.engine;
    bytes += chunk.bytes;
    if (!writes) first_write = cycle;
    last_write = cycle;
    ++writes;
    if (!compare) return;
    ASSERT_FALSE(expected[e].packets.empty()) << fmt::format("engine {} sends too much", e);
    const Packet& want = expected[e].packets.front();
    auto& payload = partial[e];
    ASSERT_EQ(chunk.addr, want.header.addr + payload.size()) << fmt::format("engine {}", e);
    ASSERT_EQ(chunk.dst, want.header.dst);
    ASSERT_EQ(chunk.vn, want.header.vn);
    ASSERT_EQ(chunk.bytes % 4, 0u);
    ASSERT_LE(chunk.bytes, sizes.line_bytes);
    ASSERT_GT(chunk.bytes, 0u);
    payload.insert(payload.end(), chunk.data.begin(), chunk.data.begin() + chunk.bytes);
    ASSERT_EQ(chunk.last, payload.size() == want.payload.size());
    const bool notify = want.header.op == static_cast<std::uint8_t>(defs::PktOp::WriteNotify);
    ASSERT_EQ(chunk.notify, chunk.last && notify);
    if (!chunk.last) return;
    if (notify) ASSERT_EQ(chunk.sem, want.header.tag | (want.header.group & 1u) << 8);
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
    const Update got{dut->upd_pc_o, upd.sem, upd.delta};
    ASSERT_EQ(got, expected[e].updates.front()) << fmt::format("engine {}", e);
    const bool writes_left = !expected[e].writes.empty() && expected[e].writes.front().pc <= got.pc;
    ASSERT_FALSE(writes_left) << "update before the last write";
    expected[e].updates.pop_front();
  }

  std::array<std::optional<tb::MemReq>, 4> waiting;  // in the crossbar's registers
  std::array<std::deque<Answer>, 5> answers;
  std::vector<Line> partial;
};

unsigned pick(std::mt19937& rng, unsigned low, unsigned high) {
  return low + static_cast<unsigned>(rng() % (high - low + 1));
}

/// A run of rows of one engine in one of the four memories, in its half of what it may touch.
struct Place {
  std::uint64_t addr;
  std::int64_t stride;
};
Place place(const defs::Sizes& sizes, std::mt19937& rng, unsigned engine, unsigned half, bool sbuf,
            unsigned rows, unsigned row_bytes) {
  if (!sbuf) {
    const std::uint64_t base = rng() % 2 ? defs::kAddrHbm1Base : defs::kAddrHbm0Base;
    std::uint64_t addr = base + (std::uint64_t{engine * 2 + half} << 24) + (8u << 20);
    addr += rng() % 4 ? std::uint64_t{pick(rng, 0, 5000)} * 4
                      : std::uint64_t{pick(rng, 0, 500)} * sizes.line_bytes;
    const std::int64_t stride = (static_cast<std::int64_t>(rng() % 32768) - 16384) * 4;
    return {addr, rng() % 3 ? stride : static_cast<std::int64_t>(row_bytes)};
  }
  const unsigned window = sizes.sbuf_bytes / (2 * sizes.dma_engines) / 4 * 4;
  const unsigned offset = (engine * 2 + half) * window + pick(rng, 0, (window - row_bytes) / 4) * 4;
  const unsigned from = pick(rng, 0, sizes.partitions - 1), to = pick(rng, 0, sizes.partitions - 1);
  const std::int64_t step =
      rows < 2 ? 0 : (static_cast<std::int64_t>(to) - from) / static_cast<std::int64_t>(rows - 1);
  return {cmodel::sbuf_addr(static_cast<unsigned>(rng() % 2), from, offset),
          step * static_cast<std::int64_t>(defs::kSbufStride)};
}

/// A good descriptor.
Descriptor random_descriptor(const defs::Sizes& sizes, std::mt19937& rng, unsigned engine) {
  Descriptor d;
  const bool src_sbuf = rng() % 2, dst_sbuf = rng() % 2, remote = rng() % 3 == 0;
  const unsigned window = sizes.sbuf_bytes / (2 * sizes.dma_engines) / 4 * 4;
  const unsigned most = src_sbuf || dst_sbuf ? window : 5000;
  d.row_bytes = 4 * pick(rng, 1, rng() % 2 ? 40 : most / 4);
  d.rows = static_cast<std::uint16_t>(pick(rng, 1, 6));
  const unsigned half = rng() % 2;
  const Place src = place(sizes, rng, engine, half, src_sbuf, d.rows, d.row_bytes);
  const Place dst = place(sizes, rng, engine, 1 - half, dst_sbuf, d.rows, d.row_bytes);
  d.src = src.addr;
  d.src_stride = src.stride;
  d.dst = dst.addr;
  d.dst_stride = dst.stride;
  d.dst_chip = kChip;
  if (remote) {
    d.dst_chip = static_cast<std::uint16_t>((kChip + pick(rng, 1, kRingSize - 1)) % kRingSize);
    d.vn = static_cast<std::uint8_t>(pick(rng, 1, 3));
    d.notify = rng() % 2;
    if (d.notify) d.notify_sem = static_cast<std::uint16_t>(rng() % 512);
  }
  d.update = rng() % 2;
  if (d.update) {
    d.update_sem = static_cast<std::uint16_t>(rng() % 512);
    d.update_delta = static_cast<std::int16_t>(rng());
  }
  return d;
}

/// Changes one field so that the descriptor is most likely refused.
void spoil(std::mt19937& rng, Descriptor& d) {
  switch (rng() % 20) {
    case 0:
      d.reserved_hi = std::uint64_t{1} << rng() % 64;
      break;
    case 1:
      d.reserved_mid = std::uint64_t{1} << rng() % 64;
      break;
    case 2:
      d.reserved = std::uint64_t{1} << rng() % 64;
      break;
    case 3:
      d.reserved_lo = std::uint64_t{1} << rng() % 44;
      break;
    case 4:
      d.update = 0;
      d.update_sem = static_cast<std::uint16_t>(rng() % 512);
      break;
    case 5:
      d.update = 0;
      d.update_delta = static_cast<std::int16_t>(rng());
      break;
    case 6:
      d.notify ^= 1;
      break;
    case 7:
      d.rows = static_cast<std::uint16_t>(rng() % 3 ? rng() : 0);
      break;
    case 8:
      d.row_bytes = rng() % 2 ? 0 : static_cast<std::uint32_t>(rng() % (1u << 20));
      break;
    case 9:
      d.vn = static_cast<std::uint8_t>(rng() % 4);
      break;
    case 10:
      d.dst_chip = static_cast<std::uint16_t>(rng() % 2 ? rng() % 1024 : rng() % 13);
      break;
    case 11:
      d.src += pick(rng, 1, 3);
      break;
    case 12:
      d.dst += pick(rng, 1, 3);
      break;
    case 13:
      d.row_bytes += pick(rng, 1, 3);
      break;
    case 14:
      d.src_stride += pick(rng, 1, 65536);
      break;
    case 15:
      d.dst_stride += pick(rng, 1, 65536);
      break;
    case 16:
      d.src ^= std::uint64_t{1} << rng() % 48;
      break;
    case 17:
      d.dst ^= std::uint64_t{1} << rng() % 48;
      break;
    case 18:
      d.src_stride = static_cast<std::int64_t>(rng() * 0x100000001ull << 18) >> 16;
      break;
    default:
      d.dst_stride = static_cast<std::int64_t>(rng() * 0x100000001ull << 18) >> 16;
      break;
  }
}

void store(Memory& memory, const Ring& ring, unsigned index, const Descriptor& d) {
  const auto words = d.words();
  memory.write(ring.base + 64 * index, {reinterpret_cast<const std::uint8_t*>(words.data()), 64});
}

Ring ring_of(unsigned engine, unsigned count) {
  return {kRings + (std::uint64_t{engine} << 20), count};
}

/// Returns how many writes and messages were compared.
template <class Model>
std::uint64_t random_run(const defs::Sizes& sizes, unsigned seed, bool errors) {
  std::mt19937 rng(seed);
  const unsigned e_count = sizes.dma_engines;
  const unsigned busy = rng() % 3 ? e_count : pick(rng, 1, e_count);
  Timing timing;
  timing.stall = rng() % 2 ? pick(rng, 0, 70) : 0;
  timing.hbm_latency = rng() % 2 ? defs::kHbmLatency : pick(rng, 1, 200);
  timing.sbuf_latency = pick(rng, 1, 20);
  timing.jitter = rng() % 2 ? pick(rng, 1, 100) : 0;
  Bench<Model> bench(sizes, seed, timing);
  Memory twin_memory;
  Twin twin(sizes, twin_memory);
  std::vector<unsigned> left(e_count), total(e_count);
  for (unsigned e = 0; e < busy; ++e) {
    const Ring ring = ring_of(e, pick(rng, 1, 6));
    total[e] = left[e] = pick(rng, 1, 10);
    const bool bad = errors && rng() % 2;
    const unsigned bad_at = static_cast<unsigned>(rng() % ring.count);
    for (unsigned i = 0; i < ring.count; ++i) {
      Descriptor d = random_descriptor(sizes, rng, e);
      if (bad && i == bad_at) {
        do spoil(rng, d);
        while (cmodel::check(sizes, {kChip, 0, e, kRingSize}, d) == ErrorCause::None);
      }
      store(bench.memory, ring, i, d);
      store(twin_memory, ring, i, d);
    }
    bench.set_ring(e, ring);
    bench.expected[e] = twin.run(e, ring, total[e]);
  }
  for (bool more = true; more && !testing::Test::HasFatalFailure();) {
    more = false;
    const unsigned e = static_cast<unsigned>(rng() % e_count);
    if (left[e]) {
      const unsigned count = pick(rng, 1, left[e]);
      bench.trigger(e, count);
      left[e] -= count;
    }
    for (unsigned wait = static_cast<unsigned>(rng() % 100) + 1; wait--;) bench.tick();
    for (unsigned n : left) more |= n != 0;
  }
  bench.drain(400000);
  bench.expect_done();
  return bench.writes;
}

template <class Model>
void check_fuzz(const defs::Sizes& sizes, unsigned seed, std::array<unsigned, 256>& seen) {
  std::mt19937 rng(seed);
  VerilatedContext context;
  Model dut(&context);
  dut.rst_ni = 1;
  dut.chip_id_i = kChip;
  dut.ring_size_i = kRingSize;
  dut.check_i = 1;
  for (unsigned i = 0; i < 100000; ++i) {
    Descriptor d = random_descriptor(sizes, rng, static_cast<unsigned>(rng() % sizes.dma_engines));
    for (unsigned n = static_cast<unsigned>(rng() % 4); n--;) spoil(rng, d);
    d.pack(reinterpret_cast<std::uint32_t*>(&dut.desc_i));
    dut.eval();
    const auto want = cmodel::check(sizes, {kChip, 0, 0, kRingSize}, d);
    ASSERT_EQ(defs::to_string(static_cast<ErrorCause>(dut.cause_o)), defs::to_string(want))
        << fmt::format("seed {} round {}: src {:#x} {:+} dst {:#x} {:+} rows {} bytes {} chip {}",
                       seed, i, d.src, d.src_stride, d.dst, d.dst_stride, d.rows, d.row_bytes,
                       d.dst_chip);
    ++seen[static_cast<unsigned>(want)];
  }
}

TEST(DmaCheck, AgreesWithTheTwinOnEveryCause) {
  std::array<unsigned, 256> seen{};
  check_fuzz<Vdma_check_mini>(defs::kMini, 1, seen);
  check_fuzz<Vdma_check_inf2>(defs::kInf2, 2, seen);
  for (auto cause :
       {ErrorCause::None, ErrorCause::ReservedBits, ErrorCause::BadDescriptor,
        ErrorCause::Misaligned, ErrorCause::BadDestination, ErrorCause::UnmappedAddress}) {
    EXPECT_GT(seen[static_cast<unsigned>(cause)], 1000u) << defs::to_string(cause);
  }
}

TEST(DmaCheck, RefusesTheEdgesOfEveryWindow) {
  const defs::Sizes& s = defs::kMini;
  const cmodel::DmaIdentity id{kChip, 0, 0, kRingSize};
  Descriptor d;
  d.rows = 1;
  d.row_bytes = 64;
  d.dst_chip = kChip;
  d.src = defs::kAddrHbm0Base + defs::kAddrHbm0Size - 64;
  d.dst = cmodel::sbuf_addr(1, s.partitions - 1, s.sbuf_bytes - 64);
  EXPECT_EQ(cmodel::check(s, id, d), ErrorCause::None);
  auto with = [&](auto change) {
    Descriptor other = d;
    change(other);
    return cmodel::check(s, id, other);
  };
  EXPECT_EQ(with([](auto& x) { x.src += 4; }), ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) { x.dst += 4; }), ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) { x.dst += defs::kSbufStride; }), ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) { x.src = defs::kAddrCsrBase; }), ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) {
              x.rows = 2;
              x.src_stride = 64;
            }),
            ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) {
              x.rows = 2;
              x.dst_stride = -64;
            }),
            ErrorCause::BadDescriptor);
  EXPECT_EQ(with([](auto& x) {
              x.rows = 3;
              x.src_stride = -64;
              x.dst_stride = -static_cast<std::int64_t>(defs::kSbufStride);
            }),
            ErrorCause::None);
}

TEST(Dma, MatchesItsTwinUnderRandomTraffic) {
  std::uint64_t writes = 0;
  for (unsigned seed = 1; seed <= seeds(60) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mini seed {}", seed));
    writes += random_run<Vdma_mini>(defs::kMini, seed, false);
  }
  for (unsigned seed = 1; seed <= seeds(15) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("inf2 seed {}", seed));
    writes += random_run<Vdma_inf2>(defs::kInf2, seed, false);
  }
  EXPECT_GT(writes, 100000u);
}

TEST(Dma, ABadDescriptorStopsOnlyItsEngine) {
  for (unsigned seed = 1001; seed <= 1000 + seeds(60) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mini seed {}", seed));
    random_run<Vdma_mini>(defs::kMini, seed, true);
  }
  for (unsigned seed = 1001; seed <= 1000 + seeds(10) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("inf2 seed {}", seed));
    random_run<Vdma_inf2>(defs::kInf2, seed, true);
  }
}

Descriptor plain_copy(std::uint64_t src, std::uint64_t dst, unsigned rows, unsigned row_bytes) {
  Descriptor d;
  d.rows = static_cast<std::uint16_t>(rows);
  d.row_bytes = row_bytes;
  d.src = src;
  d.dst = dst;
  d.src_stride = d.dst_stride = row_bytes;
  d.dst_chip = kChip;
  d.update = 1;
  d.update_delta = 1;
  return d;
}

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

TEST(Dma, StopsOnARefusedSemaphoreUpdate) {
  Bench<Vdma_mini> bench(defs::kMini, 1, {});
  Twin twin(defs::kMini, bench.memory);
  const Ring ring = ring_of(1, 3);
  for (unsigned i = 0; i < 3; ++i) {
    store(bench.memory, ring, i, plain_copy(0x1000000, 0x2000000 + 4096 * i, 1, 256));
  }
  bench.set_ring(1, ring);
  bench.expected[1] = twin.run(1, ring, 2);  // the second one's update is refused
  bench.trigger(1, 3);
  unsigned updates = 0;
  while (updates < 2 && bench.cycle < 5000) {
    const bool update = bench.dut->upd_valid_o;
    bench.tick();
    updates += update;
    if (update && updates == 2) bench.dut->upd_error_i = 1;
  }
  bench.expected[1].cause = ErrorCause::SemaphoreOverflow;
  bench.expected[1].error_pc = 1;
  bench.drain(2000);
  bench.expect_done();
}

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

void report(const char* config, const char* what, const Speed& s) {
  fmt::print("{:5} {:42} first write {:4}  update {:6}  {:6.2f} B/cycle\n", config, what, s.first,
             s.done, s.rate);
}

TEST(Dma, SpeedIsAsStated) {
  const auto& i = defs::kInf2;
  const auto& m = defs::kMini;
  auto s = measure<Vdma_inf2>(i, 1, false, false, 0);
  report("inf2", "1 engine, HBM to HBM", s);
  EXPECT_GT(s.rate, 15.9);
  EXPECT_LE(s.first, 360u);
  s = measure<Vdma_inf2>(i, 1, false, false, 4);
  report("inf2", "1 engine, source shifted by 4", s);
  EXPECT_GT(s.rate, 7.9);
  s = measure<Vdma_inf2>(i, 1, false, true, 0);
  report("inf2", "1 engine, HBM to message", s);
  EXPECT_GT(s.rate, 15.9);
  s = measure<Vdma_inf2>(i, 16, false, false, 0);
  report("inf2", "16 engines, HBM to HBM", s);
  EXPECT_GT(s.rate, 250.0);
  s = measure<Vdma_inf2>(i, 16, true, false, 0);
  report("inf2", "16 engines, HBM to SBUF, 3 KiB rows", s);
  EXPECT_GT(s.rate, 250.0);
  s = measure<Vdma_mini>(m, 1, false, false, 0);
  report("mini", "1 engine, HBM to HBM", s);
  EXPECT_GT(s.rate, 6.0);  // 15 lines of 64 B in flight over 150 cycles
  s = measure<Vdma_mini>(m, 4, false, false, 0);
  report("mini", "4 engines, HBM to HBM", s);
  EXPECT_GT(s.rate, 24.0);
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
    fmt::print("inf2  one-line descriptors from {}: {:.1f} cycles each\n", sbuf ? "SBUF" : "HBM ",
               static_cast<double>(bench.last_write - bench.first_write) / 9);
  }
}

}  // namespace
