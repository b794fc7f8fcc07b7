// SPDX-License-Identifier: Apache-2.0
// MULTIPLY_MOVING, output side: knows where the sums that leave the array go in PSUM.

// The array cannot stall and keeps the order, so a queue of tiles in flight and one walk over the
// destination of the oldest are enough. A tile is pushed when its first column is read, hundreds of
// cycles before its first sum; the walk over the next tile starts with the last sum of this one.
// Tiles of one column may enter every cycle, and each is 2 * P + 4 cycles in flight.
`include "assert.svh"

module tensor_drain #(
  localparam int unsigned P = size_pkg::Partitions,
  localparam int unsigned Depth = 4 * P
) (
  input  logic clk_i,
  input  logic rst_ni,

  // A tile goes into the array; only while free_o.
  input  logic push_i,
  output logic free_o,
  input  tensor_pkg::tile_t tile_i,
  output logic finished_o,          // pulse: the last row of an instruction is being written
  output logic busy_o,

  input  logic sum_valid_i,
  input  logic [P*32-1:0] sum_i,

  output row_pkg::psum_write_t ps_wr_o,
  output row_pkg::lane_row_t ps_wr_data_o
);

  localparam int unsigned LaneBits = $clog2(P);
  localparam int unsigned PointerBits = $clog2(Depth);

  typedef struct packed {
    logic [23:0] offset;
    logic [63:0] strides;
    logic [63:0] sizes;
    logic accumulate;
    logic integers;
    logic report;
    logic [7:0] count;
    logic [31:0] serial;
  } tile_t;

  // -------------------------------------------------------------------------------------- queue
  tile_t queue_q [Depth];
  tile_t oldest;
  defs_pkg::operand_t dst, walked;
  logic [PointerBits-1:0] push_at_d, push_at_q, pop_at_d, pop_at_q;
  logic [PointerBits:0] fill_d, fill_q;
  logic pop;

  assign dst       = tile_i.dst;
  assign free_o    = fill_q != (PointerBits + 1)'(Depth);
  assign oldest    = queue_q[pop_at_q];
  assign push_at_d = push_at_q + PointerBits'(push_i);
  assign pop_at_d  = pop_at_q + PointerBits'(pop);
  assign fill_d    = fill_q + (PointerBits + 1)'(push_i) - (PointerBits + 1)'(pop);

  always_ff @(posedge clk_i) begin
    if (push_i) begin
      queue_q[push_at_q] <= '{offset: dst.offset,
                              strides: {dst.stride3, dst.stride2, dst.stride1, dst.stride0},
                              sizes: tile_i.sizes, accumulate: tile_i.accumulate,
                              integers: dst.dtype == defs_pkg::DtypeInt32,
                              report: tile_i.last_pass, count: tile_i.columns, serial: tile_i.serial};
    end
  end

  // --------------------------------------------------------------------------------------- walk
  logic walk_valid, walk_last;
  logic [23:0] walk_addr;
  logic accumulate_q, integers_q, report_q;
  logic [7:0] count_q;
  logic [31:0] serial_q;

  assign pop = fill_q != 0 && (!walk_valid || (sum_valid_i && walk_last));

  assign walked = {14'b0, oldest.offset, 10'b0, oldest.strides};
  access_pattern u_walk (
    .clk_i, .rst_ni, .start_i(pop), .operand_i(walked), .sizes_i(oldest.sizes), .shift_i(2'd2),
    .step4_i(1'b0), .next_i(sum_valid_i), .valid_o(walk_valid), .addr_o(walk_addr),
    .count_o(), .inner_last_o(), .outer_last_o(), .last_o(walk_last)
  );

  assign busy_o = fill_q != 0 || walk_valid || ps_wr_o.valid;

  // ---------------------------------------------------------------------------------- registers
  row_pkg::lane_row_t row;
  always_ff @(posedge clk_i) begin
    if (sum_valid_i) begin
      for (int unsigned i = 0; i < P; i++) row[LaneBits'(i)] = sum_i[32*i +: 32];
      ps_wr_data_o <= row;
    end
    if (pop) begin
      accumulate_q <= oldest.accumulate;
      integers_q   <= oldest.integers;
      report_q     <= oldest.report;
      count_q      <= oldest.count;
      serial_q         <= oldest.serial;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      push_at_q     <= '0;
      pop_at_q      <= '0;
      fill_q        <= '0;
      ps_wr_o       <= '0;
      finished_o    <= 1'b0;
    end else begin
      push_at_q     <= push_at_d;
      pop_at_q      <= pop_at_d;
      fill_q        <= fill_d;
      ps_wr_o.valid <= sum_valid_i;
      if (sum_valid_i) begin
        ps_wr_o <= '{serial: serial_q, valid: 1'b1, addr: walk_addr[17:2], accumulate: accumulate_q,
                     integers: integers_q, count: count_q};
      end
      finished_o    <= sum_valid_i && walk_last && report_q;
    end
  end

  logic unused_tile;
  assign unused_tile = ^{tile_i, dst, walk_addr[23:18], walk_addr[1:0]};

  // --------------------------------------------------------------------------------- assertions
  // Every sum has a place to go.
  `ASSERT_NOW(SumHasTile_A, sum_valid_i -> walk_valid)
  // The queue does not overflow.
  `ASSERT_NOW(NoOverflow_A, push_i -> free_o)

endmodule
