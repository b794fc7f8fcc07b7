// SPDX-License-Identifier: Apache-2.0
// Round-robin arbiter: grants one of `Requests`, combinationally, and moves on when accepted.
//
// A grant that is not accepted stays with the same requester while it asks, so the winner's
// payload may be offered on a valid/ready channel directly. After an accepted grant the next
// search starts behind the winner: nobody waits for more than Requests - 1 others.
`include "assert.svh"

module prim_rr_arbiter #(
  parameter int unsigned Requests = 2,
  localparam int unsigned IndexBits = (Requests > 1) ? $clog2(Requests) : 1
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [Requests-1:0] request_i,
  input  logic                accept_i,

  output logic [Requests-1:0]  grant_o,
  output logic [IndexBits-1:0] index_o,
  output logic                 valid_o
);

  // Requests at or behind `first_q` go before the others; in each group the lowest wins.
  logic [IndexBits-1:0] first_d, first_q;
  logic [Requests-1:0] ahead, chosen;

  assign ahead   = request_i & ({Requests{1'b1}} << first_q);
  assign chosen  = (ahead != '0) ? ahead : request_i;
  assign grant_o = chosen & (~chosen + Requests'(1));
  assign valid_o = request_i != '0;

  always_comb begin
    index_o = '0;
    if (valid_o) begin
      for (int unsigned i = 0; i < Requests; i++) begin
        if (grant_o[i]) index_o = index_o | IndexBits'(i);
      end
    end
  end

  always_comb begin
    first_d = first_q;
    if (valid_o) begin
      first_d = index_o;
      if (accept_i) begin
        first_d = (index_o == IndexBits'(Requests - 1)) ? '0 : index_o + IndexBits'(1);
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) first_q <= '0;
    else first_q <= first_d;
  end

  // Somebody wins exactly when somebody asks.
  `ASSERT_NOW(GrantIsOneHot_A, $onehot0(grant_o) && (grant_o != '0) == valid_o)
  // Only requesters win.
  `ASSERT_NOW(GrantImpliesRequest_A, (grant_o & ~request_i) == '0)
  // A stalled winner keeps its grant while it asks.
  `ASSERT(StalledGrantStays_A,
    valid_o && !accept_i |=> (request_i & $past(grant_o)) == '0 || grant_o == $past(grant_o))

endmodule
