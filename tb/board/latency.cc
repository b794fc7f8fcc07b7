// SPDX-License-Identifier: Apache-2.0
#include "tb/board/latency.h"

#include <algorithm>
#include <vector>

#include "rtl/defs/gen/rates.h"

namespace tb {
namespace {

/// Of cycles, at least one.
nlohmann::ordered_json percentiles(std::vector<std::uint64_t> cycles) {
  std::ranges::sort(cycles);
  const auto us = [&](std::size_t thousandths) {
    const std::size_t rank = (cycles.size() * thousandths + 999) / 1000;
    return static_cast<double>(cycles[rank - 1]) / defs::kFabricMhz;
  };
  return {{"p50", us(500)}, {"p99", us(990)}, {"p999", us(999)}, {"max", us(1000)}};
}

}  // namespace

void add_latencies(std::span<const Served> served, nlohmann::ordered_json& metrics) {
  std::vector<std::uint64_t> latency, queue, service;
  std::uint64_t first = UINT64_MAX, last = 0;
  for (const Served& s : served) {
    if (s.answered == 0) continue;
    latency.push_back(s.answered - s.arrival);
    queue.push_back(s.sent - s.arrival);
    service.push_back(s.answered - s.sent);
    first = std::min(first, s.arrival);
    last = std::max(last, s.answered);
  }
  metrics["answered"] = latency.size();
  if (latency.empty()) return;
  metrics["answered_per_s"] = static_cast<double>(latency.size()) * defs::kFabricMhz * 1e6 /
                              static_cast<double>(last - first);
  metrics["latency_us"] = percentiles(latency);
  metrics["queue_us"] = percentiles(queue);
  metrics["service_us"] = percentiles(service);
}

}  // namespace tb
