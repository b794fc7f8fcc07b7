// SPDX-License-Identifier: Apache-2.0
// An operand that several cores of the board need, once in HBM of the board.
//
//   K tile      0        1        2        3        4                     chips a, b, c need it
//   lies on     a        b        c        a        b  ..
//               |-> b    |-> a    |-> a                 each chip sends its tiles to the others, in
//               `-> c    `-> c    `-> b                 the order in which they are needed: half of
//                                                       the rows by core 0, half by core 1
//
// On a chip the first core that needs the operand waits for the tiles and tells the other one. All
// of it goes on while the arrays work on the tiles that are there.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cmodel/kernels/product.h"

namespace cmodel {

struct SharedOperand {
  std::string name;  ///< of its blocks, for reports
  defs::Dtype dtype = defs::Dtype::Bf16;
  unsigned k = 0, columns = 0;
  std::vector<Core*> cores;  ///< that need it, chip by chip
  /// Of rows first .. first + rows - 1, each filled up to row_bytes.
  std::function<std::vector<std::uint8_t>(unsigned first, unsigned rows, unsigned row_bytes)> bytes;
  /// DMA engines of both cores of each chip that send it, if there are several chips.
  std::vector<unsigned> engines;
};

/// Places the operand and writes what sends it, ahead of what else the sync streams do; for each of
/// the cores its view of it.
std::vector<ProductOperand> share(Assembler& assembler, const SharedOperand& operand);

}  // namespace cmodel
