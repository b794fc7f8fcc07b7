// SPDX-License-Identifier: Apache-2.0
// A design whose coverage is known by heart: for the test of the converter.
module tiny (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [3:0] value_i,   // the test counts 0 .. 3: two bits move
  output logic [3:0] sum_o
);

  logic [3:0] sum_q;
  logic count_q;
  logic [31:0] count_history_q;  // bit i moves from the clock i + 2 on: 9 of them in 10 clocks
  logic [39:0] stripes_q;        // two bits of each three, 30 bits far
  logic [69:0] ones_q;           // 60 bits far
  assign sum_o = sum_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_q   <= 4'd0;
      count_q <= 1'b0;
      count_history_q <= 32'd0;
      stripes_q <= 40'd0;
      ones_q <= 70'd0;
    end else begin
      count_q <= !count_q;
      count_history_q <= {count_history_q[30:0], count_q};
      stripes_q <= {stripes_q[36:0], 3'b101};
      ones_q <= {ones_q[63:0], 6'h3f};
      if (value_i[3]) begin
        sum_q <= 4'd15;           // never
      end else begin
        sum_q <= value_i;
      end
    end
  end

endmodule
