// SPDX-License-Identifier: Apache-2.0
// Items of the scenario `errors` that are a core's DMA engines': descriptors of their rings, and
// DmaStarts, in a line or as turns of a loop.
#pragma once
#include <map>
#include <vector>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/errors_plan.h"
#include "tb/scenarios/errors_turns.h"
#include "tb/scenarios/numbers.h"

namespace tb {

/// Where the illegal items of loops stop their engines.
using Stops = std::map<ErrorPlan::Key, At>;

/// `outs`: where DMA engine 1 .. copies the items that are rows of `data`.
void write_copies(cmodel::Assembler& assembler, const ErrorPlan& plan, unsigned chip, unsigned core,
                  const cmodel::Block& data, const std::vector<cmodel::Block>& outs,
                  const Edge& edge, Random& random, Stops& stops);

}  // namespace tb
