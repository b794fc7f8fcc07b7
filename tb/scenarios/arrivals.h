// SPDX-License-Identifier: Apache-2.0
// When requests come: what scenarios that answer them have in common.
#pragma once
#include <cstdint>
#include <vector>

#include "tb/scenarios/scenario.h"

namespace tb {

/// Core cycles of --requests (16) arrivals of a Poisson stream at --rate (500,000) a second, by
/// seed. Throws std::runtime_error for a rate at which the last one would come too late.
std::vector<std::uint64_t> poisson_arrivals(const ScenarioArgs& args);

/// Metrics `requests` and `offered_per_s` of them.
void put_arrivals(const std::vector<std::uint64_t>& arrivals, nlohmann::ordered_json& metrics);

}  // namespace tb
