// SPDX-License-Identifier: Apache-2.0
// One fabric node among hand-made neighbours: the words it puts on the link, what it refuses by
// name, and that a notify waits for its data.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "fabric/crc.h"
#include "tb/unit/fabric_ring.h"

namespace {

using defs::ErrorCause;
using defs::FlitType;

/// Chip 3 of 12. Packets for it are injected on link port 1, as if chip 2 sent them.
class Node {
 public:
  static constexpr unsigned kChip = 3;

  Node() : dut_(&context_) {
    std::memset(dut_.link_rx0_i.data(), 0, 72);
    std::memset(dut_.link_rx1_i.data(), 0, 72);
    std::memset(dut_.link_rx2_i.data(), 0, 72);
    std::memset(dut_.link_rx3_i.data(), 0, 72);
    dut_.link_dead_i = dut_.control_write_i = dut_.control_index_i = 0;
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
  }

  tb::Probe& dut() { return dut_; }

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
    if (dut_.message1_valid_o) ++messages;
    if (dut_.rx1_req_valid_o && dut_.rx1_req_ready_i) ++writes, last_write = now;
    if (dut_.sem1_valid_o) ++notifies, last_notify = now;
    if (dut_.rx0_req_valid_o || dut_.sem0_valid_o) ADD_FAILURE() << "wrong local port";
    dut_.clk_i = 1;
    dut_.eval();
    phase_ = !phase_;
    ++now;
  }

  /// One fabric cycle; collects what leaves on port 0.
  void step() {
    const auto word =
        std::to_array(reinterpret_cast<std::uint32_t(&)[18]>(*dut_.link_tx0_o.data()));
    const defs::Flit flit = defs::Flit::from(word);
    const bool null = flit.lcw.flit_type == 0;
    EXPECT_EQ(flit.crc, fabric::crc(word, null ? 0 : static_cast<unsigned>(sent.size())));
    if (!null)
      sent.push_back(flit);
    else
      EXPECT_EQ(flit.payload, decltype(flit.payload){}) << "NULL flits are empty";
    const defs::Flit back = defs::Flit::from(
        std::to_array(reinterpret_cast<std::uint32_t(&)[18]>(*dut_.link_tx1_o.data())));
    freed[back.lcw.credit_vc] = back.lcw.credit_cum;
    core_cycle();
    core_cycle();
  }
  void run(unsigned cycles) {
    for (unsigned i = 0; i < cycles; ++i) step();
  }

  void inject(const defs::Header& header, const tb::Payload& payload, unsigned flits) {
    // The flits of a good packet, whatever the header says.
    fabric::Message good;
    good.bytes = static_cast<std::uint16_t>(payload.size());
    auto words = fabric::flit_payloads(fabric::header(good), payload);
    header.pack(words[0].data());
    words.resize(flits);
    for (unsigned i = 0; i < flits; ++i) {
      defs::Flit flit;
      flit.payload = words[i];
      flit.lcw.vc = static_cast<std::uint8_t>(header.vn << 1);
      flit.lcw.flit_type = static_cast<std::uint8_t>(flits == 1       ? FlitType::HeadTail
                                                     : i == 0         ? FlitType::Head
                                                     : i + 1 == flits ? FlitType::Tail
                                                                      : FlitType::Body);
      flit.lcw.ack_type = 1;
      auto pins = flit.words();
      pins[17] = fabric::crc(pins, injected_++);
      std::memcpy(dut_.link_rx1_i.data(), pins.data(), 72);
      step();
    }
    std::memset(dut_.link_rx1_i.data(), 0, 72);
  }

  /// Offers one whole message of core 0 as pieces of 64 bytes.
  void offer(const fabric::Message& m, const tb::Payload& payload) {
    for (unsigned at = 0; at < m.bytes; at += 64) {
      std::uint32_t* pins = dut_.msg0_i.data();
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
  std::array<unsigned, 8> freed{};
  unsigned errors = 0, messages = 0, writes = 0, notifies = 0;
  unsigned now = 0, last_write = 0, last_notify = 0;
  ErrorCause cause = ErrorCause::None;

 private:
  VerilatedContext context_;
  tb::Probe dut_;
  unsigned phase_ = 0, injected_ = 0;
};

tb::Payload bytes(unsigned count) {
  tb::Payload payload(count);
  for (unsigned i = 0; i < count; ++i) payload[i] = static_cast<std::uint8_t>(37 * i + 11);
  return payload;
}

fabric::Message to_node(unsigned count) {
  fabric::Message m;
  m.src = 2;
  m.dst = Node::kChip;
  m.bytes = static_cast<std::uint16_t>(count);
  m.addr = defs::kAddrCore1Base + 0x1234;
  m.vn = 2;
  return m;
}

TEST(Sender, WordsOnTheLinkAreTheModels) {
  for (unsigned count : {4u, 40u, 44u, 64u, 68u, 500u, 1024u}) {
    Node node;
    fabric::Message m;
    m.src = Node::kChip;
    m.dst = 5;
    m.engine = 3;
    m.bytes = static_cast<std::uint16_t>(count);
    m.addr = defs::kAddrHbm1Base + 0x40;
    m.notify = true;
    m.sem = 0x123;
    node.offer(m, bytes(count));
    node.run(60);
    defs::Header header = fabric::header(m);
    EXPECT_EQ(header.lport, 1);
    header.hop = 1;
    const auto words = fabric::flit_payloads(header, bytes(count));
    ASSERT_EQ(node.sent.size(), words.size()) << count;
    for (unsigned i = 0; i < words.size(); ++i) {
      EXPECT_EQ(node.sent[i].payload, words[i]) << count << " bytes, flit " << i;
      EXPECT_EQ(node.sent[i].lcw.vc, m.vn << 1 | 1) << "class 1 near cable B";
    }
    EXPECT_FALSE(node.dut().quiet_o) << "credits are still out";
  }
}

TEST(Sender, RefusesAbsentChipsAndLongPacketsOnVn0) {
  Node node;
  fabric::Message m;
  m.src = Node::kChip;
  m.bytes = 64;
  m.dst = 12;
  node.offer(m, bytes(64));
  node.run(20);
  EXPECT_EQ(node.cause, ErrorCause::BadDestination);
  m.dst = 1 << 4 | 2;  // another board
  node.offer(m, bytes(64));
  node.run(20);
  EXPECT_EQ(node.cause, ErrorCause::BadDestination);
  m.dst = 2;
  m.vn = 0;
  m.bytes = 196;
  node.offer(m, bytes(196));
  node.run(20);
  EXPECT_EQ(node.cause, ErrorCause::BadDescriptor);
  EXPECT_EQ(node.errors, 3u);
  EXPECT_TRUE(node.sent.empty());
  EXPECT_TRUE(node.dut().quiet_o);
}

TEST(Receiver, RefusesByNameAndReturnsTheCredits) {
  struct Case {
    const char* what;
    void (*spoil)(defs::Header&);
    ErrorCause cause;
  };
  const Case cases[] = {
      {"local port", [](defs::Header& h) { h.lport = 2; }, ErrorCause::BadDestination},
      {"other board", [](defs::Header& h) { h.dst |= 1 << 4; }, ErrorCause::BadDestination},
      {"chip not on the ring", [](defs::Header& h) { h.dst = 14; }, ErrorCause::BadDestination},
      {"operation", [](defs::Header& h) { h.op = 2; }, ErrorCause::BadDescriptor},
      {"version", [](defs::Header& h) { h.ver = 1; }, ErrorCause::BadDescriptor},
      {"no payload", [](defs::Header& h) { h.bytes = 0; }, ErrorCause::BadDescriptor},
      {"not words", [](defs::Header& h) { h.bytes = 98; }, ErrorCause::BadDescriptor},
      {"too few bytes", [](defs::Header& h) { h.bytes = 64; }, ErrorCause::BadDescriptor},
      {"too many bytes", [](defs::Header& h) { h.bytes = 132; }, ErrorCause::BadDescriptor},
      {"length", [](defs::Header& h) { h.len = 4; }, ErrorCause::BadDescriptor},
      {"address", [](defs::Header& h) { h.addr |= 2; }, ErrorCause::BadDescriptor},
  };
  Node node;
  unsigned flits = 0;
  for (const Case& c : cases) {
    defs::Header header = fabric::header(to_node(100));
    c.spoil(header);
    EXPECT_EQ(fabric::refusal(header, Node::kChip), c.cause) << c.what;
    const auto errors = node.errors;
    node.inject(header, bytes(100), 3);
    flits += 3;
    node.run(40);
    EXPECT_EQ(node.errors, errors + 1) << c.what;
    EXPECT_EQ(node.cause, c.cause) << c.what;
  }
  EXPECT_EQ(node.messages, 0u);
  EXPECT_EQ(node.writes, 0u);
  EXPECT_EQ(node.freed[4], flits) << "every flit's credit is reported";
  const defs::Header good = fabric::header(to_node(100));
  node.inject(good, bytes(100), 3);
  node.run(40);
  EXPECT_EQ(node.messages, 1u);
  EXPECT_EQ(node.writes, fabric::deliver(good, tb::kSizes.line_bytes).size());
}

TEST(Receiver, NotifyWaitsUntilTheLastWriteIsSettled) {
  Node node;
  fabric::Message m = to_node(200);
  m.notify = true;
  m.sem = 0x1ff;
  node.dut().rx1_settled_i = 0;
  node.inject(fabric::header(m), bytes(200), fabric::flits(200));
  node.run(100);
  EXPECT_EQ(node.messages, 1u);
  EXPECT_EQ(node.notifies, 0u);
  EXPECT_FALSE(node.dut().quiet_o);
  node.dut().rx1_settled_i = 1;
  node.run(4);
  EXPECT_EQ(node.notifies, 1u);
  EXPECT_GT(node.last_notify, node.last_write);
  EXPECT_EQ(node.dut().sem1_o, 0x1ffu << 16 | 1u);
  EXPECT_TRUE(node.dut().quiet_o);
}

TEST(Receiver, UnmappedWriteIsReportedOnceAndWithholdsTheNotify) {
  Node node;
  fabric::Message m = to_node(200);
  m.notify = true;
  node.dut().rx1_req_err_i = 1;
  node.inject(fabric::header(m), bytes(200), fabric::flits(200));
  node.run(60);
  EXPECT_EQ(node.errors, 1u);
  EXPECT_EQ(node.cause, ErrorCause::UnmappedAddress);
  EXPECT_EQ(node.notifies, 0u);
  node.dut().rx1_req_err_i = 0;
  node.inject(fabric::header(m), bytes(200), fabric::flits(200));
  node.run(60);
  EXPECT_EQ(node.errors, 1u);
  EXPECT_EQ(node.notifies, 1u);
}

TEST(Model, CutsRowsAndPieces) {
  EXPECT_EQ(fabric::cut(2500), (std::vector<std::uint16_t>{1024, 1024, 452}));
  EXPECT_EQ(fabric::flits(40), 1u);
  EXPECT_EQ(fabric::flits(44), 2u);
  EXPECT_EQ(fabric::flits(1024), 17u);
  fabric::Message m = to_node(100);
  m.addr = 0x30;
  const std::vector<fabric::Burst> expected = {
      {0x30, 0, 16}, {0x40, 16, 48}, {0x70, 64, 16}, {0x80, 80, 20}};
  EXPECT_EQ(fabric::deliver(fabric::header(m), 64), expected);
}

}  // namespace
