// SPDX-License-Identifier: Apache-2.0
// Which answer goes into which reader's register of mem_xbar: one per reader and cycle.
`include "assert.svh"

module mem_xbar_router #(
  parameter int unsigned Requesters = 9,
  parameter int unsigned Targets = 5
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [Targets-1:0] valid_i,
  output logic [Targets-1:0] ready_o,
  input  logic [Targets*4-1:0] owner_i,      // flat: the requester that target t's answer is for

  // The registers: filled at this edge, from target pick_o; valid; emptied at this edge.
  output logic [Requesters-1:0] take_o,
  output logic [Requesters*3-1:0] pick_o,    // flat
  output logic [Requesters-1:0] valid_o,
  input  logic [Requesters-1:0] ready_i
);

  // Targets are looked at in turn from first_q on; first_q moves whenever there is an answer, so
  // that no target is behind the same others for ever.
  logic [2:0] first_q, at;
  logic [3:0] owner;
  logic [Requesters-1:0] free;
  assign free = ~valid_o | ready_i;

  always_comb begin
    at      = first_q;
    owner   = '0;
    ready_o = '0;
    take_o  = '0;
    pick_o  = '0;
    if (valid_i != '0) begin
      for (int unsigned i = 0; i < Targets; i++) begin
        owner = owner_i[32'(at)*4+:4];
        if (valid_i[at] && free[owner] && !take_o[owner]) begin
          ready_o[at]               = 1'b1;
          take_o[owner]             = 1'b1;
          pick_o[32'(owner)*3+:3]   = at;
        end
        at = (at == 3'(Targets - 1)) ? 3'd0 : at + 3'd1;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_o <= '0;
      first_q <= '0;
    end else begin
      valid_o <= take_o | (valid_o & ~ready_i);
      if (valid_i != '0) first_q <= (first_q == 3'(Targets - 1)) ? 3'd0 : first_q + 3'd1;
    end
  end

  // A stalled answer keeps its place.
  `ASSERT(StalledAnswerStays_A, |(valid_o & ~ready_i) |=>
    ($past(valid_o & ~ready_i) & ~valid_o) == '0)
  // Only waiting answers are taken, each once.
  `ASSERT_NOW(TakenOnce_A, (ready_o & ~valid_i) == '0 && $countones(ready_o) == $countones(take_o))

endmodule
