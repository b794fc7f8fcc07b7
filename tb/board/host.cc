// SPDX-License-Identifier: Apache-2.0
#include "tb/board/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "tb/board/host_numbers.h"

namespace tb {
namespace {

using namespace host;

constexpr unsigned kCopyAhead = 32;  // fabric cycles, for the order to reach the register

}  // namespace

void Host::run(std::uint64_t first, unsigned cycles) {
  for (std::uint64_t cycle = first; cycle < first + cycles; ++cycle) {
    for (unsigned chip = 0; chip < drivers_.size(); ++chip) receive(chip, cycle);
    advance(cycle);
    for (unsigned chip = 0; chip < drivers_.size(); ++chip) send(chip, cycle);
  }
}

void Host::fail(unsigned chip, std::uint64_t cycle, const std::string& what) {
  if (fault_.empty())
    fault_ = fmt::format("chip {} fabric cycle {}: host port: {}", chip, cycle, what);
}

bool Host::counters_read(const Driver& driver) const {
  return driver.counts_known ==
             defs::kCores * kCounts + (violations_.empty() ? 0 : kViolationReads) &&
         driver.copies_known == fabric_counts_.words().size();
}

void Host::advance(std::uint64_t cycle) {
  const auto all = [&](auto&& property) {
    return std::all_of(drivers_.begin(), drivers_.end(), property);
  };
  if (leave_ && cycle >= leave_->second && phase_ == Phase::Running) {
    reroute_.leave(leave_->first);
    leave_.reset();
  }
  reroute_.advance(cycle, all([](const Driver& d) { return d.drained; }),
                   all([](const Driver& d) { return d.credits == kCredits; }) &&
                       std::all_of(reroute_.requests.begin(), reroute_.requests.end(),
                                   [](const auto& queue) { return queue.empty(); }),
                   phase_ == Phase::Running || phase_ == Phase::Draining);
  if (!reroute_.fault().empty() && fault_.empty())
    fault_ = fmt::format("fabric cycle {}: {}", cycle, reroute_.fault());
  if (reroute_.busy()) return;
  switch (phase_) {
    case Phase::Loading:
      if (!all([](const Driver& d) { return d.loaded; })) return;
      phase_ = Phase::Running;
      start_cycle_ = end_cycle_ = cycle;
      feeder_.start(cycle);
      return;
    case Phase::Running:
      if (!gave_up_ &&
          !all([](const Driver& d) { return d.streams_left == 0 && d.doorbells.empty(); }))
        return;
      phase_ = Phase::Draining;
      return;
    case Phase::Draining:
      // A program without streams: its start must not be taken for its end.
      if (!gave_up_ && !all([](const Driver& d) { return d.quiet && d.credits == kCredits; }))
        return;
      phase_ = Phase::Reading;
      if (!back_door_.empty()) read_by_back_door();
      copy_cycle_ = cycle + requests_[0]->latency() + kCopyAhead;
      return;
    case Phase::Reading:
      if (!all([this](const Driver& d) {
            return counters_read(d) && d.after.empty() && d.awaited.empty() &&
                   d.credits == kCredits;
          }))
        return;
      phase_ = Phase::Done;
      done_cycle_ = cycle;
      return;
    case Phase::Done:
      return;
  }
}

std::string Host::waiting_for() const {
  switch (phase_) {
    case Phase::Loading: {
      std::string text;
      for (std::size_t chip = 0; chip < drivers_.size(); ++chip)
        if (!drivers_[chip].loaded)
          text += fmt::format("{}chip {} ({} credits)", text.empty() ? "the load of " : ", ", chip,
                              drivers_[chip].credits);
      return text;
    }
    case Phase::Running: {
      std::string text;
      for (std::size_t chip = 0; chip < drivers_.size(); ++chip)
        if (drivers_[chip].streams_left)
          text += fmt::format("{}{} on chip {}", text.empty() ? "completions: " : ", ",
                              drivers_[chip].streams_left, chip);
      return text;
    }
    case Phase::Draining: {
      std::string text;
      for (std::size_t chip = 0; chip < drivers_.size(); ++chip)
        if (!drivers_[chip].quiet)
          text += fmt::format("{}{}", text.empty() ? "quiet on chip " : ", ", chip);
      return text;
    }
    case Phase::Reading:
      return "region data and counters";
    case Phase::Done:
      return "nothing";
  }
  return "?";
}

}  // namespace tb
