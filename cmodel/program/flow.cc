// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/flow.h"

#include "cmodel/machine/instruction.h"
#include "cmodel/machine/sequencer.h"
#include "cmodel/program/program_view.h"
#include "rtl/defs/gen/instructions.h"

namespace cmodel {

std::vector<defs::Instr> code_of(const Program& program, const InstrStream& stream) {
  std::vector<defs::Instr> code;
  for (std::uint32_t pc = 0; pc < stream.count; ++pc) code.push_back(instr_at(program, stream, pc));
  return code;
}

std::vector<bool> may_come(const std::vector<defs::Instr>& code, std::uint32_t pc) {
  std::vector<bool> out(code.size());
  std::vector<std::uint32_t> next{pc};
  while (!next.empty()) {
    const std::uint32_t at = next.back();
    next.pop_back();
    if (at >= code.size() || out[at]) continue;
    out[at] = true;
    if (Sequencer::ends(code[at])) continue;
    next.push_back(at + 1);
    if (overlay_of(code[at]) == defs::Overlay::Branch)
      next.push_back(defs::branch_of(code[at]).target);
  }
  return out;
}

}  // namespace cmodel
