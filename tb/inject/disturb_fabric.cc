// SPDX-License-Identifier: Apache-2.0
// Faults of the fabric: flits and credits.
#include <fmt/format.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "tb/inject/injector.h"

namespace tb {

using namespace inject;

// A flit at the head of a queue. Body flits are data to the last bit; the last flit of a packet may
// be padded, but not in its first word.
std::optional<Done> Injector::Impl::flit_payload(Chip& chip) {
  static constexpr unsigned kBase[] = {0, defs::kVnDepth0, defs::kVnDepth0 + defs::kVnDepth1,
                                       defs::kVnDepth0 + defs::kVnDepth1 + defs::kVnDepth2};
  for (unsigned q = 0; q < 16; ++q) {
    const unsigned port = q >> 3, cls = q >> 2 & 1, vn = q & 3;
    const auto place = [&](std::string_view name) {
      return chip.state().in_input(port, cls, name);
    };
    if (!place("hol_valid_q").bit(0, vn)) continue;
    const auto slot = kBase[vn] + static_cast<unsigned>(place("read_q").get(0, 7 * vn, 7));
    const defs::HolFlit flit = chip.state().first_flit(port, 2 * vn + cls);
    if (flit.head && !flit.tail) continue;
    const unsigned bit = flit.head   ? 176 + random.below(32)
                         : flit.tail ? random.below(32)
                                     : random.below(512);
    place("mem").flip(slot, bit);
    return Done{fmt::format("port {} class {} VN {} {} flit, payload bit {}", port, cls, vn,
                            flit.head   ? "single"
                            : flit.tail ? "last"
                                        : "body",
                            bit),
                [] { return std::string(); }};
  }
  return {};
}

std::optional<Done> Injector::Impl::credit_lost(Chip& chip) {
  std::vector<std::uint32_t> freed;
  for (unsigned q = 0; q < 4; ++q)
    freed.push_back(
        static_cast<std::uint32_t>(chip.state().in_input(q >> 1, q & 1, "freed_q").value()));
  const auto before = std::exchange(freed_before, freed);  // later draws of a cycle see no change
  if (before.empty()) return {};
  for (unsigned q = 0; q < 4; ++q)
    for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn) {
      const unsigned old = before[q] >> 8 * vn & 255;
      if (old == (freed[q] >> 8 * vn & 255)) continue;
      chip.state().in_input(q >> 1, q & 1, "freed_q").put(0, 8 * vn, 8, old);
      return Done{fmt::format("port {} class {} VN {}", q >> 1, q & 1, vn),
                  [] { return std::string(); }};
    }
  return {};
}

}  // namespace tb
