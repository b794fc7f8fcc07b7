// SPDX-License-Identifier: Apache-2.0
// The loop of a stream that works on tile after tile, in parts that run ahead of each other:
//
//   stages(s, turns, 3, {{2, load}, {0, store}})
//
//   turn     -2       -1       0                  1                  ..   turns - 1
//            load 0   load 1   load 2, store 0    load 3, store 1    ..   store turns - 1
//   slot     0        1        2       0          0       1
//
// So an engine has the next tile under way while it waits for what another one does with this one.
#pragma once
#include <functional>
#include <vector>

#include "cmodel/program/control_stream.h"

namespace cmodel {

/// What a stream does with each tile, `lead` turns before the last part does the rest.
struct Part {
  unsigned lead = 0;
  std::function<void(unsigned slot)> body;  ///< writes it, for the tile in that slot
};

/// Writes the loop: each part for tiles 0 .. turns - 1, tile t in slot t mod slots; a turn's parts
/// in their order. `turns` is what the register holds when the loop begins, 0 included. There are
/// more slots than the longest lead, and a part without lead comes last: else AssemblerError.
void stages(ControlStream& s, Register turns, unsigned slots, const std::vector<Part>& parts);

}  // namespace cmodel
