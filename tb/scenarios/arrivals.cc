// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/arrivals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "tb/base/clock.h"
#include "tb/scenarios/numbers.h"

namespace tb {
namespace {

constexpr unsigned kUsualRequests = 16, kUsualRate = 500'000;
constexpr double kCoreHz = kCoreMhz * 1e6;
constexpr double kMostCycles = 4e9;  // of a run: the last arrival

}  // namespace

std::vector<std::uint64_t> poisson_arrivals(const ScenarioArgs& args) {
  const unsigned rate = args.rate ? args.rate : kUsualRate;
  Random random(args.seed, "arrivals");
  double now = 0;
  std::vector<std::uint64_t> arrivals(args.requests ? args.requests : kUsualRequests);
  for (std::uint64_t& arrival : arrivals) {
    const double u = (static_cast<double>(random.word() >> 11) + 0.5) * 0x1p-53;
    now -= std::log(u) / rate * kCoreHz;
    arrival = static_cast<std::uint64_t>(std::min(now, kMostCycles));
  }
  if (now > kMostCycles)
    throw std::runtime_error(
        fmt::format("--rate is {}: the last of {} requests comes after {:.1f} simulated seconds; "
                    "allowed {:.1f}",
                    rate, arrivals.size(), now / kCoreHz, kMostCycles / kCoreHz));
  return arrivals;
}

void put_arrivals(const std::vector<std::uint64_t>& arrivals, nlohmann::ordered_json& metrics) {
  metrics["requests"] = arrivals.size();
  metrics["offered_per_s"] = static_cast<double>(arrivals.size()) * kCoreHz /
                             static_cast<double>(std::max<std::uint64_t>(arrivals.back(), 1));
}

}  // namespace tb
