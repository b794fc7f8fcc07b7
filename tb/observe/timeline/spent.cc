// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/timeline/spent.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "cmodel/program/disassemble.h"

namespace tb::timeline {
namespace {

/// "semaphore 0.3 loaded" -> "loaded", "semaphore 0.3" -> "0.3"
std::string waited_for(const std::string& text) {
  constexpr std::string_view kSemaphore = "semaphore ";
  if (!text.starts_with(kSemaphore)) return text;
  const std::string number = text.substr(kSemaphore.size());
  const auto blank = number.find(' ');
  return blank == std::string::npos ? number : number.substr(blank + 1);
}

struct Sums {
  unsigned engines = 0;
  std::uint64_t busy = 0;
  std::map<std::string, std::uint64_t> waits = {};

  nlohmann::ordered_json shares(const Window& window) const {
    const double all = static_cast<double>(window.end - window.begin) * engines;
    nlohmann::ordered_json out{{"busy", static_cast<double>(busy) / all}};
    std::vector<std::pair<std::string, std::uint64_t>> sorted(waits.begin(), waits.end());
    std::ranges::sort(sorted, [](const auto& a, const auto& b) {
      return std::tie(b.second, a.first) < std::tie(a.second, b.first);
    });
    for (const auto& [why, cycles] : sorted) out[why] = static_cast<double>(cycles) / all;
    return out;
  }
};

void add_sequencer(const Timeline& timeline, const Window& window, unsigned chip, unsigned core,
                   unsigned engine, Sums& sums) {
  const auto busy = busy_of(timeline, chip, core, engine, window);
  if (busy.empty()) return;
  std::uint64_t known = length(busy);
  const std::string name = fmt::format("core {} {} waits", core, cmodel::engine_name(engine));
  for (const Track& track : timeline.tracks) {
    if (track.chip != chip || track.kind != Track::Kind::Wait || track.name != name) continue;
    for (const Span& span : track.spans) {
      const auto begin = std::max(span.begin, window.begin), end = std::min(span.end, window.end);
      if (begin >= end) continue;
      const std::uint64_t cycles = end - begin - inside(busy, begin, end);
      if (cycles) sums.waits[waited_for(timeline.names.text(span.name))] += cycles;
      known += cycles;
    }
  }
  ++sums.engines;
  sums.busy += length(busy);
  if (const std::uint64_t rest = window.end - window.begin - known) sums.waits["issue"] += rest;
}

void add_dma(const Timeline& timeline, const Window& window, unsigned chip, unsigned core,
             Sums& sums) {
  const auto busy = in_flight(timeline, chip, fmt::format("core {} Dma", core), window);
  if (busy.empty()) return;
  ++sums.engines;
  sums.busy += length(busy);
}

}  // namespace

nlohmann::ordered_json spent(const Timeline& timeline, const Window& window) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  const auto chips = static_cast<unsigned>(timeline.traffic.size());
  const auto put = [&](const std::string& name, auto&& add) {
    Sums sums;
    for (unsigned chip = 0; chip < chips; ++chip)
      for (unsigned core = 0; core < defs::kCores; ++core) add(chip, core, sums);
    if (sums.engines) out[name] = sums.shares(window);
  };
  for (unsigned engine = 0; engine < defs::kSequencers; ++engine)
    put(cmodel::engine_name(engine), [&](unsigned chip, unsigned core, Sums& sums) {
      add_sequencer(timeline, window, chip, core, engine, sums);
    });
  put("Dma", [&](unsigned chip, unsigned core, Sums& sums) {
    add_dma(timeline, window, chip, core, sums);
  });
  return out;
}

}  // namespace tb::timeline
