// SPDX-License-Identifier: Apache-2.0
// Token bucket of one stream port: how fast a core may inject there.
//
//   a flit leaves: spent + 2^RateBits      every cycle: spent - rate, not below 0
//   hold_o: spent has reached the burst, burst_i + 1 flits; no packet may start, one under way goes on
//
// Promise, for every window of T cycles in which the settings hold still:
//
//   flits < rate * T / 2^RateBits + burst + the longest packet
//
// Nothing less holds as long as packets are not cut. `spent` counts what is missing in the bucket, so it is 0 at
// rest: then, and without a limit (rate 0), the clock may be gated. Other settings begin with a full bucket.
module fabric_bucket #(
  parameter int unsigned RateBits = 6,
  parameter int unsigned BurstBits = 8,
  parameter int unsigned PacketFlits = 17,
  localparam int unsigned FlitBits = $clog2(2**BurstBits + PacketFlits)
) (
  input  logic clk_i,  // may be gated while asleep_o
  input  logic rst_ni,

  input  logic [RateBits-1:0] rate_i,    // flits per 2^RateBits cycles; 0: no limit
  input  logic [BurstBits-1:0] burst_i,  // flits - 1

  input  logic busy_i,  // a packet is in the lane
  input  logic pop_i,   // a flit leaves
  output logic hold_o,  // from this cycle's flit on
  output logic asleep_o
);

  logic [RateBits-1:0] rate_q;
  logic [BurstBits-1:0] burst_q;
  logic [FlitBits+RateBits-1:0] spent_q, spent;
  logic [FlitBits-1:0] flits;
  logic begins;
  assign begins   = rate_i != rate_q || burst_i != burst_q;
  assign asleep_o = !begins && spent_q == '0 && !(busy_i && rate_q != '0);
  assign flits    = spent_q[RateBits +: FlitBits] + FlitBits'(pop_i);
  assign spent    = {flits, spent_q[RateBits-1:0]};
  assign hold_o   = rate_q != '0 && flits > FlitBits'(burst_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rate_q  <= '0;
      burst_q <= '0;
      spent_q <= '0;
    end else begin
      rate_q  <= rate_i;
      burst_q <= burst_i;
      if (begins || rate_q == '0 || spent < (FlitBits + RateBits)'(rate_q)) spent_q <= '0;
      else spent_q <= spent - (FlitBits + RateBits)'(rate_q);
    end
  end

  // ---------------------------------------------------------------- assertions
  // What a window can take beyond its rate: see above. (Also what is left after other settings.)
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      DebtIsBounded_A: assert (spent_q[RateBits +: FlitBits] < FlitBits'(burst_q) + FlitBits'(PacketFlits + 1));
    end
  end

endmodule
