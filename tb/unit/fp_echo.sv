// SPDX-License-Identifier: Apache-2.0
// The functions of rtl/fp at pins, for fp_test.
module fp_echo (
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  input  logic [31:0] c_i,
  input  logic        empty_i,

  output logic [31:0] fma_o,   // bf16(a) * bf16(b) + c
  output logic [31:0] add_o,
  output logic [31:0] sub_o,
  output logic [31:0] max_o,
  output logic [31:0] relu_o,
  output logic [15:0] bf16_o,
  output logic [31:0] fp32_o   // of bf16(a)
);

  logic [31:0] weight;
  assign weight = empty_i ? fma_pkg::EmptyWeight : fma_pkg::decode_bf16(a_i[15:0]);

  assign fma_o  = fma_pkg::pe_fma(weight, fma_pkg::decode_bf16(b_i[15:0]), c_i);
  assign add_o  = fma_pkg::add_fp32(a_i, b_i);
  assign sub_o  = fma_pkg::sub_fp32(a_i, b_i);
  assign max_o  = convert_pkg::max_fp32(a_i, b_i);
  assign relu_o = convert_pkg::relu_fp32(a_i);
  assign bf16_o = convert_pkg::fp32_to_bf16(a_i);
  assign fp32_o = convert_pkg::bf16_to_fp32(a_i[15:0]);

endmodule
