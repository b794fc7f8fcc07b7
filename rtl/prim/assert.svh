// SPDX-License-Identifier: Apache-2.0
// The one assertion macro: a property of the current clock edge, checked while out of reset.
// Live under --assert (the build always gives it). Yosys does not read concurrent assertions,
// so there the macro is empty. Needs clk_i and rst_ni in scope. (No comment line here may begin
// with the simulator's name: it would be read as a directive.)
`ifndef DODECA_ASSERT_SVH
`define DODECA_ASSERT_SVH
`ifdef YOSYS
`define ASSERT(name, prop)
`else
`define ASSERT(name, prop) \
  name: assert property (@(posedge clk_i) disable iff (!rst_ni) (prop)) \
  else $error("%m: assertion failed");
`endif
`endif
