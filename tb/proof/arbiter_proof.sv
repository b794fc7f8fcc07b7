// SPDX-License-Identifier: Apache-2.0
// prim_rr_arbiter: at most one winner, only requesters win, somebody wins when somebody asks, and who
// keeps asking wins after at most three accepted grants of others.
module arbiter_proof (
  input logic clk_i,
  input logic [3:0] request_i,
  input logic accept_i
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic [3:0] grant;
  logic [1:0] index;
  logic valid;
  prim_rr_arbiter #(.Requests(4)) u_arbiter (
    .clk_i, .rst_ni, .request_i, .accept_i, .grant_o(grant), .index_o(index), .valid_o(valid)
  );

  // A register of the block, by name.
  (* hierconn *) logic [1:0] \u_arbiter.first_q ;

  // Accepted grants of others while requester 2 asks without a break.
  logic [1:0] distance;
  assign distance = 2'd2 - \u_arbiter.first_q ;
  logic [2:0] passed = '0;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || !request_i[2] || (accept_i && grant[2])) passed <= '0;
    else if (accept_i && valid) passed <= passed + 3'd1;
  end

  always_comb begin
    if (rst_ni) begin
      assert ((grant & (grant - 4'd1)) == '0);
      assert ((grant & ~request_i) == '0);
      assert (valid == (grant != '0) && valid == (request_i != '0));
      if (valid) assert (grant == 4'd1 << index);
      assert (passed <= 3'd3);
      // The pointer comes nearer with every grant that passes requester 2 by.
      if (passed != '0) assert ({1'b0, distance} + passed <= 3'd3);
    end
  end

endmodule
