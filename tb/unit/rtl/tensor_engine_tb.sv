// SPDX-License-Identifier: Apache-2.0
// Tensor engine between SBUF and PSUM, as in the core, for tensor_engine_test.
module tensor_engine_tb (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic instr_valid_i,
  output logic instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0] serial_i,
  input  logic second_valid_i,
  input  defs_pkg::instr_t second_i,

  output logic [1:0] done_o,
  output logic error_valid_o,
  output logic [7:0] error_cause_o,
  output logic [31:0] error_serial_o,
  output logic busy_o,

  input  logic count_rd_i,
  input  logic [2:0] count_index_i,
  output logic [47:0] count_o,

  // Contents of SBUF.
  input  logic req_valid_i,
  output logic req_ready_o,
  input  size_pkg::mem_req_t req_i,

  // PSUM as the vector and the activation engine read it.
  input  logic v_rd_valid_i,
  output logic v_rd_ready_o,
  input  logic [15:0] v_rd_addr_i,
  input  logic a_rd_valid_i,
  output logic a_rd_ready_o,
  input  logic [15:0] a_rd_addr_i,
  output logic [31:0] rd_data_o [size_pkg::Partitions],

  output logic commit_valid_o,
  output logic [31:0] commit_serial_o,
  output logic [31:0] commit_addr_o,
  output logic [7:0] commit_count_o,
  output logic [31:0] commit_data_o [size_pkg::Partitions],

  // Rows of tiles in the lower half of the array's rows.
  output logic lower_valid_o,
  output logic [31:0] lower_serial_o,
  output logic [31:0] lower_addr_o,
  output logic [7:0] lower_count_o,
  output logic [31:0] lower_data_o [size_pkg::Partitions],

  // Looking into the array.
  output logic moving_read_o,   // a moving column is being read
  output logic lower_read_o,    // ... of a tile in the lower half
  input  logic [7:0] probe_row_i,
  input  logic [7:0] probe_col_i,
  output logic [31:0] probe_moving_o,
  output logic [31:0] probe_psum_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam int unsigned Bits = $clog2(P);

  row_pkg::sbuf_read_t ts_rd, tm_rd, tl_rd;
  row_pkg::sbuf_row_t ts_rd_data, tm_rd_data, tl_rd_data, unused_v, unused_a;
  row_pkg::psum_write_t ps_wr, pl_wr;
  row_pkg::lane_row_t ps_wr_data, pl_wr_data, no_data;
  assign no_data = '{default: '0};
  logic unused_probe;
  assign unused_probe = ^{probe_row_i, probe_col_i};
  logic unused_rsp_valid;
  size_pkg::mem_rsp_t unused_rsp;
  defs_pkg::error_cause_e error_cause;
  assign error_cause_o = error_cause;

  sbuf u_sbuf (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .ts_rd_i(ts_rd), .ts_rd_data_o(ts_rd_data), .tm_rd_i(tm_rd), .tm_rd_data_o(tm_rd_data),
    .tl_rd_i(tl_rd), .tl_rd_data_o(tl_rd_data),
    .v_rd_i('0), .v_rd_data_o(unused_v), .v_wr_i('0), .v_wr_data_i(no_data), .v_wr_skip_i(no_data),
    .a_rd_i('0), .a_rd_data_o(unused_a), .a_wr_i('0), .a_wr_data_i(no_data), .a_wr_skip_i(no_data),
    .req_valid_i(req_valid_i), .req_ready_o(req_ready_o), .req_i(req_i),
    .rsp_valid_o(unused_rsp_valid), .rsp_ready_i(1'b1), .rsp_o(unused_rsp)
  );

  tensor_engine u_engine (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .instr_valid_i(instr_valid_i), .instr_ready_o(instr_ready_o), .instr_i(instr_i), .serial_i(serial_i),
    .second_valid_i(second_valid_i), .second_i(second_i), .done_o(done_o), .error_valid_o(error_valid_o), .error_cause_o(error_cause),
    .error_serial_o(error_serial_o), .busy_o(busy_o),
    .count_rd_i(count_rd_i), .count_index_i(count_index_i), .count_o(count_o),
    .ts_rd_o(ts_rd), .ts_rd_data_i(ts_rd_data), .tm_rd_o(tm_rd), .tm_rd_data_i(tm_rd_data),
    .tl_rd_o(tl_rd), .tl_rd_data_i(tl_rd_data),
    .ps_wr_o(ps_wr), .ps_wr_data_o(ps_wr_data), .pl_wr_o(pl_wr), .pl_wr_data_o(pl_wr_data)
  );

  psum u_psum (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .v_wr_i('0), .v_wr_data_i(no_data), .v_wr_skip_i(no_data), .a_wr_i('0), .a_wr_data_i(no_data), .a_wr_skip_i(no_data),
    .wr_i(ps_wr), .wr_data_i(ps_wr_data), .lower_wr_i(pl_wr), .lower_wr_data_i(pl_wr_data),
    .v_rd_i({v_rd_valid_i, v_rd_addr_i}), .v_rd_ready_o(v_rd_ready_o),
    .a_rd_i({a_rd_valid_i, a_rd_addr_i}), .a_rd_ready_o(a_rd_ready_o),
    .rd_data_o(rd_data_o)
  );

  assign commit_valid_o = u_psum.commit_q.valid;
  assign commit_serial_o    = u_psum.commit_q.serial;
  assign commit_addr_o  = {14'b0, u_psum.commit_q.addr, 2'b0};
  assign commit_count_o = u_psum.commit_q.count;
  assign commit_data_o  = u_psum.commit_data;

  assign lower_valid_o  = u_psum.lower_commit_q.valid;
  assign lower_serial_o     = u_psum.lower_commit_q.serial;
  assign lower_addr_o   = {14'b0, u_psum.lower_commit_q.addr, 2'b0};
  assign lower_count_o  = u_psum.lower_commit_q.count;
  assign lower_data_o   = u_psum.lower_commit_data;

  assign moving_read_o  = tm_rd.valid;
  assign lower_read_o   = tl_rd.valid;
  assign probe_moving_o = u_engine.u_array.moving_q[Bits'(probe_row_i)][Bits'(probe_col_i)];
  assign probe_psum_o   = u_engine.u_array.psum_q[Bits'(probe_row_i)][Bits'(probe_col_i)];

endmodule
