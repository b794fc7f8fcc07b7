// SPDX-License-Identifier: Apache-2.0
// Nine requesters to four memories: two HBM stacks (chip pins) and the two cores' SBUF.
//
//   fetch0 dma_rd0 dma_wr0 fetch1 dma_rd1 dma_wr1 rx0 rx1 host
//      |      |       |      |      |       |      |   |   |       request: decode, round robin,
//      +------+-------+------+------+-------+------+---+---+       one register per memory
//                 |          |          |          |
//                hbm0       hbm1      sbuf0      sbuf1
//                 |          |          |          |               answer: routed by tag[11:8],
//      +------+---------------------+----------------------+       one register per reader
//      v      v                     v                      v
//   fetch0 dma_rd0               fetch1 dma_rd1          host
//
// Channels are indexed as mem_xbar_pkg and memory_e say. Contract of a requester's channel:
//   req_*    valid / ready / payload. tag[7:0] comes back with the answer; tag[11:8] is
//            overwritten here with the requester's number. One request per memory per cycle.
//   req_err  with the request: no memory at this address. Such a request is accepted, a write
//            is dropped, a read is answered with zeros and rsp_err.
//   rsp_*    answers to reads, in order per memory.
//   stuck    per memory: a write of this requester that was accepted in an earlier cycle waits in the
//            memory's register, and goes on waiting. Who tells anybody about a write (semaphore,
//            completion) waits for a cycle after its acceptance in which it is not stuck, or
//            in which another one of his takes its place: engines read SBUF past this crossbar.
// SBUF sees addr = {partition, byte[17:0]}, the offset inside the core's window.
`include "assert.svh"

module mem_xbar #(
  localparam int unsigned R = mem_xbar_pkg::Requesters,
  localparam int unsigned M = mem_xbar_pkg::Memories
) (
  input logic clk_i,
  input logic rst_ni,
  mem_if.crossbar from [R],
  mem_if.client to [M],
  output logic idle_o  // nothing asks, waits or answers: clk_i may stand still
);

  localparam int unsigned Targets = M + 1;    // the memories, and Unmapped
  localparam int unsigned Unmapped = 32'(defs_pkg::MemoryUnmapped);

  // --- decode and arbitration ---------------------------------------------------------------

  defs_pkg::memory_e [R-1:0] memory;
  logic [R-1:0] valid, write, ready;
  logic [R-1:0][M-1:0] stuck;
  logic [R-1:0][7:0] tag;
  for (genvar r = 0; r < R; r++) begin : gen_requester
    assign valid[r]  = from[r].req_valid;
    always_comb begin
      memory[r] = defs_pkg::MemoryUnmapped;
      write[r]  = 1'b0;
      tag[r]    = '0;
      if (from[r].req_valid) begin
        memory[r] = address_pkg::memory_of(from[r].req.addr);
        write[r]  = from[r].req.write;
        tag[r]    = from[r].req.tag[7:0];
      end
    end
    assign from[r].req_ready = ready[r];
    assign from[r].req_err   = asks[Unmapped][r];
    assign from[r].stuck     = stuck[r];
    assign from[r].rsp_valid = rsp_valid_q[r];
  end

  logic [Targets-1:0][R-1:0] asks;
  logic [Targets-1:0][3:0] pick;
  logic [Targets-1:0] valid_q, take, target_ready, drop;
  always_comb begin
    asks = '0;
    if (valid != '0) begin
      for (int unsigned r = 0; r < R; r++) begin
        if (valid[4'(r)]) asks[memory[4'(r)]][4'(r)] = 1'b1;
      end
    end
  end
  assign target_ready[Unmapped] = rsp_ready[Unmapped];
  assign drop = {write[pick[Unmapped]], 4'b0};

  mem_xbar_arbiter #(.Requesters(R), .Targets(Targets)) u_arbiter (
    .clk_i, .rst_ni,
    .asks_i(asks), .ready_o(ready),
    .take_o(take), .pick_o(pick), .drop_i(drop), .valid_o(valid_q), .ready_i(target_ready)
  );

  // --- one request register per memory ------------------------------------------------------

  logic [M-1:0] stuck_write;
  logic [M-1:0][3:0] stuck_owner;
  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);
  for (genvar m = 0; m < M; m++) begin : gen_memory
    always_ff @(posedge clk_i) begin
      if (take[m]) begin
        unique case (pick[m])
          4'd0: to[m].req <= from[0].req;
          4'd1: to[m].req <= from[1].req;
          4'd2: to[m].req <= from[2].req;
          4'd3: to[m].req <= from[3].req;
          4'd4: to[m].req <= from[4].req;
          4'd5: to[m].req <= from[5].req;
          4'd6: to[m].req <= from[6].req;
          4'd7: to[m].req <= from[7].req;
          default: to[m].req <= from[8].req;
        endcase
        to[m].req.tag[11:8] <= pick[m];
        if (m >= 32'(defs_pkg::MemorySbuf0)) to[m].req.addr[47:25] <= '0;
      end
    end
    assign to[m].req_valid = valid_q[m];
    assign target_ready[m] = to[m].req_ready;
    assign stuck_write[m]  = valid_q[m] && !to[m].req_ready && to[m].req.write;
    assign stuck_owner[m]  = to[m].req.tag[11:8];

    // Looking into a wide struct is an immediate assertion: a property would sample all of it,
    // and lines sampled every cycle cost more than the crossbar.
    always_ff @(posedge clk_i) begin
      if (rst_ni && valid_q[m]) begin
        InLine_A: assert (32'(to[m].req.addr[LineBits-1:0]) + 32'(to[m].req.bytes) <=
                          size_pkg::LineBytes);
      end
    end
  end

  // Where no memory is, a write ends at once, and of a read the tag is kept.
  logic [11:0] unmapped_tag_q;
  always_ff @(posedge clk_i) begin
    if (take[Unmapped]) unmapped_tag_q <= {pick[Unmapped], tag[pick[Unmapped]]};
  end

  // A write that waits in a memory's register.
  always_comb begin
    stuck = '0;
    if (stuck_write != '0) begin
      for (int unsigned m = 0; m < M; m++) begin
        if (stuck_write[2'(m)]) stuck[stuck_owner[2'(m)]][2'(m)] = 1'b1;
      end
    end
  end

  // --- answers: by requester number, one register per reader ----------------------------------

  logic [Targets-1:0] rsp_valid, rsp_ready;
  logic [Targets-1:0][3:0] rsp_owner;
  logic [R-1:0] rsp_take, rsp_valid_q, reader_ready;
  logic [R-1:0][2:0] rsp_pick;

  assign rsp_valid[Unmapped] = valid_q[Unmapped];
  assign rsp_owner[Unmapped] = unmapped_tag_q[11:8];
  for (genvar m = 0; m < M; m++) begin : gen_owner
    assign rsp_valid[m]    = to[m].rsp_valid;
    assign rsp_owner[m]    = to[m].rsp.tag[11:8];
    assign to[m].rsp_ready = rsp_ready[m];
  end

  mem_xbar_router #(.Requesters(R), .Targets(Targets)) u_router (
    .clk_i, .rst_ni,
    .valid_i(rsp_valid), .ready_o(rsp_ready), .owner_i(rsp_owner),
    .take_o(rsp_take), .pick_o(rsp_pick), .valid_o(rsp_valid_q), .ready_i(reader_ready)
  );

  for (genvar r = 0; r < R; r++) begin : gen_reader
    if (mem_xbar_pkg::Readers[r]) begin : gen_answer
      assign reader_ready[r] = from[r].rsp_ready;
      always_ff @(posedge clk_i) begin
        if (rsp_take[r]) begin
          unique case (rsp_pick[r])
            3'd0: from[r].rsp <= to[0].rsp;
            3'd1: from[r].rsp <= to[1].rsp;
            3'd2: from[r].rsp <= to[2].rsp;
            3'd3: from[r].rsp <= to[3].rsp;
            default: from[r].rsp <= '{tag: unmapped_tag_q, data: '0};
          endcase
          from[r].rsp_err <= rsp_pick[r] == 3'(Unmapped);
        end
      end
    end else begin : gen_none
      assign reader_ready[r] = 1'b0;
      assign from[r].rsp     = '0;
      assign from[r].rsp_err = 1'b0;
      logic unused;
      assign unused = ^{rsp_take[r], rsp_pick[r]};
    end
  end

  assign idle_o = valid == '0 && valid_q == '0 && rsp_valid == '0 && rsp_valid_q == '0;

  // --- assertions -----------------------------------------------------------------------------
  always_ff @(posedge clk_i) begin
    if (rst_ni && valid != '0) begin
      ReadersRead_A: assert ((valid & ~write & ~mem_xbar_pkg::Readers) == '0);
      WritersWrite_A: assert ((valid & write & ~mem_xbar_pkg::Writers) == '0);
    end
    if (rst_ni && rsp_valid != '0) begin
      for (int unsigned t = 0; t < Targets; t++) begin
        // An answer names somebody who reads.
        AnswerHasOwner_A: assert (!rsp_valid[t] || mem_xbar_pkg::Readers[rsp_owner[t]]);
      end
    end
  end

endmodule
