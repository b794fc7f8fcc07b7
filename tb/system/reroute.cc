// SPDX-License-Identifier: Apache-2.0
#include "tb/system/reroute.h"

#include "fabric/table_writer.h"

namespace tb {

void load_tables(std::deque<defs::HostReq>& requests, unsigned chip, const fabric::Tables& tables) {
  const fabric::TableWords words = tables.words(chip);
  requests.push_back(csr_write(defs::kCsrRouteSource, 0, 0, words.source));
  for (unsigned cls = 0; cls < fabric::kMaxClasses; ++cls)
    requests.push_back(csr_write(defs::kCsrRouteTable, 0, cls, words.route[cls]));
}

defs::HostReq fabric_control(unsigned ports, unsigned bank, bool stop) {
  return csr_write(defs::kCsrFabricControl, 0, 0,
                   (stop ? 32u : 0u) | bank << 4 | ((1u << ports) - 1));
}

Reroute::Reroute(const fabric::Board& cables, const fabric::Tables& tables, bool loaded)
    : requests(cables.chips()),
      cables_(cables),
      first_(tables),
      now_(tables),
      ports_(cables.ports()),
      bank_(loaded) {}

void Reroute::leave(fabric::End end) {
  if (gone_.contains(end) || !cables_.wired(end)) return;
  gone_.insert(end);
  gone_.insert(cables_.peer(end));
  cables_ = cables_.without(end);
  wanted_ = true;
}

void Reroute::control(bool stop) {
  for (auto& queue : requests) queue.push_back(fabric_control(ports_, bank_, stop));
}

void Reroute::load() {
  now_ = fabric::search_tables(cables_);
  for (unsigned chip = 0; chip < requests.size(); ++chip) load_tables(requests[chip], chip, now_);
  bank_ ^= 1;
  control(true);
}

void Reroute::advance(std::uint64_t cycle, bool drained, bool written) {
  switch (step_) {
    case Step::Serving:
      if (!wanted_ || !fault_.empty()) return;
      wanted_ = false;
      control(true);
      step_ = Step::Stopping;
      return;
    case Step::Stopping:
      if (written) step_ = Step::Draining;
      return;
    case Step::Draining:
      if (!drained) return;
      try {
        load();
      } catch (const fabric::BadInput& bad) {
        fault_ = bad.what();
        step_ = Step::Serving;
        return;
      }
      step_ = Step::Loading;
      return;
    case Step::Loading:
      if (!written) return;
      control(false);
      step_ = Step::Resuming;
      return;
    case Step::Resuming:
      if (!written) return;
      if (switches_++ == 0) since_ = cycle;
      step_ = Step::Serving;
      return;
  }
}

bool Reroute::rerouted(unsigned src, unsigned dst, std::uint64_t cycle) const {
  return switches_ && cycle >= since_ && first_.way(src, dst) != now_.way(src, dst);
}

}  // namespace tb
