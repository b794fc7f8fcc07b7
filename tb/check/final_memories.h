// SPDX-License-Identifier: Apache-2.0
// Memories at the end of a run: a write that was lost, and that nobody read again, shows here only.
#pragma once
#include <optional>

#include "cmodel/machine/chip.h"
#include "tb/dut/chip.h"

namespace tb {

struct WrongByte {
  cmodel::Cell cell;
  std::uint8_t expected = 0, actual = 0;
};

/// The first byte of a chip's SBUF, PSUM or HBM that is not the model's. Bytes of SBUF and PSUM
/// that the model's program has not written are not compared: they are what they were at power-on.
std::optional<WrongByte> wrong_byte(const Chip& chip, const cmodel::Chip& model);

}  // namespace tb
