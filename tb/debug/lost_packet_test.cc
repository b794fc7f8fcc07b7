// SPDX-License-Identifier: Apache-2.0
// A packet from chip 0 to chip 2 of a ring, and all the places where it can stop.
#include "tb/debug/lost_packet.h"

#include <gtest/gtest.h>

#include "fabric/model/board.h"

namespace {

using Where = tb::LostAt::Where;

constexpr tb::Flow kFlow{0, 1, 2, 1};
constexpr unsigned kUp = 0, kDown = 1;  // ports to the next and the last chip

tb::PacketSeen packet(unsigned chip, unsigned port, unsigned number, std::uint64_t cycle,
                      bool whole = true) {
  tb::PacketSeen seen{{chip, port}, cycle, cycle + 4, {}, whole, whole};
  seen.head.header.src = kFlow.src;
  seen.head.header.dst = kFlow.dst;
  seen.head.header.vn = kFlow.vn;
  seen.head.header.group = kFlow.core << 5 | 3 << 1;
  seen.head.seq = static_cast<std::uint16_t>(number);
  return seen;
}

tb::LostAt where(tb::FlowProgress progress, std::vector<tb::PacketSeen> seen) {
  return tb::where_lost(kFlow, progress, seen, fabric::Board::ring(4));
}

void expect(const tb::LostAt& lost, Where where, unsigned chip) {
  EXPECT_EQ(static_cast<int>(lost.where), static_cast<int>(where)) << lost.why;
  EXPECT_EQ(lost.chip, chip) << lost.why;
}

// Both packets before it went all the way.
const std::vector<tb::PacketSeen> kBefore = {packet(0, kUp, 0, 10), packet(1, kUp, 0, 30),
                                             packet(0, kUp, 1, 40), packet(1, kUp, 1, 60)};

std::vector<tb::PacketSeen> then(std::vector<tb::PacketSeen> more) {
  more.insert(more.begin(), kBefore.begin(), kBefore.end());
  return more;
}

TEST(LostPacket, NotHandedOverIsItsEnginesFaultWhoeverSawTheOneBefore) {
  expect(where({2, 2, 2}, kBefore), Where::Engine, 0);
}

TEST(LostPacket, TakenAndOnNoLinkIsItsSendersFault) {
  expect(where({3, 2, 2}, kBefore), Where::Sender, 0);
  expect(where({4, 2, 2}, then({packet(0, kUp, 3, 70), packet(1, kUp, 3, 90)})), Where::Sender, 0);
}

TEST(LostPacket, ComesWholeAndGoesNoFurther) {
  expect(where({3, 2, 2}, then({packet(0, kUp, 2, 70)})), Where::Route, 1);
  expect(where({3, 2, 2}, then({packet(0, kUp, 2, 70), packet(1, kUp, 2, 90)})), Where::Route, 2);
  expect(where({3, 2, 2}, then({packet(0, kDown, 2, 70)})), Where::Route, 3);
}

TEST(LostPacket, APartOfItNamesTheChipThatHasTheRest) {
  expect(where({3, 2, 2}, then({packet(0, kUp, 2, 70), packet(1, kUp, 2, 90, false)})),
         Where::Route, 1);
  expect(where({3, 2, 2}, then({packet(0, kUp, 2, 70, false), packet(1, kUp, 2, 90, false)})),
         Where::Route, 0);
}

TEST(LostPacket, APartThatWasSentAgainWholeIsForgotten) {
  expect(where({3, 2, 2}, then({packet(0, kUp, 2, 70, false), packet(0, kUp, 2, 700)})),
         Where::Route, 1);
}

TEST(LostPacket, AcceptedAndNotDeliveredIsItsReceiversFault) {
  expect(where({3, 3, 2}, then({packet(0, kUp, 2, 70), packet(1, kUp, 2, 90)})), Where::Receiver,
         2);
}

TEST(LostPacket, OtherFlowsAndAcknowledgementsDoNotCount) {
  auto other = packet(0, kUp, 2, 70), ack = other, vn = other;
  other.head.header.group = 3 << 1;  // of core 0
  ack.head.header.op = static_cast<unsigned>(defs::PktOp::Ack);
  vn.head.header.vn = 2;
  expect(where({3, 2, 2}, then({other, ack, vn})), Where::Sender, 0);
}

TEST(LostPacket, NumbersWrapRound) {
  expect(where({0, 0xFFFF, 0xFFFF}, {packet(0, kUp, 0xFFFF, 70)}), Where::Route, 1);
}

}  // namespace
