// SPDX-License-Identifier: Apache-2.0
// Registers of other chips by packets: words, permission, rejections, the switch in time.
#include <gtest/gtest.h>

#include <cstring>

#include "tb/unit/fabric/fabric_node_bench.h"

namespace {

using namespace node;

std::uint64_t read_register(Node& node, unsigned index) {
  return tb::read_register(node.dut(), tb::offset(defs::kCsrRouteSource, index));
}

tb::Payload eight(std::uint64_t value) {
  tb::Payload payload(8);
  std::memcpy(payload.data(), &value, 8);
  return payload;
}

TEST(Management, WordsOnTheLinkAreTheModels) {
  Node node;
  // Not stamped on these.
  for (unsigned core = 0; core < 2; ++core) node.set(defs::kCsrFabricKey, 0xa5, 0, core);
  const std::uint64_t value = 0x0123'4567'89ab'cdef;
  const auto status = [&] {
    return tb::read_register(node.dut(), tb::offset(defs::kCsrMgmt, 16 * 2));
  };
  ASSERT_TRUE(tb::put_write(node.dut(), tb::offset(defs::kCsrMgmt, 16 * 2 + 2), value));
  node.core_cycle();
  EXPECT_EQ(status(), 3u) << "on its way to the queue";
  node.core_cycle();
  node.run(60);
  EXPECT_EQ(status(), 2u) << "not acknowledged";
  defs::Header header = fabric::manage(Node::kChip, 2, 2);
  header.hop = 1;
  ASSERT_EQ(node.acks.size(), 1u);
  EXPECT_EQ(node.acks[0], fabric::flit_payloads(header, eight(value), 0)[0]);
  std::array<std::uint16_t, 8> expected{1};
  node.inject(0, {fabric::ack_payload(2, Node::kChip, expected)});
  node.run(60);
  EXPECT_EQ(status(), 0u);
  EXPECT_TRUE(node.dut().quiet_o);
}

TEST(Management, PassesTheKeysAndNeedsTheHostsLeave) {
  Node node;
  for (unsigned port = 0; port < defs::kLinkPorts; ++port)  // no key may come in
    node.set(defs::kCsrFabricKeys, 0, defs::kKeyEntries * port);
  node.set(defs::kCsrFabricManagers, 0xfffb);  // everybody but chip 2
  const defs::Header header = fabric::manage(2, Node::kChip, 1);
  node.inject(header, eight(0x77), 0);
  node.run(60);
  EXPECT_EQ(read_register(node, 1), 0u);
  EXPECT_EQ(node.dut().violations_o, 1u);
  EXPECT_EQ(std::memcmp(node.dut().violation_o.data(), header.words().data(), 16), 0);
  auto report = fabric::err_payload(Node::kChip, header);
  report[0] |= 1;
  ASSERT_EQ(node.acks.size(), 1u);
  EXPECT_EQ(node.acks[0], report) << "told, not acknowledged";
  node.set(defs::kCsrFabricManagers, 4);
  node.inject(header, eight(0x77), 0);
  node.run(60);
  EXPECT_EQ(read_register(node, 1), 0x77u);
  node.inject(header, eight(0x88), 0);  // again
  node.run(60);
  EXPECT_EQ(read_register(node, 1), 0x77u) << "once";
  auto damaged = fabric::flit_payloads(header, eight(0x99), 1);
  damaged[0][6] ^= 1;
  node.inject(0, damaged);
  node.run(60);
  EXPECT_EQ(read_register(node, 1), 0x77u);
  node.inject(header, eight(0x99), 1);
  node.run(60);
  EXPECT_EQ(read_register(node, 1), 0x99u);
  EXPECT_EQ(node.errors, 0u);
  EXPECT_EQ(node.messages + node.moved, 0u) << "no message, no memory";
  EXPECT_EQ(node.writes, 0u);
  EXPECT_TRUE(node.dut().quiet_o);
}

TEST(Management, RefusesByName) {
  Node node;
  node.set(defs::kCsrFabricManagers, 4);
  const auto header = [](unsigned index) { return fabric::manage(2, Node::kChip, index); };
  struct Case {
    defs::Header header;
    std::uint64_t value;
  };
  std::vector<Case> cases;
  for (unsigned absent : {4u, 7u, 11u, 13u, 14u, 15u}) cases.push_back({header(absent), 0});
  for (const auto& [index, bit] : {std::pair{0u, 32u}, {3u, 7u}, {5u, 35u}, {6u, 25u}, {12u, 32u}})
    cases.push_back({header(index), std::uint64_t{1} << bit});
  const std::uint64_t now = read_register(node, 12) >> 32;
  cases.push_back({header(12), 0x8000'0000u | (now + 4000)});               // takes no time
  cases.push_back({header(12), 0x8010'0000u | now});                        // has passed
  cases.push_back({header(12), 0x8010'0000u | ((now + 0x8800) & 0xffff)});  // too far ahead
  for (const std::uint64_t addr : {0x80u, 0x180u, 0x10cu, 0x10118u}) {
    cases.push_back({header(3), 3});
    cases.back().header.addr = addr;
  }
  unsigned seq = 0;
  for (const Case& c : cases) {
    node.cause = ErrorCause::None;
    node.inject(c.header, eight(c.value), seq++);
    node.run(60);
    EXPECT_EQ(node.cause, ErrorCause::BadDescriptor) << std::hex << c.header.addr << " " << c.value;
    EXPECT_EQ(node.errors, seq);
  }
  for (unsigned which = 0; which < 2; ++which) {
    defs::Header bad = header(3);
    if (which)
      bad.bytes = 4;
    else
      bad.vn = 1;
    node.cause = ErrorCause::None;
    node.inject(bad, which ? bytes(4) : eight(3), which ? seq : 0);
    node.run(60);
    EXPECT_EQ(node.cause, ErrorCause::BadDescriptor);
    EXPECT_EQ(fabric::refusal(bad, Node::kChip), ErrorCause::BadDescriptor);
  }
  EXPECT_EQ(fabric::refusal(header(3), Node::kChip), ErrorCause::None);
  EXPECT_EQ(read_register(node, 3), 3u);
  EXPECT_EQ(read_register(node, 12) & 0xffff'ffff, 0u);
  EXPECT_TRUE(node.dut().quiet_o);
}

TEST(Management, ASwitchCanBeCalledOffUntilItBegins) {
  Node node;
  node.set(defs::kCsrFabricManagers, 4);
  const defs::Header header = fabric::manage(2, Node::kChip, 12);
  const auto at = [&](unsigned ahead) {
    return ((read_register(node, 12) >> 32) + ahead) & 0xffff;
  };
  node.inject(header, eight(0x8040'0000u | at(300)), 0);
  node.run(60);
  EXPECT_EQ(read_register(node, 12) >> 31 & 1, 1u);
  node.inject(header, eight(0), 1);
  node.run(500);
  EXPECT_EQ(read_register(node, 12) & 0xffff'ffff, 0u);
  EXPECT_EQ(read_register(node, 3), 3u) << "as if nothing had been";
  node.inject(header, eight(0x8040'0000u | at(100)), 2);
  node.run(110);
  node.inject(header, eight(0), 3);
  node.run(40);
  EXPECT_EQ(read_register(node, 3), 3u) << "has begun";
  node.run(120);
  EXPECT_EQ(read_register(node, 3), 0x13u) << "bank 1";
  EXPECT_EQ(node.errors, 0u);
}

}  // namespace
