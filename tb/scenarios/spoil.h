// SPDX-License-Identifier: Apache-2.0
// Breaks one rule of a legal instruction or descriptor.
#pragma once
#include <cstring>

#include "cmodel/program/program_view.h"
#include "rtl/defs/gen/defs.h"
#include "tb/scenarios/numbers.h"

namespace tb {

/// The instruction is then refused with `cause` by `engine`. Every field that the rule looks at
/// gets its turn.
void spoil(defs::Instr& instr, defs::ErrorCause cause, defs::Engine engine,
           const defs::Sizes& sizes, Random& random);

/// The same by a load or branch of that stream in its place. The first line of the other core's HBM
/// must be out of its reach.
void spoil_control(defs::Instr& instr, defs::ErrorCause cause, const cmodel::InstrStream& stream,
                   Random& random);

/// The DMA engine then refuses a local descriptor without second source and cast.
void spoil(defs::Descriptor& descriptor, defs::ErrorCause cause, Random& random);
/// Likewise what a DmaStart brings.
void spoil_copy(defs::Instr& start, defs::ErrorCause cause, Random& random);

/// Applies `edit` to the instruction or descriptor at `addr` of chip `chip`.
template <class Item, class Edit>
void change(cmodel::Program& program, unsigned chip, std::uint64_t addr, Edit&& edit) {
  Item item = cmodel::unpack_at<Item>(program, chip, addr);
  edit(item);
  const auto words = item.words();
  const auto place = cmodel::program_bytes(program, chip, addr);
  std::memcpy(place.data(), words.data(), place.size());
}

}  // namespace tb
