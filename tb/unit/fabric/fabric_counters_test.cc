// SPDX-License-Identifier: Apache-2.0
// The fabric's counters against what the test bench counts itself, their copies, and the watchdog.
#include <bit>
#include <map>

#include "tb/fabric/fabric_ring.h"

namespace {

using namespace tb;
using defs::ChipCount;
using defs::PortCount;

PortCount of(PortCount first, unsigned more) {
  return static_cast<PortCount>(static_cast<unsigned>(first) + more);
}
fabric::Message message(unsigned src, unsigned dst, unsigned bytes, unsigned vn = 1) {
  fabric::Message m;
  m.src = static_cast<std::uint16_t>(src);
  m.dst = static_cast<std::uint16_t>(dst);
  m.vn = static_cast<std::uint8_t>(vn);
  m.bytes = static_cast<std::uint16_t>(bytes);
  m.addr = defs::kAddrHbm0Base + 4096 * src;
  return m;
}

class Copies : public testing::TestWithParam<bool> {
 protected:
  Options options() const {
    Options options{.latency = 16, .seed = 12};
    if (GetParam()) options.tables = fabric::search_tables(fabric::Board::c12());
    return options;
  }
};

/// All chips copy at one fabric cycle in the middle of traffic: what was on the wires then.
TEST_P(Copies, AreOfOneCycleInAllChips) {
  FabricRing nodes(options());
  for (unsigned i = 0; i < 4000; ++i)
    nodes.post(nodes.random_message(nodes.random(12), nodes.random(12)));
  const auto when = static_cast<std::uint32_t>(nodes.cycle() + 1500);
  nodes.write_counters(defs::kCsrFabricSnapshot, when);
  EXPECT_EQ(nodes.count(0, ChipCount::Cycle), 0u) << "no copy yet";
  // A flit is counted when the router hands it over, two cycles before it is on the wire.
  while (nodes.cycle() < when + 2) nodes.step();
  std::map<std::tuple<unsigned, unsigned, unsigned>, std::uint64_t> seen;
  for (unsigned chip = 0; chip < 12; ++chip)
    for (unsigned port = 0; port < nodes.cables().ports(); ++port)
      for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn)
        seen[{chip, port, vn}] = nodes.wire_flits(chip, port, vn);
  while (nodes.cycle() < when + 50) nodes.step();  // the copy is frozen
  std::uint64_t sum = 0, lost_turns = 0;
  for (const auto& [at, flits] : seen) {
    const auto [chip, port, vn] = at;
    EXPECT_EQ(nodes.count(chip, port, of(PortCount::Sent0, vn)), flits)
        << chip << " " << port << " " << vn;
    sum += flits;
    if (vn == 0) lost_turns += nodes.count(chip, port, PortCount::LostTurn);
  }
  EXPECT_GT(sum, 5000u);
  EXPECT_GT(lost_turns, 100u);
  for (unsigned chip = 0; chip < 12; ++chip) {
    EXPECT_EQ(nodes.count(chip, ChipCount::Cycle), when);
    EXPECT_EQ(nodes.read_counters(chip, defs::kCsrFabricTime), nodes.cycle());
  }
}

/// At rest: what was sent was received, cable by cable, and what was delivered is the model's.
TEST_P(Copies, AddUpAtTheEnd) {
  FabricRing nodes(options());
  for (unsigned i = 0; i < 3000; ++i)
    nodes.post(nodes.random_message(nodes.random(12), nodes.random(12)));
  nodes.drain();
  nodes.snapshot();
  for (unsigned chip = 0; chip < 12; ++chip) {
    for (unsigned port = 0; port < nodes.cables().ports(); ++port) {
      std::uint64_t sent = 0;
      for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn) {
        const auto flits = nodes.count(chip, port, of(PortCount::Sent0, vn));
        EXPECT_EQ(flits, nodes.wire_flits(chip, port, vn));
        sent += flits;
      }
      EXPECT_EQ(nodes.count(chip, port, PortCount::Wire), sent);
      const fabric::End far = nodes.cables().peer({chip, port});
      EXPECT_EQ(nodes.count(far.chip, far.port, PortCount::Received), sent);
      const auto held = nodes.count(chip, port, PortCount::MostHeld);
      EXPECT_GT(held, 0u);
      EXPECT_LE(held, 2 * (defs::kVnDepth0 + defs::kVnDepth1 + defs::kVnDepth2 + defs::kVnDepth3));
    }
    for (unsigned core = 0; core < defs::kCores; ++core)
      EXPECT_EQ(nodes.count(chip, ChipCount::Bytes0, core), nodes.delivered_bytes(chip, core));
    for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn) {
      std::uint64_t packets = 0;
      for (unsigned b = 0; b < 16; ++b)
        packets += nodes.count(chip, ChipCount::Latency, 16 * vn + b);
      EXPECT_EQ(packets, nodes.delivered_packets(chip, vn)) << chip << " " << vn;
    }
    EXPECT_EQ(nodes.count(chip, ChipCount::Switches), GetParam() ? 1u : 0u);
    EXPECT_EQ(nodes.count(chip, ChipCount::Stalls), 0u);
  }
}
INSTANTIATE_TEST_SUITE_P(Boards, Copies, testing::Bool(),
                         [](const auto& info) { return info.param ? "c12" : "ring"; });

/// One packet at a time, routes of every length: its latency is known, and so is its bin.
TEST(Latency, IsThatOfThePacketToTheCycle) {
  for (const unsigned latency : {4u, 8u, 11u, 23u, 40u, 56u}) {
    FabricRing nodes({.latency = latency});
    std::map<std::pair<unsigned, unsigned>, unsigned> expected;  // {chip, bin}
    for (unsigned hops = 0; hops <= 6; ++hops)
      for (const unsigned vn : {1u, 3u}) {
        nodes.post(message(2, 2 + hops, 40, vn));
        nodes.drain();
        const unsigned cycles = 4 + hops * (7 + latency);
        ++expected[{2 + hops, 16 * vn + static_cast<unsigned>(std::bit_width(cycles)) - 1}];
      }
    nodes.snapshot();
    for (unsigned chip = 0; chip < 12; ++chip)
      for (unsigned i = 0; i < 64; ++i)
        EXPECT_EQ(nodes.count(chip, ChipCount::Latency, i), (expected[{chip, i}]))
            << "L " << latency << " chip " << chip << " vn " << i / 16 << " bin " << i % 16;
  }
}

/// Chip 0 sends to chip 2 through chip 1; the receiver of chip 2 takes nothing for a while.
/// Cycles in which chip 1 lacked credit.
std::uint32_t blocked(unsigned core_cycles) {
  FabricRing nodes({.latency = 8});
  for (unsigned i = 0; i < 60; ++i) nodes.post(message(0, 2, 1024));
  nodes.stall(2, 1, core_cycles);  // what comes by port 1 is received by receiver 1
  nodes.drain();
  nodes.snapshot();
  const unsigned vc = 2 * 1 + 0;  // class 0: the route crosses no cable near B
  for (unsigned other = 0; other < 8; ++other)
    if (other != vc) EXPECT_EQ(nodes.count(1, 0, of(PortCount::Short0, other)), 0u) << other;
  // Its buffer in chip 2 was full of whole packets, and nothing else ever came to chip 2.
  EXPECT_EQ(nodes.count(2, 1, PortCount::MostHeld), defs::kVnDepth1 / 17 * 17);
  EXPECT_EQ(nodes.count(1, 1, PortCount::LostTurn), 0u) << "one stream has no rival";
  return nodes.count(1, 0, of(PortCount::Short0, vc));
}
TEST(Short, CountsTheCyclesWithoutCredit) {
  const std::uint32_t few = blocked(2000), many = blocked(2600);
  EXPECT_GT(few, 500u);
  EXPECT_EQ(many - few, 300u) << "fabric cycles";
}

/// A damaged link: its own counters, copied.
TEST(Links, AreCopiedToo) {
  FabricRing nodes({.latency = 8, .seed = 5, .flit_errors = 0.01});
  for (unsigned i = 0; i < 1000; ++i)
    nodes.post(nodes.random_message(nodes.random(12), nodes.random(12)));
  nodes.drain();
  nodes.options().flit_errors = 0;
  for (unsigned i = 0; i < 2000; ++i) nodes.step();
  nodes.snapshot();
  std::uint64_t replays = 0;
  for (unsigned chip = 0; chip < 12; ++chip)
    for (unsigned port = 0; port < 2; ++port) {
      const auto status = nodes.status(chip, port);
      EXPECT_EQ(nodes.count(chip, port, PortCount::Wire), status.flits);
      EXPECT_EQ(nodes.count(chip, port, PortCount::Replays), status.replays);
      EXPECT_EQ(nodes.count(chip, port, PortCount::Naks), status.naks);
      EXPECT_EQ(nodes.count(chip, port, PortCount::Failures), status.failures);
      EXPECT_EQ(nodes.count(chip, port, PortCount::Retrains), status.retrains);
      EXPECT_EQ(nodes.count(chip, port, PortCount::Degraded), status.degraded);
      EXPECT_EQ(nodes.count(chip, port, PortCount::Dropped), status.dropped);
      replays += status.replays;
    }
  EXPECT_GT(replays, 100u);
}

/// Flits changed behind the links' backs: the chip that the packets were for counts each of them.
TEST(Ends, DamagedPacketsAreCountedWhereTheyEnd) {
  std::mt19937 rng(7);
  unsigned flits = 0, changed = 0;
  const auto tap = [&](unsigned chip, unsigned port, std::uint32_t* word) {
    const auto type = static_cast<defs::FlitType>(type_of(word));
    if (chip != 1 || port != 0 || type < defs::FlitType::Head || type > defs::FlitType::HeadTail)
      return;
    if (++flits % 173 == 5)
      spoil(word, rng), ++changed;  // packets have 17 flits: never twice in one
  };
  FabricRing nodes({.chips = 4, .latency = 4, .timeout = 500, .tap = tap});
  for (unsigned i = 0; i < 30; ++i) nodes.post(message(0, 2, 1024));
  for (unsigned i = 0; i < 30; ++i) nodes.post(message(3, 1, 1024));
  nodes.drain();
  nodes.snapshot();
  EXPECT_GT(changed, 3u);
  for (unsigned chip = 0; chip < 4; ++chip)
    EXPECT_EQ(nodes.count(chip, ChipCount::Damaged), chip == 2 ? changed : 0u) << chip;
}

/// A packet that is cut off by a dying cable is marked at its end, over every router from there on:
/// its receiver drops it, and takes nobody for the culprit.
TEST(Ends, CutPacketsAreNotCountedAsDamaged) {
  unsigned poisoned = 0;  // tails on the cable behind the next router
  const auto tap = [&](unsigned chip, unsigned port, std::uint32_t* word) {
    if (chip == 1 && port == 0 && is_flit(word)) poisoned += word[16] >> 6 & 1u;
  };
  FabricRing nodes({.chips = 6, .latency = 4, .tap = tap});
  for (unsigned i = 0; i < 30; ++i) nodes.post(message(0, 3, 1024));
  while (nodes.link_flits(1, 0) < 100) nodes.step();
  nodes.kill({0, 0});
  for (unsigned i = 0; i < 300; ++i) nodes.step();
  nodes.snapshot();
  EXPECT_EQ(poisoned, 1u);
  for (unsigned chip = 0; chip < 6; ++chip)
    EXPECT_EQ(nodes.count(chip, ChipCount::Damaged), 0u) << chip;
}

/// Of the last copy.
unsigned lane_errors(FabricRing& nodes, unsigned chip, unsigned port, unsigned lane) {
  return nodes.count(chip, port, of(PortCount::Lanes0, lane / 2)) >> 16 * (lane % 2) & 0xffff;
}

/// A lane sticks: the link trains, and the counter of that lane at the end that receives says so.
TEST(Lanes, AStuckOneIsNamed) {
  for (unsigned lane = 0; lane < 16; ++lane) {
    FabricRing nodes({.chips = 3, .latency = 4, .seed = lane});
    nodes.add({.chip = 1, .port = 0, .lane = static_cast<int>(lane), .value = lane % 2 == 0});
    for (unsigned i = 0; i < 100; ++i)
      nodes.post(message(1, 2, 1024));  // words of zeros are not hurt
    for (unsigned i = 0; i < 2000; ++i) nodes.step();
    nodes.snapshot();
    ASSERT_EQ(nodes.state(2, 1), defs::LinkState::Degraded);
    for (const auto& [chip, port] : {std::pair{1u, 0u}, {2u, 1u}}) {
      const std::uint64_t since = nodes.cycle() - nodes.count(chip, ChipCount::Cycle);
      EXPECT_EQ(nodes.count(chip, port, PortCount::Degraded) + since,
                nodes.status(chip, port).degraded);  // it counts fabric cycles
    }
    for (unsigned chip = 0; chip < 3; ++chip)
      for (unsigned port = 0; port < 2; ++port)
        for (unsigned i = 0; i < 16; ++i) {
          const bool stuck = chip == 2 && port == 1 && i == lane;
          EXPECT_EQ(lane_errors(nodes, chip, port, i),
                    stuck ? 64 * nodes.status(chip, port).retrains : 0u)
              << "lane " << lane << ": chip " << chip << " port " << port << " lane " << i;
        }
  }
}

/// Errors too few to call a lane bad are counted one by one, and from training to training.
TEST(Lanes, EveryWrongWordOfATrainingCounts) {
  std::array<unsigned, 16> wrong{};
  unsigned measured = 0;
  std::mt19937 rng(3);
  const auto tap = [&](unsigned chip, unsigned port, std::uint32_t* word) {
    // Words of step 1 are measured, 64 of them; later ones may be wrong too and do not count.
    if (chip != 0 || port != 0 || type_of(word) != 6) return;
    if (++measured > 40) return;
    for (unsigned lane = 0; lane < 16; ++lane)
      if (lane % 4 && rng() % 32 < lane % 4)
        flip(word, kLaneBits * lane + rng() % kLaneBits), ++wrong[lane];
  };
  FabricRing nodes({.chips = 2, .latency = 4, .tap = tap});
  nodes.snapshot();
  EXPECT_EQ(nodes.status(1, 1).bad_lanes, 0u);
  unsigned sum = 0;
  for (unsigned lane = 0; lane < 16; ++lane) {
    // The first training word only wakes the receiver, and is not measured.
    EXPECT_LE(lane_errors(nodes, 1, 1, lane), wrong[lane]) << lane;
    EXPECT_GE(lane_errors(nodes, 1, 1, lane) + 1, wrong[lane]) << lane;
    EXPECT_EQ(lane_errors(nodes, 0, 1, lane), 0u) << lane;
    sum += lane_errors(nodes, 1, 1, lane);
  }
  EXPECT_GT(sum, 20u);
  // Trained again: the sums go on.
  const unsigned before = lane_errors(nodes, 1, 1, 5);
  nodes.add({.chip = 0, .port = 0, .lane = 5});
  for (unsigned i = 0; i < 2000; ++i) nodes.step();
  nodes.snapshot();
  EXPECT_EQ(lane_errors(nodes, 1, 1, 5), before + 64 * nodes.status(1, 1).retrains);
}

defs::FabricStall stall_of(FabricRing& nodes, unsigned chip) {
  const std::uint64_t word = nodes.read_counters(chip, defs::kCsrFabricStall);
  const std::array<std::uint32_t, 2> words{static_cast<std::uint32_t>(word),
                                           static_cast<std::uint32_t>(word >> 32)};
  return defs::FabricStall::unpack(words.data());
}

/// A sink stalls for 3,000 fabric cycles; patience is 5 x 128.
TEST(Watchdog, NamesTheHeadThatStandsStill) {
  FabricRing nodes({.latency = 8});
  nodes.write_counters(defs::kCsrFabricPatience, 5);
  for (unsigned i = 0; i < 60; ++i) nodes.post(message(0, 2, 1024));
  nodes.stall(2, 1, 6000);
  const std::uint64_t start = nodes.cycle();
  while (!nodes.dut(2).stalled_o && nodes.cycle() < start + 3000) nodes.step();
  ASSERT_TRUE(nodes.dut(2).stalled_o);
  EXPECT_GE(nodes.cycle() - start, 5u * 128);
  EXPECT_LE(nodes.cycle() - start, 2 * 5u * 128 + 200);  // the receiver's store fills first
  const auto at_sink = stall_of(nodes, 2);
  EXPECT_EQ(at_sink.valid, 1);
  EXPECT_EQ(at_sink.who, 2 * 1);  // link 1, class 0
  EXPECT_EQ(at_sink.vn, 1);
  EXPECT_EQ(at_sink.head, 1);
  EXPECT_EQ(at_sink.out, 4 + 1);
  EXPECT_EQ(at_sink.len, 17);
  EXPECT_EQ(at_sink.credit, 0);
  EXPECT_EQ(at_sink.held, 0);
  EXPECT_EQ(at_sink.holder, 15);
  for (unsigned i = 0; i < 2 * 5 * 128; ++i) nodes.step();
  // Behind it, chip 1 lacks credit, and the sender's lane too.
  const auto on_way = stall_of(nodes, 1);
  EXPECT_EQ(on_way.valid, 1);
  EXPECT_EQ(on_way.who, 2 * 1);
  EXPECT_EQ(on_way.out, 0);
  EXPECT_LT(on_way.credit, 17);
  EXPECT_EQ(on_way.ready, 1);
  EXPECT_EQ(on_way.claimed, 1);
  const auto source = stall_of(nodes, 0);
  EXPECT_EQ(source.valid, 1);
  EXPECT_GE(source.who, 8);
  EXPECT_EQ(source.out, 0);
  EXPECT_EQ(stall_of(nodes, 3).valid, 0);
  nodes.drain();
  nodes.snapshot();
  // The sink stalls for 3,000 cycles: no more than four ticks.
  for (const unsigned chip : {0u, 1u, 2u}) {
    EXPECT_GE(nodes.count(chip, ChipCount::Stalls), 1u);
    EXPECT_LE(nodes.count(chip, ChipCount::Stalls), 4u);
  }
  EXPECT_EQ(nodes.count(3, ChipCount::Stalls), 0u);
  // Writing begins anew, and a patience of 0 has no end.
  nodes.write_counters(defs::kCsrFabricPatience, 0);
  for (unsigned i = 0; i < 60; ++i) nodes.post(message(0, 2, 1024));
  nodes.stall(2, 1, 6000);
  nodes.drain();
  for (unsigned chip = 0; chip < 12; ++chip) {
    EXPECT_FALSE(nodes.dut(chip).stalled_o);
    EXPECT_EQ(stall_of(nodes, chip).valid, 0);
  }
}

/// A cable breaks under packets of all networks: their flits wait for the link, each of them holds
/// its VC.
TEST(Watchdog, SaysThatAVcIsHeldAndByWhom) {
  FabricRing nodes({.latency = 8});
  for (unsigned i = 0; i < 60; ++i)
    for (unsigned vn = 1; vn < 4; ++vn)
      for (unsigned src = 0; src < 2; ++src) nodes.post(message(src, 2, 1024, vn));
  for (unsigned i = 0; i < 300; ++i) nodes.step();
  nodes.add({.chip = 1, .port = 0});
  nodes.add({.chip = 2, .port = 1});
  nodes.write_counters(defs::kCsrFabricPatience, 1);
  const std::uint64_t start = nodes.cycle();
  while (!nodes.dut(1).stalled_o && nodes.cycle() < start + 1000) nodes.step();
  const auto stall = stall_of(nodes, 1);
  ASSERT_EQ(stall.valid, 1);
  EXPECT_EQ(stall.who, 2 * 1);
  EXPECT_EQ(stall.head, 0);
  EXPECT_EQ(stall.out, 0);
  EXPECT_EQ(stall.ready, 0);
  EXPECT_EQ(stall.held, 1);
  EXPECT_EQ(stall.holder, stall.who);
}

/// As it comes out of reset: 2^14 fabric cycles, one to two times.
TEST(Watchdog, HasAPatienceFromReset) {
  FabricRing nodes({.chips = 3, .latency = 8});
  for (unsigned i = 0; i < 60; ++i) nodes.post(message(0, 1, 1024));
  nodes.stall(1, 1, 1u << 17);
  const std::uint64_t start = nodes.cycle();
  while (!nodes.dut(1).stalled_o && nodes.cycle() < start + (1u << 16)) nodes.step();
  EXPECT_GE(nodes.cycle() - start, defs::kStallPatience * 128);
  EXPECT_LE(nodes.cycle() - start, 2 * defs::kStallPatience * 128 + 200);
}

/// Traffic that moves, however slowly, is not reported: the ring full, sinks at a quarter.
TEST(Watchdog, BearsWithSlowTraffic) {
  FabricRing nodes({.latency = 8, .seed = 3, .ready = 0.25, .stall = 100});
  nodes.write_counters(defs::kCsrFabricPatience, 40);
  for (unsigned i = 0; i < 3000; ++i)
    nodes.post(nodes.random_message(nodes.random(12), nodes.random(12)));
  nodes.drain();
  for (unsigned chip = 0; chip < 12; ++chip) EXPECT_FALSE(nodes.dut(chip).stalled_o) << chip;
}

}  // namespace
