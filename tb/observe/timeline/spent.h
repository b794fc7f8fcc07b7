// SPDX-License-Identifier: Apache-2.0
// Where the time of a run went, by kind of engine and by what was waited for.
#pragma once
#include <nlohmann/json.hpp>

#include "tb/observe/timeline/intervals.h"

namespace tb::timeline {

/// { "Tensor": { "busy": share, WAIT: share, .. }, "Vector", "Act", "Sync": likewise,
///   "Dma": { "busy": share } }, each the most first but for busy: shares of the window, the mean
/// of the engines that worked in it; those of a sequencer add up to 1. WAIT is the name that the
/// program gave a semaphore, its number if it gave none, a reason as in summary.h, or `issue`. Dma:
/// any descriptor of the core is in flight. A kind that did not work is left out.
nlohmann::ordered_json spent(const Timeline& timeline, const Window& window);

}  // namespace tb::timeline
