// SPDX-License-Identifier: Apache-2.0
// The sender of a fabric node: the words it puts on the link, and what it rejects by name.
#include <gtest/gtest.h>

#include "tb/unit/fabric/fabric_node_bench.h"

namespace {

using namespace node;

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
    const auto words = fabric::flit_payloads(header, bytes(count), 0);
    ASSERT_EQ(node.sent.size(), words.size()) << count;
    for (unsigned i = 0; i < words.size(); ++i) {
      auto payload = node.sent[i].payload;
      if (i == 0) {
        EXPECT_EQ(payload[15] >> 16, node.sent_at[0] - 5) << "when the lane took it";
        payload[15] &= 0xffffu;
      }
      EXPECT_EQ(payload, words[i]) << count << " bytes, flit " << i;
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

TEST(Sender, NumbersThePacketsOfAFlowAndForgetsWhatIsAcknowledged) {
  Node node;
  fabric::Message m = from_node();
  m.vn = 3;
  for (unsigned i = 0; i < 3; ++i) node.offer(m, bytes(40));
  node.run(60);
  ASSERT_EQ(node.acks.size(), 3u);
  for (unsigned i = 0; i < 3; ++i) {
    defs::Header header = fabric::header(m);
    header.hop = 1;
    EXPECT_EQ(node.acks[i], fabric::flit_payloads(header, bytes(40), i)[0]);
  }
  EXPECT_FALSE(node.dut().quiet_o) << "not acknowledged yet";
  std::array<std::uint16_t, 8> numbers{};
  numbers[3] = 2;
  node.inject(0, {fabric::ack_payload(2, Node::kChip, numbers)});
  node.run(60);
  numbers[3] = 65535;  // never sent
  node.inject(0, {fabric::ack_payload(2, Node::kChip, numbers)});
  node.run(60);
  EXPECT_FALSE(node.dut().quiet_o) << "one is still missing";
  node.set(defs::kCsrFabricControl, 0x43);  // ports 0 and 1, send again
  node.run(60);
  ASSERT_EQ(node.acks.size(), 4u) << "the one that was not acknowledged is sent again";
  EXPECT_EQ(node.acks[3], node.acks[2]);
  numbers[3] = 3;
  node.inject(0, {fabric::ack_payload(2, Node::kChip, numbers)});
  node.run(60);
  EXPECT_TRUE(node.dut().quiet_o);
  EXPECT_EQ(node.errors, 0u);
}

TEST(Sender, GivesUpADestinationThatNeverAnswersAndSaysSo) {
  Node node;
  node.set(defs::kCsrFabricTimeout, 100);
  fabric::Message m = from_node();
  node.offer(m, bytes(40));
  node.offer(m, bytes(40));
  node.run(100 * (2 + defs::kRetryTries) + 100);
  EXPECT_EQ(node.acks.size(), 2 * (1 + defs::kRetryTries));
  EXPECT_EQ(node.errors, 2u) << "one per packet";
  EXPECT_EQ(node.cause, ErrorCause::Unreachable);
  EXPECT_TRUE(node.dut().quiet_o);
  node.offer(m, bytes(40));
  node.run(20);
  EXPECT_EQ(node.errors, 3u) << "refused at once";
  m.vn = 2;
  node.offer(m, bytes(40));
  node.run(60);
  EXPECT_EQ(node.errors, 3u) << "another flow is not given up";
  EXPECT_EQ(node.acks.size(), 2 * (1 + defs::kRetryTries) + 1);
}

/// 0 is never: what is late is waited for.
TEST(Sender, WithATimeoutOf0ALateAcknowledgementIsEarlyEnough) {
  Node node;
  node.set(defs::kCsrFabricTimeout, 0);
  fabric::Message m = from_node();
  node.offer(m, bytes(40));
  node.run(4000);
  EXPECT_EQ(node.acks.size(), 1u) << "sent again";
  EXPECT_FALSE(node.dut().quiet_o);
  std::array<std::uint16_t, 8> numbers{};
  numbers[m.vn] = 1;
  node.inject(0, {fabric::ack_payload(2, Node::kChip, numbers)});
  node.run(60);
  EXPECT_TRUE(node.dut().quiet_o);
  EXPECT_EQ(node.acks.size(), 1u);
  EXPECT_EQ(node.errors, 0u);
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
