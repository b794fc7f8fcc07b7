// SPDX-License-Identifier: Apache-2.0
// Reports instructions of the tensor engine as done in program order.

// Loads, tiles of the lower half of the rows, and all other tiles finish in order among themselves,
// but not among each other: a load is often through while older tiles are still in the array. The
// kind of each instruction in flight, and a count of finished ones of each kind, put them in order
// again. Up to two a cycle come and go, a load and its multiply.
`include "assert.svh"

module tensor_order #(
  localparam int unsigned P = size_pkg::Partitions,
  localparam int unsigned Depth = 8 * P  // a tile and its load in each of the 2 * P + 8 cycles
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic push_load_i,
  input  logic push_multiply_i,     // with push_load_i: the younger one
  input  logic push_lower_i,        // it is a tile of the lower half
  output logic free_o,              // for two

  input  logic load_finished_i,
  input  logic tile_finished_i,
  input  logic lower_finished_i,

  output logic [1:0] done_o,        // how many
  output logic empty_o
);

  localparam int unsigned PointerBits = $clog2(Depth);
  localparam int unsigned CountBits = PointerBits + 1;
  localparam logic [1:0] KindLoad = 2'd0, KindTile = 2'd1, KindLower = 2'd2;

  logic [1:0] kind_q [Depth];
  logic [1:0] kind0, kind1;         // the two oldest
  logic [PointerBits-1:0] push_at_d, push_at_q, pop_at_d, pop_at_q;
  logic [CountBits-1:0] fill_d, fill_q, loads_d, loads_q, tiles_d, tiles_q, lowers_d, lowers_q;
  logic [1:0] pushed, popped;
  logic pop0, pop1;

  assign free_o  = fill_q < CountBits'(Depth - 1);
  assign empty_o = fill_q == 0;
  assign kind0   = kind_q[pop_at_q];
  assign kind1   = kind_q[pop_at_q + PointerBits'(1)];

  always_comb begin
    pop0      = !empty_o && ((kind0 == KindLoad && loads_q != 0) || (kind0 == KindTile && tiles_q != 0)
                             || (kind0 == KindLower && lowers_q != 0));
    // Two of one kind would need a count of two.
    pop1      = pop0 && fill_q != CountBits'(1) && kind1 != kind0
                && ((kind1 == KindLoad && loads_q != 0) || (kind1 == KindTile && tiles_q != 0)
                    || (kind1 == KindLower && lowers_q != 0));
    pushed    = {1'b0, push_load_i} + {1'b0, push_multiply_i};
    popped    = {1'b0, pop0} + {1'b0, pop1};
    push_at_d = push_at_q + PointerBits'(pushed);
    pop_at_d  = pop_at_q + PointerBits'(popped);
    fill_d    = fill_q + CountBits'(pushed) - CountBits'(popped);
    loads_d   = loads_q + CountBits'(load_finished_i)
                - CountBits'((pop0 && kind0 == KindLoad) || (pop1 && kind1 == KindLoad));
    tiles_d   = tiles_q + CountBits'(tile_finished_i)
                - CountBits'((pop0 && kind0 == KindTile) || (pop1 && kind1 == KindTile));
    lowers_d  = lowers_q + CountBits'(lower_finished_i)
                - CountBits'((pop0 && kind0 == KindLower) || (pop1 && kind1 == KindLower));
  end

  always_ff @(posedge clk_i) begin
    if (push_load_i) kind_q[push_at_q] <= KindLoad;
    if (push_multiply_i) begin
      kind_q[push_at_q + PointerBits'(push_load_i)] <= push_lower_i ? KindLower : KindTile;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lowers_q  <= '0;
      push_at_q <= '0;
      pop_at_q  <= '0;
      fill_q    <= '0;
      loads_q   <= '0;
      tiles_q   <= '0;
      done_o    <= '0;
    end else begin
      lowers_q  <= lowers_d;
      push_at_q <= push_at_d;
      pop_at_q  <= pop_at_d;
      fill_q    <= fill_d;
      loads_q   <= loads_d;
      tiles_q   <= tiles_d;
      done_o    <= popped;
    end
  end

  // --------------------------------------------------------------------------------- assertions
  // Nothing finishes that was not sent.
  `ASSERT_NOW(FinishedWasSent_A, loads_q + tiles_q + lowers_q <= fill_q)
  // The queue does not overflow.
  `ASSERT_NOW(NoOverflow_A, push_load_i || push_multiply_i -> free_o)

endmodule
