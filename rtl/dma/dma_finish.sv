// SPDX-License-Identifier: Apache-2.0
// Ends of descriptors: from the last beat that leaves to the next one that may.
//
//   last beat picked --> accepted --> in memory --> update posted --> not rejected: the engine goes on
//        closed_q        landing_q     ready_q         posted_q
//   cycle   1                2            3               4                  5
//
// Nothing of an engine leaves while it is closed: so updates come in the order of descriptors, what one wrote is
// visible before the next one writes, and one whose predecessor's update is rejected has done nothing. An accepted
// write may still wait in the crossbar's register of its memory: it is in memory when no write of this core is stuck
// there, or when the next one takes its place. One descriptor of all engines is posted per cycle, without an update, too.
`include "assert.svh"

module dma_finish #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines)
) (
  input  logic clk_i,
  input  logic rst_ni,

  // a beat is picked that ends its descriptor
  input  logic close_i,
  input  logic [EngineBits-1:0] close_engine_i,
  input  dma_pkg::beat_t close_beat_i,
  output logic [Engines-1:0] closed_o,

  // a write is accepted; it ends its descriptor
  input  logic wr_done_i,
  input  logic wr_ends_i,
  input  logic [EngineBits-1:0] wr_engine_i,
  input  logic [1:0] wr_memory_i,
  input  logic [3:0] wr_stuck_i,             // mem_xbar: dma_wr stuck
  // a beat without a write is picked that ends its descriptor: close_beat_i
  input  logic drop_i,
  // a message is accepted that ends its descriptor
  input  logic msg_ends_i,
  input  logic [EngineBits-1:0] msg_engine_i,

  output logic upd_valid_o,
  output defs_pkg::sem_update_t upd_o,
  output logic [3:0] upd_engine_o,
  output logic [31:0] upd_pc_o,
  input  logic upd_error_i,                  // the update offered in the last cycle was rejected

  output logic done_valid_o,                 // a descriptor has ended
  output logic stop_valid_o,                 // its update was rejected, or it had a fault
  output logic stop_fault_o,                 // the latter
  output logic [EngineBits-1:0] done_engine_o,
  output logic [31:0] done_pc_o
);

  typedef struct packed {
    logic fault;
    logic update;
    logic [8:0] sem;
    logic [15:0] delta;
    logic [31:0] pc;
  } end_t;

  logic [Engines-1:0] closed_q, ready_q;
  logic [3:0][Engines-1:0] landing_q;        // per memory
  end_t end_q [Engines];
  logic [EngineBits-1:0] turn_q;
  logic posted_q, posted_fault_q;
  end_t post_q;                              // in this cycle at the semaphores; then posted
  logic post_valid_q;
  logic [EngineBits-1:0] post_engine_q, posted_engine_q;
  logic [31:0] posted_pc_q;

  // --- landing --------------------------------------------------------------------------------
  logic [Engines-1:0] landed;
  always_comb begin
    landed = '0;
    if (landing_q != '0) begin
      for (int unsigned m = 0; m < 4; m++) begin
        if (!wr_stuck_i[m] || (wr_done_i && 32'(wr_memory_i) == m)) landed |= landing_q[m];
      end
    end
  end

  // --- posting --------------------------------------------------------------------------------
  logic post;
  logic [EngineBits-1:0] engine;
  assign post   = ready_q != '0;
  always_comb begin
    engine = '0;
    if (post) engine = EngineBits'(dma_pkg::pick_of(16'(ready_q), 4'(turn_q)));
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      closed_q     <= '0;
      ready_q      <= '0;
      landing_q    <= '0;
      turn_q       <= '0;
      post_valid_q <= 1'b0;
      posted_q     <= 1'b0;
    end else begin
      post_valid_q <= post;
      posted_q     <= post_valid_q;
      if (close_i) closed_q[close_engine_i] <= 1'b1;
      if (done_valid_o) closed_q[done_engine_o] <= 1'b0;
      if (landing_q != '0) begin
        for (int unsigned m = 0; m < 4; m++) landing_q[m] <= landing_q[m] & ~landed;
      end
      if (wr_done_i && wr_ends_i) landing_q[wr_memory_i][wr_engine_i] <= 1'b1;
      if (drop_i) landing_q[close_beat_i.memory][close_engine_i] <= 1'b1;
      if ((ready_q | landed) != '0) ready_q <= ready_q | landed;
      if (msg_ends_i) ready_q[msg_engine_i] <= 1'b1;
      if (post) begin
        ready_q[engine] <= 1'b0;
        turn_q          <= (32'(engine) == Engines - 1) ? '0 : engine + EngineBits'(1);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (close_i) begin
      end_q[close_engine_i] <= '{fault: close_beat_i.fault, update: close_beat_i.update, sem: close_beat_i.update_sem,
                                 delta: close_beat_i.update_delta, pc: close_beat_i.pc};
    end
    if (post) begin
      post_q        <= end_q[engine];
      post_engine_q <= engine;
    end
    if (post_valid_q) begin
      posted_engine_q <= post_engine_q;
      posted_pc_q     <= post_q.pc;
      posted_fault_q  <= post_q.fault;
    end
  end

  assign closed_o      = closed_q;
  assign upd_valid_o   = post_valid_q && post_q.update;
  assign upd_o         = '{sem: post_q.sem, delta: 17'($signed(post_q.delta))};
  assign upd_engine_o  = 4'(post_engine_q);
  assign upd_pc_o      = post_q.pc;
  assign done_valid_o  = posted_q && !upd_error_i && !posted_fault_q;
  assign stop_valid_o  = posted_q && (upd_error_i || posted_fault_q);
  assign stop_fault_o  = posted_fault_q;
  assign done_engine_o = posted_engine_q;
  assign done_pc_o     = posted_pc_q;

  logic unused_beat;
  assign unused_beat = ^close_beat_i;

  // --- assertions -------------------------------------------------------------------------------

  // An engine ends one descriptor at a time.
  `ASSERT_NOW(ClosedOnce_A, close_i -> !closed_q[close_engine_i])
  // Who waits for memory or for its turn is closed.
  `ASSERT_NOW(EndingIsClosed_A, ((ready_q | landing_q[0] | landing_q[1] | landing_q[2] | landing_q[3]) & ~closed_q) == '0)
  // A rejected update stops its engine before anything else of it leaves.
  `ASSERT_NOW(RejectedBeforeMore_A, upd_error_i -> posted_q && closed_q[posted_engine_q])

endmodule
