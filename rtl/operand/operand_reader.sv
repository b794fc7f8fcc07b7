// SPDX-License-Identifier: Apache-2.0
// Source side of a lane engine: reads one or two operands and tells the lanes what has arrived.
`include "assert.svh"

// One read per cycle over the engine's one SBUF port or its PSUM port:
//
//   no src1               x0 x1 x2 ..     a pair per cycle; y is not used
//   src1, all of it       x0 y0 x1 y1 ..  a pair every second cycle
//   src1, one element     y x0 x1 x2 ..   a pair per cycle after one read (y = a bias)
//   no src0               a pair per cycle, of nothing
//   scalars in SBUF       are read before all this, the first one first
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

  output row_pkg::sbuf_read_t rd_o,
  output row_pkg::psum_read_t ps_rd_o,
  input  logic ps_rd_ready_i,

  output row_pkg::landing_t land_o,
  output logic [1:0][31:0] scalar_o,  // values of {second, first}; of those in SBUF no meaning
  output logic pair_valid_o,
  output logic pair_inner_last_o,  // last of the innermost dimension; of those that a reduction takes
  output logic pair_last_o         // last of the instruction
);

  function automatic row_pkg::source_t source_of(input defs_pkg::operand_t operand);
    source_of = '{psum: operand.space == defs_pkg::SpacePsum,
                  dtype: operand.dtype, partition: operand.partition};
  endfunction

  // --- control: whose turn it is
  instr_pkg::walk_e walk;  // of src1
  logic second, each_d, each_q;  // there is a src1; it is read for each element of src0
  logic turn_d, turn_q;  // 1: the next read is of src1
  logic [1:0] scalar_q;            // scalars still to be read
  logic reads_scalar, empty_q;     // the next read is of one; there is no src0
  logic [1:0] more_q;              // dimensions beside the innermost one that a reduction takes
  defs_pkg::scalars_t scalars;
  logic [1:0] outer_last;
  row_pkg::source_t [1:0] source_d, source_q;
  logic [1:0] valid, next, inner_last, last;
  logic [1:0][23:0] addr;
  logic taken;

  assign walk   = instr_pkg::src1_walk(instr_i.opcode);
  assign second = instr_i.src1.space != defs_pkg::SpaceNone
      && instr_pkg::scalars_of(instr_i.opcode) != instr_pkg::ScalarsSrc1;

  access_pattern u_src0 (
    .clk_i, .rst_ni, .start_i, .operand_i(instr_i.src0),
    .sizes_i({instr_i.size3, instr_i.size2, instr_i.size1, instr_i.size0}),
    .shift_i(format_pkg::element_shift(instr_i.src0.dtype)), .step4_i(1'b0),
    .next_i(next[0]), .valid_o(valid[0]), .addr_o(addr[0]), .count_o(),
    .inner_last_o(inner_last[0]), .outer_last_o(outer_last), .last_o(last[0])
  );

  access_pattern u_src1 (
    .clk_i, .rst_ni, .start_i(start_i && second), .operand_i(instr_i.src1),
    .sizes_i(operand_check_pkg::sizes_of(instr_i, walk)),
    .shift_i(format_pkg::element_shift(instr_i.src1.dtype)), .step4_i(1'b0),
    .next_i(next[1]), .valid_o(valid[1]), .addr_o(addr[1]), .count_o(),
    .inner_last_o(inner_last[1]), .outer_last_o(), .last_o(last[1])
  );

  assign reads_scalar = scalar_q != 2'b00;
  assign rd_o    = reads_scalar ? '{valid: 1'b1, addr: scalar_o[!scalar_q[0]][17:0]}
                                : '{valid: valid[turn_q] && !source_q[turn_q].psum && !empty_q, addr: addr[turn_q][17:0]};
  assign ps_rd_o = '{valid: valid[turn_q] && source_q[turn_q].psum && !reads_scalar, addr: addr[turn_q][17:2]};
  assign taken   = !reads_scalar && ((valid[turn_q] && !source_q[turn_q].psum) || (ps_rd_o.valid && ps_rd_ready_i));
  assign next    = {taken && turn_q, taken && !turn_q};

  always_comb begin
    each_d   = each_q;
    turn_d   = turn_q;
    source_d = source_q;
    if (start_i) begin
      each_d      = second && walk != instr_pkg::WalkOne;
      turn_d      = second && walk == instr_pkg::WalkOne;
      source_d[0] = source_of(instr_i.src0);
      source_d[1] = source_of(instr_i.src1);
    end else if (taken) begin
      turn_d = each_q && !turn_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      scalar_q <= 2'b00;
    end else if (start_i) begin
      scalars   = operand_check_pkg::scalars_of(instr_i);
      scalar_q <= {scalars.second.kind == defs_pkg::ScalarKindSbuf, scalars.first.kind == defs_pkg::ScalarKindSbuf};
      scalar_o <= {scalars.second.value, scalars.first.value};
      empty_q  <= instr_i.src0.space == defs_pkg::SpaceNone;
      more_q   <= instr_pkg::dst_walk(instr_i.opcode) == instr_pkg::WalkOuter ? instr_i.imm[1:0] : 2'd0;
    end else if (reads_scalar) begin
      scalar_q <= scalar_q[0] ? {scalar_q[1], 1'b0} : 2'b00;
    end
  end

  // --- the read in flight
  logic land_valid_q, land_completes_q, land_inner_last_q, land_last_q;
  row_pkg::landing_e land_what_q;
  logic [3:0] ends;  // one, two, three, all dimensions
  logic [2:0] land_at_q;

  assign ends = {last[0], outer_last, inner_last[0]};
  // Scalars are words of {partition 8, byte 24}.
  assign land_o = '{valid: land_valid_q, what: land_what_q, at: land_at_q,
                    source: land_what_q[1] ? '{psum: 1'b0, dtype: defs_pkg::DtypeFp32,
                                               partition: scalar_o[land_what_q[0]][31:24]}
                                           : source_q[land_what_q[0]]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      land_valid_q <= 1'b0;
      pair_valid_o <= 1'b0;
    end else begin
      land_valid_q <= taken || reads_scalar;
      pair_valid_o <= land_valid_q && land_completes_q;
    end
  end

  always_ff @(posedge clk_i) begin
    each_q            <= each_d;
    turn_q            <= turn_d;
    source_q          <= source_d;
    land_what_q       <= reads_scalar ? (scalar_q[0] ? row_pkg::LandFirst : row_pkg::LandSecond)
                                      : (turn_q ? row_pkg::LandY : row_pkg::LandX);
    land_completes_q  <= turn_q == each_q && !reads_scalar;
    land_inner_last_q <= turn_q ? inner_last[1] : ends[more_q];
    land_last_q       <= last[turn_q];
    land_at_q         <= reads_scalar ? scalar_o[!scalar_q[0]][2:0] : addr[turn_q][2:0];
    pair_inner_last_o <= land_inner_last_q;
    pair_last_o       <= land_last_q;
  end

  // The next instruction starts only when this one's reads have landed.
  `ASSERT_NOW(StartAfterLanding_A, start_i -> !land_valid_q && !taken)

endmodule
