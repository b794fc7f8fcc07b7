// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/snapshots.h"

#include <algorithm>
#include <cstdio>

namespace tb {
namespace {

// A page that the run writes again after a fork is copied first (measured: tb/README.md).
constexpr double kSecondsPerPage = 1e-6;

std::uint64_t resident_pages() {
  unsigned long size = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident;
}

}  // namespace

Snapshots::Clock::time_point Snapshots::after(double cost) {
  const std::chrono::duration<double> seconds(std::max(kLeastSeconds, kShare * cost));
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds);
}

bool Snapshots::time_for_one(std::uint64_t core_cycle) const {
  const std::uint64_t last = copies_.empty() ? 0 : copies_.back().core_cycle;
  if (asked_) return *asked_ != 0 && core_cycle >= last + *asked_;
  return core_cycle >= last + kCycles && Clock::now() >= due_;
}

std::optional<std::vector<std::uint8_t>> Snapshots::take(std::uint64_t core_cycle) {
  if (!time_for_one(core_cycle)) return {};
  const auto start = Clock::now();
  if (copies_.size() == 2) copies_.pop_front();
  copies_.push_back({core_cycle, std::make_unique<Standby>()});
  if (copies_.back().process->woken()) return copies_.back().process->request();
  const double forked = std::chrono::duration<double>(Clock::now() - start).count();
  due_ = after(forked + kSecondsPerPage * static_cast<double>(resident_pages()));
  return {};
}

const Snapshots::Copy* Snapshots::before(std::uint64_t core_cycle) const {
  const Copy* newest = nullptr;
  for (const Copy& copy : copies_)
    if (copy.core_cycle <= core_cycle) newest = &copy;
  return newest;
}

}  // namespace tb
