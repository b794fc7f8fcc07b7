// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a sequencer: an operation (reg_op) and a condition on the same two numbers. Combinational; at speed
// the multiplier would take a second cycle.

module seq_alu (
  input  logic [7:0]  func_i,  // reg_op or condition
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  output logic [31:0] result_o,
  output logic        holds_o
);

  logic equal, less, less_unsigned;
  assign equal         = a_i == b_i;
  assign less          = $signed(a_i) < $signed(b_i);
  assign less_unsigned = a_i < b_i;

  always_comb begin
    unique case (func_i)
      defs_pkg::RegOpAdd: result_o = a_i + b_i;
      defs_pkg::RegOpSub: result_o = a_i - b_i;
      defs_pkg::RegOpMul: result_o = a_i * b_i;
      defs_pkg::RegOpAnd: result_o = a_i & b_i;
      defs_pkg::RegOpOr:  result_o = a_i | b_i;
      defs_pkg::RegOpXor: result_o = a_i ^ b_i;
      defs_pkg::RegOpSll: result_o = a_i << b_i[4:0];
      defs_pkg::RegOpSrl: result_o = a_i >> b_i[4:0];
      defs_pkg::RegOpSra: result_o = $signed(a_i) >>> b_i[4:0];
      defs_pkg::RegOpMin: result_o = less ? a_i : b_i;
      default:            result_o = less ? b_i : a_i;
    endcase
    unique case (func_i)
      defs_pkg::ConditionEq:  holds_o = equal;
      defs_pkg::ConditionNe:  holds_o = !equal;
      defs_pkg::ConditionLt:  holds_o = less;
      defs_pkg::ConditionGe:  holds_o = !less;
      defs_pkg::ConditionLtu: holds_o = less_unsigned;
      default:                holds_o = !less_unsigned;
    endcase
  end

endmodule
