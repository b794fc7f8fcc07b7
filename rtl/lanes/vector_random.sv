// SPDX-License-Identifier: Apache-2.0
// Random bits: a generator of each lane, Marsaglia's xorwow of six words.

//   seed     word k of lane i = mix(x + (6 i + k + 1) * 0x9E3779B9), mix: the finaliser of MurmurHash3; at reset
//            that of x = 0. Only an instruction's partitions
//   random   a step; y = the 32 bits that it gives
//   dropout  a step; y = 0 if the upper 24 of them, as a fraction, are below `first`, else x
//
// All lanes step with every element, also those beyond an instruction's partitions.
module vector_random (
  input  logic clk_i,
  input  logic rst_ni,

  input  instr_pkg::form_e form_i,
  input  logic [7:0] partitions_i,
  input  logic valid_i,
  input  logic last_i,
  input  row_pkg::lane_row_t x_i,
  input  row_pkg::lane_row_t first_i,
  output logic valid_o,
  output logic last_o,
  output row_pkg::lane_row_t y_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam logic [31:0] Golden = 32'h9E37_79B9;
  localparam logic [31:0] Weyl = 32'd362437;
  localparam logic [31:0] Place = 32'h3380_0000;  // 2^-24

  function automatic logic [31:0] mix(input logic [31:0] word_i);
    logic [31:0] word;
    word = word_i ^ (word_i >> 16);
    word = word * 32'h85EB_CA6B;
    word = word ^ (word >> 13);
    word = word * 32'hC2B2_AE35;
    mix  = word ^ (word >> 16);
  endfunction

  logic [31:0] state_q [6][P];  // x y z w v d
  row_pkg::lane_row_t y;
  logic [31:0] t, bits, fraction;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_o <= 1'b0;
      for (int unsigned k = 0; k < 6; k++) begin
        for (int unsigned i = 0; i < P; i++) state_q[3'(k)][i] = mix((6 * i + k + 1) * Golden);
      end
    end else begin
      valid_o <= valid_i;
      if (valid_i && form_i == instr_pkg::FormSeed) begin
        for (int unsigned k = 0; k < 6; k++) begin
          for (int unsigned i = 0; i < P; i++) begin
            t = bits_pkg::mask(i < {24'b0, partitions_i});
            state_q[3'(k)][i] = bits_pkg::sel(t, mix(x_i[i] + (6 * i + k + 1) * Golden), state_q[3'(k)][i]);
          end
        end
      end else if (valid_i) begin
        for (int unsigned i = 0; i < P; i++) begin
          t             = state_q[0][i] ^ (state_q[0][i] >> 2);
          state_q[0][i] = state_q[1][i];
          state_q[1][i] = state_q[2][i];
          state_q[2][i] = state_q[3][i];
          state_q[3][i] = state_q[4][i];
          state_q[4][i] = state_q[4][i] ^ (state_q[4][i] << 4) ^ t ^ (t << 1);
          state_q[5][i] = state_q[5][i] + Weyl;
          bits          = state_q[5][i] + state_q[4][i];
          fraction      = operator_pkg::mul_fp32(convert_pkg::natural_to_fp32(bits >> 8), Place);
          t             = bits_pkg::mask(operator_pkg::compare_fp32(fraction, first_i[i], operator_pkg::Lt) != 32'd0);
          y[i]        = form_i == instr_pkg::FormRandom ? bits : x_i[i] & ~t;
        end
        y_o <= y;
      end
    end
  end
  always_ff @(posedge clk_i) last_o <= last_i;

endmodule
