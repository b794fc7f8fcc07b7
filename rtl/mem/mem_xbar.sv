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

  localparam int unsigned Requesters = 9;
  localparam int unsigned Targets = 5;       // the four memories, and Null for unmapped addresses
  localparam logic [2:0] Hbm0 = 3'd0, Hbm1 = 3'd1, Sbuf0 = 3'd2, Sbuf1 = 3'd3, Null = 3'd4;

  // --- decode and arbitration ---------------------------------------------------------------

  // The two HBM windows and the two core windows are aligned to their sizes.
  function automatic logic [2:0] target_of(input logic [47:0] addr);
    target_of = Null;
    if ((addr & ~(defs_pkg::AddrHbm0Size - 48'd1)) == defs_pkg::AddrHbm0Base) target_of = Hbm0;
    if ((addr & ~(defs_pkg::AddrHbm1Size - 48'd1)) == defs_pkg::AddrHbm1Base) target_of = Hbm1;
    if (32'(addr[25:18]) < size_pkg::Partitions && 32'(addr[17:0]) < size_pkg::SbufBytes) begin
      if (addr[47:26] == defs_pkg::AddrCore0Base[47:26]) target_of = Sbuf0;
      if (addr[47:26] == defs_pkg::AddrCore1Base[47:26]) target_of = Sbuf1;
    end
  endfunction

  logic [Targets-1:0][Requesters-1:0] asks;
  logic [Targets-1:0][3:0] pick;
  logic [Targets-1:0] valid_q, take, target_ready, drop;
  logic [Requesters-1:0] ready;
  logic null_write, null_ready;

  always_comb begin
    asks = '0;
    if (fetch0_req_valid_i) asks[target_of(fetch0_req_i.addr)][0] = 1'b1;
    if (dma_rd0_req_valid_i) asks[target_of(dma_rd0_req_i.addr)][1] = 1'b1;
    if (dma_wr0_req_valid_i) asks[target_of(dma_wr0_req_i.addr)][2] = 1'b1;
    if (fetch1_req_valid_i) asks[target_of(fetch1_req_i.addr)][3] = 1'b1;
    if (dma_rd1_req_valid_i) asks[target_of(dma_rd1_req_i.addr)][4] = 1'b1;
    if (dma_wr1_req_valid_i) asks[target_of(dma_wr1_req_i.addr)][5] = 1'b1;
    if (rx0_req_valid_i) asks[target_of(rx0_req_i.addr)][6] = 1'b1;
    if (rx1_req_valid_i) asks[target_of(rx1_req_i.addr)][7] = 1'b1;
    if (host_req_valid_i) asks[target_of(host_req_i.addr)][8] = 1'b1;
  end

  assign target_ready = {null_ready, sbuf1_req_ready_i, sbuf0_req_ready_i, hbm1_req_ready_i,
                         hbm0_req_ready_i};
  assign drop = {null_write, 4'b0};

  mem_xbar_arbiter #(.Requesters(Requesters), .Targets(Targets)) u_arbiter (
    .clk_i, .rst_ni,
    .asks_i(asks), .ready_o(ready),
    .take_o(take), .pick_o(pick), .drop_i(drop), .valid_o(valid_q), .ready_i(target_ready)
  );

  assign fetch0_req_ready_o = ready[0];
  assign fetch0_req_err_o = asks[Null][0];
  assign dma_rd0_req_ready_o = ready[1];
  assign dma_rd0_req_err_o = asks[Null][1];
  assign dma_wr0_req_ready_o = ready[2];
  assign dma_wr0_req_err_o = asks[Null][2];
  assign fetch1_req_ready_o = ready[3];
  assign fetch1_req_err_o = asks[Null][3];
  assign dma_rd1_req_ready_o = ready[4];
  assign dma_rd1_req_err_o = asks[Null][4];
  assign dma_wr1_req_ready_o = ready[5];
  assign dma_wr1_req_err_o = asks[Null][5];
  assign rx0_req_ready_o = ready[6];
  assign rx0_req_err_o = asks[Null][6];
  assign rx1_req_ready_o = ready[7];
  assign rx1_req_err_o = asks[Null][7];
  assign host_req_ready_o = ready[8];
  assign host_req_err_o = asks[Null][8];

  // --- one request register per target ------------------------------------------------------

  assign hbm0_req_valid_o = valid_q[Hbm0];
  mem_xbar_request u_hbm0_request (
    .take_i(take[Hbm0]), .pick_i(pick[Hbm0]), .valid_i(valid_q[Hbm0]), .req_o(hbm0_req_o), .*
  );
  assign hbm1_req_valid_o = valid_q[Hbm1];
  mem_xbar_request u_hbm1_request (
    .take_i(take[Hbm1]), .pick_i(pick[Hbm1]), .valid_i(valid_q[Hbm1]), .req_o(hbm1_req_o), .*
  );
  assign sbuf0_req_valid_o = valid_q[Sbuf0];
  mem_xbar_request #(.Sbuf(1'b1)) u_sbuf0_request (
    .take_i(take[Sbuf0]), .pick_i(pick[Sbuf0]), .valid_i(valid_q[Sbuf0]), .req_o(sbuf0_req_o), .*
  );
  assign sbuf1_req_valid_o = valid_q[Sbuf1];
  mem_xbar_request #(.Sbuf(1'b1)) u_sbuf1_request (
    .take_i(take[Sbuf1]), .pick_i(pick[Sbuf1]), .valid_i(valid_q[Sbuf1]), .req_o(sbuf1_req_o), .*
  );

  logic [11:0] null_tag;
  mem_xbar_null u_null (
    .take_i(take[Null]), .pick_i(pick[Null]), .write_o(null_write), .tag_o(null_tag), .*
  );

  // A write that waits in a target's register is not settled.
  logic [Requesters-1:0] stuck;
  always_comb begin
    stuck = '0;
    if ((valid_q & ~target_ready) != '0) begin
      if (hbm0_req_valid_o && !hbm0_req_ready_i && hbm0_req_o.write) begin
        stuck[hbm0_req_o.tag[11:8]] = 1'b1;
      end
      if (hbm1_req_valid_o && !hbm1_req_ready_i && hbm1_req_o.write) begin
        stuck[hbm1_req_o.tag[11:8]] = 1'b1;
      end
      if (sbuf0_req_valid_o && !sbuf0_req_ready_i && sbuf0_req_o.write) begin
        stuck[sbuf0_req_o.tag[11:8]] = 1'b1;
      end
      if (sbuf1_req_valid_o && !sbuf1_req_ready_i && sbuf1_req_o.write) begin
        stuck[sbuf1_req_o.tag[11:8]] = 1'b1;
      end
    end
  end
  assign dma_wr0_settled_o = !stuck[2];
  assign dma_wr1_settled_o = !stuck[5];
  assign rx0_settled_o = !stuck[6];
  assign rx1_settled_o = !stuck[7];
  assign host_settled_o = !stuck[8];
  logic unused_stuck;
  assign unused_stuck = ^{stuck[4:3], stuck[1:0]};  // they only read

  // --- answers: by requester number, one register per reader ----------------------------------

  logic [Targets-1:0] rsp_valid, rsp_ready;
  logic [Targets-1:0][3:0] rsp_owner;
  logic [Requesters-1:0] rsp_valid_q, rsp_take, reader_ready;
  logic [Requesters-1:0][2:0] rsp_pick;

  assign rsp_valid = {valid_q[Null], sbuf1_rsp_valid_i, sbuf0_rsp_valid_i, hbm1_rsp_valid_i,
                      hbm0_rsp_valid_i};
  assign rsp_owner = {null_tag[11:8], sbuf1_rsp_i.tag[11:8], sbuf0_rsp_i.tag[11:8],
                      hbm1_rsp_i.tag[11:8], hbm0_rsp_i.tag[11:8]};
  assign reader_ready = {host_rsp_ready_i, 3'b0, dma_rd1_rsp_ready_i, fetch1_rsp_ready_i, 1'b0,
                         dma_rd0_rsp_ready_i, fetch0_rsp_ready_i};

  mem_xbar_router #(.Requesters(Requesters), .Targets(Targets)) u_router (
    .clk_i, .rst_ni,
    .valid_i(rsp_valid), .ready_o(rsp_ready), .owner_i(rsp_owner),
    .take_o(rsp_take), .pick_o(rsp_pick), .valid_o(rsp_valid_q), .ready_i(reader_ready)
  );
  assign null_ready = rsp_ready[Null];
  logic unused_rsp;
  assign unused_rsp = ^{rsp_pick[7:5], rsp_pick[2], rsp_take[7:5], rsp_take[2], rsp_valid_q[7:5],
                        rsp_valid_q[2]};  // they only write

  assign hbm0_rsp_ready_o = rsp_ready[Hbm0];
  assign hbm1_rsp_ready_o = rsp_ready[Hbm1];
  assign sbuf0_rsp_ready_o = rsp_ready[Sbuf0];
  assign sbuf1_rsp_ready_o = rsp_ready[Sbuf1];

  assign fetch0_rsp_valid_o = rsp_valid_q[0];
  mem_xbar_answer u_fetch0_answer (
    .take_i(rsp_take[0]), .pick_i(rsp_pick[0]), .null_tag_i(null_tag),
    .rsp_o(fetch0_rsp_o), .err_o(fetch0_rsp_err_o), .*
  );
  assign dma_rd0_rsp_valid_o = rsp_valid_q[1];
  mem_xbar_answer u_dma_rd0_answer (
    .take_i(rsp_take[1]), .pick_i(rsp_pick[1]), .null_tag_i(null_tag),
    .rsp_o(dma_rd0_rsp_o), .err_o(dma_rd0_rsp_err_o), .*
  );
  assign fetch1_rsp_valid_o = rsp_valid_q[3];
  mem_xbar_answer u_fetch1_answer (
    .take_i(rsp_take[3]), .pick_i(rsp_pick[3]), .null_tag_i(null_tag),
    .rsp_o(fetch1_rsp_o), .err_o(fetch1_rsp_err_o), .*
  );
  assign dma_rd1_rsp_valid_o = rsp_valid_q[4];
  mem_xbar_answer u_dma_rd1_answer (
    .take_i(rsp_take[4]), .pick_i(rsp_pick[4]), .null_tag_i(null_tag),
    .rsp_o(dma_rd1_rsp_o), .err_o(dma_rd1_rsp_err_o), .*
  );
  assign host_rsp_valid_o = rsp_valid_q[8];
  mem_xbar_answer u_host_answer (
    .take_i(rsp_take[8]), .pick_i(rsp_pick[8]), .null_tag_i(null_tag),
    .rsp_o(host_rsp_o), .err_o(host_rsp_err_o), .*
  );

  // --- assertions -----------------------------------------------------------------------------
  // What looks into wide structs is an immediate assertion: a property would sample every variable
  // it names as a whole, and lines sampled every cycle cost more than the crossbar.

  localparam logic [15:0] Readers = 16'b0000_0001_0001_1011;
  always_ff @(posedge clk_i) begin
    if (rst_ni && asks != '0) begin
      // dma_wr and rx never read; fetch and dma_rd never write.
      DmaWrWrites_A: assert ((!dma_wr0_req_valid_i || dma_wr0_req_i.write) &&
                             (!dma_wr1_req_valid_i || dma_wr1_req_i.write));
      RxWrites_A: assert ((!rx0_req_valid_i || rx0_req_i.write) &&
                          (!rx1_req_valid_i || rx1_req_i.write));
      FetchReads_A: assert (!(fetch0_req_valid_i && fetch0_req_i.write) &&
                            !(fetch1_req_valid_i && fetch1_req_i.write));
      DmaRdReads_A: assert (!(dma_rd0_req_valid_i && dma_rd0_req_i.write) &&
                            !(dma_rd1_req_valid_i && dma_rd1_req_i.write));
    end
    if (rst_ni && rsp_valid != '0) begin
      for (int unsigned t = 0; t < Targets; t++) begin
        // An answer names somebody who reads.
        AnswerHasOwner_A: assert (!rsp_valid[t] || Readers[rsp_owner[t]]);
      end
    end
  end

endmodule
