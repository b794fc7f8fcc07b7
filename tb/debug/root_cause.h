// SPDX-License-Identifier: Apache-2.0
// From a wrong commit to the earliest thing that is wrong.
//
//   wrong element --Provenance--> bytes it was made of --> who wrote each?
//        ^                                                   | a commit that is wrong itself
//        '---------------------------------------------------'
//   all were right: WatchAgain: did they stay?  no --> memory   yes --> the engine that read them
#pragma once
#include "cmodel/program/program.h"
#include "tb/debug/diagnosis.h"

namespace tb {

/// Adds path and cause to what was found. The mismatches are there, by cycle.
void trace_root_cause(const Board& board, const cmodel::Program& program, const WatchAgain& watch,
                      Diagnosis& found);

}  // namespace tb
