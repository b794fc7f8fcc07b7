// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/commit.h"

namespace cmodel {

std::string pc_text(std::uint32_t pc) {
  return is_started(pc) ? "DmaStart at pc " + std::to_string(pc ^ started_pc(0))
                        : "pc " + std::to_string(pc);
}

std::string to_string(const OperationId& operation) {
  std::string text = pc_text(operation.pc);
  if (operation.visit > 1) text += ", visit " + std::to_string(operation.visit);
  return text;
}

}  // namespace cmodel
