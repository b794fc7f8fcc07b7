// SPDX-License-Identifier: Apache-2.0
// Yardstick of speed: an 8 x 8 array in the usual style, one module per PE. Only for array_bench.
module pe_array #(
  localparam int unsigned Size = 8
) (
  input  logic clk_i,
  input  logic load_i,
  input  logic [16:0] format_i,             // fma_pkg::format_of weights and vectors
  input  logic [Size*Size*32-1:0] weight_i, // elements in the upper bits of words, row by row
  input  logic [Size*32-1:0] moving_i,
  output logic [Size*32-1:0] sum_o          // column c as it leaves: not deskewed
);

  // Row r is skewed by r cycles; PE (r, c) hands its operand east and its sum south.
  logic [31:0] moving [Size][Size+1];
  logic [31:0] psum [Size+1][Size];

  for (genvar r = 0; r < Size; r++) begin : gen_row
    logic [32*(r+1)-1:0] skew_q;
    always_ff @(posedge clk_i) begin
      skew_q <= (32*(r+1))'({skew_q, fma_pkg::decode(moving_i[32*r +: 32], format_i)});
    end
    assign moving[r][0] = skew_q[32*r +: 32];
    for (genvar c = 0; c < Size; c++) begin : gen_col
      pe u_pe (
        .clk_i(clk_i), .load_i(load_i),
        .weight_i(fma_pkg::decode(weight_i[32*(Size*r+c) +: 32], format_i)),
        .moving_i(moving[r][c]), .moving_o(moving[r][c+1]),
        .psum_i(psum[r][c]), .psum_o(psum[r+1][c])
      );
    end
  end

  for (genvar c = 0; c < Size; c++) begin : gen_edge
    assign psum[0][c] = 32'd0;
    assign sum_o[32*c +: 32] = psum[Size][c];
  end

endmodule
