// SPDX-License-Identifier: Apache-2.0
// Keys and address windows of a fabric node: what is dropped, counted and reported.
#include <gtest/gtest.h>

#include <cstring>

#include "tb/unit/fabric/fabric_node_bench.h"

namespace {

using namespace node;

/// Packets of 200 bytes from chip 2 with `key`, one after the other, without a pause.
void stream(Node& node, unsigned key, unsigned from, unsigned count, std::uint64_t addr) {
  fabric::Message m = to_node(200);
  m.key = static_cast<std::uint8_t>(key);
  m.addr = addr;
  for (unsigned i = 0; i < count; ++i) node.inject(fabric::header(m), bytes(200), from + i);
  node.run(60);
}

TEST(Isolation, ForeignKeysAreDroppedAtTheLinkCountedAndReported) {
  Node node;
  const std::uint64_t addr = to_node(200).addr;
  node.set(defs::kCsrFabricKey, 0x5a, 0, 1);
  node.set(defs::kCsrFabricKeys, 0x15a, defs::kKeyEntries + 15);
  stream(node, 0x5a, 0, 2, addr);
  EXPECT_EQ(node.messages, 2u);
  EXPECT_EQ(node.dut().violations_o, 0u);
  const auto acks = node.acks.size();
  unsigned foreign = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {  // one bit from an allowed one
    stream(node, 0x5a ^ 1u << bit, 2, 20, addr);
    foreign += 20;
  }
  EXPECT_EQ(node.messages, 2u) << "nothing foreign is delivered";
  EXPECT_EQ(node.writes,
            2 * fabric::deliver(fabric::header(to_node(200)), tb::kSizes.line_bytes).size());
  EXPECT_EQ(node.dut().violations_o, foreign);
  EXPECT_EQ(node.errors, 0u) << "the sender is told, not this chip's host";
  EXPECT_EQ(node.freed[4], (2 + foreign) * fabric::flits(200) % 256) << "credits come home";
  fabric::Message m = to_node(200);
  m.key = 0x5b;
  const defs::Header first = fabric::header(m);
  ASSERT_GE(node.acks.size(), acks + 8);
  auto report = fabric::err_payload(Node::kChip, first);
  report[0] |= 1;
  EXPECT_EQ(node.acks[acks], report);
  EXPECT_EQ(std::memcmp(node.dut().violation_o.data(), first.words().data(), 16), 0);
  stream(node, 0x5a, 2, 2, addr);
  EXPECT_EQ(node.messages, 4u);
  EXPECT_TRUE(node.dut().quiet_o);
}

TEST(Isolation, AnEntryThatIsNotValidLetsNothingThrough) {
  Node node;
  node.set(defs::kCsrFabricKeys, 0x108, defs::kKeyEntries + 1);
  node.set(defs::kCsrFabricKeys, 0x009, defs::kKeyEntries + 2);
  fabric::Message m = to_node(200);
  m.dst = Node::kChip + 1;
  for (unsigned key : {8u, 9u, 8u, 9u}) {
    const auto sent = node.sent.size();
    m.key = static_cast<std::uint8_t>(key);
    node.inject(fabric::header(m), bytes(200), 0);
    node.run(100);
    EXPECT_EQ(node.sent.size() - sent, key == 8 ? fabric::flits(200) : 0u) << key;
  }
  EXPECT_EQ(node.dut().violations_o, 2u);
}

TEST(Isolation, KeysOfThroughTrafficAndOtherAddressesAreRefusedAtTheEnd) {
  Node node;
  for (unsigned core = 0; core < 2; ++core) node.set(defs::kCsrFabricKey, 6 + core, 0, core);
  for (unsigned key : {6u, 7u, 8u})  // 8: somebody else's, on its way
    node.set(defs::kCsrFabricKeys, 0x100 | key, defs::kKeyEntries + key);
  const auto window = [&](unsigned core, std::uint64_t base, std::uint64_t end) {
    node.set(defs::kCsrFabricBase, base, 0, core);
    node.set(defs::kCsrFabricEnd, end, 0, core);
  };
  window(0, 0x1000, 0x2000);
  window(1, defs::kAddrCore1Base, defs::kAddrCore1Base + 0x1000);
  struct Case {
    unsigned key;
    std::uint64_t addr;
    bool good;
  };
  const std::uint64_t core1 = defs::kAddrCore1Base;
  unsigned seq = 0, refused = 0;
  for (const Case& c : {Case{7, core1, true},
                        {8, core1, false},
                        {6, core1, false},
                        {7, core1 + 0x1000 - 200, true},
                        {7, core1 + 0x1000 - 196, false},
                        {7, core1 + 0x1000, false},
                        {6, 0x1000, true},
                        {7, 0x1000, false},
                        {6, 0xffc, false},
                        {6, 0x2000 - 200, true},
                        {6, 0x2000 - 196, false},
                        {6, 0xffff'ffff'fffc, false}}) {
    stream(node, c.key, seq, 1, c.addr);
    (c.good ? seq : refused) += 1;
    EXPECT_EQ(node.messages, seq) << c.key << std::hex << " to " << c.addr;
    EXPECT_EQ(node.dut().violations_o, refused) << c.key << std::hex << " to " << c.addr;
  }
  // A semaphore of the other core.
  for (unsigned core : {1u, 0u}) {
    fabric::Message m = to_node(200);
    m.addr = core1;
    m.key = 7;
    m.notify = true;
    m.sem = static_cast<std::uint16_t>(core << 8 | 3);
    node.inject(fabric::header(m), bytes(200), seq);
    node.run(60);
    (core ? seq : refused) += 1;
    EXPECT_EQ(node.notifies, 1u);
    EXPECT_EQ(node.messages, seq);
    EXPECT_EQ(node.dut().violations_o, refused);
  }
  EXPECT_EQ(node.errors, 0u);
  EXPECT_TRUE(node.dut().quiet_o);
}

TEST(Isolation, TheSenderIsToldAndGivesTheFlowUp) {
  Node node;
  node.set(defs::kCsrFabricKey, 0xa5);
  fabric::Message m;
  m.src = Node::kChip;
  m.dst = 2;
  m.addr = 0x40;
  m.bytes = 40;
  m.key = 0xa5;
  node.offer(m, bytes(40));
  node.offer(m, bytes(40));
  node.run(60);
  defs::Header header = fabric::header(m);
  header.hop = 1;
  ASSERT_EQ(node.acks.size(), 2u);
  EXPECT_EQ(node.acks[1], fabric::flit_payloads(header, bytes(40), 1)[0]) << "the key is stamped";
  node.inject(0, {fabric::err_payload(2, header)});
  node.run(60);
  EXPECT_EQ(node.errors, 2u);
  EXPECT_EQ(node.cause, ErrorCause::Forbidden);
  EXPECT_TRUE(node.dut().quiet_o);
  node.offer(m, bytes(40));
  node.run(60);
  EXPECT_EQ(node.errors, 3u) << "refused at once";
  EXPECT_EQ(node.cause, ErrorCause::Forbidden);
  EXPECT_EQ(node.acks.size(), 2u);
}

}  // namespace
