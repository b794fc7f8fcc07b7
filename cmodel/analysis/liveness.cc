// SPDX-License-Identifier: Apache-2.0
#include "cmodel/analysis/liveness.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/program/disassemble.h"

namespace cmodel {
namespace {

constexpr std::uint64_t kBucketBytes = 4096;

}  // namespace

std::string to_string(const NextAccess& access) {
  if (access.kind == NextAccess::Kind::None) return "never touched again";
  return fmt::format("{} by chip {} core {} {} {}",
                     access.kind == NextAccess::Kind::Read ? "read" : "overwritten", access.by.chip,
                     access.by.core, engine_name(access.by.engine), to_string(access.operation));
}

std::uint64_t LivenessLog::bucket(Cell::Memory memory, unsigned chip, unsigned core,
                                  std::uint64_t addr) {
  const unsigned half = memory == Cell::Memory::Hbm ? 0 : core;
  return (static_cast<std::uint64_t>(memory) << 56) | (static_cast<std::uint64_t>(chip) << 52) |
         (static_cast<std::uint64_t>(half) << 50) | (addr / kBucketBytes);
}

void LivenessLog::add(const Footprint& footprint, const StreamId& stream,
                      const OperationId& operation, std::uint64_t begin, std::uint64_t end) {
  const auto number = static_cast<std::uint32_t>(records_.size());
  records_.push_back({footprint, stream, operation, begin, end});
  const auto put = [&](std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t page = first / kBucketBytes; page <= last / kBucketBytes; ++page) {
      auto& list =
          buckets_[bucket(footprint.memory, footprint.chip, footprint.core, page * kBucketBytes)];
      if (list.empty() || list.back() != number) list.push_back(number);
    }
  };
  // Distant rows of a DMA transfer are filed row by row, so that a large stride costs nothing.
  if (footprint.memory == Cell::Memory::Hbm) {
    for (std::uint32_t row = 0; row < footprint.size[0]; ++row) {
      const std::uint64_t at =
          footprint.addr + static_cast<std::uint64_t>(footprint.stride[0] * std::int64_t{row});
      put(at, at + footprint.element - 1);
    }
  } else {
    put(footprint.lowest(), footprint.highest() - 1);
  }
}

NextAccess LivenessLog::next_access(const Cell& location, const StreamPositions& after) const {
  const auto list =
      buckets_.find(bucket(location.memory, location.chip, location.core, location.addr));
  if (list == buckets_.end()) return {};
  NextAccess last;  // if none is certain
  for (const std::uint32_t number : list->second) {
    const Record& record = records_[number];
    const auto position = after.find(record.stream);
    const std::uint64_t seen = position == after.end() ? 0 : position->second;
    // Certainly over: a later commit was seen, or its own last one.
    const bool over = seen > record.end || (seen == record.end && record.end > record.begin);
    if (over || !record.footprint.contains(location)) continue;
    if (!record.footprint.write) return {NextAccess::Kind::Read, record.stream, record.operation};
    // An overwrite counts only if certainly none of it has happened. Otherwise the fault may have
    // come after it, and whatever touches the byte next decides.
    last = {NextAccess::Kind::Overwritten, record.stream, record.operation};
    if (seen <= record.begin) return last;
  }
  return last;
}

std::optional<std::uint32_t> LivenessLog::last_write(const Cell& location,
                                                     std::uint32_t before) const {
  const auto list =
      buckets_.find(bucket(location.memory, location.chip, location.core, location.addr));
  if (list == buckets_.end()) return {};
  const auto& numbers = list->second;
  for (auto at = std::lower_bound(numbers.begin(), numbers.end(), before); at != numbers.begin();) {
    const Record& record = records_[*--at];
    if (record.footprint.write && record.footprint.contains(location)) return *at;
  }
  return {};
}

}  // namespace cmodel
