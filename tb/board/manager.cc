// SPDX-License-Identifier: Apache-2.0
#include "tb/board/manager.h"

#include <fmt/format.h>

#include "tb/board/reroute.h"

namespace tb {
namespace {

constexpr unsigned kEntries = 16;                               // of Mgmt per chip
constexpr std::uint64_t kFull = 1, kPending = 2, kGivenUp = 4;  // what it reads

}  // namespace

void Manager::tell(unsigned dst, const defs::Csr& csr, unsigned index, std::uint64_t value) {
  const unsigned place = (csr.offset - defs::kCsrRouteSource.offset) / 8 + index;
  packets_.push_back({dst, kEntries * dst + place, value});
}

std::optional<defs::HostReq> Manager::next() {
  if (waits_ || !fault_.empty()) return {};
  if (!sent_ && !packets_.empty()) {
    const Packet packet = packets_.front();
    packets_.pop_front();
    sent_ = packet.dst;
    unsure_.insert(packet.dst);
    ++sent_to_[packet.dst];
    return csr_write(defs::kCsrMgmt, 0, packet.entry, packet.value);
  }
  if (!sent_ && unsure_.empty() && !asks_switch_) return {};
  waits_ = true;
  asked_switch_ = !sent_ && unsure_.empty();
  if (asked_switch_) return csr_read(defs::kCsrFabricSwitch, 0, 0);
  asked_ = sent_ ? *sent_ : *unsure_.begin();
  return csr_read(defs::kCsrMgmt, 0, kEntries * asked_);
}

void Manager::answer(std::uint64_t word) {
  waits_ = false;
  if (asked_switch_) {
    switch_ = word;
    asks_switch_ = false;
    return;
  }
  if (word & kGivenUp)
    fault_ = fmt::format("chip {} does not take chip {}'s management packets", asked_, chip_);
  if (sent_ && !(word & kFull)) sent_.reset();
  if (!sent_ && packets_.empty() && !(word & kPending)) unsure_.erase(asked_);
}

}  // namespace tb
