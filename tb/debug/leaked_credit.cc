// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/leaked_credit.h"

#include <fmt/format.h>

namespace tb {
namespace {

constexpr unsigned kVnDepth[] = {defs::kVnDepth0, defs::kVnDepth1, defs::kVnDepth2,
                                 defs::kVnDepth3};

std::optional<Cause> leaked(const Board& board, const Link& link, fabric::End end, unsigned vc) {
  const auto left = board.chip(end.chip)
                        .probe()
                        .at(fmt::format("u_fabric.u_router.gen_out[{}].gen_vc[{}].u_credit."
                                        "available_o",
                                        end.port, vc))
                        .value();
  if (left == kVnDepth[vc / 2]) return {};
  const fabric::End far = board.wiring().cables.peer(end);
  const auto input = [&](std::string_view name) {
    return board.chip(far.chip).probe().at(fmt::format(
        "u_fabric.u_router.gen_port[{}].gen_class[{}].u_input.{}", far.port, vc % 2, name));
  };
  if (input("count_q").get(0, 7 * (vc / 2), 7) != 0) return {};
  const auto freed = input("freed_q").get(0, 8 * (vc / 2), 8);
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
