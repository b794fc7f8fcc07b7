// SPDX-License-Identifier: Apache-2.0
// Nine requesters to four memories: two HBM stacks (chip pins) and the two cores' SBUF.
//
//   fetch0 dma_rd0 dma_wr0 fetch1 dma_rd1 dma_wr1 rx0 rx1 host
//      |      |       |      |      |       |      |   |   |       request: decode, round robin,
//      +------+-------+------+------+-------+------+---+---+       one register per target
//                 |          |          |          |
//                hbm0       hbm1      sbuf0      sbuf1
//                 |          |          |          |               answer: routed by tag[11:8],
//      +------+---------------------+----------------------+       one register per reader
//      v      v                     v                      v
//   fetch0 dma_rd0               fetch1 dma_rd1          host
//
// Contract of a requester's channel:
//   x_req_*        valid / ready / payload. tag[7:0] comes back with the answer; tag[11:8] is
//                  overwritten here with the requester's number. One request per target per cycle.
//   x_req_err_o    with the request: no memory at this address. Such a request is accepted, a
//                  write is dropped, a read is answered with zeros and x_rsp_err_o.
//   x_rsp_*        answers to reads, in order per target.
//   x_settled_o    every write of this requester accepted in an earlier cycle is accepted by its
//                  memory at the end of this cycle at the latest. Who tells anybody about a write
//                  (semaphore, completion) waits for one settled cycle after its acceptance:
//                  engines read SBUF past this crossbar.
// SBUF targets see addr = {partition, byte[17:0]}, the offset inside the core's window.
`include "assert.svh"

module mem_xbar (
  input  logic clk_i,
  input  logic rst_ni,

  // requester 0: core 0 instruction fetch (reads only)
  input  logic fetch0_req_valid_i,
  output logic fetch0_req_ready_o,
  input  size_pkg::mem_req_t fetch0_req_i,
  output logic fetch0_req_err_o,
  output logic fetch0_rsp_valid_o,
  input  logic fetch0_rsp_ready_i,
  output size_pkg::mem_rsp_t fetch0_rsp_o,
  output logic fetch0_rsp_err_o,

  // requester 1: core 0 DMA reads (reads only)
  input  logic dma_rd0_req_valid_i,
  output logic dma_rd0_req_ready_o,
  input  size_pkg::mem_req_t dma_rd0_req_i,
  output logic dma_rd0_req_err_o,
  output logic dma_rd0_rsp_valid_o,
  input  logic dma_rd0_rsp_ready_i,
  output size_pkg::mem_rsp_t dma_rd0_rsp_o,
  output logic dma_rd0_rsp_err_o,

  // requester 2: core 0 DMA writes (writes only)
  input  logic dma_wr0_req_valid_i,
  output logic dma_wr0_req_ready_o,
  input  size_pkg::mem_req_t dma_wr0_req_i,
  output logic dma_wr0_req_err_o,
  output logic dma_wr0_settled_o,

  // requester 3: core 1 instruction fetch (reads only)
  input  logic fetch1_req_valid_i,
  output logic fetch1_req_ready_o,
  input  size_pkg::mem_req_t fetch1_req_i,
  output logic fetch1_req_err_o,
  output logic fetch1_rsp_valid_o,
  input  logic fetch1_rsp_ready_i,
  output size_pkg::mem_rsp_t fetch1_rsp_o,
  output logic fetch1_rsp_err_o,

  // requester 4: core 1 DMA reads (reads only)
  input  logic dma_rd1_req_valid_i,
  output logic dma_rd1_req_ready_o,
  input  size_pkg::mem_req_t dma_rd1_req_i,
  output logic dma_rd1_req_err_o,
  output logic dma_rd1_rsp_valid_o,
  input  logic dma_rd1_rsp_ready_i,
  output size_pkg::mem_rsp_t dma_rd1_rsp_o,
  output logic dma_rd1_rsp_err_o,

  // requester 5: core 1 DMA writes (writes only)
  input  logic dma_wr1_req_valid_i,
  output logic dma_wr1_req_ready_o,
  input  size_pkg::mem_req_t dma_wr1_req_i,
  output logic dma_wr1_req_err_o,
  output logic dma_wr1_settled_o,

  // requester 6: fabric receiver, local port 0 (writes only)
  input  logic rx0_req_valid_i,
  output logic rx0_req_ready_o,
  input  size_pkg::mem_req_t rx0_req_i,
  output logic rx0_req_err_o,
  output logic rx0_settled_o,

  // requester 7: fabric receiver, local port 1 (writes only)
  input  logic rx1_req_valid_i,
  output logic rx1_req_ready_o,
  input  size_pkg::mem_req_t rx1_req_i,
  output logic rx1_req_err_o,
  output logic rx1_settled_o,

  // requester 8: host port
  input  logic host_req_valid_i,
  output logic host_req_ready_o,
  input  size_pkg::mem_req_t host_req_i,
  output logic host_req_err_o,
  output logic host_settled_o,
  output logic host_rsp_valid_o,
  input  logic host_rsp_ready_i,
  output size_pkg::mem_rsp_t host_rsp_o,
  output logic host_rsp_err_o,

  output logic hbm0_req_valid_o,
  input  logic hbm0_req_ready_i,
  output size_pkg::mem_req_t hbm0_req_o,
  input  logic hbm0_rsp_valid_i,
  output logic hbm0_rsp_ready_o,
  input  size_pkg::mem_rsp_t hbm0_rsp_i,

  output logic hbm1_req_valid_o,
  input  logic hbm1_req_ready_i,
  output size_pkg::mem_req_t hbm1_req_o,
  input  logic hbm1_rsp_valid_i,
  output logic hbm1_rsp_ready_o,
  input  size_pkg::mem_rsp_t hbm1_rsp_i,

  output logic sbuf0_req_valid_o,
  input  logic sbuf0_req_ready_i,
  output size_pkg::mem_req_t sbuf0_req_o,
  input  logic sbuf0_rsp_valid_i,
  output logic sbuf0_rsp_ready_o,
  input  size_pkg::mem_rsp_t sbuf0_rsp_i,

  output logic sbuf1_req_valid_o,
  input  logic sbuf1_req_ready_i,
  output size_pkg::mem_req_t sbuf1_req_o,
  input  logic sbuf1_rsp_valid_i,
  output logic sbuf1_rsp_ready_o,
  input  size_pkg::mem_rsp_t sbuf1_rsp_i
);
endmodule
