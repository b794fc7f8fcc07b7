// SPDX-License-Identifier: Apache-2.0
// Source side of a lane engine: reads one or two operands and tells the lanes what has arrived.
`include "assert.svh"

// One read per cycle over the engine's one SBUF port or its PSUM port:
//
//   no src1               x0 x1 x2 ..     a pair per cycle; y is not used
//   src1, all of it       x0 y0 x1 y1 ..  a pair every second cycle
//                         .. in the other memory, and no scalars: x and y at once, a pair per cycle
//                         .. both bf16 in whole words: xxxx yyyy - - , words are kept, a pair per cycle
//   no src1, reduced, in whole words: xxxx - , two elements at once, as x and y
//   src1, one element     y x0 x1 x2 ..   a pair per cycle after one read (y = a bias, a mask)
//   src1, two and more    y y .. x x ..   for a unit, as if all were of src0
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
  output row_pkg::landing_t land_y_o,         // what comes beside an x
  output logic [1:0] hold_o,                  // the word that comes is kept, {y, x}
  output logic quick_o,                       // of the instruction: by words, either way
  output logic twice_o,                       // .. two elements at once
  output logic [1:0][31:0] scalar_o,  // values of {second, first}; of those in SBUF no meaning
  output logic pair_valid_o,
  output logic pair_inner_last_o,  // last of the innermost dimension; of those that a reduction takes
  output logic pair_last_o         // last of the instruction
);

  function automatic row_pkg::source_t source_of(input defs_pkg::operand_t operand);
    source_of = '{psum: operand.space == defs_pkg::SpacePsum,
                  dtype: operand.dtype, partition: operand.partition};
  endfunction

  // Elements of bf16 one after the other, in words that begin with one of them?
  function automatic logic in_words(input defs_pkg::operand_t operand);
    in_words = operand.space == defs_pkg::SpaceSbuf && operand.dtype == defs_pkg::DtypeBf16 && operand.stride0 == 16'd1
        && operand.offset[2:0] == '0 && operand.stride1[1:0] == '0 && operand.stride2[1:0] == '0 && operand.stride3[1:0] == '0;
  endfunction

  // Sums and products of two such sources, and (x - a) * y, take a cycle for an element.
  function automatic logic is_quick(input defs_pkg::instr_t given);
    is_quick = in_words(given.src0) && in_words(given.src1) && instr_pkg::src1_walk(given.opcode) == instr_pkg::WalkAll
        && instr_pkg::form_of(given.opcode) == instr_pkg::FormElementwise && given.size0 != 16'd1
        && (instr_pkg::scalars_of(given.opcode) == instr_pkg::ScalarsNone
            ? given.func == defs_pkg::AluOpAdd || given.func == defs_pkg::AluOpSub || given.func == defs_pkg::AluOpMul
            : given.func == defs_pkg::AluOpSub && given.imm[5:0] == 6'(defs_pkg::AluOpMul));
  endfunction

  // A sum or the greatest of such elements, as one of them, takes a cycle for two.
  function automatic logic is_twice(input defs_pkg::instr_t given);
    is_twice = in_words(given.src0) && given.size0[1:0] == '0 && instr_pkg::dst_walk(given.opcode) == instr_pkg::WalkOuter
        && given.dst.dtype == defs_pkg::DtypeBf16
        && (given.func == defs_pkg::AluOpAdd || given.func == defs_pkg::AluOpMax);
  endfunction

  // --- control: whose turn it is
  instr_pkg::walk_e walk;  // of src1
  logic second, each_d, each_q;  // there is a src1; it is read for each element of src0
  logic both_d, both_q;          // at once
  logic stream_q;                // all of src1 comes first
  logic at_sbuf, at_psum;        // operand that is read there
  logic turn_d, turn_q;  // 1: the next read is of src1
  logic [1:0] scalar_q;            // scalars still to be read
  logic reads_scalar, empty_q;     // the next read is of one; there is no src0
  logic [1:0] more_q;              // dimensions beside the innermost one that a reduction takes
  defs_pkg::scalars_t scalars;
  logic [1:0] outer_last;
  row_pkg::source_t [1:0] source_d, source_q;
  logic [1:0] valid, next, inner_last, last;
  logic [1:0][23:0] addr;
  logic taken, rests;
  logic quick_d, twice_d;              // two words are read in four cycles: x in phase 0, y in 1; one in two cycles
  logic [1:0] phase_q;
  logic [2:0] count;                   // elements of a word

  assign walk   = instr_pkg::src1_walk(instr_i.opcode);
  assign second = instr_i.src1.space != defs_pkg::SpaceNone
      && instr_pkg::scalars_of(instr_i.opcode) != instr_pkg::ScalarsSrc1;

  access_pattern u_src0 (
    .clk_i, .rst_ni, .start_i, .operand_i(instr_i.src0),
    .sizes_i({instr_i.size3, instr_i.size2, instr_i.size1, instr_i.size0}),
    .shift_i(format_pkg::element_shift(instr_i.src0.dtype)), .step4_i(quick_d),
    .next_i(next[0]), .valid_o(valid[0]), .addr_o(addr[0]), .count_o(count),
    .inner_last_o(inner_last[0]), .outer_last_o(outer_last), .last_o(last[0])
  );

  access_pattern u_src1 (
    .clk_i, .rst_ni, .start_i(start_i && second), .operand_i(instr_i.src1),
    .sizes_i(operand_check_pkg::sizes_of(instr_i, walk)),
    .shift_i(format_pkg::element_shift(instr_i.src1.dtype)), .step4_i(quick_d),
    .next_i(next[1]), .valid_o(valid[1]), .addr_o(addr[1]), .count_o(),
    .inner_last_o(inner_last[1]), .outer_last_o(), .last_o(last[1])
  );

  assign reads_scalar = scalar_q != 2'b00;
  assign twice_d = is_twice(instr_i);
  assign quick_d = is_quick(instr_i) || twice_d;
  assign at_sbuf = both_q ? source_q[0].psum : turn_q;
  assign at_psum = both_q ? source_q[1].psum : turn_q;
  assign rd_o    = reads_scalar ? '{valid: 1'b1, addr: scalar_o[!scalar_q[0]][17:0]}
                                : '{valid: valid[at_sbuf] && !source_q[at_sbuf].psum && !empty_q && !rests && (!both_q || ps_rd_ready_i),
                                    addr: addr[at_sbuf][17:0]};
  assign ps_rd_o = '{valid: valid[at_psum] && source_q[at_psum].psum && !reads_scalar, addr: addr[at_psum][17:2]};
  assign rests   = phase_q[1] || (twice_o && phase_q[0]);
  assign taken   = !reads_scalar && !rests && (ps_rd_o.valid ? ps_rd_ready_i : valid[turn_q] && !source_q[turn_q].psum);
  assign next    = {taken && (both_q || turn_q), taken && !turn_q};

  always_comb begin
    each_d   = each_q;
    both_d   = both_q;
    turn_d   = turn_q;
    source_d = source_q;
    if (start_i) begin
      both_d      = second && walk == instr_pkg::WalkAll && instr_pkg::scalars_of(instr_i.opcode) == instr_pkg::ScalarsNone
          && (instr_i.src0.space == defs_pkg::SpacePsum) != (instr_i.src1.space == defs_pkg::SpacePsum);
      each_d      = second && walk == instr_pkg::WalkAll && !both_d;
      turn_d      = second && walk != instr_pkg::WalkAll;
      source_d[0] = source_of(instr_i.src0);
      source_d[1] = source_of(instr_i.src1);
    end else if (taken) begin
      turn_d = turn_q ? !each_q && !last[1] : each_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      scalar_q <= 2'b00;
      phase_q  <= 2'd0;
    end else if (start_i) begin
      scalars   = operand_check_pkg::scalars_of(instr_i);
      scalar_q <= {scalars.second.kind == defs_pkg::ScalarKindSbuf, scalars.first.kind == defs_pkg::ScalarKindSbuf};
      scalar_o <= {scalars.second.value, scalars.first.value};
      stream_q <= walk != instr_pkg::WalkAll && walk != instr_pkg::WalkOne;
      empty_q  <= instr_i.src0.space == defs_pkg::SpaceNone;
      quick_o  <= quick_d;
      twice_o  <= twice_d;
      more_q   <= instr_pkg::dst_walk(instr_i.opcode) == instr_pkg::WalkOuter ? instr_i.imm[1:0] : 2'd0;
    end else if (reads_scalar) begin
      scalar_q <= scalar_q[0] ? {scalar_q[1], 1'b0} : 2'b00;
    end else if (quick_o && (taken || rests)) begin
      phase_q  <= twice_o ? {1'b0, taken} : phase_q + 2'd1;
    end
  end

  // --- the read in flight
  logic land_valid_q, land_completes_q, land_inner_last_q, land_last_q;
  row_pkg::landing_e land_what_q;
  logic land_from_q, land_both_q;  // operand or scalar that lands; y beside it
  logic [2:0] land_y_at_q;
  logic [3:0] ends;  // one, two, three, all dimensions
  logic [2:0] land_at_q;

  assign ends = {last[0], outer_last, inner_last[0]};
  // Scalars are words of {partition 8, byte 24}.
  assign land_o = '{valid: picks || (land_valid_q && (!quick_o || land_what_q[1])), what: picks ? row_pkg::LandX : land_what_q,
                    held: picks, at: picks ? {at, 1'b0} : land_at_q,
                    source: picks ? source_q[0] : land_what_q[1] ? '{psum: 1'b0, dtype: defs_pkg::DtypeFp32,
                                               partition: scalar_o[land_from_q][31:24]}
                                           : source_q[land_from_q]};
  assign land_y_o = '{valid: picks || (land_valid_q && land_both_q), what: row_pkg::LandY, held: picks,
                      at: picks ? {at | {1'b0, twice_o}, 1'b0} : land_y_at_q, source: source_q[!twice_o]};

  // Words kept: the pairs of two leave from when the second one comes, in four cycles; the two pairs of one in the two
  // cycles after it came.
  logic picks, comes, came_q, group_last_q, last_q;
  logic group_inner_last_q, inner_last_q;
  logic [1:0] at, at_q;
  logic [2:0] group_count_q, count_q;
  assign hold_o = {2{land_valid_q && quick_o && !land_what_q[1]}} & {land_from_q, !land_from_q};
  assign comes  = twice_o ? came_q : hold_o[1];
  assign at     = comes ? 2'd0 : at_q;
  assign picks  = comes || (at_q != 2'd0 && {1'b0, at_q} < count_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      land_valid_q <= 1'b0;
      pair_valid_o <= 1'b0;
      came_q       <= 1'b0;
      at_q         <= 2'd0;
    end else begin
      came_q       <= hold_o[0] && twice_o;
      at_q         <= comes ? 2'd1 << twice_o : at_q == 2'd0 ? 2'd0 : at_q + 2'd1 + {1'b0, twice_o};
      land_valid_q <= taken || reads_scalar;
      pair_valid_o <= quick_o ? picks : land_valid_q && land_completes_q;
    end
  end

  always_ff @(posedge clk_i) begin
    each_q            <= each_d;
    both_q            <= both_d;
    turn_q            <= turn_d;
    source_q          <= source_d;
    land_what_q       <= reads_scalar ? (scalar_q[0] ? row_pkg::LandFirst : row_pkg::LandSecond)
                                      : (turn_q && !stream_q ? row_pkg::LandY : row_pkg::LandX);
    land_from_q       <= reads_scalar ? !scalar_q[0] : turn_q;
    land_both_q       <= both_q && !reads_scalar;
    land_y_at_q       <= addr[1][2:0];
    land_completes_q  <= (turn_q == each_q || stream_q) && !reads_scalar;
    land_inner_last_q <= turn_q ? inner_last[1] : ends[more_q];
    land_last_q       <= last[turn_q] && !(turn_q && stream_q);
    land_at_q         <= reads_scalar ? scalar_o[!scalar_q[0]][2:0] : addr[turn_q][2:0];
    if (taken && !turn_q) begin
      group_count_q <= count;
      group_last_q  <= last[0];
    end
    if (comes) begin
      count_q <= group_count_q;
      last_q  <= group_last_q;
    end
    // Words of a reduction end where its result does.
    if (taken) group_inner_last_q <= ends[more_q];
    if (comes) inner_last_q <= group_inner_last_q;
    pair_inner_last_o <= twice_o ? at_q == 2'd2 && inner_last_q : land_inner_last_q;
    pair_last_o       <= !quick_o ? land_last_q
                       : comes ? group_last_q && group_count_q == 3'd1 : last_q && {1'b0, at_q} + 3'd1 + {2'b0, twice_o} == count_q;
  end

  // The next instruction starts only when this one's reads have landed.
  `ASSERT_NOW(StartAfterLanding_A, start_i -> !land_valid_q && !taken)

endmodule
