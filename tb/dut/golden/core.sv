// SPDX-License-Identifier: Apache-2.0
// A core of a model chip: takes the place of rtl/core/core.sv, and asks the golden model for everything.
//
//   doorbells --> golden model --> status, events      engines, buffers, DMA: tb/dut/golden/golden_chip.h
//                       |
//                       +--> pieces of messages --> fabric_node
//
// Its memories are the golden model's, so the ports to the crossbar stay silent.

module core #(
  localparam int unsigned E = size_pkg::DmaEngines,
  localparam int unsigned N = defs_pkg::Sequencers
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic       core_id_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  // sequencers: doorbells, status, events for the host
  input  logic [N-1:0]       seq_start_i,
  input  logic [N-1:0][47:0] seq_base_i,
  input  logic [N-1:0][24:0] seq_count_i,
  output logic [N-1:0][1:0]  seq_state_o,
  output logic [N-1:0][31:0] seq_pc_o,
  output logic [N-1:0][7:0]  seq_cause_o,
  output logic [N-1:0]       seq_event_valid_o,
  input  logic [N-1:0]       seq_event_ready_i,

  // DMA engines: rings, status
  input  logic [E-1:0][47:0] ring_base_i,
  input  logic [E-1:0][15:0] ring_count_i,
  output logic [E-1:0]       dma_error_o,
  output logic [E-1:0][7:0]  dma_cause_o,
  output logic [E-1:0][31:0] dma_pc_o,

  // counters of the tensor engine
  input  logic        tensor_rd_i,
  input  logic [2:0]  tensor_index_i,
  output logic [47:0] tensor_count_o,

  // semaphores: waited for, then to be updated
  output logic [2*N*9-1:0]            wait_sem_o,
  input  logic [2*N*16-1:0]           wait_value_i,
  output logic [N:0]                  upd_valid_o,
  output defs_pkg::sem_update_t [N:0] upd_o,
  output logic [N:0][31:0]            upd_pc_o,
  output logic [3:0]                  upd_dma_engine_o,
  input  logic [N:0]                  upd_error_i,

  output logic               fetch_req_valid_o,
  input  logic               fetch_req_ready_i,
  output size_pkg::mem_req_t fetch_req_o,
  input  logic               fetch_rsp_valid_i,
  output logic               fetch_rsp_ready_o,
  input  size_pkg::mem_rsp_t fetch_rsp_i,

  output logic               dma_rd_req_valid_o,
  input  logic               dma_rd_req_ready_i,
  output size_pkg::mem_req_t dma_rd_req_o,
  input  logic               dma_rd_rsp_valid_i,
  output logic               dma_rd_rsp_ready_o,
  input  size_pkg::mem_rsp_t dma_rd_rsp_i,
  input  logic               dma_rd_rsp_err_i,

  output logic               dma_wr_req_valid_o,
  input  logic               dma_wr_req_ready_i,
  output size_pkg::mem_req_t dma_wr_req_o,
  input  logic               dma_wr_settled_i,

  input  logic               sbuf_req_valid_i,
  output logic               sbuf_req_ready_o,
  input  size_pkg::mem_req_t sbuf_req_i,
  output logic               sbuf_rsp_valid_o,
  input  logic               sbuf_rsp_ready_i,
  output size_pkg::mem_rsp_t sbuf_rsp_o,

  output logic                 msg_valid_o,
  input  logic                 msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,

  output logic quiet_o
);

  logic [31:0] core_id;
  assign core_id = 32'(core_id_i);

  // ---------------------------------------------------------------- doorbells
  always_ff @(posedge clk_i) begin
    if (rst_ni && seq_start_i != '0) begin
      for (int unsigned e = 0; e < E; e++) begin
        golden_dpi::dodeca_golden_ring(core_id, e, 64'(ring_base_i[e]), 32'(ring_count_i[e]));
      end
      for (int unsigned s = 0; s < N; s++) begin
        if (seq_start_i[s]) begin
          golden_dpi::dodeca_golden_start(core_id, s, 64'(seq_base_i[s]), 32'(seq_count_i[s]));
        end
      end
    end
  end

  // ---------------------------------------------------------------- status
  // One question per cycle; what has changed is fetched.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    bit [1:0] state;
    bit [7:0] cause;
    bit flag;
    int pc;
    if (!rst_ni) begin
      seq_state_o       <= '0;
      seq_pc_o          <= '0;
      seq_cause_o       <= '0;
      seq_event_valid_o <= '0;
      dma_error_o       <= '0;
      dma_cause_o       <= '0;
      dma_pc_o          <= '0;
      quiet_o           <= 1'b1;
    end else begin
      quiet_o <= golden_dpi::dodeca_golden_quiet(core_id) && !msg_valid_o && seq_start_i == '0;
      seq_event_valid_o <= seq_event_valid_o & ~seq_event_ready_i;
      if (golden_dpi::dodeca_golden_changed(core_id)) begin
        for (int unsigned s = 0; s < N; s++) begin
          golden_dpi::dodeca_golden_sequencer(core_id, s, state, pc, cause, flag);
          seq_state_o[s] <= state;
          seq_pc_o[s]    <= pc;
          seq_cause_o[s] <= cause;
          if (flag) seq_event_valid_o[s] <= 1'b1;
        end
        for (int unsigned e = 0; e < E; e++) begin
          golden_dpi::dodeca_golden_dma(core_id, e, flag, cause, pc);
          dma_error_o[e] <= flag;
          dma_cause_o[e] <= cause;
          dma_pc_o[e]    <= pc;
        end
      end
    end
  end

  // ---------------------------------------------------------------- messages
  always_ff @(posedge clk_i or negedge rst_ni) begin
    size_pkg::msg_chunk_t piece;
    if (!rst_ni) begin
      msg_valid_o <= 1'b0;
    end else if (!msg_valid_o || msg_ready_i) begin
      msg_valid_o <= golden_dpi::dodeca_golden_sends(core_id);
      if (golden_dpi::dodeca_golden_sends(core_id)) begin
        golden_dpi::dodeca_golden_piece(core_id, piece.engine, piece.dst, piece.addr, piece.bytes,
          piece.vn, piece.last, piece.notify, piece.sem, piece.data);
        msg_o <= piece;
      end
    end
  end

  // ---------------------------------------------------------------- counters
  always_comb begin
    tensor_count_o = '0;
    if (tensor_rd_i) begin
      tensor_count_o = 48'(golden_dpi::dodeca_golden_count(core_id, 32'(tensor_index_i)));
    end
  end

  // ---------------------------------------------------------------- silent
  assign wait_sem_o         = '0;
  assign upd_valid_o        = '0;
  assign upd_o              = '0;
  assign upd_pc_o           = '0;
  assign upd_dma_engine_o   = '0;
  assign fetch_req_valid_o  = 1'b0;
  assign fetch_req_o        = '0;
  assign fetch_rsp_ready_o  = 1'b0;
  assign dma_rd_req_valid_o = 1'b0;
  assign dma_rd_req_o       = '0;
  assign dma_rd_rsp_ready_o = 1'b0;
  assign dma_wr_req_valid_o = 1'b0;
  assign dma_wr_req_o       = '0;
  assign sbuf_req_ready_o   = 1'b0;
  assign sbuf_rsp_valid_o   = 1'b0;
  assign sbuf_rsp_o         = '0;

  logic unused;
  assign unused = ^{chip_id_i, ring_size_i, wait_value_i, upd_error_i, fetch_req_ready_i,
                    fetch_rsp_valid_i, fetch_rsp_i, dma_rd_req_ready_i, dma_rd_rsp_valid_i, dma_rd_rsp_err_i, dma_rd_rsp_i,
                    dma_wr_req_ready_i, dma_wr_settled_i, sbuf_req_valid_i, sbuf_req_i, sbuf_rsp_ready_i};

endmodule
