// SPDX-License-Identifier: Apache-2.0
// MULTIPLY_MOVING, input side: one column of the moving tile a cycle from SBUF into the array.

//   cycle   start b   b + 1 + n         b + 2 + n          b + 3 + n
//           start_i   read n of SBUF    data, moving_o     moving_valid_o
//
// A new tile may start in the cycle of the last read of the one before: no gap. With a long stride
// (see tensor_check) a column is read every second cycle, at b + 1 + 2n.
`include "assert.svh"

module tensor_stream #(
  localparam int unsigned P = size_pkg::Partitions,
  parameter int unsigned First = 0   // partition in word 0 of moving_o
) (
  input  logic clk_i,
  input  logic rst_ni,

  // A new tile; only while free_o.
  input  logic start_i,
  output logic free_o,
  input  tensor_pkg::tile_t tile_i,
  output logic [1:0] halves_o,      // while !free_o: in use also in the next cycle
  output logic [1:0] planes_o,
  output logic waiting_o,           // a cycle between two reads of a long stride
  output logic busy_o,

  output row_pkg::sbuf_read_t rd_o,
  input  row_pkg::sbuf_row_t rd_data_i,

  output logic [1:0] moving_valid_o, // by half
  output logic [1:0] moving_plane_o,
  output fma_pkg::format_t moving_format_o,
  output logic [(P-First)*32-1:0] moving_o
);

  localparam int unsigned LaneBits = $clog2(P);

  logic walk_valid, walk_last, read;
  logic [23:0] walk_addr;
  logic [1:0] shift;
  defs_pkg::operand_t src;
  assign src   = tile_i.src;
  assign shift = format_pkg::element_shift(src.dtype);
  access_pattern u_walk (
    .clk_i, .rst_ni, .start_i, .operand_i(src), .sizes_i(tile_i.sizes), .shift_i(shift),
    .step4_i(1'b0), .next_i(read), .valid_o(walk_valid), .addr_o(walk_addr),
    .count_o(), .inner_last_o(), .outer_last_o(), .last_o(walk_last)
  );

  logic [1:0] data_valid_q, data_planes_q;
  logic long_q, rest_q;             // rest: the cycle after a read of a long stride
  logic [1:0] shift_q, data_shift_q;
  logic [2:0] data_byte_q;
  fma_pkg::format_t format_q, data_format_q;

  assign read       = walk_valid && !rest_q;
  assign waiting_o  = walk_valid && rest_q;
  assign free_o     = !walk_valid || (read && walk_last);
  assign rd_o       = '{valid: read, addr: walk_addr[17:0]};
  assign busy_o     = walk_valid || (|data_valid_q) || (|moving_valid_o);

  // ---------------------------------------------------------------------------------- registers
  always_ff @(posedge clk_i) begin
    if (|data_valid_q) begin
      for (int unsigned r = 0; r < P - First; r++) begin
        moving_o[32*r +: 32] <= row_pkg::element(rd_data_i[LaneBits'(First + r)], data_byte_q,
                                                 data_shift_q);
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rest_q         <= 1'b0;
      data_valid_q   <= '0;
      moving_valid_o <= '0;
    end else begin
      rest_q         <= read && long_q;
      data_valid_q   <= read ? halves_o : 2'b00;
      moving_valid_o <= data_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      halves_o <= tile_i.halves;
      planes_o <= tile_i.planes;
      long_q   <= tile_i.long_stride;
      shift_q  <= shift;
      format_q <= {tile_i.bits, fma_pkg::format_of(src.dtype, tile_i.low)};
    end
    data_planes_q  <= planes_o;
    data_byte_q    <= walk_addr[2:0];
    data_shift_q   <= shift_q;
    data_format_q  <= format_q;
    moving_plane_o <= data_planes_q;
    moving_format_o <= data_format_q;
  end

  logic unused_tile;
  assign unused_tile = ^{tile_i, walk_addr[23:18]};

  // --------------------------------------------------------------------------------- assertions
  // A tile is streamed to its end.
  `ASSERT_NOW(StartWhenFree_A, start_i -> free_o)

endmodule
