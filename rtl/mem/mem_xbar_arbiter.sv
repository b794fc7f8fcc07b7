// SPDX-License-Identifier: Apache-2.0
// Who of mem_xbar's requesters goes into which target's request register: round robin per target.
`include "assert.svh"

module mem_xbar_arbiter #(
  parameter int unsigned Requesters = 9,
  parameter int unsigned Targets = 5
) (
  input  logic clk_i,
  input  logic rst_ni,

  // Vectors of several targets are flat, target 0 lowest.
  // asks_i: bit t * Requesters + r, requester r has a request for target t
  input  logic [Targets*Requesters-1:0] asks_i,
  output logic [Requesters-1:0] ready_o,     // taken at this edge

  // The registers: filled at this edge, from requester pick_o; valid; emptied at this edge.
  output logic [Targets-1:0] take_o,
  output logic [Targets*4-1:0] pick_o,
  input  logic [Targets-1:0] drop_i,         // what take_o takes ends at once
  output logic [Targets-1:0] valid_o,
  input  logic [Targets-1:0] ready_i
);

  // The first asking requester at or behind `first`, else the first of all.
  function logic [3:0] pick_of(input logic [Requesters-1:0] asks,
                                         input logic [3:0] first);
    logic [Requesters-1:0] chosen;
    chosen = asks & ({Requesters{1'b1}} << first);
    if (chosen == '0) chosen = asks;
    pick_of = '0;
    for (int unsigned i = 0; i < Requesters; i++) begin
      if (chosen[Requesters-1-i]) pick_of = 4'(Requesters - 1 - i);
    end
  endfunction

  logic [Targets*4-1:0] first_q;             // where the next search starts
  logic [Targets-1:0] free;
  assign free = ~valid_o | ready_i;

  logic [3:0] pick;

  always_comb begin
    pick    = '0;
    pick_o  = '0;
    take_o  = '0;
    ready_o = '0;
    if (asks_i != '0) begin
      for (int unsigned t = 0; t < Targets; t++) begin
        if (asks_i[t*Requesters+:Requesters] != '0 && free[t]) begin
          pick            = pick_of(asks_i[t*Requesters+:Requesters], first_q[t*4+:4]);
          pick_o[t*4+:4]  = pick;
          take_o[t]       = 1'b1;
          ready_o[pick]   = 1'b1;
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_o <= '0;
      first_q <= '0;
    end else begin
      valid_o <= (take_o & ~drop_i) | (valid_o & ~ready_i);
      for (int unsigned t = 0; t < Targets; t++) begin
        if (take_o[t]) begin
          first_q[t*4+:4] <= (pick_o[t*4+:4] == 4'(Requesters - 1)) ? 4'd0 : pick_o[t*4+:4] + 4'd1;
        end
      end
    end
  end

  // A stalled request keeps its place.
  `ASSERT(StalledRequestStays_A, |(valid_o & ~ready_i) |=>
    ($past(valid_o & ~ready_i) & ~valid_o) == '0)
  // Nothing is overwritten.
  `ASSERT_NOW(TakenIntoFree_A, (take_o & valid_o & ~ready_i) == '0)

endmodule
