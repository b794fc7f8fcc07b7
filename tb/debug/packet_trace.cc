// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/packet_trace.h"

#include <algorithm>

#include "fabric/message.h"

namespace tb {

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

bool same_packet(const defs::HeadPayload& a, const defs::HeadPayload& b) {
  return a.seq == b.seq && a.header.src == b.header.src && a.header.dst == b.header.dst &&
         a.header.vn == b.header.vn && a.header.group == b.header.group &&
         a.header.op == b.header.op;
}

}  // namespace tb
