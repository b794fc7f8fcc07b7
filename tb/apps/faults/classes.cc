// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/faults/classes.h"

#include "fabric/model/crc.h"
#include "tb/apps/faults/trial.h"

namespace tb {
namespace {

// ------------------------------------------------------------------ words

bool flit(const std::uint32_t* word, const Heard&) { return is_flit(word); }
bool credit_news(const std::uint32_t* word, const Heard& heard) { return heard.credit_news(word); }
bool ack_news(const std::uint32_t* word, const Heard& heard) { return heard.ack_news(word); }
bool is_ack_packet(const std::uint32_t* word) {
  return type_of(word) == static_cast<unsigned>(defs::FlitType::HeadTail) &&
         (word[3] >> 24 & 0x3fu) == static_cast<unsigned>(defs::PktOp::Ack);
}
bool ack_packet(const std::uint32_t* word, const Heard&) { return is_ack_packet(word); }
bool data_flit(const std::uint32_t* word, const Heard&) {
  return is_flit(word) && !is_ack_packet(word);
}

bool data_head(const std::uint32_t* word, const Heard&) {
  return is_flit(word) && !is_ack_packet(word) &&
         (type_of(word) == static_cast<unsigned>(defs::FlitType::Head) ||
          type_of(word) == static_cast<unsigned>(defs::FlitType::HeadTail));
}

void lose(std::uint32_t* word) { std::memset(word, 0, sizeof(defs::Flit::Words)); }
/// A NULL word that says the same of credits and acknowledgements.
void empty(std::uint32_t* word) {
  const std::uint32_t control = word[16] & 0x7fffff00u;
  lose(word);
  word[16] = control;
  defs::Flit::Words plain{};
  plain[16] = control;
  word[17] = fabric::crc(plain, 0);
}

/// Offers messages over a link that is struck: in the direction of its flits, or (back) so that
/// their acknowledgements and credits come by it.
Trial::Target busy(Trial& trial) {
  const Trial::Target t = trial.pick();
  trial.offer(t.src, t.dst, 3);
  trial.background(3);
  return t;
}
fabric::Channel backwards(Trial& trial, const fabric::Channel& link) {
  const fabric::End far = trial.tables().board().peer({link.chip, link.port});
  return {far.chip, far.port, link.cls};
}

void bit_error(Trial& trial) {
  const unsigned bit = trial.random(kWordBits);
  trial.strike(busy(trial).link, flit,
               [bit](std::uint32_t* word, const Heard&) { flip(word, bit); });
}
void burst(Trial& trial) {
  const unsigned length = 2 + trial.random(63), at = trial.random(kWordBits - length);
  trial.strike(busy(trial).link, flit, [&trial, at, length](std::uint32_t* word, const Heard&) {
    burst_error(word, at, length, trial.rng());
    flip(word, at + length - 1);
  });
}

void drop_flit(Trial& trial) {
  const bool silence = trial.random(2);
  trial.strike(busy(trial).link, flit, [silence](std::uint32_t* word, const Heard&) {
    silence ? lose(word) : empty(word);
  });
}
void double_flit(Trial& trial) {
  const unsigned delay = trial.random(2) ? 1 : 1 + trial.random(64);
  trial.strike(busy(trial).link, flit, [&trial, delay](std::uint32_t* word, const Heard&) {
    defs::Flit::Words copy;
    std::memcpy(copy.data(), word, sizeof(copy));
    trial.later(delay, [copy](std::uint32_t* at, const Heard&) {
      std::memcpy(at, copy.data(), sizeof(copy));
    });
  });
}

void drop_credit(Trial& trial) {
  const bool whole = trial.random(2);
  trial.strike(backwards(trial, busy(trial).link), credit_news,
               [whole](std::uint32_t* word, const Heard& heard) {
                 if (whole) return lose(word);
                 set_control(word, 11, 8, heard.freed[word[16] >> 8 & 7u]);
               });
}
void double_credit(Trial& trial) {
  const unsigned delay = trial.random(2) ? 1 : 1 + trial.random(64);
  trial.strike(backwards(trial, busy(trial).link), credit_news,
               [&trial, delay](std::uint32_t* word, const Heard&) {
                 const std::uint32_t report = word[16] >> 8 & 0x7ffu;  // VC and count
                 trial.later(delay, [report](std::uint32_t* at, const Heard&) {
                   if (at[16] >> 19 & 3u) set_control(at, 8, 11, report);
                 });
               });
}

/// Acknowledgements between neighbours: damaged, left out, or said again when newer ones are known.
void link_ack(Trial& trial) {
  const unsigned way = trial.random(4), delay = 1 + trial.random(64);
  const unsigned bits = 1 + trial.random(3), first = 19 + trial.random(12 - bits);
  trial.strike(backwards(trial, busy(trial).link), ack_news,
               [=, &trial](std::uint32_t* word, const Heard& heard) {
                 if (way < 2) {
                   for (unsigned i = 0; i < bits; ++i) flip(word, 512 + first + i);
                 } else if (way == 2) {
                   set_control(word, 21, 10, heard.acked);
                 } else {
                   const std::uint32_t said = word[16] >> 19 & 0xfffu;
                   trial.later(delay, [said](std::uint32_t* at, const Heard&) {
                     if (at[16] >> 19 & 3u) set_control(at, 19, 12, said);
                   });
                 }
               });
}

void spoil_packet(Trial& trial) {
  trial.strike(busy(trial).link, data_flit, [&trial](std::uint32_t* word, const Heard&) {
    if (is_flit(word)) spoil(word, trial.rng());
  });
}
/// The header, but for `hop`, in which routers count, and `len`, on which their credit rests.
void spoil_header(Trial& trial) {
  unsigned bit = 8 + trial.random(115);
  if (bit >= 83) bit += 5;
  trial.strike(busy(trial).link, data_head, [bit](std::uint32_t* word, const Heard&) {
    if (!is_flit(word)) return;
    defs::Flit::Words change{};
    flip(change.data(), bit);
    flip(word, bit);
    word[17] ^= fabric::crc(change, 0);
  });
}
void spoil_ack(Trial& trial) {
  Trial::Target t = trial.pick();
  trial.offer(t.dst, t.src, 2);  // its acknowledgement comes by the link
  trial.background(3);
  trial.strike(t.link, ack_packet, [&trial](std::uint32_t* word, const Heard&) {
    if (is_flit(word)) spoil(word, trial.rng());
  });
}

// ------------------------------------------------------------------ links

// A lane stuck at 0 looks right in words that are 0 there: NULL words and padding. So a packet that
// is full of data follows, and the link must notice.
void stuck_lanes(Trial& trial) {
  const Trial::Target t = busy(trial);
  trial.offer(t.src, t.dst, 2);
  const std::uint64_t from = trial.nodes().cycle() + trial.random(60);
  for (unsigned lanes = 1 + trial.random(2); lanes > 0; --lanes) {
    const Defect defect{.chip = 0,
                        .port = 0,
                        .lane = static_cast<int>(trial.random(16)),
                        .value = trial.random(2) == 1};
    trial.spell(t.link, from, kForEver,
                [defect](std::uint32_t* word, const Heard&) { disturb(word, defect, 0); });
  }
  while (trial.nodes().cycle() <= from) trial.nodes().step();
  trial.offer(trial.nodes().random_message(t.src, t.dst, defs::kPacketBytes));
}

void silence(Trial& trial, const fabric::Channel& link, std::uint64_t from, std::uint64_t to) {
  trial.spell(link, from, to, [](std::uint32_t* word, const Heard&) { lose(word); });
}
void outage(Trial& trial) {
  const Trial::Target t = busy(trial);
  trial.offer(t.src, t.dst, 2);
  const std::uint64_t from = trial.nodes().cycle() + trial.random(60),
                      to = from + 1 + trial.random(trial.random(2) ? 1500 : 100);
  silence(trial, t.link, from, to);
  if (trial.random(2)) silence(trial, backwards(trial, t.link), from, to);
}
void step(Trial& trial, unsigned cycles) {
  for (unsigned i = 0; i < cycles; ++i) trial.nodes().step();
}
/// The cable is cut for good. The host loads other routes; one time in four there is no such host.
void cut(Trial& trial) {
  const Trial::Target t = busy(trial);
  trial.offer(t.src, t.dst, 3);
  const auto from = trial.nodes().cycle() + trial.random(60);
  silence(trial, t.link, from, kForEver);
  silence(trial, backwards(trial, t.link), from, kForEver);
  if (trial.random(4) == 0) return trial.nodes().set_timeout(300);
  const auto dead = [&](const fabric::Channel& c) {
    return trial.nodes().state(c.chip, c.port) == defs::LinkState::Dead;
  };
  const fabric::Channel far = backwards(trial, t.link);
  for (unsigned i = 0; i < 12000 && !(dead(t.link) && dead(far)); ++i) {
    trial.nodes().step();
    if (i % 512 == 0) trial.background(2);
  }
  const fabric::Board board = trial.tables().board();
  trial.nodes().switch_to(fabric::search_tables(board.without({t.link.chip, t.link.port})));
}

// ------------------------------------------------------------------ chips

/// A bit of an entry that a pair of chips uses, or of its parity.
void upset_table(Trial& trial) {
  const Trial::Target t = trial.pick();
  const auto cls = static_cast<unsigned>(trial.tables().source[t.src][t.dst]);
  unsigned chip = t.link.chip, bit = 0;
  switch (trial.random(8)) {
    case 0:
      bit = 208;  // loaded
      break;
    case 1:
      chip = t.src, bit = trial.random(3) ? 128 + 2 * t.dst + trial.random(2) : 192 + t.dst;
      break;
    default:
      bit = trial.random(5) ? 64 * cls + 4 * t.dst + trial.random(4) : 160 + 16 * cls + t.dst;
  }
  trial.offer(t.src, t.dst, 2);
  trial.background(4);
  step(trial, trial.random(80));
  trial.nodes().upset(chip, bit);
  trial.suspect(chip);
  trial.hit();
  trial.offer(t.src, t.dst, 3);
  trial.background(4);
}

void slow_sink(Trial& trial) {
  const Trial::Target t = trial.pick();
  trial.offer(t.src, t.dst, 4);
  for (unsigned i = 0; i < 8; ++i) {
    const Trial::Target other = trial.pick();
    trial.offer(other.src, t.dst == other.src ? other.dst : t.dst);
  }
  step(trial, trial.random(60));
  const unsigned first = trial.random(2), both = trial.random(2);
  const unsigned cycles = 50 + trial.random(3000);
  for (unsigned c = 0; c < 2; ++c)
    if (c == first || both) trial.nodes().stall(t.dst, c, cycles);
  for (unsigned i = 0; i < cycles / 2; ++i) {
    trial.nodes().step();
    if (trial.nodes().waits(t.dst, 0) || trial.nodes().waits(t.dst, 1)) trial.hit();
  }
}

/// A core sends with a key that a port on the route, or the destination, does not admit; or to an
/// address outside the window.
void violate_key(Trial& trial) {
  const Trial::Target t = trial.pick();
  FabricRing& nodes = trial.nodes();
  const unsigned core = trial.random(2), way = trial.random(3);
  const unsigned key = trial.random(2) ? 1u << trial.random(8) : 1 + trial.random(255);
  const auto all_ports = [&nodes](unsigned entry) {
    for (unsigned chip = 0; chip < defs::kBoardChips; ++chip)
      for (unsigned port = 0; port < defs::kLinkPorts; ++port)
        nodes.set(chip, defs::kCsrFabricKeys, entry, defs::kKeyEntries * port + 5);
  };
  if (way == 1) all_ports(0x100 | key);
  const auto ends = [&nodes, t](std::uint64_t end) {
    for (unsigned c = 0; c < 2; ++c) nodes.set(t.dst, defs::kCsrFabricEnd, end, 0, c);
  };
  if (way == 2) ends(0);
  if (way < 2) nodes.set(t.src, defs::kCsrFabricKey, key, 0, core);
  nodes.settle();
  nodes.step();
  const unsigned count = 1 + trial.random(4);
  fabric::Message m = nodes.random_message(t.src, t.dst);
  const auto vn = m.vn;
  for (unsigned i = 0; i < count; ++i) {
    m = nodes.random_message(t.src, t.dst, 192);
    m.core = static_cast<std::uint8_t>(core);
    m.vn = vn;
    if (way < 2) m.key = static_cast<std::uint8_t>(key);
    trial.offer(m);
  }
  trial.forbid(count);
  // Others go on; the violator's chip and (out of the window) the victim's are left alone.
  for (unsigned i = 0; i < 6; ++i) {
    const Trial::Target other = trial.pick();
    if (other.src != t.src && other.dst != t.dst) trial.offer(other.src, other.dst);
  }
  const auto before = trial.violations();
  for (unsigned i = 0; i < 2000 && trial.violations() == before; ++i) nodes.step();
  if (trial.violations() != before) trial.hit();
  trial.after([&nodes, t, core, all_ports, ends] {
    all_ports(0);
    nodes.set(t.src, defs::kCsrFabricKey, 0, 0, core);
    ends((std::uint64_t{1} << 48) - 1);
    nodes.settle();
  });
}

constexpr unsigned kCorrected = 1u << static_cast<unsigned>(Outcome::Corrected),
                   kContained = 1u << static_cast<unsigned>(Outcome::Contained),
                   kReported = 1u << static_cast<unsigned>(Outcome::Reported);

constexpr FaultClass kClasses[] = {
    {"bit", "one bit of a word on a link", bit_error, kCorrected, 25, 4000},
    {"burst", "a burst of 2 to 64 bits", burst, kCorrected, 25, 4000},
    {"flit-lost", "a flit is silence, or a NULL word, where it arrives", drop_flit, kCorrected, 25,
     4000},
    {"flit-twice", "a flit comes again, up to 64 words later, in another's place", double_flit,
     kCorrected, 25, 4000},
    {"credit-lost", "a credit report is lost with its word, or is the one before", drop_credit,
     kCorrected, 25, 4000},
    {"credit-twice", "a credit report comes again, up to 64 words later", double_credit, kCorrected,
     25, 4000},
    {"ack", "a link's acknowledgement is damaged, left out, or comes again", link_ack, kCorrected,
     25, 4000},
    {"ack-packet", "an acknowledgement between ends is changed behind the links' back", spoil_ack,
     kCorrected, 25, 300},
    {"packet", "a flit is changed behind the links' back, as by an upset in a router", spoil_packet,
     kCorrected, 25, 300},
    {"header", "a header bit is changed behind the links' back", spoil_header,
     kCorrected | kReported, 1, 300},
    {"lane", "one or two lanes stick at 0 or 1", stuck_lanes, kContained, 4, 4000},
    {"outage", "a link is silent for 1 to 1,500 cycles, one way or both", outage, kCorrected, 8,
     4000},
    {"cut", "a cable is silent for ever; the host loads other routes, or does not", cut,
     kContained | kReported, 1, 8000},
    {"table", "a bit of a routing table in use flips", upset_table, kCorrected | kReported, 1, 300},
    {"slow-sink", "a receiver's memory takes nothing for up to 1,500 cycles", slow_sink, kCorrected,
     25, 400},
    {"key", "a foreign key at a port or at the end, or an address outside the window", violate_key,
     kReported, 12, 300},
};

}  // namespace

std::span<const FaultClass> fault_classes() { return kClasses; }

const FaultClass* find_class(std::string_view name) {
  for (const FaultClass& fault : kClasses)
    if (fault.name == name) return &fault;
  return nullptr;
}

}  // namespace tb
