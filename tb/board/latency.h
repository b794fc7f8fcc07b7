// SPDX-License-Identifier: Apache-2.0
// What a request had to wait for, over all requests of a run.
#pragma once
#include <nlohmann/json.hpp>
#include <span>

#include "tb/board/feeder.h"

namespace tb {

/// Adds, of the requests that were answered, in simulated time: `answered`, how many;
/// `answered_per_s`, from the first arrival to the last answer; and `latency_us` = `queue_us` (at
/// the host: from arrival to the first byte sent) + `service_us` (from there to the completion),
/// each as p50, p99, p999 (the least that so many are not above) and max.
void add_latencies(std::span<const Served> served, nlohmann::ordered_json& metrics);

}  // namespace tb
