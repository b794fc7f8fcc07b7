// SPDX-License-Identifier: Apache-2.0
#include "cmodel/must_order.h"

#include <algorithm>

namespace cmodel {

void MustOrder::begin(std::uint32_t stream) {
  if (stream >= streams_.size()) streams_.resize(stream + 1);
  streams_[stream].push_back(units());
  Unit unit;
  unit.stream = stream;
  unit.index = static_cast<std::uint32_t>(streams_[stream].size() - 1);
  units_.push_back(std::move(unit));
}

void MustOrder::wait(std::uint32_t counter, std::int64_t value, bool equal) {
  counters_ = std::max(counters_, counter + 1);
  units_.back().waits.push_back({counter, value, equal});
}

void MustOrder::after(std::uint32_t other) {
  if (other >= streams_.size() || streams_[other].empty()) return;
  units_.back().needs.push_back({other, static_cast<std::uint32_t>(streams_[other].size())});
}

void MustOrder::update(std::uint32_t stream, std::uint32_t counter, std::int32_t delta) {
  counters_ = std::max(counters_, counter + 1);
  units_[last(stream)].updates.push_back({counter, delta});
}

/// Turns every wait into one for what was added, or, for a counter that is not like that, into a
/// need of all units that had updated it.
void MustOrder::settle_waits() {
  constexpr std::uint32_t kNobody = 0xffff'ffffu, kMany = 0xffff'fffeu;
  struct Counter {
    std::uint32_t waits = kNobody, takes = kNobody;  ///< the stream, or kMany
    bool equal = false;
    std::int64_t taken = 0;
    std::vector<std::uint32_t> updaters;  ///< units so far
  };
  std::vector<Counter> counters(counters_);
  const auto note = [](std::uint32_t& who, std::uint32_t stream) {
    who = who == kNobody || who == stream ? stream : kMany;
  };
  for (const Unit& unit : units_) {
    for (const Wait& wait : unit.waits) {
      note(counters[wait.counter].waits, unit.stream);
      counters[wait.counter].equal |= wait.equal;
    }
    for (const Update& update : unit.updates)
      if (update.delta < 0) note(counters[update.counter].takes, unit.stream);
  }
  for (std::uint32_t number = 0; number < units(); ++number) {
    Unit& unit = units_[number];
    std::vector<Wait> waits;
    for (Wait wait : unit.waits) {
      Counter& counter = counters[wait.counter];
      const bool alone = counter.takes < kMany && counter.waits == counter.takes;
      if (!counter.equal && (counter.takes == kNobody || alone)) {
        wait.value += counter.taken;
        if (wait.value > 0) waits.push_back(wait);
        continue;
      }
      for (const auto updater : counter.updaters)
        unit.needs.push_back({units_[updater].stream, units_[updater].index + 1});
    }
    unit.waits = std::move(waits);
    // Of one stream the furthest is enough.
    std::erase_if(unit.needs, [&](const Need& need) { return need.stream == unit.stream; });
    std::sort(unit.needs.begin(), unit.needs.end(), [](const Need& a, const Need& b) {
      return a.stream != b.stream ? a.stream < b.stream : a.units > b.units;
    });
    const auto end = std::unique(unit.needs.begin(), unit.needs.end(),
                                 [](const Need& a, const Need& b) { return a.stream == b.stream; });
    unit.needs.erase(end, unit.needs.end());
    for (const Update& update : unit.updates) {
      Counter& counter = counters[update.counter];
      if (update.delta < 0) counter.taken -= update.delta;
      // Only the last one of a stream matters.
      std::erase_if(counter.updaters,
                    [&](auto other) { return units_[other].stream == unit.stream; });
      counter.updaters.push_back(number);
    }
    std::erase_if(unit.updates, [](const Update& update) { return update.delta <= 0; });
  }
}

/// The program with one stream held back; everybody else as far as possible.
struct MustOrder::Pass {
  explicit Pass(MustOrder& o)
      : order(o),
        done(o.streams_.size()),
        need(o.streams_.size()),
        value(o.counters_),
        for_stream(o.streams_.size()),
        for_counter(o.counters_) {}

  void wake(std::vector<std::uint32_t>& waiting) {
    ready.insert(ready.end(), waiting.begin(), waiting.end());
    waiting.clear();
  }
  /// Can the next unit of `stream` begin? If not, the stream waits in the right list.
  bool enabled(std::uint32_t stream, const Unit& unit) {
    for (std::uint32_t& i = need[stream]; i < unit.needs.size(); ++i)
      if (done[unit.needs[i].stream] < unit.needs[i].units) {
        for_stream[unit.needs[i].stream].push_back(stream);
        return false;
      }
    for (const Wait& wait : unit.waits)
      if (value[wait.counter] < wait.value) {
        for_counter[wait.counter].push_back(stream);
        return false;
      }
    return true;
  }
  void execute(std::uint32_t stream, const Unit& unit) {
    ++done[stream];
    need[stream] = 0;
    wake(for_stream[stream]);
    for (const Update& update : unit.updates) {
      value[update.counter] += update.delta;
      wake(for_counter[update.counter]);
    }
  }
  /// All but `held`, as far as they get; what begins now needs `count` units of `held`.
  void run(std::uint32_t held, std::uint32_t count) {
    while (!ready.empty()) {
      const std::uint32_t stream = ready.back();
      ready.pop_back();
      const auto& units = order.streams_[stream];
      while (stream != held && done[stream] < units.size()) {
        const Unit& unit = order.units_[units[done[stream]]];
        if (!enabled(stream, unit)) break;
        order.needed_[unit.row * done.size() + held] = count;
        execute(stream, unit);
      }
    }
  }

  MustOrder& order;
  std::vector<std::uint32_t> done, need;  ///< by stream: units; needs of the next one that are met
  std::vector<std::int64_t> value;
  std::vector<std::vector<std::uint32_t>> for_stream, for_counter;  ///< streams that wait
  std::vector<std::uint32_t> ready;
};

void MustOrder::solve() {
  settle_waits();
  std::size_t rows = 0;
  for (Unit& unit : units_) {
    const bool shares = unit.index && unit.waits.empty() && unit.needs.empty();
    unit.row = shares ? units_[streams_[unit.stream][unit.index - 1]].row : rows++;
  }
  needed_.assign(rows * streams_.size(), 0);
  const auto streams = static_cast<std::uint32_t>(streams_.size());
  for (std::uint32_t held = 0; held < streams; ++held) {
    Pass pass(*this);
    for (std::uint32_t stream = 0; stream < streams; ++stream) pass.ready.push_back(stream);
    pass.run(held, 0);
    for (const auto number : streams_[held]) {
      pass.execute(held, units_[number]);
      pass.run(held, pass.done[held]);
    }
  }
}

}  // namespace cmodel
