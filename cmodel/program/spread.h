// SPDX-License-Identifier: Apache-2.0
// A copy that all DMA engines of a core share, started by its sync stream.
#pragma once
#include "cmodel/program/assembler.h"

namespace cmodel {

/// Starts a copy as parts of its rows, or of lines of them if they are few, one for each engine;
/// `done` + 1 when a part is. The number of parts. `more` without a register for the rows.
unsigned spread(Assembler& assembler, Core& core, const Block& src, const Block& dst,
                Semaphore done, const Started& more = {}, Where at = Where::current());

/// How many parts that are.
unsigned spread_parts(const Assembler& assembler, const Block& src);

}  // namespace cmodel
