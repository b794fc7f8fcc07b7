// SPDX-License-Identifier: Apache-2.0
// The fabric node of a chip: network interfaces of two cores, router, two link ports.
//
//   msg0 --> u_ni_tx0 --+    +--> u_ni_rx0 --> rx0 writes, semaphore updates
//   msg1 --> u_ni_tx1 --+    +--> u_ni_rx1 --> rx1 writes, semaphore updates
//                       |    |
//                     u_router
//                    |        |
//   link_rx0 -> u_link_rx0   u_link_tx0 -> link_tx0      port 0: chip + 1
//   link_rx1 -> u_link_rx1   u_link_tx1 -> link_tx1      port 1: chip - 1
//
// Contract of the channels:
//   msgN       valid/ready, core clock. Pieces of a packet in order; engines may interleave.
//   link_*     one token per fabric cycle: sampled at, and changed by, edges with fabric_en_i.
//   rxN_req    valid/ready, core clock, writes only; err as in mem_xbar: the write was dropped.
//   rxN_settled_i  every write accepted in an earlier cycle is in memory at the end of this one;
//              a notify waits for it.
//   semN       valid only, always taken: + 1 behind the last write of a WRITE_NOTIFY.
//   errorN     one pulse per packet refused: cause, and how many were refused before (saturating).
//              [1:0] received by local port N, [3:2] offered by core N - 2.
//   quiet_o    nothing buffered anywhere in the node, every credit home.
`include "assert.svh"

module fabric_node (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  // messages from the DMA engines of core 0 and core 1
  input  logic msg0_valid_i,
  output logic msg0_ready_o,
  input  size_pkg::msg_chunk_t msg0_i,

  input  logic msg1_valid_i,
  output logic msg1_ready_o,
  input  size_pkg::msg_chunk_t msg1_i,

  // links
  input  defs_pkg::flit_t link_rx0_i,
  input  defs_pkg::flit_t link_rx1_i,
  output defs_pkg::flit_t link_tx0_o,
  output defs_pkg::flit_t link_tx1_o,

  // received packets: writes and semaphore updates of local port 0 and 1
  output logic rx0_req_valid_o,
  input  logic rx0_req_ready_i,
  output size_pkg::mem_req_t rx0_req_o,
  input  logic rx0_req_err_i,
  input  logic rx0_settled_i,

  output logic rx1_req_valid_o,
  input  logic rx1_req_ready_i,
  output size_pkg::mem_req_t rx1_req_o,
  input  logic rx1_req_err_i,
  input  logic rx1_settled_i,

  output logic sem0_valid_o,
  output defs_pkg::sem_update_t sem0_o,

  output logic sem1_valid_o,
  output defs_pkg::sem_update_t sem1_o,

  // refused packets
  output logic [3:0] error_valid_o,
  output logic [3:0][7:0] error_cause_o,
  output logic [3:0][31:0] error_pc_o,

  output logic quiet_o
);
endmodule
