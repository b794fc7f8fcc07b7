// SPDX-License-Identifier: Apache-2.0
// Breaks one rule of a legal instruction or descriptor.
#pragma once
#include "rtl/defs/gen/defs.h"
#include "tb/scenarios/numbers.h"

namespace tb {

/// The instruction is then refused with `cause` by `engine`. Every field that the rule looks at
/// gets its turn.
void spoil(defs::Instr& instr, defs::ErrorCause cause, defs::Engine engine,
           const defs::Sizes& sizes, Random& random);

/// The same for a local descriptor.
void spoil(defs::Descriptor& descriptor, defs::ErrorCause cause, Random& random);

}  // namespace tb
