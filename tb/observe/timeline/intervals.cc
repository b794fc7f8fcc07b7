// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/timeline/intervals.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/program/disassemble.h"

namespace tb::timeline {
namespace {

/// Of the tracks of a chip and kind for which wanted(name).
template <class Wanted>
Intervals united(const Timeline& timeline, unsigned chip, Track::Kind kind, const Window& window,
                 Wanted&& wanted) {
  Intervals all;
  for (const Track& track : timeline.tracks) {
    if (track.chip != chip || track.kind != kind || !wanted(track.name)) continue;
    for (const Span& span : track.spans) {
      const Interval cut{std::max(span.begin, window.begin), std::min(span.end, window.end)};
      if (cut.first < cut.second) all.push_back(cut);
    }
  }
  std::sort(all.begin(), all.end());
  Intervals out;
  for (const Interval& next : all)
    if (!out.empty() && next.first <= out.back().second)
      out.back().second = std::max(out.back().second, next.second);
    else
      out.push_back(next);
  return out;
}

}  // namespace

Intervals work_of(const Timeline& timeline, unsigned chip, const std::string& name,
                  const Window& window) {
  return united(timeline, chip, Track::Kind::Work, window, [&](const std::string& track) {
    return track == name || track.starts_with(name + " ");
  });
}

Intervals in_flight(const Timeline& timeline, unsigned chip, const std::string& prefix,
                    const Window& window) {
  return united(timeline, chip, Track::Kind::Queue, window,
                [&](const std::string& track) { return track.starts_with(prefix); });
}

Intervals busy_of(const Timeline& timeline, unsigned chip, unsigned core, unsigned engine,
                  const Window& window) {
  const std::string name = fmt::format("core {} {}", core, cmodel::engine_name(engine));
  return work_of(timeline, chip, engine == 0 ? name + " multiply" : name, window);
}

std::uint64_t length(const Intervals& intervals) { return inside(intervals, 0, UINT64_MAX); }

std::uint64_t inside(const Intervals& intervals, std::uint64_t begin, std::uint64_t end) {
  std::uint64_t sum = 0;
  auto at = std::lower_bound(intervals.begin(), intervals.end(), begin,
                             [](const Interval& i, std::uint64_t c) { return i.second <= c; });
  for (; at != intervals.end() && at->first < end; ++at)
    sum += std::min(at->second, end) - std::max(at->first, begin);
  return sum;
}

}  // namespace tb::timeline
