// SPDX-License-Identifier: Apache-2.0
// LOAD_STATIONARY and MULTIPLY_MOVING around the array. Wiring, in the order of the data path.

//   instr --> tensor_head --+--> load slot   --> tensor_load ----ts_rd--> u_array --> 2 x tensor_drain
//         2 x tensor_check  +--> moving slot --> 2 x tensor_stream --tm_rd, tl_rd--^         |  ^
//                           |      tensor_issue: when                                        v  |
//                           +--> tensor_order: done in order of the program               psum  |
//                                                 tile in flight -------------------------------+
//
// Loads fill the plane that the last load did not, while the other one computes. All units run at
// the same time; with new weights for every tile, tiles issue every
//
//   max(min(P/2, N_stationary), N_moving) cycles
//
// if the stationary columns can be read several at a time (stride0 = 1; 1- and 2-byte formats: offset
// and runs multiples of four elements; 4-byte formats: of two), else N_stationary takes the place of
// min(P/2, N_stationary). Tiles of at most P/2 rows run two at a time, one in each half of the rows.
// The port takes one instruction a cycle, or a LOAD_STATIONARY and the MULTIPLY_MOVING after it: what a
// stream of tiles of one column needs.
//
// An instruction is checked whole before anything happens. A bad one waits until older instructions are
// done, then the engine stops for good with cause and serial.
`include "assert.svh"

module tensor_engine #(
  localparam int unsigned P = size_pkg::Partitions
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic instr_valid_i,
  output logic instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0] serial_i,
  input  logic second_valid_i,       // instr_i is a load, and this the multiply at serial_i + 1
  input  defs_pkg::instr_t second_i,

  output logic [1:0] done_o,         // how many instructions, at most two
  output logic error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0] error_serial_o,
  output logic busy_o,

  input  logic count_rd_i,           // tensor_counters
  input  logic [2:0] count_index_i,
  output logic [47:0] count_o,

  output row_pkg::sbuf_read_t ts_rd_o,
  input  row_pkg::sbuf_row_t ts_rd_data_i,
  output row_pkg::sbuf_read_t tm_rd_o,
  input  row_pkg::sbuf_row_t tm_rd_data_i,
  output row_pkg::sbuf_read_t tl_rd_o,   // a tile in the lower half of the partitions
  input  row_pkg::sbuf_row_t tl_rd_data_i,

  output row_pkg::psum_write_t ps_wr_o,
  output row_pkg::lane_row_t ps_wr_data_o,
  output row_pkg::psum_write_t pl_wr_o,
  output row_pkg::lane_row_t pl_wr_data_o
);

  localparam int unsigned GroupBits = P > 4 ? $clog2(P / 4) : 1;

  // ----------------------------------------------------------------------- head, slots, start
  logic load_valid, moving_valid, moving_behind, load_start, load_quick, load_free;
  logic push_load, push_multiply, push_lower, order_free, order_empty;
  logic multiply_waits, head_busy, bank_wait;
  logic [1:0] moving_start, stream_free, drain_free, stream0_halves, stream0_planes;
  logic [1:0] stream1_planes, unused_stream1_halves;
  tensor_pkg::tile_t load_tile, moving_tile;

  logic check_valid, loaded_both, second_check_valid, second_loaded_both;
  defs_pkg::instr_t first, second;
  defs_pkg::error_cause_e cause, second_cause;
  tensor_pkg::loaded_t loaded, second_loaded;
  tensor_pkg::checked_t checked, second_checked;

  tensor_head u_head (
    .clk_i, .rst_ni, .instr_valid_i, .instr_ready_o, .instr_i, .serial_i, .second_valid_i, .second_i,
    .check_valid_o(check_valid), .instr_o(first), .loaded_o(loaded), .loaded_both_o(loaded_both),
    .cause_i(cause), .checked_i(checked),
    .second_check_valid_o(second_check_valid), .second_o(second), .second_loaded_o(second_loaded),
    .second_loaded_both_o(second_loaded_both),
    .second_cause_i(second_cause), .second_checked_i(second_checked),
    .load_valid_o(load_valid), .load_o(load_tile), .load_start_i(load_start),
    .moving_valid_o(moving_valid), .moving_o(moving_tile), .moving_behind_o(moving_behind),
    .moving_start_i(|moving_start),
    .push_load_o(push_load), .push_multiply_o(push_multiply), .push_lower_o(push_lower),
    .order_free_i(order_free), .order_empty_i(order_empty && done_o == 0),
    .error_valid_o, .error_cause_o, .error_serial_o,
    .multiply_waits_o(multiply_waits), .busy_o(head_busy)
  );

  tensor_check u_check (
    .valid_i(check_valid), .instr_i(first), .loaded_i(loaded), .loaded_both_i(loaded_both),
    .cause_o(cause), .checked_o(checked)
  );

  tensor_check u_second_check (
    .valid_i(second_check_valid), .instr_i(second), .loaded_i(second_loaded),
    .loaded_both_i(second_loaded_both), .cause_o(second_cause), .checked_o(second_checked)
  );

  tensor_issue u_issue (
    .clk_i, .rst_ni,
    .load_valid_i(load_valid), .load_i(load_tile), .load_free_i(load_free),
    .load_start_o(load_start), .load_quick_o(load_quick),
    .moving_valid_i(moving_valid), .moving_i(moving_tile), .moving_behind_i(moving_behind),
    .stream_free_i(stream_free),
    .stream0_halves_i(stream0_halves), .stream0_planes_i(stream0_planes),
    .stream1_plane_i(stream1_planes[1]), .drain_free_i(drain_free),
    .moving_start_o(moving_start), .bank_wait_o(bank_wait)
  );

  // -------------------------------------------------------------------------------------- units
  logic load_finished, load_busy, tile_finished, lower_finished, array_busy;
  logic [1:0] stream_busy, drain_busy, rest;
  logic [1:0] group_valid, group_plane, vector_valid, vector_planes, lower_valid, lower_planes;
  logic sum_valid, lower_sum_valid;
  logic [GroupBits-1:0] group;
  logic [7:0] group_ahead, group_first, group_count;
  fma_pkg::format_t group_format, vector_format, lower_format;
  logic [P*128-1:0] group_data;
  logic [P*32-1:0] vector, sum, lower_sum;
  logic [P*16-1:0] lower_vector;

  // Stream 1 only ever has the lower half.
  logic unused_planes;
  assign unused_planes = ^{stream1_planes[0], lower_planes[0]};

  tensor_load u_load (
    .clk_i, .rst_ni,
    .start_i(load_start), .free_o(load_free), .tile_i(load_tile), .quick_i(load_quick),
    .finished_o(load_finished), .busy_o(load_busy),
    .rd_o(ts_rd_o), .rd_data_i(ts_rd_data_i),
    .load_valid_o(group_valid), .load_plane_o(group_plane), .load_group_o(group),
    .load_ahead_o(group_ahead), .load_first_o(group_first), .load_count_o(group_count),
    .load_format_o(group_format), .load_o(group_data)
  );

  tensor_stream u_stream (
    .clk_i, .rst_ni,
    .start_i(moving_start[0]), .free_o(stream_free[0]), .tile_i(moving_tile),
    .halves_o(stream0_halves), .planes_o(stream0_planes), .waiting_o(rest[0]),
    .busy_o(stream_busy[0]), .rd_o(tm_rd_o), .rd_data_i(tm_rd_data_i),
    .moving_valid_o(vector_valid), .moving_plane_o(vector_planes),
    .moving_format_o(vector_format), .moving_o(vector)
  );

  tensor_stream #(.First(P / 2)) u_lower_stream (
    .clk_i, .rst_ni,
    .start_i(moving_start[1]), .free_o(stream_free[1]), .tile_i(moving_tile),
    .halves_o(unused_stream1_halves), .planes_o(stream1_planes), .waiting_o(rest[1]),
    .busy_o(stream_busy[1]), .rd_o(tl_rd_o), .rd_data_i(tl_rd_data_i),
    .moving_valid_o(lower_valid), .moving_plane_o(lower_planes),
    .moving_format_o(lower_format), .moving_o(lower_vector)
  );

  tensor_array u_array (
    .clk_i, .rst_ni,
    .load_valid_i(group_valid), .load_plane_i(group_plane), .load_group_i(group),
    .load_ahead_i(group_ahead), .load_first_i(group_first), .load_count_i(group_count),
    .load_format_i(group_format), .load_i(group_data),
    .moving_valid_i(vector_valid | lower_valid),
    .moving_plane_i({lower_valid[1] ? lower_planes[1] : vector_planes[1], vector_planes[0]}),
    .moving_full_i(&vector_valid), .moving_format_i(vector_format), .moving_i(vector),
    .lower_format_i(lower_format), .lower_i(lower_vector),
    .sum_valid_o(sum_valid), .sum_o(sum),
    .lower_sum_valid_o(lower_sum_valid), .lower_sum_o(lower_sum), .busy_o(array_busy)
  );

  tensor_drain u_drain (
    .clk_i, .rst_ni,
    .push_i(moving_start[0]), .free_o(drain_free[0]), .tile_i(moving_tile),
    .finished_o(tile_finished), .busy_o(drain_busy[0]), .sum_valid_i(sum_valid), .sum_i(sum),
    .ps_wr_o(ps_wr_o), .ps_wr_data_o(ps_wr_data_o)
  );

  tensor_drain u_lower_drain (
    .clk_i, .rst_ni,
    .push_i(moving_start[1]), .free_o(drain_free[1]), .tile_i(moving_tile),
    .finished_o(lower_finished), .busy_o(drain_busy[1]), .sum_valid_i(lower_sum_valid), .sum_i(lower_sum),
    .ps_wr_o(pl_wr_o), .ps_wr_data_o(pl_wr_data_o)
  );

  // ---------------------------------------------------------------------------------- completion
  tensor_order u_order (
    .clk_i, .rst_ni,
    .push_load_i(push_load), .push_multiply_i(push_multiply), .push_lower_i(push_lower),
    .free_o(order_free),
    .load_finished_i(load_finished), .tile_finished_i(tile_finished),
    .lower_finished_i(lower_finished), .done_o, .empty_o(order_empty)
  );

  assign busy_o = head_busy || load_busy || (|stream_busy) || array_busy || (|drain_busy)
                  || !order_empty || done_o != 0;

  // ----------------------------------------------------------------------------------- counters
  logic [15:0] work0_q, work1_q;    // rows x columns of the tile in each stream
  tensor_counters u_counters (
    .clk_i, .rst_ni, .active_i(busy_o),
    .moving_i({tl_rd_o.valid, tm_rd_o.valid}), .work0_i(work0_q), .work1_i(work1_q),
    .load_i(ts_rd_o.valid), .port_wait_i((|rest) || bank_wait), .tile_here_i(multiply_waits),
    .rd_i(count_rd_i), .rd_index_i(count_index_i), .rd_value_o(count_o)
  );
  always_ff @(posedge clk_i) begin
    if (moving_start[0]) work0_q <= 16'(moving_tile.partitions) * 16'(moving_tile.columns);
    if (moving_start[1]) work1_q <= 16'(moving_tile.partitions) * 16'(moving_tile.columns);
  end

  // --------------------------------------------------------------------------------- assertions
  // Two vectors in one cycle are in different halves of the rows.
  `ASSERT_NOW(HalvesApart_A, (vector_valid & lower_valid) == 2'b00)
  // After an error nothing is done any more.
  `ASSERT_NOW(NothingAfterError_A, error_valid_o -> done_o == 0)

endmodule
