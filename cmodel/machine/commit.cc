// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/commit.h"

namespace cmodel {

std::string to_string(const OperationId& operation) {
  std::string text = "pc " + std::to_string(operation.pc);
  if (operation.visit > 1) text += ", visit " + std::to_string(operation.visit);
  return text;
}

}  // namespace cmodel
