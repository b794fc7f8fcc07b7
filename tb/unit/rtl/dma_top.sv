// SPDX-License-Identifier: Apache-2.0
// The DMA with the signals of its commit tracer as pins.
module dma_top (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  logic core_id_i,
  input  defs_pkg::peer_access_t peer_i,

  input  logic trig_valid_i,
  output logic trig_ready_o,
  input  logic [7:0] trig_engine_i,
  input  logic [15:0] trig_count_i,
  input  logic trig_start_i,
  input  logic [23:0] trig_pc_i,
  input  defs_pkg::descriptor_t trig_desc_i,

  input  logic [size_pkg::DmaEngines*48-1:0] ring_base_i,
  input  logic [size_pkg::DmaEngines*16-1:0] ring_count_i,

  output logic [size_pkg::DmaEngines-1:0] error_valid_o,
  output logic [size_pkg::DmaEngines*8-1:0] error_cause_o,
  output logic [size_pkg::DmaEngines*32-1:0] error_pc_o,
  output logic busy_o,

  output logic rd_req_valid_o,
  input  logic rd_req_ready_i,
  output size_pkg::mem_req_t rd_req_o,
  input  logic rd_rsp_valid_i,
  output logic rd_rsp_ready_o,
  input  size_pkg::mem_rsp_t rd_rsp_i,
  input  logic rd_rsp_err_i,

  output logic wr_req_valid_o,
  input  logic wr_req_ready_i,
  output size_pkg::mem_req_t wr_req_o,
  input  logic [3:0] wr_stuck_i,

  output logic msg_valid_o,
  input  logic msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,

  output logic upd_valid_o,
  output defs_pkg::sem_update_t upd_o,
  output logic [3:0] upd_engine_o,
  output logic [31:0] upd_pc_o,
  output logic [31:0] upd_serial_o,
  input  logic upd_error_i,

  output logic commit_valid_o,
  output logic [3:0] commit_engine_o,
  output logic [31:0] commit_pc_o,
  output logic [31:0] commit_serial_o
);

  dma u_dma (
    .clk_i, .rst_ni, .core_id_i, .chip_id_i, .ring_size_i, .peer_i,
    .trig_valid_i, .trig_ready_o, 
    .trig_i('{engine: trig_engine_i, count: trig_count_i, start: trig_start_i, pc: trig_pc_i, desc: trig_desc_i}),
    .ring_base_i, .ring_count_i,
    .error_valid_o, .error_cause_o, .error_pc_o, .busy_o,
    .rd_req_valid_o, .rd_req_ready_i, .rd_req_o,
    .rd_rsp_valid_i, .rd_rsp_ready_o, .rd_rsp_i, .rd_rsp_err_i,
    .wr_req_valid_o, .wr_req_ready_i, .wr_req_o, .wr_stuck_i,
    .msg_valid_o, .msg_ready_i, .msg_o,
    .upd_valid_o, .upd_o, .upd_engine_o, .upd_pc_o, .upd_serial_o, .upd_error_i
  );

  assign commit_valid_o  = u_dma.commit_valid;
  assign commit_engine_o = u_dma.commit_engine;
  assign commit_pc_o     = u_dma.commit_pc;
  assign commit_serial_o = u_dma.serial_q[$clog2(size_pkg::DmaEngines)'(u_dma.commit_engine)];

endmodule
