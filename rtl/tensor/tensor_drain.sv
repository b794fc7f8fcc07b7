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
  input  defs_pkg::operand_t dst_i,
  input  logic [3:0][15:0] sizes_i,
  input  logic accumulate_i,
  input  logic report_i,            // the last pass of its instruction
  input  logic [7:0] count_i,       // columns of its stationary tile
  input  logic [31:0] pc_i,
  output logic finished_o,          // pulse: the last row of an instruction is being written
  output logic busy_o,

  input  logic sum_valid_i,
  input  logic [P*32-1:0] sum_i,

  output logic ps_wr_valid_o,
  output logic [15:0] ps_wr_addr_o,
  output logic ps_wr_accumulate_o,
  output logic ps_wr_integer_o,
  output logic [7:0] ps_wr_count_o,
  output logic [31:0] ps_wr_pc_o,
  output row_pkg::lane_row_t ps_wr_data_o
);

  localparam int unsigned LaneBits = $clog2(P);
  localparam int unsigned PointerBits = $clog2(Depth);

  typedef struct packed {
    logic [23:0] offset;
    logic [3:0][15:0] strides;
    logic [3:0][15:0] sizes;
    logic accumulate;
    logic integers;
    logic report;
    logic [7:0] count;
    logic [31:0] pc;
  } tile_t;

  // -------------------------------------------------------------------------------------- queue
  tile_t queue_q [Depth];
  tile_t oldest;
  logic [PointerBits-1:0] push_at_d, push_at_q, pop_at_d, pop_at_q;
  logic [PointerBits:0] fill_d, fill_q;
  logic pop;

  assign free_o    = fill_q != (PointerBits + 1)'(Depth);
  assign oldest    = queue_q[pop_at_q];
  assign push_at_d = push_at_q + PointerBits'(push_i);
  assign pop_at_d  = pop_at_q + PointerBits'(pop);
  assign fill_d    = fill_q + (PointerBits + 1)'(push_i) - (PointerBits + 1)'(pop);

  always_ff @(posedge clk_i) begin
    if (push_i) begin
      queue_q[push_at_q] <= '{offset: dst_i.offset,
                              strides: {dst_i.stride3, dst_i.stride2, dst_i.stride1, dst_i.stride0},
                              sizes: sizes_i, accumulate: accumulate_i,
                              integers: dst_i.dtype == defs_pkg::DtypeInt32, report: report_i,
                              count: count_i, pc: pc_i};
    end
  end

  // --------------------------------------------------------------------------------------- walk
  logic walk_valid, walk_last;
  logic [23:0] walk_addr;
  logic [2:0] unused_walk_count;
  logic unused_inner_last;
  logic accumulate_q, integers_q, report_q;
  logic [7:0] count_q;
  logic [31:0] pc_q;

  assign pop = fill_q != 0 && (!walk_valid || (sum_valid_i && walk_last));

  access_pattern u_walk (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .start_i(pop), .offset_i(oldest.offset), .strides_i(oldest.strides), .sizes_i(oldest.sizes),
    .shift_i(2'd2), .step4_i(1'b0),
    .next_i(sum_valid_i), .valid_o(walk_valid), .addr_o(walk_addr),
    .count_o(unused_walk_count), .inner_last_o(unused_inner_last), .last_o(walk_last)
  );

  assign busy_o = fill_q != 0 || walk_valid || ps_wr_valid_o;

  // ---------------------------------------------------------------------------------- registers
  row_pkg::lane_row_t row;
  always_ff @(posedge clk_i) begin
    if (sum_valid_i) begin
      for (int unsigned i = 0; i < P; i++) row[LaneBits'(i)] = sum_i[32*i +: 32];
      ps_wr_data_o       <= row;
      ps_wr_addr_o       <= walk_addr[17:2];
      ps_wr_accumulate_o <= accumulate_q;
      ps_wr_integer_o    <= integers_q;
      ps_wr_count_o      <= count_q;
      ps_wr_pc_o         <= pc_q;
    end
    if (pop) begin
      accumulate_q <= oldest.accumulate;
      integers_q   <= oldest.integers;
      report_q     <= oldest.report;
      count_q      <= oldest.count;
      pc_q         <= oldest.pc;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      push_at_q     <= '0;
      pop_at_q      <= '0;
      fill_q        <= '0;
      ps_wr_valid_o <= 1'b0;
      finished_o    <= 1'b0;
    end else begin
      push_at_q     <= push_at_d;
      pop_at_q      <= pop_at_d;
      fill_q        <= fill_d;
      ps_wr_valid_o <= sum_valid_i;
      finished_o    <= sum_valid_i && walk_last && report_q;
    end
  end

  logic unused_dst;
  assign unused_dst = ^{dst_i.space, dst_i.partition, dst_i.reserved,
                        walk_addr[23:18], walk_addr[1:0]};

  // --------------------------------------------------------------------------------- assertions
  // Every sum has a place to go.
  `ASSERT_NOW(SumHasTile_A, sum_valid_i -> walk_valid)
  // The queue does not overflow.
  `ASSERT_NOW(NoOverflow_A, push_i -> free_o)

endmodule
