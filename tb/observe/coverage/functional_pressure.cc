// SPDX-License-Identifier: Apache-2.0
// Rows of one instruction and bursts of one transfer: did they flow, or were they held up?
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "tb/observe/coverage/functional.h"
#include "tb/observe/coverage/functional_names.h"

namespace tb {
namespace {

using namespace coverage;

/// More core cycles than this between two rows or bursts: something held up the second one.
constexpr std::uint64_t kFlowingGap = 2;

}  // namespace

// Rows of one instruction, bursts of one descriptor, bursts of one sender. The array never stalls
// within an instruction: one comes close behind the one before, or later. Lanes have a pace of
// their own (1 cycle, 2, or the length of a reduction): they were held up if their rows came
// unevenly.
void Functional::hit_flow(const CommitBuffer::Entry& entry) {
  const auto& c = entry.commit;
  const Where where{c.stream.chip, c.stream.core, c.stream.engine};
  if (c.stream.engine == static_cast<unsigned>(Engine::Host)) return;
  Flow& flow = flows_[where];
  if (flow.serial != c.serial || flow.src != c.stream.src) {
    end_flow(where, flow);
    if (c.stream.engine == static_cast<unsigned>(Engine::Tensor))
      (entry.cycle - flow.cycle <= kFlowingGap ? flowed_ : stalled_).insert({where, c.pc});
    flow = {c.serial, c.pc, c.stream.src, entry.cycle, UINT64_MAX, 0};
    return;
  }
  const std::uint64_t gap = entry.cycle - flow.cycle;
  flow.cycle = entry.cycle;
  flow.least = std::min(flow.least, gap);
  flow.most = std::max(flow.most, gap);
  if (c.stream.engine < defs::kSequencers) return;
  const bool rx = c.stream.engine == static_cast<unsigned>(Engine::Rx);
  ++*(rx ? remote_[hops_[c.stream.src][c.stream.chip]] : local_)[gap <= kFlowingGap];
}

void Functional::end_flow(const Where& where, const Flow& flow) {
  if (flow.most == 0 || std::get<2>(where) == static_cast<unsigned>(Engine::Tensor)) return;
  (flow.least == flow.most ? flowed_ : stalled_).insert({where, flow.pc});
}

}  // namespace tb
