// SPDX-License-Identifier: Apache-2.0
// One fabric node among hand-made neighbours: the words it puts on the link, what it refuses by
// name, and that a notify waits for its data.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "fabric/model/crc.h"
#include "tb/fabric/fabric_ring.h"

namespace {

using defs::ErrorCause;
using defs::FlitType;

/// Chip 3 of 12. Packets for it are injected on link port 1, as if chip 2 sent them; chip 2 takes
/// what comes back to it, that is acknowledgements. Nobody answers on link port 0.
class Node {
 public:
  static constexpr unsigned kChip = 3, kTraining = 100;

  Node() : dut_(&context_) {
    std::memset(dut_.link_rx0_i.data(), 0, 72);
    std::memset(dut_.link_rx1_i.data(), 0, 72);
    std::memset(dut_.link_rx2_i.data(), 0, 72);
    std::memset(dut_.link_rx3_i.data(), 0, 72);
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
      std::memcpy(dut_.link_rx0_i.data(), dut_.link_tx0_o.data(), 72);
      std::memcpy(dut_.link_rx1_i.data(), dut_.link_tx1_o.data(), 72);
      core_cycle();
    }
    EXPECT_EQ(dut_.link_status0_o.data()[0] & 7u, static_cast<unsigned>(defs::LinkState::Active));
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
        std::to_array(reinterpret_cast<std::uint32_t(&)[18]>(*dut_.link_tx0_o.data()));
    const defs::Flit flit = defs::Flit::from(word);
    const bool null = flit.lcw.flit_type == 0;
    EXPECT_EQ(flit.crc, fabric::crc(word, null ? 0 : static_cast<unsigned>(sent.size())));
    if (!null)
      sent.push_back(flit), sent_at.push_back(now / 2);
    else
      EXPECT_EQ(flit.payload, decltype(flit.payload){}) << "NULL flits are empty";
    const defs::Flit back = defs::Flit::from(
        std::to_array(reinterpret_cast<std::uint32_t(&)[18]>(*dut_.link_tx1_o.data())));
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
    std::memcpy(dut_.link_rx1_i.data(), pins.data(), 72);
    // The neighbour on port 0 says how far it has listened.
    defs::Flit other;
    if (!queue_[0].empty()) other = queue_[0].front(), queue_[0].pop_front();
    other.lcw.ack_type = 1;
    other.lcw.ack_seq = static_cast<std::uint16_t>(sent.size());
    pins = other.words();
    pins[17] = fabric::crc(pins, other.lcw.flit_type ? injected_[0]++ : 0);
    std::memcpy(dut_.link_rx0_i.data(), pins.data(), 72);
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
  std::vector<unsigned> sent_at;                    ///< fabric cycle
  std::vector<std::array<std::uint32_t, 16>> acks;  ///< what chip 2 gets
  std::array<unsigned, 8> freed{};
  unsigned errors = 0, messages = 0, writes = 0, notifies = 0;
  unsigned moved = 0;  ///< messages by the other port
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
  EXPECT_EQ(node.dut().sem1_o, 0x1ffu << 16 | 1u);
  EXPECT_TRUE(node.dut().quiet_o);
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

TEST(Sender, NumbersThePacketsOfAFlowAndForgetsWhatIsAcknowledged) {
  Node node;
  fabric::Message m;
  m.src = Node::kChip;
  m.dst = 2;
  m.vn = 3;
  m.addr = 0x40;
  m.bytes = 40;
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
  fabric::Message m;
  m.src = Node::kChip;
  m.dst = 2;
  m.addr = 0x40;
  m.bytes = 40;
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
