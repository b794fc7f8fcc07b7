// SPDX-License-Identifier: Apache-2.0
// Where the instructions of a stream lead: what may still come.
#pragma once
#include <cstdint>
#include <vector>

#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// The instructions of a stream, as its segment has them.
std::vector<defs::Instr> code_of(const Program& program, const InstrStream& stream);

/// The instructions of `code` that may come when `pc` is next, itself among them: by pc. A branch
/// may go both ways.
std::vector<bool> may_come(const std::vector<defs::Instr>& code, std::uint32_t pc);

}  // namespace cmodel
