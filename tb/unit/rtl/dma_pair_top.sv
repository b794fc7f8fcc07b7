// SPDX-License-Identifier: Apache-2.0
// The DMA of both cores at the crossbar, memories as pins, for dma_rate_test.
module dma_pair_top #(
  localparam int unsigned E = size_pkg::DmaEngines,
  localparam int unsigned M = mem_xbar_pkg::Memories,
  localparam int unsigned R = mem_xbar_pkg::Requesters
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  defs_pkg::peer_access_t peer_i,

  // core 0 lowest
  input  logic [1:0] trig_valid_i,
  output logic [1:0] trig_ready_o,
  input  logic [15:0] trig_engine_i,
  input  logic [31:0] trig_count_i,
  input  logic [2*E*48-1:0] ring_base_i,
  input  logic [2*E*16-1:0] ring_count_i,
  output logic [2*E-1:0] error_valid_o,
  output logic [1:0] busy_o,

  output logic [M-1:0] mem_req_valid_o,
  input  logic [M-1:0] mem_req_ready_i,
  output size_pkg::mem_req_t mem_req_o [M],
  input  logic [M-1:0] mem_rsp_valid_i,
  output logic [M-1:0] mem_rsp_ready_o,
  input  size_pkg::mem_rsp_t mem_rsp_i [M]
);

  mem_if from [R] ();
  mem_if to [M] ();
  for (genvar m = 0; m < M; m++) begin : gen_to
    assign mem_req_valid_o[m] = to[m].req_valid;
    assign mem_req_o[m]       = to[m].req;
    assign mem_rsp_ready_o[m] = to[m].rsp_ready;
    assign to[m].req_ready    = mem_req_ready_i[m];
    assign to[m].rsp_valid    = mem_rsp_valid_i[m];
    assign to[m].rsp          = mem_rsp_i[m];
  end
  logic unused_idle;
  mem_xbar u_xbar (.clk_i, .rst_ni, .from, .to, .idle_o(unused_idle));

  for (genvar r = 0; r < R; r++) begin : gen_silent
    if (r >= mem_xbar_pkg::Rx || r % mem_xbar_pkg::CoreRequesters == mem_xbar_pkg::Fetch) begin : gen_none
      assign from[r].req_valid = 1'b0;
      assign from[r].req       = '0;
      assign from[r].rsp_ready = 1'b1;
    end
  end

  for (genvar c = 0; c < 2; c++) begin : gen_core
    localparam int unsigned Read = mem_xbar_pkg::CoreRequesters * c + mem_xbar_pkg::DmaRead;
    localparam int unsigned Write = mem_xbar_pkg::CoreRequesters * c + mem_xbar_pkg::DmaWrite;
    dma u_dma (
      .clk_i, .rst_ni, .core_id_i(1'(c)), .chip_id_i('0), .ring_size_i(5'd1), .peer_i,
      .trig_valid_i(trig_valid_i[c]), .trig_ready_o(trig_ready_o[c]),
      .trig_i('{engine: trig_engine_i[8*c+:8], count: trig_count_i[16*c+:16], start: 1'b0, pc: '0, desc: '0}),
      .ring_base_i(ring_base_i[48*E*c+:48*E]), .ring_count_i(ring_count_i[16*E*c+:16*E]),
      .error_valid_o(error_valid_o[E*c+:E]), .error_cause_o(), .error_pc_o(), .busy_o(busy_o[c]),
      .rd_req_valid_o(from[Read].req_valid), .rd_req_ready_i(from[Read].req_ready),
      .rd_req_o(from[Read].req), .rd_rsp_valid_i(from[Read].rsp_valid),
      .rd_rsp_ready_o(from[Read].rsp_ready), .rd_rsp_i(from[Read].rsp), .rd_rsp_err_i(from[Read].rsp_err),
      .wr_req_valid_o(from[Write].req_valid), .wr_req_ready_i(from[Write].req_ready),
      .wr_req_o(from[Write].req), .wr_stuck_i(from[Write].stuck),
      .msg_valid_o(), .msg_ready_i(1'b1), .msg_o(),
      .upd_valid_o(), .upd_o(), .upd_engine_o(), .upd_pc_o(), .upd_serial_o(), .upd_error_i(1'b0)
    );
    assign from[Write].rsp_ready = 1'b1;
  end

endmodule
