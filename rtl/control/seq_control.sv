// SPDX-License-Identifier: Apache-2.0
// The rows that a sequencer executes itself: NOP, END, RegAlu, Branch, RegLoad. What is wrong with one, and what it does.
// Combinational: the sequencer applies it when the instruction issues.

module seq_control (
  input  defs_pkg::instr_t       instr_i,
  input  logic                   core_id_i,
  input  defs_pkg::peer_access_t peer_i,
  input  logic [24:0]            count_i,     // instructions of the stream

  output logic [2*6-1:0]         read_o,      // {rb, ra}
  input  logic [2*32-1:0]        value_i,     // {R[rb], R[ra]}

  output logic                   valid_o,     // it is one of these rows
  output defs_pkg::error_cause_e cause_o,     // None: nothing is wrong
  output logic                   end_o,
  output logic                   write_o,     // R[write_index_o] becomes ...
  output logic [5:0]             write_index_o,
  output logic [31:0]            result_o,    // ... this,
  output logic                   load_o,      // or what is in memory at load_addr_o
  output logic [47:0]            load_addr_o,
  output logic                   branch_o,    // the next instruction is ...
  output logic                   taken_o,
  output logic [23:0]            target_o     // ... this one, if taken
);

  // ---------------------------------------------------------------- decode
  defs_pkg::reg_alu_t alu;
  defs_pkg::branch_t branch;
  defs_pkg::reg_load_t load;
  assign alu    = instr_i[defs_pkg::RegAluBits-1:0];
  assign branch = instr_i[defs_pkg::BranchBits-1:0];
  assign load   = instr_i[defs_pkg::RegLoadBits-1:0];

  logic is_nop, is_alu;
  assign is_nop   = instr_i.opcode == defs_pkg::OpcodeNop;
  assign end_o    = instr_i.opcode == defs_pkg::OpcodeEnd;
  assign is_alu   = instr_i.opcode == defs_pkg::OpcodeRegAlu;
  assign branch_o = instr_i.opcode == defs_pkg::OpcodeBranch;
  assign load_o   = instr_i.opcode == defs_pkg::OpcodeRegLoad;
  assign valid_o  = is_nop || end_o || is_alu || branch_o || load_o;

  // ---------------------------------------------------------------- result
  logic [31:0] ra, rb, a, b, sum;
  assign read_o = is_alu ? {alu.rb, alu.ra} : branch_o ? {branch.rb, branch.ra} : {6'd0, load.ra};
  assign {rb, ra} = value_i;
  // Register 0 stays zero, whatever a branch adds to it; a branch compares what it has added.
  assign sum = (branch.ra == '0) ? '0 : ra + branch.add;
  assign a   = branch_o ? sum : ra;
  assign b   = is_alu ? rb + alu.value : (branch.rb == branch.ra) ? sum : rb;

  logic [31:0] alu_result;
  logic holds;
  seq_alu u_alu (.func_i(instr_i.func), .a_i(a), .b_i(b), .result_o(alu_result), .holds_o(holds));

  assign write_o       = is_alu || branch_o || load_o;
  assign write_index_o = is_alu ? alu.rd : branch_o ? branch.ra : load.rd;
  assign result_o      = is_alu ? alu_result : sum;
  assign taken_o       = branch_o && holds;
  assign target_o      = branch.target;
  assign load_addr_o   = load.address + {{16{ra[31]}}, ra};

  // ---------------------------------------------------------------- checks
  instr_pkg::rule_t rule;
  always_comb begin
    cause_o = defs_pkg::ErrorCauseNone;
    rule    = '0;
    if (valid_o) rule = instr_pkg::rule_of(instr_i.opcode);
    if (!valid_o) begin
      cause_o = defs_pkg::ErrorCauseNone;
    end else if (rule.functions != '0 && (instr_i.func[7:6] != '0 || !rule.functions[instr_i.func[5:0]])) begin
      cause_o = defs_pkg::ErrorCauseUnknownOpcode;
    end else if ((instr_i & instr_pkg::unused_of(instr_i.opcode)) != '0) begin
      cause_o = defs_pkg::ErrorCauseReservedBits;
    end else if (branch_o && {1'b0, branch.target} >= count_i) begin
      cause_o = defs_pkg::ErrorCauseOutOfBounds;
    end else if (load_o) begin
      if (load_addr_o[1:0] != '0) begin
        cause_o = defs_pkg::ErrorCauseMisaligned;
      end else if (!address_pkg::in_hbm(load_addr_o)) begin
        cause_o = defs_pkg::ErrorCauseUnmappedAddress;
      end else if (!guard_pkg::reaches(peer_i.shared, peer_i.base, peer_i.limit, core_id_i, load_addr_o, 48'd4)) begin
        cause_o = defs_pkg::ErrorCauseForbidden;
      end
    end
  end

endmodule
