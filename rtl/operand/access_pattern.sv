// SPDX-License-Identifier: Apache-2.0
// Walks an operand's access pattern: one element address per step, innermost dimension first.
`include "assert.svh"

// Element (i3, i2, i1, i0) is at offset + element_bytes * (i3*stride3 + i2*stride2 + i1*stride1 +
// i0*stride0). No multiplier: each level remembers where its current iteration began.
//
//   base3 --+stride3--> base2 --+stride2--> base1 --+stride1--> addr --+stride0-->
//
// `start_i` takes a pattern; its first address is out in the next cycle, with valid_o. `next_i`
// (only with valid_o) moves on; after the last element valid_o falls. A new start_i may come
// together with the next_i of the last element. With `step4_i` a step covers up to four elements
// of the innermost dimension: addr_o is that of the first, count_o says how many (fewer at the end
// of a run). Sizes must not be zero. Addresses are kept modulo 2^24; operand_check_pkg has rejected
// patterns that leave their buffer.
module access_pattern (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  defs_pkg::operand_t operand_i,  // offset and strides of it
  input  logic [63:0] sizes_i,    // four times 16 bits, innermost in the low bits
  input  logic [1:0] shift_i,     // log2 of the element's bytes
  input  logic step4_i,

  input  logic next_i,
  output logic valid_o,
  output logic [23:0] addr_o,
  output logic [2:0] count_o,   // elements in this step
  output logic inner_last_o,    // last step of the innermost dimension
  output logic [1:0] outer_last_o,  // of the two innermost ones, of the three
  output logic last_o           // last step of all
);

  // Level 0 is the innermost. By hand, not in loops over packed arrays: there are three of these in
  // every lane engine, and a simulation looks at them in every cycle.
  logic valid_d, valid_q, step4_q;
  logic [15:0] size0_q, size1_q, size2_q;                 // to begin a level anew
  logic [15:0] left0_d, left1_d, left2_d, left3_d;        // elements left, this one included
  logic [15:0] left0_q, left1_q, left2_q, left3_q;
  logic [23:0] stride0_q, stride1_q, stride2_q, stride3_q;  // bytes of one step
  logic [23:0] base0_d, base1_d, base2_d, base3_d;        // where the level's iteration began
  logic [23:0] base0_q, base1_q, base2_q, base3_q;        // base0: this element
  logic last0, last1, last2, last3;                       // the level is in its last iteration
  logic move1, move2, move3;                              // level moves, or one above it
  logic [15:0] step;
  logic [23:0] moved;
  logic enable;

  assign step   = step4_q ? 16'd4 : 16'd1;
  assign last0  = left0_q <= step;
  assign last1  = left1_q == 16'd1;
  assign last2  = left2_q == 16'd1;
  assign last3  = left3_q == 16'd1;
  assign move1  = last0;
  assign move2  = last0 && last1;
  assign move3  = last0 && last1 && last2;
  assign enable = start_i || next_i;

  assign valid_o      = valid_q;
  assign addr_o       = base0_q;
  assign count_o      = last0 ? left0_q[2:0] : step[2:0];
  assign inner_last_o = last0;
  assign outer_last_o = {move3, move2};
  assign last_o       = move3 && last3;

  always_comb begin
    // The lowest level that is not in its last iteration moves; those below begin anew there.
    moved   = move3 ? base3_q + stride3_q : move2 ? base2_q + stride2_q
            : move1 ? base1_q + stride1_q : base0_q + stride0_q;
    base0_d = moved;
    base1_d = move1 ? moved : base1_q;
    base2_d = move2 ? moved : base2_q;
    base3_d = move3 ? moved : base3_q;
    left0_d = move1 ? size0_q : left0_q - step;
    left1_d = move2 ? size1_q : left1_q - {15'b0, move1};
    left2_d = move3 ? size2_q : left2_q - {15'b0, move2};
    left3_d = left3_q - {15'b0, move3};
    valid_d = start_i || (valid_q && !(next_i && last_o));
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= valid_d;
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      step4_q   <= step4_i;
      size0_q   <= sizes_i[15:0];
      size1_q   <= sizes_i[31:16];
      size2_q   <= sizes_i[47:32];
      stride0_q <= {{8{operand_i.stride0[15]}}, operand_i.stride0} <<
                   ({1'b0, shift_i} + (step4_i ? 3'd2 : 3'd0));
      stride1_q <= {{8{operand_i.stride1[15]}}, operand_i.stride1} << shift_i;
      stride2_q <= {{8{operand_i.stride2[15]}}, operand_i.stride2} << shift_i;
      stride3_q <= {{8{operand_i.stride3[15]}}, operand_i.stride3} << shift_i;
    end
    if (enable) begin
      base0_q <= start_i ? operand_i.offset : base0_d;
      base1_q <= start_i ? operand_i.offset : base1_d;
      base2_q <= start_i ? operand_i.offset : base2_d;
      base3_q <= start_i ? operand_i.offset : base3_d;
      left0_q <= start_i ? sizes_i[15:0]  : left0_d;
      left1_q <= start_i ? sizes_i[31:16] : left1_d;
      left2_q <= start_i ? sizes_i[47:32] : left2_d;
      left3_q <= start_i ? sizes_i[63:48] : left3_d;
    end
  end

  // Nobody moves past the end.
  `ASSERT_NOW(NextNeedsElement_A, next_i -> valid_q)
  // A pattern is walked to its end before the next one starts.
  `ASSERT_NOW(StartWhenFree_A, start_i -> !valid_q || (next_i && last_o))
  // A size of zero has been rejected before.
  `ASSERT_NOW(SizesAreNotZero_A, start_i -> sizes_i[15:0] != 0 && sizes_i[31:16] != 0
          && sizes_i[47:32] != 0 && sizes_i[63:48] != 0)

endmodule
