// SPDX-License-Identifier: Apache-2.0
// fabric_bucket at a lane that starts packets of any length whenever it is not held, and sends their flits
// whenever it likes. A window begins when somebody wants it to, so it stands for every window: what it let
// through beyond its rate stays below the burst and the longest packet. The clock is stalled while it may be.
module bucket_proof (
  input logic clk_i,
  input logic want_i,
  input logic [1:0] len_i,
  input logic pop_i,
  input logic [1:0] rate_i,
  input logic burst_i,
  input logic begin_i
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic busy, pop, hold, asleep, start;
  logic [1:0] left = '0;  // flits of the packet in the lane
  assign busy  = left != '0;
  assign pop   = pop_i && busy;
  assign start = want_i && len_i != '0 && !hold && (left == '0 || (pop && left == 2'd1)) && rst_ni;
  always_ff @(posedge clk_i) begin
    if (start) left <= len_i;
    else if (pop) left <= left - 2'd1;
  end

  // The clock is gated by asleep_o in the node; here it runs, and must then change nothing.
  fabric_bucket #(.RateBits(2), .BurstBits(1), .PacketFlits(3)) u_bucket (
    .clk_i, .rst_ni, .rate_i, .burst_i, .busy_i(busy), .pop_i(pop), .hold_o(hold), .asleep_o(asleep)
  );

  // Registers of the block, by name.
  (* hierconn *) logic [1:0] \u_bucket.rate_q ;
  (* hierconn *) logic \u_bucket.burst_q ;
  (* hierconn *) logic [4:0] \u_bucket.spent_q ;

  // Quarters of flits in the window beyond rate * T. Not below -64: that only makes the check harder.
  logic signed [7:0] over = '0, next;
  logic slept = 1'b0;
  logic [7:0] before = '0, limit, debt;
  assign debt  = {3'd0, \u_bucket.spent_q };
  assign limit = 8'd4 * (8'd4 + {7'd0, \u_bucket.burst_q });  // flits: burst_i + 1, and the packet's 3
  assign next  = over + (pop ? 8'sd4 : 8'sd0) - $signed({6'd0, \u_bucket.rate_q });
  always_ff @(posedge clk_i) begin
    if (begin_i || rate_i != \u_bucket.rate_q || burst_i != \u_bucket.burst_q || !rst_ni) over <= '0;
    else over <= (next < -8'sd64) ? -8'sd64 : next;
    slept  <= asleep && rst_ni;
    before <= {\u_bucket.rate_q , \u_bucket.burst_q , \u_bucket.spent_q };
  end

  always_comb begin
    if (rst_ni) begin
      assert (debt + 8'd4 * {6'd0, left} < limit);
      assert (over >= -8'sd64);
      if (\u_bucket.rate_q != '0) assert (over <= $signed(debt));
      if (\u_bucket.rate_q != '0) assert (over < $signed(limit));
      if (slept) assert (before == {\u_bucket.rate_q , \u_bucket.burst_q , \u_bucket.spent_q });
    end
  end

endmodule
