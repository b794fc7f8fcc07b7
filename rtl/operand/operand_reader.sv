// SPDX-License-Identifier: Apache-2.0
// Source side of a lane engine: reads one or two operands and tells the lanes what has arrived.
`include "assert.svh"

// One read per cycle over the engine's one SBUF port or its PSUM port:
//
//   no src1               x0 x1 x2 ..     a pair per cycle; y is not used
//   src1, all of it       x0 y0 x1 y1 ..  a pair every second cycle
//   src1, one element     y x0 x1 x2 ..   a pair per cycle after one read (y = a bias)
//
//   cycle t      t+1                       t+2
//   read    ->   word at the port, land_o  pair_valid_o with the second half of a pair
//
// Nothing behind a read ever stalls; only the PSUM port may keep a read waiting.
module operand_reader (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  defs_pkg::instr_t instr_i,
  input  logic bits_i,  // integers stay as they are

  output row_pkg::sbuf_read_t rd_o,
  output row_pkg::psum_read_t ps_rd_o,
  input  logic ps_rd_ready_i,

  output row_pkg::landing_t land_o,
  output logic pair_valid_o,
  output logic pair_inner_last_o,  // last of the innermost dimension
  output logic pair_last_o         // last of the instruction
);

  function automatic row_pkg::source_t source_of(input defs_pkg::operand_t operand, input logic bits);
    source_of = '{psum: operand.space == defs_pkg::SpacePsum,
                  bits: bits, dtype: operand.dtype, partition: operand.partition};
  endfunction

  // --- control: whose turn it is
  instr_pkg::walk_e walk;  // of src1
  logic second, each_d, each_q;  // there is a src1; it is read for each element of src0
  logic turn_d, turn_q;  // 1: the next read is of src1
  row_pkg::source_t [1:0] source_d, source_q;
  logic [1:0] valid, next, inner_last, last;
  logic [1:0][23:0] addr;
  logic taken;

  assign walk   = instr_pkg::src1_walk(instr_i.opcode);
  assign second = instr_i.src1.space != defs_pkg::SpaceNone;

  access_pattern u_src0 (
    .clk_i, .rst_ni, .start_i, .operand_i(instr_i.src0),
    .sizes_i({instr_i.size3, instr_i.size2, instr_i.size1, instr_i.size0}),
    .shift_i(operand_check_pkg::element_shift(instr_i.src0.dtype)), .step4_i(1'b0),
    .next_i(next[0]), .valid_o(valid[0]), .addr_o(addr[0]), .count_o(),
    .inner_last_o(inner_last[0]), .last_o(last[0])
  );

  access_pattern u_src1 (
    .clk_i, .rst_ni, .start_i(start_i && second), .operand_i(instr_i.src1),
    .sizes_i(operand_check_pkg::sizes_of(instr_i, walk)),
    .shift_i(operand_check_pkg::element_shift(instr_i.src1.dtype)), .step4_i(1'b0),
    .next_i(next[1]), .valid_o(valid[1]), .addr_o(addr[1]), .count_o(),
    .inner_last_o(inner_last[1]), .last_o(last[1])
  );

  assign rd_o    = '{valid: valid[turn_q] && !source_q[turn_q].psum, addr: addr[turn_q][17:0]};
  assign ps_rd_o = '{valid: valid[turn_q] && source_q[turn_q].psum, addr: addr[turn_q][17:2]};
  assign taken   = rd_o.valid || (ps_rd_o.valid && ps_rd_ready_i);
  assign next    = {taken && turn_q, taken && !turn_q};

  always_comb begin
    each_d   = each_q;
    turn_d   = turn_q;
    source_d = source_q;
    if (start_i) begin
      each_d      = second && walk != instr_pkg::WalkOne;
      turn_d      = second && walk == instr_pkg::WalkOne;
      source_d[0] = source_of(instr_i.src0, bits_i);
      source_d[1] = source_of(instr_i.src1, bits_i);
    end else if (taken) begin
      turn_d = each_q && !turn_q;
    end
  end

  // --- the read in flight
  logic land_valid_q, land_second_q, land_completes_q, land_inner_last_q, land_last_q;
  logic [2:0] land_at_q;

  assign land_o = '{valid: land_valid_q, second: land_second_q, at: land_at_q,
                    source: source_q[land_second_q]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      land_valid_q <= 1'b0;
      pair_valid_o <= 1'b0;
    end else begin
      land_valid_q <= taken;
      pair_valid_o <= land_valid_q && land_completes_q;
    end
  end

  always_ff @(posedge clk_i) begin
    each_q            <= each_d;
    turn_q            <= turn_d;
    source_q          <= source_d;
    land_second_q     <= turn_q;
    land_completes_q  <= turn_q == each_q;
    land_inner_last_q <= inner_last[turn_q];
    land_last_q       <= last[turn_q];
    land_at_q         <= addr[turn_q][2:0];
    pair_inner_last_o <= land_inner_last_q;
    pair_last_o       <= land_last_q;
  end

  // The next instruction starts only when this one's reads have landed.
  `ASSERT_NOW(StartAfterLanding_A, start_i -> !land_valid_q && !taken)

endmodule
