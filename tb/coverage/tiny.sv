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
  assign sum_o = sum_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_q   <= 4'd0;
      count_q <= 1'b0;
    end else begin
      count_q <= !count_q;
      if (value_i[3]) begin
        sum_q <= 4'd15;           // never
      end else begin
        sum_q <= value_i;
      end
    end
  end

endmodule
