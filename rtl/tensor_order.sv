// SPDX-License-Identifier: Apache-2.0
// Reports instructions of the tensor engine as done in program order.

// Loads, tiles of the lower half of the rows, and all other tiles finish in order among themselves,
// but not among each other: a load is often through while older tiles are still in the array. The
// kind of each instruction in flight, and a count of finished ones of each kind, put them in order
// again.
`include "assert.svh"

module tensor_order #(
  localparam int unsigned Depth = 64
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic push_i,
  input  logic push_load_i,
  input  logic push_lower_i,        // a tile of the lower half
  output logic free_o,

  input  logic load_finished_i,
  input  logic tile_finished_i,
  input  logic lower_finished_i,

  output logic done_o,
  output logic empty_o
);

  localparam int unsigned PointerBits = $clog2(Depth);
  localparam int unsigned CountBits = PointerBits + 1;

  logic [Depth-1:0] is_load_d, is_load_q, is_lower_d, is_lower_q;
  logic [PointerBits-1:0] push_at_d, push_at_q, pop_at_d, pop_at_q;
  logic [CountBits-1:0] fill_d, fill_q, loads_d, loads_q, tiles_d, tiles_q, lowers_d, lowers_q;
  logic pop_load, pop_tile, pop_lower, pop;

  assign free_o  = fill_q != CountBits'(Depth);
  assign empty_o = fill_q == 0;

  always_comb begin
    is_load_d  = is_load_q;
    is_lower_d = is_lower_q;
    if (push_i) begin
      is_load_d[push_at_q]  = push_load_i;
      is_lower_d[push_at_q] = push_lower_i;
    end
    pop_load  = !empty_o && is_load_q[pop_at_q] && loads_q != 0;
    pop_tile  = !empty_o && !is_load_q[pop_at_q] && !is_lower_q[pop_at_q] && tiles_q != 0;
    pop_lower = !empty_o && is_lower_q[pop_at_q] && lowers_q != 0;
    pop       = pop_load || pop_tile || pop_lower;
    push_at_d = push_at_q + PointerBits'(push_i);
    pop_at_d  = pop_at_q + PointerBits'(pop);
    fill_d    = fill_q + CountBits'(push_i) - CountBits'(pop);
    loads_d   = loads_q + CountBits'(load_finished_i) - CountBits'(pop_load);
    tiles_d   = tiles_q + CountBits'(tile_finished_i) - CountBits'(pop_tile);
    lowers_d  = lowers_q + CountBits'(lower_finished_i) - CountBits'(pop_lower);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      is_load_q <= '0;
      is_lower_q <= '0;
      lowers_q  <= '0;
      push_at_q <= '0;
      pop_at_q  <= '0;
      fill_q    <= '0;
      loads_q   <= '0;
      tiles_q   <= '0;
      done_o    <= 1'b0;
    end else begin
      is_load_q <= is_load_d;
      is_lower_q <= is_lower_d;
      lowers_q  <= lowers_d;
      push_at_q <= push_at_d;
      pop_at_q  <= pop_at_d;
      fill_q    <= fill_d;
      loads_q   <= loads_d;
      tiles_q   <= tiles_d;
      done_o    <= pop;
    end
  end

  // --------------------------------------------------------------------------------- assertions
  // Nothing finishes that was not sent.
  `ASSERT_NOW(FinishedWasSent_A, loads_q + tiles_q + lowers_q <= fill_q)
  // The queue does not overflow.
  `ASSERT_NOW(NoOverflow_A, push_i -> free_o)

endmodule
