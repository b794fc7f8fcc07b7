// SPDX-License-Identifier: Apache-2.0
// One Verilated chip with a plain HBM and a host that loads and starts a program: no SystemC.
#pragma once
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"
#include "tb/dut/trace/commit_dpi.h"

namespace tb {

/// Commits per stream and list, in order.
struct CommitLists : cmodel::CommitSink {
  struct Entry {
    cmodel::Commit commit;
    std::vector<std::uint8_t> data;
    bool operator==(const Entry&) const = default;
  };
  std::map<cmodel::StreamId, std::vector<Entry>> writes, updates;
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    auto& list = commit.kind == cmodel::CommitKind::Semaphore ? updates : writes;
    list[commit.stream].push_back({commit, {data.begin(), data.end()}});
  }
};

/// Dut: V<name> of module chip, verilated with the tracers.
template <class Dut, unsigned LineBytes, unsigned HbmLineCycles>
class ChipBench {
 public:
  /// `power_on_seed` fills every register that has no reset.
  explicit ChipBench(cmodel::CommitSink* sink, unsigned chip = 0, unsigned power_on_seed = 1)
      : dut(powered(context, power_on_seed)), sink_(sink), chip_(chip) {
    dut.clk_i = 0;
    dut.rst_ni = 0;
    dut.chip_id_i = static_cast<std::uint16_t>(chip);
    dut.ring_size_i = 1;
    dut.hbm0_req_ready_i = dut.hbm1_req_ready_i = 1;
    dut.hbm0_rsp_valid_i = dut.hbm1_rsp_valid_i = 0;
    std::memset(&dut.host_req_i, 0, sizeof(dut.host_req_i));
    std::memset(&dut.link_rx_i, 0, sizeof(dut.link_rx_i));
    set_commit_sink(nullptr, chip);
    // An edge, for the asynchronous resets: a clock that is gated gives none.
    dut.rst_ni = 1;
    dut.eval();
    dut.rst_ni = 0;
    for (int i = 0; i < 4; ++i) edge();
    dut.rst_ni = 1;
    dut.eval();
  }

  /// DPI scopes are unregistered from the thread's context, which must still live then.
  ~ChipBench() { Verilated::threadContextp(&context); }
  ChipBench(const ChipBench&) = delete;

  void write(std::uint64_t addr, std::span<const std::uint8_t> bytes) {
    defs::HostReq req;
    req.valid = req.write = 1;
    req.addr = addr;
    req.bytes = static_cast<std::uint8_t>(bytes.size());
    auto words = req.words();
    std::memcpy(words.data(), bytes.data(), bytes.size());  // data is the lowest field
    requests_.push_back(words);
  }
  void write64(const defs::Csr& reg, unsigned core, unsigned index, std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes;
    std::memcpy(bytes.data(), &value, 8);
    write(csr(reg, core, index), bytes);
  }
  void read(std::uint64_t addr, unsigned bytes) {
    defs::HostReq req;
    req.valid = 1;
    req.addr = addr;
    req.bytes = static_cast<std::uint8_t>(bytes);
    requests_.push_back(req.words());
  }
  static std::uint64_t csr(const defs::Csr& reg, unsigned core, unsigned index) {
    return defs::kAddrCsrBase + reg.offset + core * defs::kCsrCoreStride + 8 * index;
  }

  /// Segments, registers, doorbells; what a driver does.
  void load(const cmodel::Program& program) {
    for (const auto& segment : program.segments) {
      const std::span<const std::uint8_t> bytes(segment.bytes);
      for (std::size_t at = 0; at < bytes.size(); at += 64)
        write(segment.addr + at, bytes.subspan(at, std::min<std::size_t>(64, bytes.size() - at)));
    }
    for (const auto& part : program.partitions) {
      write64(defs::kCsrFabricKey, part.core, 0, part.key);
      write64(defs::kCsrFabricBase, part.core, 0, part.base);
      write64(defs::kCsrFabricEnd, part.core, 0, part.end);
    }
    for (const auto& ring : program.rings) {
      write64(defs::kCsrDmaRingBase, ring.core, ring.engine, ring.base);
      write64(defs::kCsrDmaRingCount, ring.core, ring.engine, ring.count);
    }
    for (const auto& stream : program.streams) {
      write64(defs::kCsrSeqBase, stream.core, stream.engine, stream.base);
      write64(defs::kCsrSeqCount, stream.core, stream.engine, stream.count);
    }
    for (const auto& stream : program.streams)
      write64(defs::kCsrSeqStart, stream.core, 0, 1u << stream.engine);
  }

  void fabric_cycle() {
    defs::HostReq::Words token{};
    if (credits && !requests_.empty()) {
      token = requests_.front();
      requests_.pop_front();
      --credits;
    }
    std::memcpy(&dut.host_req_i, token.data(), sizeof(token));
    core_cycle();
    core_cycle();
    defs::HostRsp::Words words;
    std::memcpy(words.data(), &dut.host_rsp_o, sizeof(words));
    const auto rsp = defs::HostRsp::from(words);
    credits += rsp.credit;
    if (rsp.kind == static_cast<unsigned>(defs::HostKind::ReadData)) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(words.data());
      read_data.emplace_back(bytes, bytes + 64);
    } else if (rsp.kind) {
      events.push_back(rsp);
    }
  }
  void core_cycle() {
    step_hbm(0, dut.hbm0_req_ready_i, dut.hbm0_rsp_valid_i, &dut.hbm0_rsp_i);
    step_hbm(1, dut.hbm1_req_ready_i, dut.hbm1_rsp_valid_i, &dut.hbm1_rsp_i);
    dut.eval();
    after_hbm(0, dut.hbm0_req_valid_o && dut.hbm0_req_ready_i, &dut.hbm0_req_o,
              dut.hbm0_rsp_valid_i && dut.hbm0_rsp_ready_o);
    after_hbm(1, dut.hbm1_req_valid_o && dut.hbm1_req_ready_i, &dut.hbm1_req_o,
              dut.hbm1_rsp_valid_i && dut.hbm1_rsp_ready_o);
    // Two evaluations a cycle: inputs with the falling edge, and the rising one.
    set_commit_sink(sink_, chip_);
    dut.clk_i = 1;
    dut.eval();
    dut.clk_i = 0;
    set_commit_sink(nullptr, chip_);
    ++now;
  }
  /// Until nothing moves and the host has nothing to say. False if that takes too long.
  bool run(std::uint64_t limit = 200000) {
    const std::uint64_t end = now + limit;
    for (unsigned quiet = 0; quiet < 4;) {
      fabric_cycle();
      quiet = dut.quiet_o && requests_.empty() && credits == 16 ? quiet + 1 : 0;
      if (now > end) return false;
    }
    return true;
  }

  VerilatedContext context;
  Dut dut;
  std::uint64_t now = 0;
  unsigned credits = 16;
  std::vector<defs::HostRsp> events;
  std::vector<std::vector<std::uint8_t>> read_data;

 private:
  using Line = std::array<std::uint8_t, LineBytes>;
  static VerilatedContext* powered(VerilatedContext& context, unsigned seed) {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed));
    return &context;
  }
  void edge() {
    dut.clk_i = 1;
    dut.eval();
    dut.clk_i = 0;
    dut.eval();
  }
  template <class Ready, class Valid>
  void step_hbm(unsigned port, Ready& ready, Valid& valid, void* rsp) {
    ready = now >= free_at_[port];
    valid = !answers_[port].empty() && answers_[port].front().at <= now;
    if (!valid) return;
    const auto& answer = answers_[port].front();
    std::array<std::uint32_t, LineBytes / 4 + 1> words{};
    std::memcpy(words.data(), answer.line.data(), LineBytes);
    words.back() = answer.tag;
    std::memcpy(rsp, words.data(), sizeof(words));
  }
  void after_hbm(unsigned port, bool accepted, const void* req, bool taken) {
    if (taken) answers_[port].pop_front();
    if (!accepted) return;
    const auto* words = static_cast<const std::uint32_t*>(req);
    constexpr unsigned kTop = LineBytes * 8;
    const auto tag = static_cast<unsigned>(defs::get_bits(words, kTop, 12));
    const auto bytes = static_cast<unsigned>(defs::get_bits(words, kTop + 12, 9));
    const std::uint64_t addr = defs::get_bits(words, kTop + 21, 48);
    Line& line = memory_[addr / LineBytes];
    const unsigned at = addr % LineBytes;
    if (bytes == 0 || at + bytes > LineBytes)
      throw std::runtime_error("HBM request leaves its line");
    if (defs::get_bits(words, kTop + 69, 1))
      std::memcpy(line.data() + at, reinterpret_cast<const std::uint8_t*>(words) + at, bytes);
    else
      answers_[port].push_back({now + defs::kHbmLatency, tag, line});
    free_at_[port] = now + HbmLineCycles;
  }
  struct Answer {
    std::uint64_t at;
    unsigned tag;
    Line line;
  };
  cmodel::CommitSink* sink_;
  unsigned chip_;
  std::deque<defs::HostReq::Words> requests_;
  std::array<std::deque<Answer>, 2> answers_;
  std::array<std::uint64_t, 2> free_at_{};
  std::unordered_map<std::uint64_t, Line> memory_;
};

}  // namespace tb
