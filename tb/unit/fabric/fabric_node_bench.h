// SPDX-License-Identifier: Apache-2.0
// One fabric node among hand-made neighbours.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <vector>

#include "fabric/model/crc.h"
#include "tb/fabric/fabric_ring.h"

namespace node {

using defs::ErrorCause;
using defs::FlitType;

/// Chip 3 of 12. Packets for it are injected on link port 1, as if chip 2 sent them; chip 2 takes
/// what comes back to it, that is acknowledgements. Nobody answers on link port 0.
class Node {
 public:
  static constexpr unsigned kChip = 3, kTraining = 100;

  Node() : dut_(&context_) {
    std::memset(dut_.link_rx_i[0].data(), 0, 72);
    std::memset(dut_.link_rx_i[1].data(), 0, 72);
    std::memset(dut_.link_rx_i[2].data(), 0, 72);
    std::memset(dut_.link_rx_i[3].data(), 0, 72);
    tb::release_bus(dut_);
    dut_.msg0_valid_i = dut_.msg1_valid_i = 0;
    dut_.rx0_req_ready_i = dut_.rx1_req_ready_i = 1;
    dut_.rx0_req_err_i = dut_.rx1_req_err_i = 0;
    dut_.rx0_settled_i = dut_.rx1_settled_i = 1;
    dut_.chip_id_i = kChip;
    dut_.ring_size_i = 12;
    dut_.rst_ni = 1, dut_.clk_i = 0, dut_.eval();
    dut_.rst_ni = 0;
    for (int i = 0; i < 4; ++i) dut_.clk_i = !dut_.clk_i, dut_.eval();
    dut_.rst_ni = 1;
    // Each port trains with itself: what it says is what it hears.
    for (unsigned i = 0; i < 2 * kTraining; ++i) {
      std::memcpy(dut_.link_rx_i[0].data(), dut_.link_tx_o[0].data(), 72);
      std::memcpy(dut_.link_rx_i[1].data(), dut_.link_tx_o[1].data(), 72);
      core_cycle();
    }
    EXPECT_EQ(dut_.link_status_o[0].data()[0] & 7u, static_cast<unsigned>(defs::LinkState::Active));
  }

  tb::Probe& dut() { return dut_; }
  /// A register write in the next fabric cycle.
  void set(const defs::Csr& csr, std::uint64_t value, unsigned index = 0, unsigned core = 0) {
    EXPECT_TRUE(tb::put_write(dut_, tb::offset(csr, index, core), value));
    core_cycle();
    tb::release_bus(dut_);
    core_cycle();
  }

  void core_cycle() {
    dut_.clk_i = 0;
    dut_.fabric_en_i = phase_;
    dut_.eval();
    if (dut_.error_valid_o) {
      ++errors;
      for (unsigned i = 0; i < 4; ++i)
        if (dut_.error_valid_o >> i & 1)
          cause = static_cast<ErrorCause>(dut_.error_cause_o >> 8 * i & 0xff);
    }
    messages += dut_.message1_valid_o;
    moved += dut_.message0_valid_o;
    if (dut_.rx1_req_valid_o && dut_.rx1_req_ready_i) ++writes, last_write = now;
    if (dut_.sem1_valid_o || dut_.sem0_valid_o) ++notifies, last_notify = now;
    if (dut_.sem1_valid_o) notified.push_back(defs::SemUpdate::from({dut_.sem1_o}).sem);
    if (moved == 0 && (dut_.rx0_req_valid_o || dut_.sem0_valid_o))
      ADD_FAILURE() << "wrong local port";
    dut_.clk_i = 1;
    dut_.eval();
    phase_ = !phase_;
    ++now;
  }

  /// One fabric cycle; collects what leaves on port 0.
  void step() {
    const auto word =
        std::to_array(reinterpret_cast<std::uint32_t(&)[18]>(*dut_.link_tx_o[0].data()));
    const defs::Flit flit = defs::Flit::from(word);
    const bool null = flit.lcw.flit_type == 0;
    EXPECT_EQ(flit.crc, fabric::crc(word, null ? 0 : static_cast<unsigned>(sent.size())));
    if (!null)
      sent.push_back(flit), sent_at.push_back(now / 2);
    else
      EXPECT_EQ(flit.payload, decltype(flit.payload){}) << "NULL flits are empty";
    const defs::Flit back = defs::Flit::from(
        std::to_array(reinterpret_cast<std::uint32_t(&)[18]>(*dut_.link_tx_o[1].data())));
    freed[back.lcw.credit_vc] = back.lcw.credit_cum;
    if (back.lcw.flit_type != 0) {
      ++returned_, ++taken_[back.lcw.vc];
      acks.push_back(back.payload);
      acks.back()[15] &= 0xffffu;  // without the stamp
    }
    defs::Flit next;
    if (!queue_[1].empty()) next = queue_[1].front(), queue_[1].pop_front();
    next.lcw.ack_type = 1;
    next.lcw.ack_seq = static_cast<std::uint16_t>(returned_);
    next.lcw.credit_vc = static_cast<std::uint8_t>(turn_++ % 8);
    next.lcw.credit_cum = static_cast<std::uint8_t>(taken_[next.lcw.credit_vc]);
    auto pins = next.words();
    pins[17] = fabric::crc(pins, next.lcw.flit_type ? injected_[1]++ : 0);
    std::memcpy(dut_.link_rx_i[1].data(), pins.data(), 72);
    // The neighbour on port 0 says how far it has listened.
    defs::Flit other;
    if (!queue_[0].empty()) other = queue_[0].front(), queue_[0].pop_front();
    other.lcw.ack_type = 1;
    other.lcw.ack_seq = static_cast<std::uint16_t>(sent.size());
    pins = other.words();
    pins[17] = fabric::crc(pins, other.lcw.flit_type ? injected_[0]++ : 0);
    std::memcpy(dut_.link_rx_i[0].data(), pins.data(), 72);
    core_cycle();
    core_cycle();
  }
  void run(unsigned cycles) {
    for (unsigned i = 0; i < cycles; ++i) step();
  }

  /// The packet number `seq` of its flow, as chip 2 would send it, in the cycles that follow. Port
  /// 0: what comes the other way round, queued for those cycles.
  void inject(const defs::Header& header, const tb::Payload& payload, unsigned seq,
              unsigned port = 1) {
    inject(header.vn, fabric::flit_payloads(header, payload, static_cast<std::uint16_t>(seq)),
           port);
  }

  void inject(unsigned vn, const std::vector<std::array<std::uint32_t, 16>>& words,
              unsigned port = 1) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      defs::Flit flit;
      flit.payload = words[i];
      flit.lcw.vc = static_cast<std::uint8_t>(vn << 1);
      flit.lcw.flit_type = static_cast<std::uint8_t>(words.size() == 1       ? FlitType::HeadTail
                                                     : i == 0                ? FlitType::Head
                                                     : i + 1 == words.size() ? FlitType::Tail
                                                                             : FlitType::Body);
      flit.lcw.ack_type = 1;
      queue_[port].push_back(flit);
    }
    if (port == 1) run(static_cast<unsigned>(words.size()));
  }

  /// Offers one whole message of core 0 as beats of 64 bytes.
  void offer(const fabric::Message& m, const tb::Payload& payload) {
    for (unsigned at = 0; at < m.bytes; at += 64) {
      std::uint32_t* pins = dut_.msg_i[0].data();
      std::memset(pins, 0xa5, 4 * tb::ChunkPins::kWords);
      const unsigned bytes = std::min(64u, m.bytes - at);
      const bool last = at + bytes == m.bytes;
      std::memcpy(pins, payload.data() + at, bytes);
      defs::put_bits(pins, tb::ChunkPins::kSem, 9, m.sem);
      defs::put_bits(pins, tb::ChunkPins::kNotify, 1, last && m.notify);
      defs::put_bits(pins, tb::ChunkPins::kLast, 1, last);
      defs::put_bits(pins, tb::ChunkPins::kVn, 2, m.vn);
      defs::put_bits(pins, tb::ChunkPins::kBytes, 9, bytes);
      defs::put_bits(pins, tb::ChunkPins::kAddr, 48, m.addr + at);
      defs::put_bits(pins, tb::ChunkPins::kDst, 10, m.dst);
      defs::put_bits(pins, tb::ChunkPins::kEngine, 4, m.engine);
      pins[tb::ChunkPins::kWords - 1] &= tb::ChunkPins::kTopMask;
      dut_.msg0_valid_i = 1;
      for (bool taken = false; !taken; core_cycle()) taken = dut_.msg0_ready_o;
      dut_.msg0_valid_i = 0;
    }
    if (phase_) core_cycle();
  }

  std::vector<defs::Flit> sent;
  std::vector<unsigned> sent_at;                    ///< fabric cycle
  std::vector<std::array<std::uint32_t, 16>> acks;  ///< what chip 2 gets
  std::array<unsigned, 8> freed{};
  unsigned errors = 0, messages = 0, writes = 0, notifies = 0;
  std::vector<unsigned> notified;  ///< semaphores of core 1
  unsigned moved = 0;              ///< messages by the other port
  unsigned now = 0, last_write = 0, last_notify = 0;
  ErrorCause cause = ErrorCause::None;

 private:
  VerilatedContext context_;
  tb::Probe dut_;
  unsigned phase_ = 0, returned_ = 0, turn_ = 0;
  std::array<unsigned, 2> injected_{};
  std::array<unsigned, 8> taken_{};
  std::array<std::deque<defs::Flit>, 2> queue_;
};

inline tb::Payload bytes(unsigned count) {
  tb::Payload payload(count);
  for (unsigned i = 0; i < count; ++i) payload[i] = static_cast<std::uint8_t>(37 * i + 11);
  return payload;
}

inline fabric::Message to_node(unsigned count) {
  fabric::Message m;
  m.src = 2;
  m.dst = Node::kChip;
  m.bytes = static_cast<std::uint16_t>(count);
  m.addr = defs::kAddrCore1Base + 0x1234;
  m.vn = 2;
  return m;
}

/// One of 40 bytes from the node to chip 2.
inline fabric::Message from_node() {
  fabric::Message m;
  m.src = Node::kChip;
  m.dst = 2;
  m.bytes = 40;
  m.addr = 0x40;
  return m;
}

}  // namespace node
