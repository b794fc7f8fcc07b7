// SPDX-License-Identifier: Apache-2.0
#include "cmodel/collectives/group.h"

#include <fmt/format.h>

#include <utility>

namespace cmodel {

Group::Group(Assembler& assembler, std::vector<Member> members)
    : assembler_(&assembler), members_(std::move(members)) {
  if (members_.empty()) throw AssemblerError("group of no rank, allowed 1 and more");
  for (unsigned rank = 0; rank < size(); ++rank) {
    const auto [chip, core] = members_[rank];
    if (chip >= assembler.chips())
      throw AssemblerError(
          fmt::format("group rank {}: chip {}, allowed 0..{}", rank, chip, assembler.chips() - 1));
    if (core >= defs::kCores)
      throw AssemblerError(
          fmt::format("group rank {}: core {}, allowed 0..{}", rank, core, defs::kCores - 1));
    for (unsigned other = 0; other < rank; ++other)
      if (members_[other].chip == chip && members_[other].core == core)
        throw AssemblerError(fmt::format("group rank {}: chip {} core {}, allowed once, rank {}",
                                         rank, chip, core, other));
  }
}

std::vector<unsigned> Group::others(unsigned rank) const {
  std::vector<unsigned> out;
  for (unsigned distance = size() / 2; distance > 0; --distance) {
    out.push_back((rank + distance) % size());
    if (2 * distance != size()) out.push_back((rank + size() - distance) % size());
  }
  return out;
}

}  // namespace cmodel
