// SPDX-License-Identifier: Apache-2.0
// host_if between a host and a memory.
#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "Vhost_if_inf2.h"
#include "Vhost_if_mini.h"
#include "rtl/defs/gen/defs.h"

namespace host_if {

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
  /// What arrives when `token` is sent.
  template <class Token>
  Token under_way(std::deque<Token>& wire, const Token& token) const {
    wire.push_back(token);
    if (wire.size() <= latency) return {};
    const Token first = wire.front();
    wire.pop_front();
    return first;
  }
  /// One fabric cycle: token in, two core cycles, token out.
  void fabric_cycle() {
    HostReq::Words token{};
    if (credits && !to_send.empty() && (!lazy || rng() % 2)) {
      token = to_send.front();
      to_send.pop_front();
      --credits;
    }
    token = under_way(requests, token);
    std::memcpy(&dut.host_req_i, token.data(), sizeof(token));
    for (int phase = 0; phase < 2; ++phase) {
      dut.fabric_en_i = phase;
      core_cycle();
    }
    HostRsp::Words words;
    std::memcpy(words.data(), &dut.host_rsp_o, sizeof(words));
    words = under_way(responses, words);
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
    for (unsigned i = 0; i < 20000 && (i < least || !to_send.empty() || !dut.quiet_o ||
                                       credits != defs::kHostRequests);
         ++i) {
      fabric_cycle();
    }
    for (unsigned i = 0; i < latency; ++i) fabric_cycle();
    EXPECT_TRUE(dut.quiet_o);
    EXPECT_EQ(credits, defs::kHostRequests);
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
  unsigned credits = defs::kHostRequests, started = 0;
  unsigned latency = 0;                 ///< fabric cycles, each way
  std::deque<HostReq::Words> requests;  ///< on their way, as are
  std::deque<HostRsp::Words> responses;
  std::vector<std::pair<unsigned, std::uint64_t>> fabric_writes;       // {register, value}
  std::vector<std::tuple<unsigned, unsigned, std::uint64_t>> packets;  // {chip, register, value}
  std::vector<std::pair<unsigned, std::uint64_t>> count_writes;        // likewise
  bool lazy = false;
};
using Mini = Bench<Vhost_if_mini, 64>;
using Inf2 = Bench<Vhost_if_inf2, 256>;

inline std::uint64_t csr(const defs::Csr& reg, unsigned core = 0, unsigned index = 0) {
  return defs::kAddrCsrBase + reg.offset + core * defs::kCsrCoreStride + 8 * index;
}

}  // namespace host_if
