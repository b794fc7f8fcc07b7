// SPDX-License-Identifier: Apache-2.0
// Runs tiny.sv for a few cycles and writes the counters to argv[1].
#include <verilated.h>
#include <verilated_cov.h>

#include "Vtiny.h"

int main(int, char** argv) {
  VerilatedContext context;
  Vtiny top(&context);
  for (int cycle = 0; cycle < 12; ++cycle) {
    top.rst_ni = cycle > 1;
    top.value_i = cycle & 3;
    for (int clk = 0; clk < 2; ++clk) {
      top.clk_i = clk;
      top.eval();
    }
  }
  top.final();
  context.coveragep()->write(argv[1]);
}
