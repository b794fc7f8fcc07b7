// SPDX-License-Identifier: Apache-2.0
// A copy that all DMA engines of a core share, started by its sync stream.
#pragma once
#include "cmodel/program/assembler.h"

namespace cmodel {

/// Which engines: all, or in a loop that loads and stores, those of the one or of the other. What
/// an engine reads in some partitions waits for all that it has still to write there.
enum class By { All, Loads, Stores };

/// Starts a copy as parts of its rows, or of lines of them if they are few, one for each engine;
/// `done` + 1 when a part is. The number of parts. `more` without a register for the rows.
unsigned spread(Assembler& assembler, Core& core, const Block& src, const Block& dst,
                Semaphore done, const Started& more = {}, By by = By::All,
                Where at = Where::current());

/// How many parts that are.
unsigned spread_parts(const Assembler& assembler, const Block& src, By by = By::All);

/// SBUF from a line on: a copy of whole lines of HBM to it and back moves at full rate.
Tile line_tile(const Assembler& assembler, Core& core, unsigned partitions, unsigned elements,
               defs::Dtype dtype);

}  // namespace cmodel
