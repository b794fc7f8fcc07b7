// SPDX-License-Identifier: Apache-2.0
// What the host read back, as files that numpy and scripts/dodeca compare read.
#pragma once
#include <filesystem>
#include <vector>

#include "cmodel/program/program.h"

namespace tb {

/// <run>/NAME.npy for every region that was read back: the array that the program says it is, or
/// else bytes (u1), and whoever reads it says of what (compare --as bf16). A '/' in a name becomes
/// '_'. Throws as OutputFile does.
void write_regions(const std::filesystem::path& run, const cmodel::Program& program,
                   const std::vector<std::vector<std::uint8_t>>& regions);

}  // namespace tb
