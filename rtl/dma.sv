// SPDX-License-Identifier: Apache-2.0
// DMA of one core: DmaEngines descriptor-driven copy engines in one pipeline, in time slots.
`include "assert.svh"

module dma (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic core_id_i,          // which core this is: names the commit stream only
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  // doorbell from the sync engine; always taken. trig_engine_i < DmaEngines, count != 0.
  input  logic trig_valid_i,
  input  logic [7:0] trig_engine_i,
  input  logic [15:0] trig_count_i,

  // CSRs, one per engine (levels)
  input  logic [size_pkg::DmaEngines-1:0][47:0] ring_base_i,
  input  logic [size_pkg::DmaEngines-1:0][15:0] ring_count_i,

  // engine stopped: level until reset, with cause and descriptor index
  output logic [size_pkg::DmaEngines-1:0] error_valid_o,
  output logic [size_pkg::DmaEngines-1:0][7:0] error_cause_o,
  output logic [size_pkg::DmaEngines-1:0][31:0] error_pc_o,
  output logic busy_o,             // something triggered or in flight

  // line reads (data and descriptors); answers are always taken
  output logic rd_req_valid_o,
  input  logic rd_req_ready_i,
  output size_pkg::mem_req_t rd_req_o,
  input  logic rd_rsp_valid_i,
  output logic rd_rsp_ready_o,
  input  size_pkg::mem_rsp_t rd_rsp_i,
  input  logic rd_rsp_err_i,       // with the answer: no memory there (only a bad ring base can)

  // local writes
  output logic wr_req_valid_o,
  input  logic wr_req_ready_i,
  output size_pkg::mem_req_t wr_req_o,
  input  logic wr_settled_i,       // mem_xbar: dma_wr settled

  // remote writes, to the fabric interface
  output logic msg_valid_o,
  input  logic msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,

  // semaphore update, always taken; engine and descriptor index for the commit
  output logic upd_valid_o,
  output defs_pkg::sem_update_t upd_o,
  output logic [3:0] upd_engine_o,
  output logic [31:0] upd_pc_o
);
endmodule
