// SPDX-License-Identifier: Apache-2.0
// A product of a size that was asked for: where operands lie, and the calls of the library.
#pragma once
#include "cmodel/program/assembler.h"
#include "tb/scenarios/gemm_plan.h"

namespace tb::gemm {

/// Rows of A, and columns of B, that several cores need lie in HBM of each of their chips; or
/// `once` on the board, K tile by K tile on another of these chips, which send them to each other.
/// A of few rows lies on each chip in any case.
void multiply_parts(cmodel::Assembler& assembler, const Plan& plan, bool once);

}  // namespace tb::gemm
