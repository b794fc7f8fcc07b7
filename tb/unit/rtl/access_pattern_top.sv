// SPDX-License-Identifier: Apache-2.0
// Test top: the address generator beside the operand rules, on the same operand.
module access_pattern_top (
  input  logic clk_i,
  input  logic rst_ni,

  input  defs_pkg::operand_t operand_i,
  input  logic [3:0][15:0] sizes_i,
  input  logic [7:0] partitions_i,
  input  logic [3:0] spaces_i,
  input  logic [15:0] dtypes_i,
  output defs_pkg::error_cause_e cause_o,

  input  logic start_i,
  input  logic step4_i,
  input  logic next_i,
  output logic valid_o,
  output logic [23:0] addr_o,
  output logic [2:0] count_o,
  output logic inner_last_o,
  output logic [1:0] outer_last_o,
  output logic last_o
);

  always_comb begin
    cause_o = instr_pkg::first_cause(operand_check_pkg::operand_faults(
        operand_i, partitions_i, sizes_i, spaces_i, dtypes_i));
  end

  access_pattern u_access_pattern (
    .clk_i, .rst_ni, .start_i, .operand_i, .sizes_i,
    .shift_i(format_pkg::element_shift(operand_i.dtype)), .step4_i,
    .next_i, .valid_o, .addr_o, .count_o, .inner_last_o, .outer_last_o, .last_o
  );

endmodule
