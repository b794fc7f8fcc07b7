// SPDX-License-Identifier: Apache-2.0
// Collects what the host is notified of (completions and errors) and offers it one at a time.
//
//   sources, in the order of the arbiter's requests      engine of the token
//   0 .. 7        sequencers {core, index}: END, error   Tensor .. Sync
//   8 .. 8+D-1    DMA engines: error level               Dma0 + e
//   then 4        rejected by fabric_node: received by port 0, 1; offered by core 0, 1    Rx
//   then 2        semaphore overflow by receiver 0, 1    Rx
//   then 1        a packet is stalled in the router, see FabricStall          Rx
//   then 1        host port: a rejected request           Host
//
// Each DMA engine reports once; of several overflows or rejections of one port the first is kept.
`include "assert.svh"

module host_events #(
  localparam int unsigned S = defs_pkg::Cores * defs_pkg::Sequencers,
  localparam int unsigned E = size_pkg::DmaEngines,
  localparam int unsigned D = defs_pkg::Cores * E,
  localparam int unsigned O = 7,  // sources that are notified once
  localparam int unsigned N = S + D + O + 1,
  localparam int unsigned IndexBits = $clog2(N)
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [S-1:0]       seq_valid_i,
  output logic [S-1:0]       seq_ready_o,
  input  logic [S-1:0][1:0]  seq_state_i,
  input  logic [S-1:0][31:0] seq_pc_i,
  input  logic [S-1:0][7:0]  seq_cause_i,

  input  logic [D-1:0]       dma_error_i,
  input  logic [D-1:0][7:0]  dma_cause_i,
  input  logic [D-1:0][31:0] dma_pc_i,

  input  logic [1:0]       rx_upd_error_i,
  input  logic [3:0]       fabric_error_i,
  input  logic [3:0][7:0]  fabric_cause_i,
  input  logic [3:0][31:0] fabric_pc_i,
  input  logic             fabric_stalled_i,

  input  logic       host_valid_i,
  output logic       host_ready_o,
  input  logic [7:0] host_cause_i,

  output logic        event_valid_o,
  input  logic        event_ready_i,
  output logic [1:0]  event_kind_o,
  output logic        event_core_o,
  output logic [5:0]  event_engine_o,
  output logic [7:0]  event_cause_o,
  output logic [31:0] event_pc_o
);

  // ---------------------------------------------------------------- pending and reported
  logic [D-1:0] dma_notified_d, dma_notified_q;
  // Notified once: {stalled, receiver's overflow 2, fabric 4}, with cause and pc of the first.
  logic [O-1:0] once_now, once_pending_d, once_pending_q, once_notified_d, once_notified_q;
  logic [3:0][7:0] fabric_cause_d, fabric_cause_q;
  logic [3:0][31:0] fabric_pc_d, fabric_pc_q;
  assign once_now = {fabric_stalled_i, rx_upd_error_i, fabric_error_i};

  logic [N-1:0] request, grant;
  logic [IndexBits-1:0] index;
  logic accept;
  assign request = {host_valid_i, once_pending_q, dma_error_i & ~dma_notified_q, seq_valid_i};
  assign accept  = event_valid_o && event_ready_i;
  prim_rr_arbiter #(.Requests(N)) u_arbiter (
    .clk_i, .rst_ni,
    .request_i(request), .accept_i(event_ready_i),
    .grant_o(grant), .index_o(index), .valid_o(event_valid_o)
  );
  assign seq_ready_o  = event_ready_i ? grant[S-1:0] : '0;
  assign host_ready_o = event_ready_i && grant[N-1];

  always_comb begin
    dma_notified_d  = dma_notified_q;
    once_notified_d = once_notified_q;
    once_pending_d  = once_pending_q | (once_now & ~once_notified_q);
    fabric_cause_d  = fabric_cause_q;
    fabric_pc_d     = fabric_pc_q;
    if (once_now != '0) begin
      for (int unsigned f = 0; f < 4; f++) begin
        if (fabric_error_i[f] && !once_notified_q[f] && !once_pending_q[f]) begin
          fabric_cause_d[f] = fabric_cause_i[f];
          fabric_pc_d[f]    = fabric_pc_i[f];
        end
      end
    end
    if (accept) begin
      dma_notified_d  = dma_notified_q | grant[S +: D];
      once_notified_d = once_notified_q | grant[S+D +: O];
      once_pending_d  = once_pending_d & ~grant[S+D +: O];
    end
  end

  // ---------------------------------------------------------------- the winner's token
  // S, D and 4 are multiples of 4: the lowest bits tell the members of a group apart.
  logic stopped, core;
  logic [$clog2(D)-1:0] dma;
  assign stopped = seq_state_i[index[2:0]] == 2'd3;
  assign core    = index[0];
  assign dma     = ($clog2(D))'(32'(index) - S);
  always_comb begin
    event_kind_o   = 2'(defs_pkg::HostKindError);
    event_core_o   = 1'b0;
    event_engine_o = 6'(defs_pkg::EngineHost);
    event_cause_o  = host_cause_i;
    event_pc_o     = '0;
    if (event_valid_o) begin
      if (32'(index) < S) begin
        event_kind_o   = stopped ? 2'(defs_pkg::HostKindError) : 2'(defs_pkg::HostKindCompletion);
        event_core_o   = index[2];
        event_engine_o = {4'd0, index[1:0]};
        event_cause_o  = stopped ? seq_cause_i[index[2:0]] : 8'd0;
        event_pc_o     = seq_pc_i[index[2:0]];
      end else if (32'(index) < S + D) begin
        event_core_o   = 32'(dma) >= E;
        event_engine_o = 6'(defs_pkg::EngineDma0) + 6'(32'(dma) % E);
        event_cause_o  = dma_cause_i[dma];
        event_pc_o     = dma_pc_i[dma];
      end else if (32'(index) < S + D + 4) begin
        event_core_o   = core;
        event_engine_o = 6'(defs_pkg::EngineRx);
        event_cause_o  = fabric_cause_q[index[1:0]];
        event_pc_o     = fabric_pc_q[index[1:0]];
      end else if (32'(index) < S + D + 6) begin
        event_core_o   = core;
        event_engine_o = 6'(defs_pkg::EngineRx);
        event_cause_o  = 8'(defs_pkg::ErrorCauseSemaphoreOverflow);
      end else if (32'(index) < S + D + O) begin
        event_engine_o = 6'(defs_pkg::EngineRx);
        event_cause_o  = 8'(defs_pkg::ErrorCauseStalled);
      end
    end
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      dma_notified_q  <= '0;
      once_pending_q  <= '0;
      once_notified_q <= '0;
      fabric_cause_q  <= '0;
      fabric_pc_q     <= '0;
    end else begin
      dma_notified_q  <= dma_notified_d;
      once_pending_q  <= once_pending_d;
      once_notified_q <= once_notified_d;
      fabric_cause_q  <= fabric_cause_d;
      fabric_pc_q     <= fabric_pc_d;
    end
  end

  // What was notified once is not pending again.
  `ASSERT_NOW(NotifiedOnce_A, (once_pending_q & once_notified_q) == '0)

endmodule
