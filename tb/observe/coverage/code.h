// SPDX-License-Identifier: Apache-2.0
// Line, branch and toggle counters of all chips of a run, in one file.
#pragma once
#include <filesystem>

#include "tb/board/board.h"

namespace tb {

/// Writes `run`/coverage.dat.gz: Verilator's records with the counts of all chips added up, and
/// behind each the chips that hit the point, as a hexadecimal mask:
///
///   C '\x01f\x02rtl/dma.sv\x01l\x0271..' 17 fff
///
/// Throws std::runtime_error if it cannot be written.
void write_code_coverage(Board& board, const std::filesystem::path& run);

}  // namespace tb
