// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/snapshots.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

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

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

double Snapshots::after(double cost) {
  return cpu_seconds() + std::max(kLeastSeconds, kShare * cost);
}

bool Snapshots::time_for_one(std::uint64_t core_cycle) const {
  const std::uint64_t last = copies_.empty() ? 0 : copies_.back().core_cycle;
  if (asked_) return *asked_ != 0 && core_cycle >= last + *asked_;
  return core_cycle >= last + kCycles && cpu_seconds() >= due_;
}

std::optional<std::vector<std::uint8_t>> Snapshots::take(std::uint64_t core_cycle) {
  if (!time_for_one(core_cycle)) return {};
  const double start = cpu_seconds();
  if (copies_.size() == 2) copies_.pop_front();
  copies_.push_back({core_cycle, std::make_unique<Standby>()});
  if (copies_.back().process->woken()) return copies_.back().process->request();
  due_ = after(cpu_seconds() - start + kSecondsPerPage * static_cast<double>(resident_pages()));
  return {};
}

const Snapshots::Copy* Snapshots::before(std::uint64_t core_cycle) const {
  const Copy* newest = nullptr;
  for (const Copy& copy : copies_)
    if (copy.core_cycle <= core_cycle) newest = &copy;
  return newest;
}

}  // namespace tb
