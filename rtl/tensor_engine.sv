// SPDX-License-Identifier: Apache-2.0
// LOAD_STATIONARY and MULTIPLY_MOVING control around the array.

//   instr --> head (checked) --+--> load slot   --> tensor_load   --ts_rd--> u_array --> tensor_drain --> psum
//                              +--> moving slot --> tensor_stream --tm_rd-----^            ^
//                              |                        +---- tile in flight -------------+
//                              +--> order of completion --> done
//
// Loads fill the plane that the last load did not, while the other one computes. Both units run at
// the same time; with new weights for every tile, tiles issue every
//
//   max(min(P/2, N_stationary), N_moving) cycles
//
// if the stationary columns can be read several at a time (stride0 = 1; 1- and 2-byte formats: offset
// and runs multiples of four elements; 4-byte formats: of two), else N_stationary takes the place of
// min(P/2, N_stationary).
//
// An fp32 tile is loaded twice, low halves into one plane and high halves into the other, and its
// moving tile goes through four times, each time onto PSUM: low x low, low x high (stationary x
// moving), high x low, high x high. The head counts the passes; to all else they are tiles.
//
//   planes    A: low'   |  A in use: low.low' low.high'  | A: low of the next
//             B:          high' (background)             | B in use: high.low' high.high'
//
// Very short tiles pay for the
// instruction port: two cycles per instruction, plus the three that a load leads its first user by.
//
// When may what start? (a, b: cycle of start_i of load and stream; see the tables in their files)
//   load into plane p     after the last read of every tile that uses p: a >= b + N
//   stream from plane p   three cycles after the load of p started: b >= a + 3
// which is exactly what the diagonal of weights in tensor_array needs.
//
// An instruction is checked whole before anything happens. A bad one waits until its elders are
// done, then the engine stops for good with cause and pc.
`include "assert.svh"

module tensor_engine #(
  localparam int unsigned P = size_pkg::Partitions
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic instr_valid_i,
  output logic instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0] pc_i,

  output logic done_o,
  output logic error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0] error_pc_o,
  output logic busy_o,

  input  logic count_rd_i,           // tensor_counters
  input  logic [2:0] count_index_i,
  output logic [47:0] count_o,

  output logic ts_rd_valid_o,
  output logic [17:0] ts_rd_addr_o,
  input  row_pkg::sbuf_row_t ts_rd_data_i,

  output logic tm_rd_valid_o,
  output logic [17:0] tm_rd_addr_o,
  input  row_pkg::sbuf_row_t tm_rd_data_i,

  output logic ps_wr_valid_o,
  output logic [15:0] ps_wr_addr_o,
  output logic ps_wr_accumulate_o,
  output logic ps_wr_integer_o,
  output logic [7:0] ps_wr_count_o,
  output logic [31:0] ps_wr_pc_o,
  output row_pkg::lane_row_t ps_wr_data_o
);

  localparam int unsigned GroupBits = P > 4 ? $clog2(P / 4) : 1;

  // --------------------------------------------------------------------------------------- head
  // One instruction: taken in the first cycle, checked in the second, sent on from the third.
  logic head_valid_d, head_valid_q, checked_d, checked_q;
  defs_pkg::instr_t head_q;
  logic [31:0] head_pc_q;
  defs_pkg::error_cause_e cause_d, cause_q;
  logic [7:0] columns_d, columns_q;
  logic fast_d, fast_q, pair_d, pair_q;
  logic take, send, finish, head_is_load, head_fp32, last_pass;
  logic [1:0] pass_d, pass_q;       // of an fp32 instruction: bit 1 stationary, bit 0 moving high

  // The last load sent: what a MULTIPLY_MOVING has to fit.
  logic loaded_q, plane_q;
  logic [7:0] loaded_partitions_q, loaded_first_q, loaded_columns_q;
  logic [3:0] loaded_dtype_q;

  assign head_fp32     = head_q.src0.dtype == defs_pkg::DtypeFp32;
  assign last_pass     = !head_fp32 || pass_q == (head_is_load ? 2'd1 : 2'd3);
  assign finish        = send && last_pass;
  assign pass_d        = finish ? 2'd0 : pass_q + {1'b0, send};
  assign head_is_load  = head_q.opcode == defs_pkg::OpcodeLoadStationary;
  assign instr_ready_o = (!head_valid_q || finish) && !error_valid_o;
  assign take          = instr_valid_i && instr_ready_o;
  assign head_valid_d  = take || (head_valid_q && !finish);
  assign checked_d     = head_valid_q && !finish;

  tensor_check u_check (
    .valid_i(head_valid_q && !checked_q), .instr_i(head_q),
    .loaded_i(loaded_q), .loaded_partitions_i(loaded_partitions_q),
    .loaded_first_i(loaded_first_q), .loaded_columns_i(loaded_columns_q),
    .loaded_dtype_i(loaded_dtype_q),
    .cause_o(cause_d), .columns_o(columns_d), .fast_o(fast_d), .pair_o(pair_d)
  );

  // -------------------------------------------------------------------------------------- slots
  logic load_valid_d, load_valid_q, load_plane_q, load_fast_q, load_pair_q, load_low_q, load_report_q;
  logic moving_low_q, moving_report_q;
  defs_pkg::operand_t load_src_q, moving_src_q, moving_dst_q;
  logic [3:0][15:0] load_sizes_q, moving_sizes_q;
  logic [7:0] load_columns_q, load_partitions_q, moving_count_q;
  logic moving_valid_d, moving_valid_q, moving_plane_q, moving_accumulate_q;
  logic [31:0] moving_pc_q;
  logic send_load, send_moving, load_start, moving_start;
  logic load_free, stream_free, stream_plane, drain_free, order_free;

  // A load of plane p has this much lead: 2 means that a stream from p may start.
  logic [1:0][1:0] lead_d, lead_q;
  // Cycles until a further load of plane p cannot meet groups of the last one in the array.
  logic [1:0][7:0] guard_d, guard_q;

  assign send_load   = checked_q && cause_q == defs_pkg::ErrorCauseNone && head_is_load
                       && !load_valid_q && order_free;
  // Only after its load has started, so that `lead` is that of its own load.
  assign send_moving = checked_q && cause_q == defs_pkg::ErrorCauseNone && !head_is_load
                       && !moving_valid_q && !load_valid_q && order_free;
  assign send        = send_load || send_moving;

  assign load_start   = load_valid_q && load_free && guard_q[load_plane_q] == 0
                        && !(moving_valid_q && moving_plane_q == load_plane_q)
                        && (stream_free || stream_plane != load_plane_q);
  assign moving_start = moving_valid_q && stream_free && drain_free && lead_q[moving_plane_q] == 2'd2;

  assign load_valid_d   = send_load || (load_valid_q && !load_start);
  assign moving_valid_d = send_moving || (moving_valid_q && !moving_start);

  always_comb begin
    lead_d  = lead_q;
    guard_d = guard_q;
    for (int p = 0; p < 2; p++) begin
      if (lead_q[p] != 2'd2) lead_d[p] = lead_q[p] + 2'd1;
      if (guard_q[p] != 0) guard_d[p] = guard_q[p] - 8'd1;
    end
    if (load_start) begin
      lead_d[load_plane_q]  = 2'd0;
      guard_d[load_plane_q] = (load_columns_q - 8'd1) | 8'd3;
    end
  end

  // -------------------------------------------------------------------------------------- units
  logic load_finished, load_busy, stream_busy, tile_finished, drain_busy, array_busy;
  logic group_valid, group_plane, vector_valid, vector_plane, sum_valid;
  logic [GroupBits-1:0] group;
  logic [7:0] group_ahead, group_first, group_count;
  fma_pkg::format_t group_format, vector_format;
  logic [P*128-1:0] group_data;
  logic [P*32-1:0] vector;
  logic [P*32-1:0] sum;

  tensor_load u_load (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .start_i(load_start), .free_o(load_free), .src_i(load_src_q), .sizes_i(load_sizes_q),
    .columns_i(load_columns_q), .partitions_i(load_partitions_q), .fast_i(load_fast_q), .pair_i(load_pair_q),
    .low_i(load_low_q), .report_i(load_report_q),
    .plane_i(load_plane_q), .finished_o(load_finished), .busy_o(load_busy),
    .rd_valid_o(ts_rd_valid_o), .rd_addr_o(ts_rd_addr_o), .rd_data_i(ts_rd_data_i),
    .load_valid_o(group_valid), .load_plane_o(group_plane), .load_group_o(group),
    .load_ahead_o(group_ahead), .load_first_o(group_first), .load_count_o(group_count),
    .load_format_o(group_format), .load_o(group_data)
  );

  tensor_stream u_stream (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .start_i(moving_start), .free_o(stream_free), .src_i(moving_src_q), .sizes_i(moving_sizes_q),
    .low_i(moving_low_q), .plane_i(moving_plane_q), .plane_o(stream_plane), .busy_o(stream_busy),
    .rd_valid_o(tm_rd_valid_o), .rd_addr_o(tm_rd_addr_o), .rd_data_i(tm_rd_data_i),
    .moving_valid_o(vector_valid), .moving_plane_o(vector_plane),
    .moving_format_o(vector_format), .moving_o(vector)
  );

  tensor_array u_array (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .load_valid_i(group_valid), .load_plane_i(group_plane), .load_group_i(group),
    .load_ahead_i(group_ahead), .load_first_i(group_first), .load_count_i(group_count),
    .load_format_i(group_format), .load_i(group_data),
    .moving_valid_i(vector_valid), .moving_plane_i(vector_plane),
    .moving_format_i(vector_format), .moving_i(vector),
    .sum_valid_o(sum_valid), .sum_o(sum), .busy_o(array_busy)
  );

  tensor_drain u_drain (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .push_i(moving_start), .free_o(drain_free), .dst_i(moving_dst_q), .sizes_i(moving_sizes_q),
    .accumulate_i(moving_accumulate_q), .report_i(moving_report_q), .count_i(moving_count_q), .pc_i(moving_pc_q),
    .finished_o(tile_finished), .busy_o(drain_busy),
    .sum_valid_i(sum_valid), .sum_i(sum),
    .ps_wr_valid_o(ps_wr_valid_o), .ps_wr_addr_o(ps_wr_addr_o),
    .ps_wr_accumulate_o(ps_wr_accumulate_o), .ps_wr_integer_o(ps_wr_integer_o),
    .ps_wr_count_o(ps_wr_count_o),
    .ps_wr_pc_o(ps_wr_pc_o), .ps_wr_data_o(ps_wr_data_o)
  );

  // ---------------------------------------------------------------------------------- completion
  logic order_empty;
  tensor_order u_order (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .push_i(finish), .push_load_i(head_is_load), .free_o(order_free),
    .load_finished_i(load_finished), .tile_finished_i(tile_finished),
    .done_o(done_o), .empty_o(order_empty)
  );

  logic stop;
  assign stop   = checked_q && cause_q != defs_pkg::ErrorCauseNone && order_empty && !done_o;
  assign busy_o = (head_valid_q && !error_valid_o) || load_valid_q || moving_valid_q || load_busy
                  || stream_busy || array_busy || drain_busy || !order_empty || done_o;

  // ----------------------------------------------------------------------------------- counters
  logic [15:0] moving_work_q, stream_work_q;  // rows x columns: of the slot, of the stream
  tensor_counters u_counters (
    .clk_i(clk_i), .rst_ni(rst_ni), .active_i(busy_o),
    .moving_i(tm_rd_valid_o), .work_i(stream_work_q), .load_i(ts_rd_valid_o),
    .tile_here_i(moving_valid_q || (head_valid_q && !head_is_load)),
    .rd_i(count_rd_i), .rd_index_i(count_index_i), .rd_value_o(count_o)
  );

  // ---------------------------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_valid_q   <= 1'b0;
      checked_q      <= 1'b0;
      cause_q        <= defs_pkg::ErrorCauseNone;
      loaded_q       <= 1'b0;
      plane_q        <= 1'b0;
      pass_q         <= '0;
      load_valid_q   <= 1'b0;
      moving_valid_q <= 1'b0;
      lead_q         <= '0;
      guard_q        <= '0;
      error_valid_o  <= 1'b0;
      error_cause_o  <= defs_pkg::ErrorCauseNone;
      error_pc_o     <= '0;
    end else begin
      head_valid_q   <= head_valid_d;
      checked_q      <= checked_d;
      pass_q         <= pass_d;
      if (head_valid_q && !checked_q) cause_q <= cause_d;
      if (send_load) begin
        loaded_q <= 1'b1;
        plane_q  <= !plane_q;
      end
      load_valid_q   <= load_valid_d;
      moving_valid_q <= moving_valid_d;
      lead_q         <= lead_d;
      guard_q        <= guard_d;
      if (stop && !error_valid_o) begin
        error_valid_o <= 1'b1;
        error_cause_o <= cause_q;
        error_pc_o    <= head_pc_q;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      head_q    <= instr_i;
      head_pc_q <= pc_i;
    end
    if (head_valid_q && !checked_q) begin
      columns_q <= columns_d;
      fast_q    <= fast_d;
      pair_q    <= pair_d;
    end
    if (send_load) begin
      loaded_partitions_q <= head_q.partitions;
      loaded_first_q      <= head_q.src0.partition;
      loaded_columns_q    <= columns_q;
      loaded_dtype_q      <= head_q.src0.dtype;
      load_src_q          <= head_q.src0;
      load_sizes_q        <= {head_q.size3, head_q.size2, head_q.size1, head_q.size0};
      load_columns_q      <= columns_q;
      load_partitions_q   <= head_q.partitions;
      load_fast_q         <= fast_q;
      load_pair_q         <= pair_q;
      load_plane_q        <= !plane_q;
      load_low_q          <= !pass_q[0];
      load_report_q       <= last_pass;
    end
    if (send_moving) begin
      moving_src_q        <= head_q.src0;
      moving_dst_q        <= head_q.dst;
      moving_sizes_q      <= {head_q.size3, head_q.size2, head_q.size1, head_q.size0};
      moving_accumulate_q <= head_q.accumulate || pass_q != 0;
      moving_low_q        <= !pass_q[0];
      moving_report_q     <= last_pass;
      moving_count_q      <= loaded_columns_q;
      moving_work_q       <= 16'(loaded_columns_q) * 16'(loaded_partitions_q);
      // The last load went into plane_q; the low halves of fp32 into the one before.
      moving_plane_q      <= plane_q ^ (head_fp32 && !pass_q[1]);
      moving_pc_q         <= head_pc_q;
    end
    if (moving_start) stream_work_q <= moving_work_q;
  end

  // --------------------------------------------------------------------------------- assertions
  // A stopped engine stays stopped and says why.
  `ASSERT(ErrorHasCause_A, error_valid_o |-> error_cause_o != defs_pkg::ErrorCauseNone)
  // After an error nothing is done any more.
  `ASSERT(NothingAfterError_A, error_valid_o |-> !done_o && !send)

endmodule
