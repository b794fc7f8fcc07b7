// SPDX-License-Identifier: Apache-2.0
// The clock of a core that has nothing to do stands still.
//
//   asleep_i, no wake_i, for `Hold` cycles --> clk_o stops        wake_i or not asleep_i --> it goes on at once
//
// asleep_i says that nothing is under way: every sequencer has ended or waits for a semaphore, engines and memory
// ports are idle. What comes from outside, a register's access or a line for SBUF, wakes it in the cycle in which it
// comes; so does a semaphore that lets an instruction go. `Hold` is longer than any register between two blocks needs
// to come to rest.
module core_clock #(
  parameter int unsigned Hold = 16
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic asleep_i,
  input  logic wake_i,
  output logic clk_o
);

  localparam int unsigned Bits = $clog2(Hold + 1);
  logic awake, resting;
  logic [Bits-1:0] calm_q;  // cycles so far without anything
  assign awake   = wake_i || !asleep_i;
  assign resting = calm_q == Bits'(Hold);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) calm_q <= '0;
    else if (awake) calm_q <= '0;
    else if (!resting) calm_q <= calm_q + Bits'(1);
  end

  prim_clock_gate u_gate (.clk_i, .en_i(awake || !resting), .clk_o);

endmodule
