// SPDX-License-Identifier: Apache-2.0
// A clock of its own for what works in some cycles only: the edges of clk_i that end a cycle with en_i.
//
//   en_i --> [latch, open while clk_i is low] --> & --> clk_o
//                                    clk_i -------^
//
// The latch holds en_i while the clock is high, so clk_o has no other edges. What is gated costs
// neither power nor, in a simulator, time.
module prim_clock_gate (
  input  logic clk_i,
  input  logic en_i,
  output logic clk_o
);

  logic en_q;
  always_latch begin
    if (!clk_i) en_q = en_i;
  end
  assign clk_o = clk_i && en_q;

endmodule
