// SPDX-License-Identifier: Apache-2.0
// Puts the values of registers into an instruction: what leaves has no index, and engines see a plain instruction.
//
//   operand with index, if the row has it and it is not None:  offset += R[index]; beyond 24 bits: 0xFFFFFC
//   size_reg, if the row has operands:                          size size_dim = R[size_reg]; beyond 16 bits: 0;
//                                                               if it is 1, the strides of that dimension become 0
//   the first scalar in a register, if src1 is two:             an immediate R[value]; a second one stays and is refused
//   DmaStart:                                                   src, dst, index += R, signed, mod 2^48; rows = R, beyond 16 bits: 0
//
// Engines refuse 0xFFFFFC (OutOfBounds) and 0 (BadShape, of rows BadDescriptor) everywhere. An index in a place where the row has nothing
// stays and is refused, too (ReservedBits). Combinational: register read, 32-bit adder and the engine's input register
// share a cycle; an instruction without registers passes unchanged.

module seq_resolve (
  input  defs_pkg::instr_t instr_i,

  output logic [4*6-1:0]   read_o,   // registers: slice 0 src0, 1 src1 or index, 2 dst, 3 size or rows
  input  logic [4*32-1:0]  value_i,  // ... and their values
  output defs_pkg::instr_t instr_o
);

  localparam logic [23:0] Beyond = 24'hFFFFFC;
  localparam int unsigned OperandBits = $bits(instr_i.src0);

  function automatic logic [23:0] moved(input logic [23:0] offset, input logic [31:0] by);
    logic [31:0] sum;
    sum   = {8'd0, offset} + by;
    moved = (sum[31:24] == '0) ? sum[23:0] : Beyond;
  endfunction

  // Ones but in the stride of `dim`: strides are the low bits of an operand, the innermost lowest.
  function automatic logic [OperandBits-1:0] all_but(input logic [1:0] dim);
    all_but = ~(OperandBits'(16'hFFFF) << {dim, 4'd0});
  endfunction

  // Scalars read through the port of src1, whose place they have.
  defs_pkg::scalars_t scalars, scalars_new;
  logic has_scalars, first_scalar, second_scalar;
  logic [5:0] src1_read;
  assign scalars       = instr_i.src1;
  assign has_scalars   = instr_pkg::scalars_in_src1(instr_i.opcode);
  assign first_scalar  = has_scalars && scalars.first.kind == defs_pkg::ScalarKindRegister;
  assign second_scalar = has_scalars && scalars.second.kind == defs_pkg::ScalarKindRegister && !first_scalar;
  assign src1_read     = first_scalar ? scalars.first.value[5:0] : second_scalar ? scalars.second.value[5:0]
                       : has_scalars ? '0 : instr_i.src1.index;

  // Addresses of a DmaStart.
  function automatic logic [47:0] sum48(input logic [47:0] address, input logic [31:0] by);
    sum48 = address + {{16{by[31]}}, by};
  endfunction

  logic is_start;
  defs_pkg::dma_start_t start, resolved;
  assign is_start = instr_pkg::has_dma_start(instr_i.opcode);
  assign start    = instr_i[defs_pkg::DmaStartBits-1:0];
  assign read_o   = is_start ? {start.rows_reg, start.dst_reg, start.index_reg, start.src_reg}
                             : {instr_i.size_reg, instr_i.dst.index, src1_read, instr_i.src0.index};

  instr_pkg::rule_t rule;
  logic [31:0] size_value;
  logic [15:0] size;
  assign size_value = value_i[3*32 +: 32];
  assign size       = (size_value[31:16] == '0) ? size_value[15:0] : '0;

  always_comb begin
    instr_o  = instr_i;
    rule     = '0;
    resolved = start;
    scalars_new = scalars;
    if (first_scalar) begin
      scalars_new.first.kind  = defs_pkg::ScalarKindImmediate;
      scalars_new.first.value = value_i[32 +: 32];
    end
    if (second_scalar) begin
      scalars_new.second.kind  = defs_pkg::ScalarKindImmediate;
      scalars_new.second.value = value_i[32 +: 32];
    end
    if (has_scalars) instr_o.src1 = scalars_new;
    if (is_start) begin
      resolved.src      = sum48(start.src, value_i[0 +: 32]);
      resolved.index    = sum48(start.index, value_i[32 +: 32]);
      resolved.dst      = sum48(start.dst, value_i[64 +: 32]);
      if (start.rows_reg != '0) resolved.rows = size;
      resolved.src_reg  = '0;
      resolved.dst_reg  = '0;
      resolved.index_reg = '0;
      resolved.rows_reg = '0;
      instr_o[defs_pkg::DmaStartBits-1:0] = resolved;
    end else if (read_o != '0) begin
      rule = instr_pkg::rule_of(instr_i.opcode);
      // Bit 0 of `spaces` is None.
      if (rule.src0.spaces[3:1] != '0 && instr_i.src0.space != defs_pkg::SpaceNone && instr_i.src0.index != '0) begin
        instr_o.src0.offset = moved(instr_i.src0.offset, value_i[0 +: 32]);
        instr_o.src0.index  = '0;
      end
      if (rule.src1.spaces[3:1] != '0 && instr_i.src1.space != defs_pkg::SpaceNone && instr_i.src1.index != '0) begin
        instr_o.src1.offset = moved(instr_i.src1.offset, value_i[32 +: 32]);
        instr_o.src1.index  = '0;
      end
      if (rule.dst.spaces[3:1] != '0 && instr_i.dst.space != defs_pkg::SpaceNone && instr_i.dst.index != '0) begin
        instr_o.dst.offset = moved(instr_i.dst.offset, value_i[64 +: 32]);
        instr_o.dst.index  = '0;
      end
      if ({rule.src0.spaces[3:1], rule.src1.spaces[3:1], rule.dst.spaces[3:1]} != '0 && instr_i.size_reg != '0) begin
        instr_o.size_reg = '0;
        instr_o.size_dim = '0;
        unique case (instr_i.size_dim)
          2'd0:    instr_o.size0 = size;
          2'd1:    instr_o.size1 = size;
          2'd2:    instr_o.size2 = size;
          default: instr_o.size3 = size;
        endcase
        // Walks from 2 on have so many elements, whatever the sizes.
        if (size == 16'd1) begin
          if (rule.src0.spaces[3:1] != '0) instr_o.src0 = instr_o.src0 & all_but(instr_i.size_dim);
          if (rule.src1.spaces[3:1] != '0 && rule.src1.walk[2:1] == '0) instr_o.src1 = instr_o.src1 & all_but(instr_i.size_dim);
          if (rule.dst.spaces[3:1] != '0 && rule.dst.walk[2:1] == '0) instr_o.dst = instr_o.dst & all_but(instr_i.size_dim);
        end
      end
    end
  end

endmodule
