// SPDX-License-Identifier: Apache-2.0
// The two assertion macros, checked at every clock edge while out of reset:
//   ASSERT_NOW  an expression of this edge; implication is ->
//   ASSERT      a property that looks at the edge before ($past, $stable, |=>), on a few narrow
//               signals: Verilator copies every signal of a property in every eval, idle or not.
// Live under --assert (the build always gives it). Yosys does not read properties or ->, so
// there both are empty. Need clk_i and rst_ni in scope. (No comment line here may begin
// with the simulator's name: it would be read as a directive.)
`ifndef DODECA_ASSERT_SVH
`define DODECA_ASSERT_SVH
`ifdef YOSYS
`define ASSERT(name, prop)
`define ASSERT_NOW(name, expr)
`else
`define ASSERT(name, prop) \
  name: assert property (@(posedge clk_i) disable iff (!rst_ni) (prop)) \
  else $error("%m: assertion failed");
`define ASSERT_NOW(name, expr) \
  always_ff @(posedge clk_i) begin \
    if (rst_ni) begin \
      name: assert (expr) else $error("%m: assertion failed"); \
    end \
  end
`endif
`endif
