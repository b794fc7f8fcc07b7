// SPDX-License-Identifier: Apache-2.0
// MULTIPLY_MOVING, input side: one column of the moving tile a cycle from SBUF into the array.

//   cycle   start b   b + 1 + n         b + 2 + n          b + 3 + n
//           start_i   read n of SBUF    data, moving_o     moving_valid_o
//
// A new tile may start in the cycle of the last read of the one before: no gap.
`include "assert.svh"

module tensor_stream #(
  localparam int unsigned P = size_pkg::Partitions
) (
  input  logic clk_i,
  input  logic rst_ni,

  // A new tile; only while free_o.
  input  logic start_i,
  output logic free_o,
  input  defs_pkg::operand_t src_i,
  input  logic [3:0][15:0] sizes_i,
  input  logic low_i,               // fp32: take the low halves
  input  logic plane_i,
  output logic plane_o,             // while !free_o: the plane in use also in the next cycle
  output logic busy_o,

  output logic rd_valid_o,
  output logic [17:0] rd_addr_o,
  input  row_pkg::sbuf_row_t rd_data_i,

  output logic moving_valid_o,
  output logic moving_plane_o,
  output fma_pkg::format_t moving_format_o,
  output logic [P*32-1:0] moving_o
);

  localparam int unsigned LaneBits = $clog2(P);

  logic walk_valid, walk_last;
  logic [23:0] walk_addr;
  logic [2:0] unused_walk_count;
  logic unused_inner_last;
  logic [1:0] shift;
  assign shift = operand_check_pkg::element_shift(src_i.dtype);
  access_pattern u_walk (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .start_i(start_i), .offset_i(src_i.offset),
    .strides_i({src_i.stride3, src_i.stride2, src_i.stride1, src_i.stride0}), .sizes_i(sizes_i),
    .shift_i(shift), .step4_i(1'b0),
    .next_i(walk_valid), .valid_o(walk_valid), .addr_o(walk_addr),
    .count_o(unused_walk_count), .inner_last_o(unused_inner_last), .last_o(walk_last)
  );

  logic plane_d, plane_q, data_valid_q, data_plane_q;
  logic [1:0] shift_d, shift_q, data_shift_q;
  logic [2:0] data_byte_q;
  fma_pkg::format_t format_d, format_q, data_format_q;

  assign shift_d    = start_i ? shift : shift_q;
  assign format_d   = start_i ? fma_pkg::format_of(src_i.dtype, low_i) : format_q;
  assign plane_d    = start_i ? plane_i : plane_q;
  assign plane_o    = plane_q;
  assign free_o     = !walk_valid || walk_last;
  assign rd_valid_o = walk_valid;
  assign rd_addr_o  = walk_addr[17:0];
  assign busy_o     = walk_valid || data_valid_q || moving_valid_o;

  // ---------------------------------------------------------------------------------- registers
  always_ff @(posedge clk_i) begin
    if (data_valid_q) begin
      for (int unsigned r = 0; r < P; r++) begin
        moving_o[32*r +: 32] <= row_pkg::element(rd_data_i[LaneBits'(r)], data_byte_q, data_shift_q);
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      data_valid_q   <= 1'b0;
      moving_valid_o <= 1'b0;
    end else begin
      data_valid_q   <= walk_valid;
      moving_valid_o <= data_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    plane_q        <= plane_d;
    data_plane_q   <= plane_q;
    shift_q        <= shift_d;
    format_q       <= format_d;
    data_byte_q    <= walk_addr[2:0];
    data_shift_q   <= shift_q;
    data_format_q  <= format_q;
    moving_plane_o <= data_plane_q;
    moving_format_o <= data_format_q;
  end

  logic unused_src;
  assign unused_src = ^{src_i.space, src_i.partition, src_i.reserved, walk_addr[23:18]};

  // --------------------------------------------------------------------------------- assertions
  // A tile is streamed to its end.
  `ASSERT(StartWhenFree_A, start_i |-> free_o)

endmodule
