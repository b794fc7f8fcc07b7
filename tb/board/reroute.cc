// SPDX-License-Identifier: Apache-2.0
#include "tb/board/reroute.h"

#include <utility>

#include "fabric/model/table_writer.h"

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

namespace {

/// Fabric cycles from the order to the first step of a switch, and T_drain.
constexpr unsigned kLead = 8192, kDrain = 2200;

}  // namespace

Reroute::Reroute(const fabric::Board& cables, const fabric::Tables& tables, bool loaded,
                 bool by_packets)
    : requests(cables.chips()),
      cables_(cables),
      first_(tables),
      now_(loaded && by_packets ? fabric::ring_tables(cables.chips()) : tables),
      next_(tables),
      by_packets_(by_packets),
      ports_(cables.ports()),
      bank_(loaded && !by_packets) {
  // Links first of all: both ends of a cable must start their training at about the same time.
  for (unsigned chip = 0; chip < requests.size(); ++chip) {
    if (loaded && !by_packets) load_tables(requests[chip], chip, tables);
    if (loaded) requests[chip].push_back(fabric_control(ports_, bank_, false));
  }
  if (!by_packets) return;
  managers_ = {Manager(0), Manager(cables.chips() / 2)};
  const unsigned mask = 1u << managers_[0].chip() | 1u << managers_[1].chip();
  for (auto& queue : requests) queue.push_back(csr_write(defs::kCsrFabricManagers, 0, 0, mask));
  if (!loaded) return;
  starting_ = true;
  step_ = Step::Loading;  // until the managers are named
}

Manager* Reroute::manager(unsigned chip) {
  for (Manager& manager : managers_)
    if (manager.chip() == chip) return &manager;
  return nullptr;
}

std::uint64_t Reroute::packets(unsigned src, unsigned dst) const {
  for (const Manager& manager : managers_)
    if (manager.chip() == src) return manager.packets(dst);
  return 0;
}

Manager* Reroute::manager_of(unsigned chip) {
  const auto open = [&](unsigned src, unsigned dst) {
    for (const fabric::Channel& channel : now_.way(src, dst))
      if (gone_.contains({channel.chip, channel.port})) return false;
    return true;
  };
  for (Manager& manager : managers_)
    if (open(manager.chip(), chip) && open(chip, manager.chip())) return &manager;
  return nullptr;
}

void Reroute::tell() {
  for (unsigned chip = 0; chip < requests.size(); ++chip) {
    Manager* manager = manager_of(chip);
    if (!manager) {
      load_tables(requests[chip], chip, next_);
      continue;
    }
    const fabric::TableWords words = next_.words(chip);
    manager->tell(chip, defs::kCsrRouteSource, 0, words.source);
    for (unsigned cls = 0; cls < fabric::kMaxClasses; ++cls)
      manager->tell(chip, defs::kCsrRouteTable, cls, words.route[cls]);
  }
}

void Reroute::arm() {
  at_ = static_cast<std::uint16_t>(managers_[0].cycle() + kLead);
  const std::uint64_t order = 0x80000000u | kDrain << 16 | at_;
  for (unsigned chip = 0; chip < requests.size(); ++chip) {
    if (Manager* manager = manager_of(chip))
      manager->tell(chip, defs::kCsrFabricSwitch, 0, order);
    else
      requests[chip].push_back(csr_write(defs::kCsrFabricSwitch, 0, 0, order));
  }
}

bool Reroute::acknowledged() const {
  for (const Manager& manager : managers_)
    if (!manager.done()) return false;
  return true;
}

void Reroute::switched(std::uint64_t cycle) {
  now_ = next_;
  step_ = Step::Serving;
  if (std::exchange(starting_, false)) return;
  if (switches_++ == 0) since_ = cycle;
}

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
  next_ = fabric::search_tables(cables_);
  for (unsigned chip = 0; chip < requests.size(); ++chip) load_tables(requests[chip], chip, next_);
  bank_ ^= 1;
  control(true);
}

void Reroute::advance(std::uint64_t cycle, bool drained, bool written, bool free) {
  for (const Manager& manager : managers_)
    if (fault_.empty()) fault_ = manager.fault();
  switch (step_) {
    case Step::Serving:
      if (!wanted_ || !fault_.empty() || (by_packets_ && !free)) return;
      wanted_ = false;
      if (by_packets_) {
        try {
          next_ = fabric::search_tables(cables_);
        } catch (const fabric::BadInput& bad) {
          fault_ = bad.what();
          return;
        }
        tell();
        step_ = Step::Telling;
        return;
      }
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
      if (by_packets_) {
        tell();
        step_ = Step::Telling;
        return;
      }
      control(false);
      step_ = Step::Resuming;
      return;
    case Step::Resuming:
      if (written) switched(cycle);
      return;
    case Step::Telling:
      if (!acknowledged() || !written) return;
      managers_[0].ask_switch();
      step_ = Step::Timing;
      return;
    case Step::Timing:
      if (!acknowledged()) return;
      arm();
      managers_[0].ask_switch();
      step_ = Step::Arming;
      return;
    case Step::Arming:
      if (!acknowledged() || !written) return;
      if (static_cast<std::uint16_t>(at_ - managers_[0].cycle()) > kLead) {
        fault_ = "a switch of tables was not acknowledged in time";
        return;
      }
      step_ = Step::Switching;
      return;
    case Step::Switching:
      if (!acknowledged()) return;
      if (managers_[0].armed())
        managers_[0].ask_switch();
      else
        switched(cycle);
      return;
  }
}

bool Reroute::rerouted(unsigned src, unsigned dst, std::uint64_t cycle) const {
  return switches_ && cycle >= since_ && first_.way(src, dst) != now_.way(src, dst);
}

}  // namespace tb
