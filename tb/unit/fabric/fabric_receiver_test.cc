// SPDX-License-Identifier: Apache-2.0
// The receiver of a fabric node: what it rejects by name, order and acknowledgements, and that a
// notify waits for its data.
#include <gtest/gtest.h>

#include "tb/unit/fabric/fabric_node_bench.h"

namespace {

using namespace node;

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
  unsigned flits = 0, seq = 0;
  for (const Case& c : cases) {
    defs::Header header = fabric::header(to_node(100));
    c.spoil(header);
    EXPECT_EQ(fabric::refusal(header, Node::kChip), c.cause) << c.what;
    const auto errors = node.errors;
    node.inject(header, bytes(100), seq);
    seq += c.cause == ErrorCause::BadDescriptor;  // another chip's packet has no number here
    flits += 3;
    node.run(40);
    EXPECT_EQ(node.errors, errors + 1) << c.what;
    EXPECT_EQ(node.cause, c.cause) << c.what;
  }
  EXPECT_EQ(node.messages, 0u);
  EXPECT_EQ(node.writes, 0u);
  EXPECT_EQ(node.freed[4], flits) << "every flit's credit is reported";
  const defs::Header good = fabric::header(to_node(100));
  node.inject(good, bytes(100), seq);
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
  node.inject(fabric::header(m), bytes(200), 0);
  node.run(100);
  EXPECT_EQ(node.messages, 1u);
  EXPECT_EQ(node.notifies, 0u);
  EXPECT_FALSE(node.dut().quiet_o);
  node.dut().rx1_settled_i = 1;
  node.run(40);
  EXPECT_EQ(node.notifies, 1u);
  EXPECT_GT(node.last_notify, node.last_write);
  EXPECT_EQ(node.dut().sem1_o, (defs::SemUpdate{.sem = 0x1ff, .delta = 1}.words()[0]));
  EXPECT_TRUE(node.dut().quiet_o);
}

/// However many packets of one wait, another is next.
TEST(Receiver, TakesWhatVirtualNetworksHaveStoredInTurn) {
  Node node;
  node.dut().rx1_req_ready_i = 0;
  for (unsigned seq = 0; seq < 3; ++seq)
    for (const std::uint8_t vn : {3, 1}) {
      fabric::Message m = to_node(100);
      m.vn = vn, m.notify = true, m.sem = vn;
      node.inject(fabric::header(m), bytes(100), seq);
    }
  node.run(40);
  node.dut().rx1_req_ready_i = 1;
  node.run(200);
  EXPECT_EQ(node.notified, (std::vector<unsigned>{3, 1, 3, 1, 3, 1}));
}

TEST(Receiver, UnmappedWriteIsReportedOnceAndWithholdsTheNotify) {
  Node node;
  fabric::Message m = to_node(200);
  m.notify = true;
  node.dut().rx1_req_err_i = 1;
  node.inject(fabric::header(m), bytes(200), 0);
  node.run(60);
  EXPECT_EQ(node.errors, 1u);
  EXPECT_EQ(node.cause, ErrorCause::UnmappedAddress);
  EXPECT_EQ(node.notifies, 0u);
  node.dut().rx1_req_err_i = 0;
  node.inject(fabric::header(m), bytes(200), 1);
  node.run(60);
  EXPECT_EQ(node.errors, 1u);
  EXPECT_EQ(node.notifies, 1u);
}

TEST(Receiver, DeliversEveryNumberOnceInOrderAndAcknowledges) {
  Node node;
  const defs::Header header = fabric::header(to_node(100));
  const auto ack = [](unsigned number) {
    std::array<std::uint16_t, 8> numbers{};
    numbers[2] = static_cast<std::uint16_t>(number);
    auto words = fabric::ack_payload(Node::kChip, 2, numbers);
    words[0] |= 1;  // one link crossed
    return words;
  };
  // number sent, messages delivered by then
  for (const auto [seq, messages] : {std::pair{0u, 1u}, {0, 1}, {2, 1}, {1, 2}, {3, 2}, {2, 3}}) {
    const auto acks = node.acks.size();
    node.inject(header, bytes(100), seq);
    node.run(60);
    EXPECT_EQ(node.messages, messages) << seq;
    if (seq < messages) {
      ASSERT_EQ(node.acks.size(), acks + 1) << "delivered, or came again: acknowledged";
      EXPECT_EQ(node.acks.back(), ack(messages));
    } else {
      EXPECT_EQ(node.acks.size(), acks);
    }
  }
  EXPECT_EQ(node.errors, 0u);
  EXPECT_TRUE(node.dut().quiet_o);
}

/// A chip that always has packets of its own to send lets an acknowledgement wait, but not for
/// ever.
TEST(Receiver, ALonePacketIsAcknowledgedHoweverBusyTheChipIs) {
  std::uint64_t acknowledged = 0;
  tb::FabricRing nodes({.chips = 3, .latency = 4});
  nodes.options().tap = [&](unsigned chip, unsigned port, std::uint32_t* word) {
    const bool ack = tb::is_flit(word) && (word[3] >> 24 & 0x3fu) == unsigned(defs::PktOp::Ack);
    if (chip == 1 && port == 1 && ack) acknowledged = nodes.cycle();
  };
  const auto message = [&](unsigned src, unsigned dst) {
    fabric::Message m = nodes.random_message(src, dst);
    m.core = 0, m.vn = 1, m.bytes = 1024;
    return m;
  };
  const auto run = [&](auto until) {
    for (unsigned i = 0; i < 3 * defs::kAckAge && !until(); ++i) {
      while (nodes.waiting(1) < 4) nodes.post(message(1, 2));
      nodes.step();
    }
  };
  const auto delivered = [&] { return nodes.delivered_packets(1, 1) > 0; };
  run([&] { return nodes.delivered() > 8; });
  nodes.post(message(0, 1));
  run(delivered);
  ASSERT_TRUE(delivered());
  const std::uint64_t came = nodes.cycle();
  run([&] { return acknowledged > 0; });
  EXPECT_GT(acknowledged, came + defs::kAckAge / 2) << "the chip was not busy";
  EXPECT_LE(acknowledged, came + 2 * defs::kAckAge + 64);
}

TEST(Receiver, AFlowThatChangesItsPortWaitsForTheOldOne) {
  Node node;
  fabric::Message m = to_node(200);
  const defs::Header data = fabric::header(m);
  m.notify = true;
  const defs::Header flag = fabric::header(m);
  // The data is stuck at port 1; then it comes again by port 0, and the flag behind it.
  node.dut().rx1_req_ready_i = 0;
  node.inject(data, bytes(200), 0);
  node.run(40);
  EXPECT_EQ(node.messages, 1u);
  node.inject(data, bytes(200), 0, 0);
  node.inject(flag, bytes(200), 1, 0);
  node.run(100);
  EXPECT_EQ(node.moved, 0u) << "the old port has not written";
  node.dut().rx1_settled_i = 0;
  node.dut().rx1_req_ready_i = 1;
  node.run(100);
  EXPECT_EQ(node.writes, fabric::deliver(data, tb::kSizes.line_bytes).size());
  EXPECT_EQ(node.moved, 0u) << "written, but not settled";
  node.dut().rx1_settled_i = 1;
  node.run(40);
  EXPECT_EQ(node.moved, 1u);
  EXPECT_EQ(node.notifies, 1u);
  EXPECT_GT(node.last_notify, node.last_write);
  // Both ports bring the same packet in the same cycle, and a port that is busy with other flows
  // gives way to one that waits for it.
  for (unsigned seq = 2; seq < 6; ++seq) {
    node.inject(data, bytes(200), seq, 0);
    node.inject(data, bytes(200), seq, 1);
    node.run(60);
    EXPECT_EQ(node.messages + node.moved, seq + 1);
  }
  fabric::Message other = to_node(1024);
  other.core = 1;
  for (unsigned i = 0; i < 8; ++i) {
    if (i == 3) node.inject(data, bytes(200), 6, 0);
    node.inject(fabric::header(other), bytes(1024), i);
  }
  node.run(200);
  EXPECT_EQ(node.messages + node.moved, 7u + 8u);
  EXPECT_EQ(node.errors, 0u);
}

TEST(Receiver, DropsDamagedAndTruncatedPacketsWithoutAWord) {
  Node node;
  const defs::Header header = fabric::header(to_node(200));
  const auto good = fabric::flit_payloads(header, bytes(200), 0);
  unsigned flits = 0;
  for (unsigned bit : {0u, 31u, 127u, 130u, 165u, 300u, 511u}) {
    for (unsigned flit = 0; flit < good.size(); ++flit) {
      if (flit == 0 && bit < 8) continue;  // `hop` is not covered
      auto words = good;
      words[flit][bit / 32] ^= 1u << bit % 32;
      if (flit == 0 && bit == 300) continue;  // not used in a packet of several flits
      if (flit == 0 && bit == 511) continue;  // the stamp
      node.inject(header.vn, words);
      flits += static_cast<unsigned>(words.size());
      node.run(30);
      ASSERT_EQ(node.messages, 0u) << "flit " << flit << " bit " << bit;
    }
  }
  for (std::size_t length = 1; length < good.size(); ++length) {
    node.inject(header.vn, {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)});
    flits += static_cast<unsigned>(length);
    node.run(30);
  }
  EXPECT_EQ(node.messages, 0u);
  EXPECT_EQ(node.errors, 0u);
  EXPECT_TRUE(node.acks.empty());
  EXPECT_EQ(node.freed[4], flits % 256) << "every flit's credit is reported";
  node.inject(header.vn, good);
  node.run(60);
  EXPECT_EQ(node.messages, 1u);
}

}  // namespace
