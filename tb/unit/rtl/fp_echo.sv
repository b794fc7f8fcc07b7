// SPDX-License-Identifier: Apache-2.0
// The functions of rtl/fp at pins, for fp_test.
module fp_echo (
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  input  logic [31:0] c_i,
  input  logic        empty_i,
  input  logic [3:0]  a_dtype_i,
  input  logic [3:0]  b_dtype_i,
  input  logic        a_low_i,
  input  logic        b_low_i,
  input  logic [31:0] random_i,

  output logic [31:0] fma_o,   // a * b + c in the formats that the pins name
  output logic [31:0] wide_o,  // a * b + c in fp32
  output logic [31:0] add_o,
  output logic [31:0] sub_o,
  output logic [31:0] max_o,
  output logic [31:0] relu_o,
  output logic [15:0] bf16_o,
  output logic [31:0] fp32_o,  // of bf16(a)
  output logic [31:0] int32_o, // fp32 of int32(a)
  output logic [31:0] mul_o,
  output logic [31:0] element_o, // of fp32 a, in a's format
  output logic [31:0] lane_o,    // fp32 of a in its format
  output logic [31:0] saturated_o, // fp32 a before its cast to a's format
  output logic [31:0] at_random_o
);

  logic [31:0] a_element, b_element, weight, moving;
  assign a_element = row_pkg::element({32'b0, a_i}, 3'd0, operand_check_pkg::element_shift(a_dtype_i));
  assign b_element = row_pkg::element({32'b0, b_i}, 3'd0, operand_check_pkg::element_shift(b_dtype_i));
  assign weight = empty_i ? fma_pkg::EmptyWeight
                          : fma_pkg::decode(a_element, fma_pkg::format_of(a_dtype_i, a_low_i));
  assign moving = fma_pkg::decode(b_element, fma_pkg::format_of(b_dtype_i, b_low_i));

  assign fma_o  = fma_pkg::pe_fma(weight, moving, c_i);
  assign wide_o = wide_fma_pkg::fma_fp32(a_i, b_i, c_i);
  assign add_o  = fma_pkg::add_fp32(a_i, b_i);
  assign sub_o  = fma_pkg::sub_fp32(a_i, b_i);
  assign max_o  = convert_pkg::max_fp32(a_i, b_i);
  assign relu_o = convert_pkg::relu_fp32(a_i);
  assign bf16_o = convert_pkg::fp32_to_bf16(a_i);
  assign int32_o = convert_pkg::int32_to_fp32(a_i);
  assign fp32_o = convert_pkg::bf16_to_fp32(a_i[15:0]);
  assign mul_o  = operator_pkg::mul_fp32(a_i, b_i);
  assign element_o = format_pkg::from_fp32(a_i, format_pkg::format_of(a_dtype_i));
  assign saturated_o = rounding_pkg::saturated(a_i, rounding_pkg::greatest_of(a_dtype_i));
  assign at_random_o = rounding_pkg::at_random(a_i, format_pkg::format_of(a_dtype_i), random_i);
  assign lane_o    = format_pkg::to_fp32(a_element, format_pkg::format_of(a_dtype_i));

endmodule
