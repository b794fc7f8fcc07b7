// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/leaked_credit.h"

#include <fmt/format.h>

namespace tb {
namespace {

std::optional<Cause> leaked(const Board& board, const Link& link, fabric::End end, unsigned vc) {
  const auto left = board.chip(end.chip).state().credits(end.port, vc).value();
  if (left == kVnDepth[vc / 2]) return {};
  const fabric::End far = board.wiring().cables.peer(end);
  const ChipState& receiving = board.chip(far.chip).state();
  if (receiving.flits_waiting(far.port, vc) != 0) return {};
  const unsigned freed = receiving.flits_freed(far.port, vc);
  const std::uint32_t sent = link.history().by_vc[vc];
  const bool receiver = freed != (sent & 255u);
  return cause_in(
      receiver ? far.chip : end.chip, {}, "fabric",
      fmt::format("chip {} port {} VN {} class {} has {} of {} credits; chip {} port {} has an "
                  "empty buffer and says that {} flits left it (mod 256), {} were sent",
                  end.chip, end.port, vc / 2, vc % 2, left, kVnDepth[vc / 2], far.chip, far.port,
                  freed, sent & 255u));
}

}  // namespace

std::optional<Cause> leaked_credit(const Board& board) {
  for (unsigned chip = 0; chip < board.chips(); ++chip)
    for (unsigned port = 0; port < defs::kLinkPorts; ++port) {
      const Link* link = board.link({chip, port});
      if (!link) continue;
      for (unsigned vc = 0; vc < defs::kVirtualChannels; ++vc)
        if (auto cause = leaked(board, *link, {chip, port}, vc)) return cause;
    }
  return {};
}

}  // namespace tb
