// SPDX-License-Identifier: Apache-2.0
// What a timeline says in numbers: who was busy, who waited for what, what moved, and the roofline.
#pragma once
#include <nlohmann/json.hpp>

#include "rtl/defs/gen/defs.h"
#include "tb/observe/timeline/intervals.h"

namespace tb::timeline {

/// { "begin", "end",
///   "engines": [ { chip, core, engine, busy, waits: { doorbell, semaphore, .. , issue } } ],
///   "chips": [ { chip, instructions, hbm_read, .., macs, intensity, ops_per_cycle } ],
///   "roof": { ops_per_cycle, hbm_bytes_per_cycle }, "warnings": warnings.h }
///
/// busy and waits are core cycles and add up to the window: a cycle in which the engine does not
/// work counts for what its sequencer waits for then; `issue`: for nothing, work is on its way;
/// `doorbell`: for its start. HBM bytes are those that the window's requests asked for.
/// An operation is half a multiply-accumulate. intensity: operations per HBM byte.
nlohmann::ordered_json summary(const Timeline& timeline, const Window& window,
                               const defs::Sizes& sizes);

}  // namespace tb::timeline
