// SPDX-License-Identifier: Apache-2.0
// Test top: what each engine says to an instruction from its row alone, and whose opcode it is.
module instr_check_top (
  input  defs_pkg::instr_t instr_i,
  input  defs_pkg::engine_e engine_i,
  input  logic [7:0] columns_i,
  output defs_pkg::error_cause_e cause_o,
  output logic [defs_pkg::Sequencers-1:0] engines_o,
  output instr_pkg::stationary_e stationary_o
);

  always_comb begin
    cause_o = instr_pkg::first_cause(
        operand_check_pkg::instr_faults(instr_i, engine_i, columns_i));
    engines_o    = instr_pkg::engines_of(instr_i.opcode);
    stationary_o = instr_pkg::stationary_of(instr_i.opcode);
  end

endmodule
