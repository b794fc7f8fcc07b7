// SPDX-License-Identifier: Apache-2.0
// A program without loops that does what a program with loops did.
#pragma once
#include <cstdint>

#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Runs the program and writes down what every sequencer executed, registers resolved: no RegAlu,
/// Branch or RegLoad is left but one that was rejected, what they wait for and update is a NOP's.
/// The rest of the program stays as it was; the new code lies at the end of the HBM that holds the
/// old. Both make the same commits, but for pc, serial and the host's writes.
///
/// Throws std::runtime_error if the program does not end within `most` operations, or if a stream
/// of what it did is too long or has no room.
Program unroll(const defs::Sizes& sizes, const Program& program,
               std::uint64_t most = std::uint64_t{1} << 24);

}  // namespace cmodel
