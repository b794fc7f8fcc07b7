// SPDX-License-Identifier: Apache-2.0
// Breaks one rule of a legal instruction or descriptor.
#pragma once
#include <cstring>

#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"
#include "tb/scenarios/numbers.h"

namespace tb {

/// The instruction is then refused with `cause` by `engine`. Every field that the rule looks at
/// gets its turn.
void spoil(defs::Instr& instr, defs::ErrorCause cause, defs::Engine engine,
           const defs::Sizes& sizes, Random& random);

/// The same for a local descriptor.
void spoil(defs::Descriptor& descriptor, defs::ErrorCause cause, Random& random);

/// Applies `edit` to the instruction or descriptor at `addr` of chip `chip`.
template <class Item, class Edit>
void change(cmodel::Program& program, unsigned chip, std::uint64_t addr, Edit&& edit) {
  for (auto& segment : program.segments) {
    if (segment.chip != chip || addr < segment.addr || addr >= segment.addr + segment.bytes.size())
      continue;
    typename Item::Words words;
    std::uint8_t* place = segment.bytes.data() + (addr - segment.addr);
    std::memcpy(words.data(), place, sizeof words);
    Item item = Item::from(words);
    edit(item);
    words = item.words();
    std::memcpy(place, words.data(), sizeof words);
  }
}

}  // namespace tb
