// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/packet_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fabric/model/message.h"
#include "tb/dut/link.h"

namespace tb {
namespace {

std::vector<PacketSeen> packets_on(const Link& link, fabric::End from) {
  struct Open {
    PacketSeen seen;
    std::vector<std::array<std::uint32_t, 16>> flits;
  };
  std::array<std::optional<Open>, defs::kVirtualChannels> open;
  std::vector<PacketSeen> packets;
  link.history().each([&](const Link::History::Entry& entry) {
    const auto type = static_cast<defs::FlitType>(entry.token[16] & 7u);
    auto& slot = open[entry.token[16] >> 3 & 7u];
    std::array<std::uint32_t, 16> payload;
    std::copy_n(entry.token.begin(), payload.size(), payload.begin());
    if (type == defs::FlitType::Head || type == defs::FlitType::HeadTail) {
      slot.emplace();
      slot->seen.from = from;
      slot->seen.cycle = entry.cycle;
      slot->seen.head = defs::HeadPayload::from(payload);
    }
    if (!slot) return;
    slot->flits.push_back(payload);
    slot->seen.end = entry.cycle;
    if (type != defs::FlitType::Tail && type != defs::FlitType::HeadTail) return;
    slot->seen.whole = true;
    slot->seen.intact = fabric::intact(slot->flits);
    packets.push_back(slot->seen);
    slot.reset();
  });
  for (const auto& slot : open)
    if (slot) packets.push_back(slot->seen);
  return packets;
}

}  // namespace

std::vector<PacketSeen> sightings(const Board& board) {
  std::vector<PacketSeen> all;
  for (unsigned chip = 0; chip < board.chips(); ++chip)
    for (unsigned port = 0; port < defs::kLinkPorts; ++port)
      if (const Link* link = board.link({chip, port})) {
        const auto more = packets_on(*link, {chip, port});
        all.insert(all.end(), more.begin(), more.end());
      }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::pair{a.cycle, a.from} < std::pair{b.cycle, b.from};
  });
  return all;
}

std::optional<Cause> broken_on_a_link(const Board& board) {
  for (const PacketSeen& seen : sightings(board)) {
    if (!seen.whole || seen.intact) continue;
    Cause cause = cause_in(
        seen.from.chip, {}, "fabric",
        fmt::format("packet {} of chip {} to chip {} (VN {}) leaves by port {} broken, and came "
                    "whole",
                    seen.head.seq, seen.head.header.src, seen.head.header.dst, seen.head.header.vn,
                    seen.from.port));
    cause.cycle = defs::kFabricDivide * seen.end;
    return cause;
  }
  return {};
}

std::uint64_t damaged_packets(const Board& board, unsigned chip) {
  return board.chip(chip).probe().at("u_fabric.u_counters.damaged_q").value();
}

std::optional<Cause> broken_at_its_end(const Board& board) {
  for (unsigned chip = 0; chip < board.chips(); ++chip)
    if (const auto packets = damaged_packets(board, chip))
      return cause_in(chip, {}, "fabric",
                      fmt::format("{} came to it whole and failed the end-to-end check there",
                                  packets == 1 ? "a packet" : fmt::format("{} packets", packets)));
  return {};
}

}  // namespace tb
