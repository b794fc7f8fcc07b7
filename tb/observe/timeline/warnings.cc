// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/timeline/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace tb::timeline {
namespace {

constexpr std::size_t kMost = 50;  // the worst so many are kept

/// The same line for the same reason, on every chip and core.
using Key = std::tuple<std::string, std::string, std::uint32_t, std::string, std::uint32_t>;
struct Sum {
  std::uint64_t cycles = 0, times = 0, most = 0;
  SpanId at;  ///< that cost most
};

class Finder {
 public:
  Finder(const Timeline& timeline, const Window& window, const defs::Sizes& sizes)
      : timeline_(timeline), window_(window), sizes_(sizes) {
    for (const Arrow& arrow : timeline.arrows)
      for (const SpanId& id : arrow)
        if (timeline.tracks[id.first].kind == Track::Kind::Wait) ended_by_[id] = arrow.front();
    for (const Transfer& transfer : timeline.transfers) {
      transfers_[transfer.span] = &transfer;
      lead_ = std::min(lead_, transfer.oldest - transfer.rung);
    }
    for (const Track& track : timeline.tracks)
      if (track.kind == Track::Kind::Semaphore) semaphores_[{track.chip, track.name}] = &track;
  }

  nlohmann::ordered_json find() {
    for (std::size_t t = 0; t < timeline_.tracks.size(); ++t)
      if (timeline_.tracks[t].kind == Track::Kind::Wait) idle(t);
    for (const Transfer& transfer : timeline_.transfers) small(transfer);
    for (const auto& [wait, by] : ended_by_)
      if (const auto copy = transfers_.find(by); copy != transfers_.end())
        early(wait, *copy->second);
    return worst_first();
  }

 private:
  const Span& span(const SpanId& id) const { return timeline_.tracks[id.first].spans[id.second]; }
  const std::string& name(const SpanId& id) const { return timeline_.names.text(span(id).name); }
  /// Not which of the other chips.
  std::string what_of(const SpanId& id) const {
    const auto at = name(id).find(" to chip ");
    return at == std::string::npos ? name(id) : name(id).substr(0, at) + " to another chip";
  }
  /// "loaded" of "semaphore 0.3 loaded": the number differs from core to core.
  std::string reason(const SpanId& wait) const {
    const std::string& text = name(wait);
    const auto blank = text.rfind(' ');
    return text.starts_with("semaphore ") ? "waits for " + text.substr(blank + 1)
           : text == "ended"              ? "its program has ended"
           : text == "engine"             ? "has no room"
                                          : text;
  }
  Interval in_window(const Span& span) const {
    const std::uint64_t begin = std::max(span.begin, window_.begin);
    return {begin, std::max(begin, std::min(span.end, window_.end))};
  }
  void add(const std::string& kind, const std::string& what, const SpanId& at, const SpanId* late,
           std::uint64_t cycles) {
    if (cycles == 0) return;
    Sum& sum = sums_[{kind, what, span(at).source, late ? what_of(*late) : "",
                      late ? span(*late).source : 0}];
    sum.cycles += cycles;
    ++sum.times;
    if (cycles > sum.most) sum.most = cycles, sum.at = at;
  }

  void idle(std::size_t t) {
    const Track& track = timeline_.tracks[t];
    for (unsigned core = 0; core < defs::kCores; ++core) {
      if (track.name != fmt::format("core {} Tensor waits", core)) continue;
      const Intervals busy = busy_of(timeline_, track.chip, core, 0, window_);
      for (std::size_t i = 0; i < track.spans.size(); ++i) {
        const auto [begin, end] = in_window(track.spans[i]);
        const auto by = ended_by_.find({t, i});
        add("idle", reason({t, i}), {t, i}, by == ended_by_.end() ? nullptr : &by->second,
            end - begin - inside(busy, begin, end));
      }
    }
  }

  /// At full rate an engine moves a line in each of its slots.
  void small(const Transfer& transfer) {
    if (transfer.row_bytes >= sizes_.line_bytes) return;
    const auto [since, end] = in_window(span(transfer.span));
    const std::uint64_t begin = std::max(since, std::min(transfer.oldest, end));
    const std::uint64_t bytes = std::uint64_t{transfer.rows} * transfer.row_bytes;
    const std::uint64_t needed =
        (bytes * sizes_.dma_engines + sizes_.line_bytes - 1) / sizes_.line_bytes;
    add("small", fmt::format("{} by rows of {} B", what_of(transfer.span), transfer.row_bytes),
        transfer.span, nullptr, end - begin > needed ? end - begin - needed : 0);
  }

  /// The copy would have ended so much earlier, but the wait not before the update before it.
  void early(const SpanId& wait, const Transfer& copy) {
    const auto [begin, end] = in_window(span(wait));
    std::uint64_t from = begin;
    if (const auto values = semaphores_.find({timeline_.tracks[wait.first].chip, name(wait)});
        values != semaphores_.end()) {
      const auto& spans = values->second->spans;
      auto last = std::ranges::lower_bound(spans, end - 1, {}, &Span::begin);
      if (last != spans.begin()) from = std::max(from, (--last)->begin + 1);
    }
    const std::uint64_t queued = copy.behind && copy.oldest > copy.rung + lead_
                                     ? inside(free(copy), copy.rung, copy.oldest - lead_)
                                     : 0;
    add("early", reason(wait), wait, &copy.span, std::min(queued, end - std::min(end, from)));
  }

  /// When some DMA engine of the core had nothing to do.
  const Intervals& free(const Transfer& of) {
    const auto [at, fresh] = free_.try_emplace({of.chip, of.core});
    if (!fresh) return at->second;
    std::map<std::uint64_t, int> changes;  // of the number of engines at work
    for (unsigned engine = 0; engine < sizes_.dma_engines; ++engine)
      for (const Counter& counter : timeline_.counters) {
        if (counter.chip != of.chip ||
            counter.name != fmt::format("core {} Dma{} pending", of.core, engine))
          continue;
        bool busy = false;
        for (const auto& [cycle, value] : counter.values)
          if (busy != (value > 0)) busy = !busy, changes[cycle] += busy ? 1 : -1;
      }
    std::uint64_t since = 0;
    int busy = 0;
    const int all = static_cast<int>(sizes_.dma_engines);
    for (const auto& [cycle, change] : changes) {
      if (busy < all && cycle > since) at->second.emplace_back(since, cycle);
      since = cycle;
      busy += change;
    }
    if (busy < all) at->second.emplace_back(since, window_.end);
    return at->second;
  }

  nlohmann::ordered_json worst_first() const {
    std::vector<std::pair<Key, Sum>> all(sums_.begin(), sums_.end());
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return std::tie(b.second.cycles, a.first) < std::tie(a.second.cycles, b.first);
    });
    if (all.size() > kMost) all.resize(kMost);
    auto out = nlohmann::ordered_json::array();
    for (const auto& [key, sum] : all) {
      const auto& [kind, what, source, late, late_source] = key;
      const Track& track = timeline_.tracks[sum.at.first];
      out.push_back({{"kind", kind},
                     {"cycles", sum.cycles},
                     {"times", sum.times},
                     {"what", what},
                     {"source", timeline_.names.text(source)},
                     {"late", late},
                     {"late_source", timeline_.names.text(late_source)},
                     {"chip", track.chip},
                     {"track", track.name},
                     {"begin", span(sum.at).begin}});
    }
    return out;
  }

  const Timeline& timeline_;
  const Window& window_;
  const defs::Sizes& sizes_;
  std::map<SpanId, SpanId> ended_by_;  ///< by wait
  std::map<SpanId, const Transfer*> transfers_;
  std::map<std::pair<unsigned, std::string>, const Track*> semaphores_;
  std::uint64_t lead_ = UINT64_MAX;  ///< doorbell to work, at least: the descriptor is read
  std::map<std::pair<unsigned, unsigned>, Intervals> free_;
  std::map<Key, Sum> sums_;
};

}  // namespace

nlohmann::ordered_json warnings(const Timeline& timeline, const Window& window,
                                const defs::Sizes& sizes) {
  return Finder(timeline, window, sizes).find();
}

}  // namespace tb::timeline
