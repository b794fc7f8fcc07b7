// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/timeline/arrows.h"

#include <algorithm>
#include <iterator>

#include "fabric/model/message.h"

namespace tb::timeline {
namespace {

constexpr unsigned kDma0 = static_cast<unsigned>(defs::Engine::Dma0);
/// A packet whose number was seen among so many notifies is sent again, not another one.
constexpr std::size_t kRepeats = 4096;

/// nullptr if it was never closed, or took no time.
const Span* span_of(const Timeline& timeline, const SpanId& id) {
  const auto& spans = timeline.tracks[id.first].spans;
  return id.second < spans.size() ? &spans[id.second] : nullptr;
}

}  // namespace

void Arrows::work(const Engine& engine, std::uint32_t pc, const SpanId& span) {
  work_[{engine, pc}].push_back(span);
}

void Arrows::wait(const Engine& engine, std::uint32_t pc, unsigned semaphore, const SpanId& span) {
  waits_.push_back({engine, pc, semaphore, span});
}

void Arrows::notifies(const Engine& from, unsigned vn, unsigned dst, const SpanId& span) {
  const unsigned lane = vn << 5 | from.core << 4 | (from.engine - kDma0);
  flows_[{from.chip, dst, lane}].descriptors.push_back(span);
}

void Arrows::packet(unsigned chip, const defs::HeadPayload& head, const SpanId& span) {
  const defs::Header& header = head.header;
  if (header.op != static_cast<std::uint8_t>(defs::PktOp::WriteNotify)) return;
  const unsigned src = header.src & 15u, dst = header.dst & 15u;
  Notifies& flow = flows_[{src, dst, fabric::lane(header)}];
  auto at = flow.at.find(head.seq);
  if (at == flow.at.end() || flow.packets.size() - at->second > kRepeats) {
    if (chip != src) return;
    at = flow.at.insert_or_assign(head.seq, flow.packets.size()).first;
    flow.packets.emplace_back();
  }
  Arrow& way = flow.packets[at->second];
  if (way.empty() || way.back().first != span.first) way.push_back(span);
}

void Arrows::update(unsigned chip, std::uint64_t cycle, const cmodel::Commit& commit) {
  const cmodel::StreamId& id = commit.stream;
  Update update{cycle, {chip, id.core, id.engine}, commit.pc, nullptr, 0};
  if (id.engine == static_cast<unsigned>(defs::Engine::Rx)) {
    Notifies& flow = flows_[{id.src, chip, id.lane}];
    update.flow = &flow;
    update.number = flow.arrived++;
  }
  updates_[{chip, static_cast<unsigned>(commit.addr)}].push_back(update);
}

std::vector<Arrow> Arrows::finish(const Timeline& timeline) const {
  std::vector<Arrow> arrows;
  for (const Wait& wait : waits_) {
    const Span* waited = span_of(timeline, wait.span);
    const auto updates = updates_.find({wait.engine.chip, wait.semaphore});
    if (!waited || updates == updates_.end()) continue;
    // The update in the last cycle of the wait made its condition true.
    auto by = std::lower_bound(
        updates->second.begin(), updates->second.end(), waited->end,
        [](const Update& update, std::uint64_t cycle) { return update.cycle < cycle; });
    if (by == updates->second.begin() || (--by)->cycle + 1 != waited->end) continue;
    Arrow arrow;
    if (by->flow) {
      if (by->number < by->flow->descriptors.size())
        arrow.push_back(by->flow->descriptors[by->number]);
      if (by->number < by->flow->packets.size())
        std::ranges::copy(by->flow->packets[by->number], std::back_inserter(arrow));
    } else if (const auto made = work_.find({by->by, by->pc}); made != work_.end()) {
      // Of several the last that had begun.
      const SpanId* last = nullptr;
      for (const SpanId& id : made->second)
        if (const Span* span = span_of(timeline, id); span && span->begin <= by->cycle) last = &id;
      if (last) arrow.push_back(*last);
    }
    arrow.push_back(wait.span);
    if (const auto next = work_.find({wait.engine, wait.pc}); next != work_.end())
      for (const SpanId& id : next->second)
        if (const Span* span = span_of(timeline, id); span && span->begin + 1 >= waited->end) {
          arrow.push_back(id);
          break;
        }
    const bool whole =
        std::ranges::all_of(arrow, [&](const SpanId& id) { return span_of(timeline, id); });
    if (arrow.size() > 1 && arrow.front() != wait.span && whole) arrows.push_back(arrow);
  }
  return arrows;
}

}  // namespace tb::timeline
