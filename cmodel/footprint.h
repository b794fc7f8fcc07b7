// SPDX-License-Identifier: Apache-2.0
// Which bytes does an instruction or descriptor touch? For liveness and races.
#pragma once
#include <cstdint>
#include <vector>

#include "cmodel/liveness.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Appends what a legal `instr` reads and writes, reads first. `columns` is M, the columns of the
/// last LOAD_STATIONARY (MULTIPLY_MOVING writes that many PSUM partitions).
void footprints_of(const defs::Instr& instr, unsigned chip, unsigned core, unsigned columns,
                   std::vector<Footprint>& out);

/// Appends rows x row_bytes at chip-local addresses base, base + stride, ..: HBM rows as one
/// footprint, rows in an SBUF window as one per run inside a partition.
void footprints_of_rows(unsigned chip, std::uint64_t base, std::int64_t stride, std::uint32_t rows,
                        std::uint32_t row_bytes, bool write, std::vector<Footprint>& out);

}  // namespace cmodel
