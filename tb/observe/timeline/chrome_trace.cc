// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/timeline/chrome_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>

#include "cmodel/files/output_file.h"
#include "rtl/defs/gen/defs.h"

namespace tb::timeline {
namespace {

const char* category(Track::Kind kind) {
  switch (kind) {
    case Track::Kind::Work:
      return "work";
    case Track::Kind::Wait:
      return "wait";
    case Track::Kind::Queue:
      return "dma";
    case Track::Kind::Link:
      return "link";
    case Track::Kind::Bank:
      return "psum";
    case Track::Kind::Semaphore:
      return "semaphore";
  }
  return "?";
}

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

/// Microseconds, the unit of the format.
std::string time(std::uint64_t cycle) {
  return fmt::format("{}.{:03}", cycle / 1000, cycle % 1000);
}

/// Numbers inside a name in one width, so that Dma2 comes before Dma10; engines as programs use
/// them.
std::string sort_name(const std::string& name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    std::size_t end = at;
    while (end < name.size() && std::isdigit(static_cast<unsigned char>(name[end]))) ++end;
    if (end == at) {
      out += name[at++];
      continue;
    }
    out += fmt::format("{:0>4}", name.substr(at, end - at));
    at = end;
  }
  for (const defs::Engine engine :
       {defs::Engine::Tensor, defs::Engine::Vector, defs::Engine::Act, defs::Engine::Sync}) {
    const std::string word = ' ' + std::string(to_string(engine));
    if (const auto at = out.find(word); at != std::string::npos)
      out.replace(at, word.size(), fmt::format(" {}", static_cast<unsigned>(engine)));
  }
  return out;
}

/// By chip: engines with their waits, PSUM banks, DMA, links.
std::vector<std::size_t> in_order(const Timeline& timeline) {
  std::vector<std::size_t> order(timeline.tracks.size());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [&](std::size_t i) {
    const Track& track = timeline.tracks[i];
    const int group = track.kind == Track::Kind::Semaphore ? 4
                      : track.kind == Track::Kind::Link    ? 3
                      : track.kind == Track::Kind::Queue   ? 2
                      : track.kind == Track::Kind::Bank    ? 1
                                                           : 0;
    return std::tuple{track.chip, group, sort_name(track.name)};
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return order;
}

}  // namespace

void write_chrome_trace(const Timeline& timeline, const nlohmann::ordered_json& metadata,
                        const std::filesystem::path& file) {
  cmodel::OutputFile out(file);
  out.print("{{\"displayTimeUnit\": \"ns\",\n\"dodeca\": {},\n\"traceEvents\": [\n",
            metadata.dump());
  for (unsigned chip = 0; chip < timeline.traffic.size(); ++chip)
    out.print(
        "{{\"ph\":\"M\",\"pid\":{0},\"name\":\"process_name\",\"args\":{{\"name\":\"chip "
        "{0}\"}}}},\n",
        chip);
  unsigned tid = 0;
  std::vector<std::string> places(timeline.tracks.size());
  for (const std::size_t index : in_order(timeline)) {
    const Track& track = timeline.tracks[index];
    ++tid;
    const std::string where = fmt::format("\"pid\":{},\"tid\":{}", track.chip, tid);
    places[index] = where;
    out.print("{{\"ph\":\"M\",{},\"name\":\"thread_name\",\"args\":{{\"name\":{}}}}},\n", where,
              quoted(track.name));
    out.print(
        "{{\"ph\":\"M\",{},\"name\":\"thread_sort_index\",\"args\":{{\"sort_index\":{}}}}},\n",
        where, tid);
    for (const Span& span : track.spans) {
      std::string args;
      if (span.pc != Span::kNone) args = fmt::format("\"pc\":{}", span.pc);
      if (const std::string& detail = timeline.names.text(span.detail); !detail.empty())
        args += fmt::format("{}\"detail\":{}", args.empty() ? "" : ",", quoted(detail));
      if (span.source != 0)
        args += fmt::format(",\"source\":{}", quoted(timeline.names.text(span.source)));
      out.print(
          "{{\"ph\":\"X\",{},\"cat\":\"{}\",\"name\":{},\"ts\":{},\"dur\":{},\"args\":{{{}}}}},"
          "\n",
          where, category(track.kind), quoted(timeline.names.text(span.name)), time(span.begin),
          time(span.end - span.begin), args);
    }
  }
  for (const Counter& counter : timeline.counters)
    for (const auto& [cycle, value] : counter.values)
      out.print("{{\"ph\":\"C\",\"pid\":{},\"name\":{},\"ts\":{},\"args\":{{\"value\":{}}}}},\n",
                counter.chip, quoted(counter.name), time(cycle), value);
  // A step of a flow belongs to the span of its thread that is open at its time. A wait may be
  // older than what ends it.
  for (std::size_t arrow = 0; arrow < timeline.arrows.size(); ++arrow) {
    const Arrow& steps = timeline.arrows[arrow];
    for (const SpanId& id : steps) {
      const Track& track = timeline.tracks[id.first];
      const Span& span = track.spans[id.second];
      out.print(
          "{{\"ph\":\"{}\",{},\"cat\":\"flow\",\"name\":\"update\",\"id\":{},\"bp\":\"e\",\"ts\":{}"
          "}},\n",
          &id == &steps.front()  ? 's'
          : &id == &steps.back() ? 'f'
                                 : 't',
          places[id.first], arrow + 1,
          time(track.kind == Track::Kind::Wait ? span.end - 1 : span.begin));
    }
  }
  // The format has no comma behind the last event.
  out.print(
      "{{\"ph\":\"M\",\"pid\":0,\"name\":\"process_labels\",\"args\":{{\"labels\":\"\"}}}}\n]}}"
      "\n");
  out.finish();
}

}  // namespace tb::timeline
