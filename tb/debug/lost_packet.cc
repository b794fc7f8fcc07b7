// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/lost_packet.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tb {
namespace {

bool is_next_of(const Flow& flow, std::uint16_t number, const PacketSeen& seen) {
  const defs::Header& header = seen.head.header;
  return header.op != static_cast<std::uint8_t>(defs::PktOp::Ack) && seen.head.seq == number &&
         flow == Flow{header.src, header.group >> 5 & 1u, header.dst, header.vn};
}

}  // namespace

LostAt where_lost(const Flow& flow, const FlowProgress& progress,
                  const std::vector<PacketSeen>& seen, const fabric::Board& cables) {
  using Where = LostAt::Where;
  const std::uint16_t number = progress.accepted;
  const std::string who = fmt::format("packet {} of chip {} core {} to chip {} (VN {})", number,
                                      flow.src, flow.core, flow.dst, flow.vn);
  if (progress.delivered != progress.accepted)
    return {Where::Receiver, flow.dst,
            fmt::format("{} packets of chip {} core {} (VN {}) were accepted, {} delivered",
                        progress.accepted, flow.src, flow.core, flow.vn, progress.delivered)};
  if (progress.taken == progress.accepted)
    return {Where::Engine, flow.src, who + " never reached the fabric"};

  std::vector<PacketSeen> route;
  std::copy_if(seen.begin(), seen.end(), std::back_inserter(route),
               [&](const PacketSeen& s) { return is_next_of(flow, number, s); });
  if (route.empty())
    return {Where::Sender, flow.src, who + " was taken by the fabric and is on no link"};
  // An older try may have been cut by a link that died: the newest one on each link counts.
  for (auto hop = route.begin(); hop != route.end(); ++hop) {
    const bool newest = std::none_of(hop + 1, route.end(),
                                     [&](const PacketSeen& s) { return s.from == hop->from; });
    if (newest && !hop->whole)
      return {Where::Route, hop->from.chip,
              fmt::format("{} leaves by port {} in part, the rest does not follow", who,
                          hop->from.port)};
  }
  return {Where::Route, cables.peer(route.back().from).chip,
          fmt::format("{} came to it whole, and was last seen there, in core cycle {}", who,
                      defs::kFabricDivide * route.back().end)};
}

}  // namespace tb
