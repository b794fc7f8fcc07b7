// SPDX-License-Identifier: Apache-2.0
#include "cmodel/collectives/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace cmodel {

void Agreement::write(unsigned rank, unsigned number, const StreamBase& stream) {
  const std::size_t turn = written_[rank]++;
  Call call{rank, number, {}};
  for (const auto& loop : stream.loops()) {
    const std::size_t first = first_in_[rank].try_emplace(loop.id, turn).first->second;
    call.loops.push_back({first, loop.turns});
  }
  if (turn == order_.size()) {
    order_.push_back(call);
    return;
  }
  const Call& other = order_[turn];
  if (other.number != number)
    throw AssemblerError(
        fmt::format("collective: rank {} writes number {} in turn {}, allowed {} as rank {} did",
                    rank, number, turn, other.number, other.rank));
  const auto text = [](const std::vector<Around>& loops) {
    std::string all;
    for (const Around& loop : loops) {
      if (!all.empty()) all += " of ";
      all += loop.turns ? fmt::format("{} turns from {}", loop.turns, loop.first)
                        : fmt::format("turns by register from {}", loop.first);
    }
    return all.empty() ? "no loop" : all;
  };
  const auto agree = [](const Around& a, const Around& b) {
    return a.first == b.first && (!a.turns || !b.turns || a.turns == b.turns);
  };
  if (!std::ranges::equal(call.loops, other.loops, agree))
    throw AssemblerError(
        fmt::format("collective: rank {} writes number {} in {}, allowed {} as rank {} did", rank,
                    number, text(call.loops), text(other.loops), other.rank));
}

void Agreement::check() const {
  for (std::size_t rank = 0; rank < written_.size(); ++rank)
    if (written_[rank] != order_.size())
      throw AssemblerError(fmt::format("collective: rank {} writes {}, allowed {} as rank {} did",
                                       rank, written_[rank], order_.size(),
                                       order_[written_[rank]].rank));
}

}  // namespace cmodel
