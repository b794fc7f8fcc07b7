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
// of a run). Sizes must not be zero. Addresses are kept modulo 2^24; operand_check_pkg has refused
// patterns that leave their buffer.
module access_pattern (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  logic [23:0] offset_i,
  input  logic [3:0][15:0] strides_i,  // [0] innermost, elements, signed
  input  logic [3:0][15:0] sizes_i,    // [0] innermost
  input  logic [1:0] shift_i,          // log2 of the element's bytes
  input  logic step4_i,

  input  logic next_i,
  output logic valid_o,
  output logic [23:0] addr_o,
  output logic [2:0] count_o,   // elements in this step
  output logic inner_last_o,    // last step of the innermost dimension
  output logic last_o           // last step of all
);

  logic valid_d, valid_q, step4_d, step4_q;
  logic [3:0][15:0] sizes_d, sizes_q;    // trip counts, to begin a level anew
  logic [3:0][15:0] left_d, left_q;      // elements left, this one included
  logic [3:0][23:0] strides_d, strides_q;  // bytes of one step
  logic [3:0][23:0] base_d, base_q;      // [0] this element; [i] where level i's iteration began
  logic [3:0] level_last;                // level i is in its last iteration
  logic [15:0] step;
  logic carry;
  logic [23:0] moved;

  assign step = step4_q ? 16'd4 : 16'd1;
  assign level_last[0] = left_q[0] <= step;
  assign level_last[1] = left_q[1] == 16'd1;
  assign level_last[2] = left_q[2] == 16'd1;
  assign level_last[3] = left_q[3] == 16'd1;

  assign valid_o      = valid_q;
  assign addr_o       = base_q[0];
  assign count_o      = level_last[0] ? left_q[0][2:0] : step[2:0];
  assign inner_last_o = level_last[0];
  assign last_o       = &level_last;

  always_comb begin
    valid_d   = valid_q;
    step4_d   = step4_q;
    sizes_d   = sizes_q;
    left_d    = left_q;
    strides_d = strides_q;
    base_d    = base_q;
    carry     = 1'b1;
    moved     = '0;

    if (start_i) begin
      valid_d = 1'b1;
      step4_d = step4_i;
      sizes_d = sizes_i;
      left_d  = sizes_i;
      for (int i = 0; i < 4; i++) begin
        strides_d[i] = {{8{strides_i[i][15]}}, strides_i[i]} << shift_i;
        base_d[i]    = offset_i;
      end
      if (step4_i) strides_d[0] = {{8{strides_i[0][15]}}, strides_i[0]} << ({1'b0, shift_i} + 3'd2);
    end else if (next_i) begin
      valid_d = !last_o;
      // The lowest level that is not in its last iteration moves; those below begin anew there.
      for (int i = 0; i < 4; i++) begin
        if (carry && !level_last[i]) begin
          carry     = 1'b0;
          moved     = base_q[i] + strides_q[i];
          left_d[i] = left_q[i] - (i == 0 ? step : 16'd1);
          for (int j = 0; j <= i; j++) base_d[j] = moved;
          for (int j = 0; j < i; j++) left_d[j] = sizes_q[j];
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= valid_d;
  end

  always_ff @(posedge clk_i) begin
    step4_q   <= step4_d;
    sizes_q   <= sizes_d;
    left_q    <= left_d;
    strides_q <= strides_d;
    base_q    <= base_d;
  end

  // Nobody moves past the end.
  `ASSERT(NextNeedsElement_A, next_i |-> valid_q)
  // A pattern is walked to its end before the next one starts.
  `ASSERT(StartWhenFree_A, start_i |-> !valid_q || (next_i && last_o))
  // A size of zero has been refused before.
  `ASSERT(SizesAreNotZero_A, start_i |-> sizes_i[0] != 0 && sizes_i[1] != 0
          && sizes_i[2] != 0 && sizes_i[3] != 0)

endmodule
