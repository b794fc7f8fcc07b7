// SPDX-License-Identifier: Apache-2.0
#include "cmodel/analysis/must_order.h"

#include <algorithm>

namespace cmodel {

void MustOrder::begin(std::uint32_t stream) {
  if (stream >= streams_.size()) streams_.resize(stream + 1);
  streams_[stream].push_back(operations());
  Operation operation;
  operation.stream = stream;
  operation.index = static_cast<std::uint32_t>(streams_[stream].size() - 1);
  operations_.push_back(std::move(operation));
}

void MustOrder::wait(std::uint32_t counter, std::int64_t value, bool equal) {
  counters_ = std::max(counters_, counter + 1);
  operations_.back().waits.push_back({counter, value, equal});
}

void MustOrder::after(std::uint32_t other) {
  if (other >= streams_.size() || streams_[other].empty()) return;
  operations_.back().needs.push_back({other, static_cast<std::uint32_t>(streams_[other].size())});
}

void MustOrder::update(std::uint32_t stream, std::uint32_t counter, std::int32_t delta) {
  counters_ = std::max(counters_, counter + 1);
  operations_[last(stream)].updates.push_back({counter, delta});
}

/// Turns every wait into one for what was added. For a counter that is not like that, waits and
/// updates keep the order that they had in the run: at every wait its value is the same.
void MustOrder::resolve_waits() {
  constexpr std::uint32_t kNobody = 0xffff'ffffu, kMany = 0xffff'fffeu;
  struct Counter {
    std::uint32_t waits = kNobody, takes = kNobody;  ///< the stream, or kMany
    bool equal = false;
    std::int64_t taken = 0;
    std::vector<Need> updated, waited;  ///< so far, by stream
    bool exact() const {
      return !equal && (takes == kNobody || (takes != kMany && takes == waits));
    }
  };
  std::vector<Counter> counters(counters_);
  const auto note = [](std::uint32_t& who, std::uint32_t stream) {
    who = who == kNobody || who == stream ? stream : kMany;
  };
  for (const Operation& operation : operations_) {
    for (const Wait& wait : operation.waits) {
      note(counters[wait.counter].waits, operation.stream);
      counters[wait.counter].equal |= wait.equal;
    }
    for (const Update& update : operation.updates)
      if (update.delta < 0) note(counters[update.counter].takes, operation.stream);
  }
  const auto add = [](std::vector<Need>& needs, const Operation& operation) {
    std::erase_if(needs, [&](const Need& need) { return need.stream == operation.stream; });
    needs.push_back({operation.stream, operation.index + 1});
  };
  for (Operation& operation : operations_) {
    const auto need = [&](const std::vector<Need>& needs) {
      operation.needs.insert(operation.needs.end(), needs.begin(), needs.end());
    };
    std::vector<Wait> waits;
    for (Wait wait : operation.waits) {
      Counter& counter = counters[wait.counter];
      if (!counter.exact()) {
        need(counter.updated);
        continue;
      }
      wait.value += counter.taken;
      if (wait.value > 0) waits.push_back(wait);
    }
    for (const Update& update : operation.updates)
      if (!counters[update.counter].exact()) need(counters[update.counter].waited);
    for (const Wait& wait : operation.waits)
      if (!counters[wait.counter].exact()) add(counters[wait.counter].waited, operation);
    for (const Update& update : operation.updates) {
      Counter& counter = counters[update.counter];
      if (update.delta < 0) counter.taken -= update.delta;
      if (!counter.exact()) add(counter.updated, operation);
    }
    operation.waits = std::move(waits);
    // Of one stream the furthest is enough; the own stream is in order anyway.
    std::erase_if(operation.needs,
                  [&](const Need& other) { return other.stream == operation.stream; });
    std::sort(operation.needs.begin(), operation.needs.end(), [](const Need& x, const Need& y) {
      return x.stream != y.stream ? x.stream < y.stream : x.operations > y.operations;
    });
    const auto end = std::unique(operation.needs.begin(), operation.needs.end(),
                                 [](const Need& x, const Need& y) { return x.stream == y.stream; });
    operation.needs.erase(end, operation.needs.end());
    std::erase_if(operation.updates, [](const Update& update) { return update.delta <= 0; });
  }
}

/// The program with one stream held back; everybody else as far as possible.
struct MustOrder::Pass {
  Pass(MustOrder& o, std::uint32_t h)
      : order(o),
        held(h),
        needed(&o.needed_[o.slots_[h] * o.rows_]),
        done(o.streams_.size()),
        need(o.streams_.size()),
        value(o.counters_),
        for_stream(o.streams_.size()),
        for_counter(o.counters_) {}

  void wake(std::vector<std::uint32_t>& waiting) {
    ready.insert(ready.end(), waiting.begin(), waiting.end());
    waiting.clear();
  }
  /// Can the next operation of `stream` begin? If not, the stream waits in the right list.
  bool enabled(std::uint32_t stream, const Operation& operation) {
    for (std::uint32_t& i = need[stream]; i < operation.needs.size(); ++i)
      if (done[operation.needs[i].stream] < operation.needs[i].operations) {
        for_stream[operation.needs[i].stream].push_back(stream);
        return false;
      }
    for (const Wait& wait : operation.waits)
      if (value[wait.counter] < wait.value) {
        for_counter[wait.counter].push_back(stream);
        return false;
      }
    return true;
  }
  void execute(std::uint32_t stream, const Operation& operation) {
    ++done[stream];
    need[stream] = 0;
    wake(for_stream[stream]);
    for (const Update& update : operation.updates) {
      value[update.counter] += update.delta;
      wake(for_counter[update.counter]);
    }
  }
  /// All but `held`, as far as they get; what begins now needs what `held` has done so far.
  void run() {
    while (!ready.empty()) {
      const std::uint32_t stream = ready.back();
      ready.pop_back();
      const auto& operations = order.streams_[stream];
      while (stream != held && done[stream] < operations.size()) {
        const Operation& operation = order.operations_[operations[done[stream]]];
        if (!enabled(stream, operation)) break;
        needed[operation.row] = done[held];
        execute(stream, operation);
      }
    }
  }

  MustOrder& order;
  std::uint32_t held;
  std::uint32_t* needed;  ///< by row: operations of `held`
  std::vector<std::uint32_t> done,
      need;  ///< by stream: operations; needs of the next one that are met
  std::vector<std::int64_t> value;
  std::vector<std::vector<std::uint32_t>> for_stream, for_counter;  ///< streams that wait
  std::vector<std::uint32_t> ready;
};

void MustOrder::solve() {
  resolve_waits();
  slots_.assign(streams_.size(), kFree);
  std::size_t slots = 0;
  const auto matters = [&](std::uint32_t stream) {
    if (slots_[stream] == kFree) slots_[stream] = slots++;
  };
  rows_ = 0;
  for (Operation& operation : operations_) {
    const bool shares = operation.index && operation.waits.empty() && operation.needs.empty();
    operation.row =
        shares ? operations_[streams_[operation.stream][operation.index - 1]].row : rows_++;
    if (!operation.updates.empty()) matters(operation.stream);
    for (const Need& need : operation.needs) matters(need.stream);
  }
  needed_.assign(rows_ * slots, 0);
  const auto streams = static_cast<std::uint32_t>(streams_.size());
  for (std::uint32_t held = 0; held < streams; ++held) {
    if (slots_[held] == kFree) continue;
    Pass pass(*this, held);
    for (std::uint32_t stream = 0; stream < streams; ++stream) pass.ready.push_back(stream);
    pass.run();
    for (const auto number : streams_[held]) {
      pass.execute(held, operations_[number]);
      pass.run();
    }
  }
}

}  // namespace cmodel
