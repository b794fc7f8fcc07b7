// SPDX-License-Identifier: Apache-2.0
// What cost cycles, by line of the program, the worst first.
#pragma once
#include <nlohmann/json.hpp>

#include "rtl/defs/gen/defs.h"
#include "tb/observe/timeline/intervals.h"

namespace tb::timeline {

/// [ { kind, cycles, times, what, source, late, late_source, chip, track, begin } ]
///
/// kind   cycles are                               what, source       late, late_source
/// idle   of an array that does not multiply       its wait           what ended the wait last
/// small  of copies by rows narrower than a line,  the copy           -
///        beyond those of the bytes at full rate
/// early  of a wait, at most: so long its copy     the wait           the copy
///        was queued while another DMA engine of
///        its core had nothing to do
///
/// Summed over the board inside the window; chip, track, begin: the span that cost most.
nlohmann::ordered_json warnings(const Timeline& timeline, const Window& window,
                                const defs::Sizes& sizes);

}  // namespace tb::timeline
