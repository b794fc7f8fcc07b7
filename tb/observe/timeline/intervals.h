// SPDX-License-Identifier: Apache-2.0
// Cycles as lists of intervals that do not overlap, in order of time.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tb/observe/timeline/timeline.h"

namespace tb::timeline {

using Interval = std::pair<std::uint64_t, std::uint64_t>;  ///< first .. second - 1
using Intervals = std::vector<Interval>;

/// Core cycles begin .. end - 1 are looked at: doorbells to last completion.
struct Window {
  std::uint64_t begin = 0, end = 0;
};

/// Work of the tracks of a chip whose name is `name`, or begins with it and a blank, inside the
/// window.
Intervals work_of(const Timeline& timeline, unsigned chip, const std::string& name,
                  const Window& window);
/// The work of an engine. Loading weights is not work of its own: the array multiplies meanwhile,
/// or waits for them.
Intervals busy_of(const Timeline& timeline, unsigned chip, unsigned core, unsigned engine,
                  const Window& window);
/// Descriptors in flight on the tracks of a chip whose name begins so: of some DMA engines.
Intervals in_flight(const Timeline& timeline, unsigned chip, const std::string& prefix,
                    const Window& window);
std::uint64_t length(const Intervals& intervals);
/// Cycles of begin .. end - 1 that lie in some of `intervals`.
std::uint64_t inside(const Intervals& intervals, std::uint64_t begin, std::uint64_t end);

}  // namespace tb::timeline
