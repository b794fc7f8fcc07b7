// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/timeline/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/program/disassemble.h"
#include "tb/dut/hbm.h"
#include "tb/observe/timeline/warnings.h"

namespace tb::timeline {
namespace {

const Track* waits_of(const Timeline& timeline, unsigned chip, const std::string& name) {
  for (const Track& track : timeline.tracks)
    if (track.chip == chip && track.kind == Track::Kind::Wait && track.name == name + " waits")
      return &track;
  return nullptr;
}

nlohmann::ordered_json engine_row(const Timeline& timeline, const Window& window, unsigned chip,
                                  unsigned core, unsigned engine) {
  const std::string name = fmt::format("core {} {}", core, cmodel::engine_name(engine));
  const auto busy = busy_of(timeline, chip, core, engine, window);
  nlohmann::ordered_json waits = nlohmann::ordered_json::object();
  std::uint64_t known = 0, first = window.end;
  const auto add = [&](const std::string& why, std::uint64_t begin, std::uint64_t end) {
    begin = std::max(begin, window.begin), end = std::min(end, window.end);
    const std::uint64_t cycles = begin < end ? end - begin - inside(busy, begin, end) : 0;
    if (cycles) waits[why] = waits.value(why, std::uint64_t{0}) + cycles;
    known += cycles;
  };
  if (const Track* track = waits_of(timeline, chip, name)) {
    if (!track->spans.empty()) first = track->spans.front().begin;
    for (const Span& span : track->spans) {
      const std::string& text = timeline.names.text(span.name);
      add(text.substr(0, text.find(' ')), span.begin, span.end);
    }
  }
  add("doorbell", 0, first);
  const std::uint64_t rest = window.end - window.begin - length(busy) - known;
  if (rest) waits["issue"] = rest;
  return {{"chip", chip},
          {"core", core},
          {"engine", cmodel::engine_name(engine)},
          {"busy", length(busy)},
          {"waits", waits}};
}

}  // namespace

nlohmann::ordered_json summary(const Timeline& timeline, const Window& window,
                               const defs::Sizes& sizes) {
  nlohmann::ordered_json out{{"begin", window.begin}, {"end", window.end}};
  const double cycles = std::max<double>(1, static_cast<double>(window.end - window.begin));
  for (unsigned chip = 0; chip < timeline.traffic.size(); ++chip) {
    for (unsigned core = 0; core < defs::kCores; ++core)
      for (unsigned engine = 0; engine < defs::kSequencers; ++engine)
        out["engines"].push_back(engine_row(timeline, window, chip, core, engine));
    const Traffic& t = timeline.traffic[chip];
    const double ops = 2.0 * static_cast<double>(t.macs);
    std::uint64_t read = 0, written = 0;
    for (const HbmAccess& access : timeline.hbm[chip])
      if (access.cycle >= window.begin && access.cycle < window.end)
        (access.write ? written : read) += access.bytes;
    const double hbm = static_cast<double>(read + written);
    out["chips"].push_back({{"chip", chip},
                            {"instructions", t.instructions},
                            {"hbm_read", read},
                            {"hbm_written", written},
                            {"sbuf_written", t.sbuf_written},
                            {"psum_written", t.psum_written},
                            {"messages", t.messages},
                            {"received", t.received},
                            {"macs", t.macs},
                            {"intensity", hbm > 0 ? ops / hbm : 0.0},
                            {"ops_per_cycle", ops / cycles}});
  }
  out["roof"] = {
      {"ops_per_cycle", 2.0 * defs::kCores * sizes.partitions * sizes.partitions},
      {"hbm_bytes_per_cycle",
       std::min(kHbmBytesPerCycle, defs::kHbmPorts * sizes.line_bytes / sizes.hbm_line_cycles)}};
  out["warnings"] = warnings(timeline, window, sizes);
  return out;
}

}  // namespace tb::timeline
