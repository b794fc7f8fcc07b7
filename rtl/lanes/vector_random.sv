// SPDX-License-Identifier: Apache-2.0
// Random bits of the lanes' generators (lane_random), an element a cycle.

//   random   y = the 32 bits
//   dropout  y = 0 if the upper 24 of them, as a fraction, are below `first`, else x
module vector_random (
  input  logic clk_i,
  input  logic rst_ni,

  input  instr_pkg::form_e form_i,
  input  logic valid_i,
  input  logic last_i,
  input  row_pkg::lane_row_t x_i,
  input  row_pkg::lane_row_t first_i,
  input  row_pkg::lane_row_t random_i,  // used up with valid_i
  output logic valid_o,
  output logic last_o,
  output row_pkg::lane_row_t y_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam logic [31:0] Place = 32'h3380_0000;  // 2^-24

  row_pkg::lane_row_t y;
  logic [31:0] dropped, fraction;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_o <= 1'b0;
    else valid_o <= valid_i;
  end
  always_ff @(posedge clk_i) begin
    last_o <= last_i;
    if (valid_i && form_i == instr_pkg::FormRandom) begin
      y_o <= random_i;
    end else if (valid_i) begin
      for (int unsigned i = 0; i < P; i++) begin
        fraction = operator_pkg::mul_fp32(convert_pkg::natural_to_fp32(random_i[i] >> 8), Place);
        dropped  = bits_pkg::mask(operator_pkg::compare_fp32(fraction, first_i[i], operator_pkg::Lt) != 32'd0);
        y[i]     = x_i[i] & ~dropped;
      end
      y_o <= y;
    end
  end

endmodule
