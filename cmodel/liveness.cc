// SPDX-License-Identifier: Apache-2.0
#include "cmodel/liveness.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/disassemble.h"

namespace cmodel {
namespace {

constexpr std::uint64_t kBucketBytes = 4096;

}  // namespace

std::string to_string(const NextAccess& access) {
  if (access.kind == NextAccess::Kind::None) return "never touched again";
  return fmt::format("{} by chip {} core {} {} pc {}",
                     access.kind == NextAccess::Kind::Read ? "read" : "overwritten", access.by.chip,
                     access.by.core, engine_name(access.by.engine), access.pc);
}

std::uint64_t Footprint::lowest() const {
  std::int64_t offset = 0;
  for (unsigned d = 0; d < 4; ++d)
    offset += std::min<std::int64_t>(0, stride[d] * (static_cast<std::int64_t>(size[d]) - 1));
  return addr + static_cast<std::uint64_t>(offset);
}

std::uint64_t Footprint::highest() const {
  std::int64_t offset = 0;
  for (unsigned d = 0; d < 4; ++d)
    offset += std::max<std::int64_t>(0, stride[d] * (static_cast<std::int64_t>(size[d]) - 1));
  return addr + static_cast<std::uint64_t>(offset) + element;
}

bool Footprint::contains(const Cell& location) const {
  if (location.memory != memory || location.chip != chip) return false;
  if (memory != Cell::Memory::Hbm) {
    if (location.core != core) return false;
    if (location.partition < first || location.partition >= first + count) return false;
  }
  if (location.addr < lowest() || location.addr >= highest()) return false;
  // Solve the innermost loop by division, walk the others (few trips in practice).
  for (std::uint32_t i3 = 0; i3 < size[3]; ++i3) {
    for (std::uint32_t i2 = 0; i2 < size[2]; ++i2) {
      for (std::uint32_t i1 = 0; i1 < size[1]; ++i1) {
        const std::int64_t distance = static_cast<std::int64_t>(location.addr - addr) -
                                      (i3 * stride[3] + i2 * stride[2] + i1 * stride[1]);
        const std::int64_t step = stride[0], bytes = element;
        if (step == 0 || size[0] == 1) {
          if (distance >= 0 && distance < bytes) return true;
          continue;
        }
        // Trips i with 0 <= distance - i * step < element.
        const std::int64_t magnitude = step < 0 ? -step : step;
        const std::int64_t forward =
            step > 0 ? distance : distance + magnitude * (static_cast<std::int64_t>(size[0]) - 1);
        if (forward < 0) continue;
        const std::int64_t last = std::min<std::int64_t>(forward / magnitude, size[0] - 1);
        if (forward - last * magnitude < bytes) return true;
      }
    }
  }
  return false;
}

std::uint64_t LivenessLog::bucket(Cell::Memory memory, unsigned chip, unsigned core,
                                  std::uint64_t addr) {
  const unsigned half = memory == Cell::Memory::Hbm ? 0 : core;
  return (static_cast<std::uint64_t>(memory) << 56) | (static_cast<std::uint64_t>(chip) << 52) |
         (static_cast<std::uint64_t>(half) << 50) | (addr / kBucketBytes);
}

void LivenessLog::add(const Footprint& footprint, const StreamId& stream, std::uint32_t pc,
                      std::uint64_t begin, std::uint64_t end) {
  const auto number = static_cast<std::uint32_t>(records_.size());
  records_.push_back({footprint, stream, pc, begin, end});
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
  for (const std::uint32_t number : list->second) {
    const Record& record = records_[number];
    const auto position = after.find(record.stream);
    const std::uint64_t seen = position == after.end() ? 0 : position->second;
    // Certainly over: a later commit was seen, or its own last one.
    const bool over = seen > record.end || (seen == record.end && record.end > record.begin);
    if (over || !record.footprint.contains(location)) continue;
    if (!record.footprint.write) return {NextAccess::Kind::Read, record.stream, record.pc};
    // An overwrite counts only if certainly none of it has happened. Otherwise the fault may have
    // come after it, and whatever touches the byte next decides.
    if (seen <= record.begin) return {NextAccess::Kind::Overwritten, record.stream, record.pc};
  }
  return {};
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
