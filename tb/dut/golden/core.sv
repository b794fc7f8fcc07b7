// SPDX-License-Identifier: Apache-2.0
// A core of a model chip: takes the place of rtl/core/core.sv, and asks the golden model for everything.
//
//   doorbells --> golden model --> status, events      engines, buffers, DMA: tb/dut/golden/golden_chip.h
//                       |
//                       +--> beats of messages --> fabric_node
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
  input  defs_pkg::peer_access_t peer_i,

  // registers: see reg_req
  input  logic               reg_select_i,
  input  logic               reg_apply_i,
  input  defs_pkg::reg_req_t reg_i,
  output defs_pkg::reg_rsp_t reg_o,

  // status, and events for the host
  output logic [N-1:0][1:0]  seq_state_o,
  output logic [N-1:0][31:0] seq_pc_o,
  output logic [N-1:0][7:0]  seq_cause_o,
  output logic [N-1:0]       seq_event_valid_o,
  input  logic [N-1:0]       seq_event_ready_i,
  output logic [E-1:0]       dma_error_o,
  output logic [E-1:0][7:0]  dma_cause_o,
  output logic [E-1:0][31:0] dma_pc_o,

  // semaphores: waited for, then to be updated
  output logic [2*N*9-1:0]            wait_sem_o,
  input  logic [2*N*16-1:0]           wait_value_i,
  output logic [N:0]                  upd_valid_o,
  output defs_pkg::sem_update_t [N:0] upd_o,
  output logic [N:0][31:0]            upd_pc_o,
  output logic [N:0][31:0]            upd_serial_o,
  output logic [N-1:0]                upd_take_o,
  output logic [3:0]                  upd_dma_engine_o,
  input  logic [N:0]                  upd_error_i,

  mem_if.requester fetch,
  mem_if.requester dma_read,
  mem_if.requester dma_write,
  mem_if.memory    sbuf_line,

  output logic                 msg_valid_o,
  input  logic                 msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,

  output logic quiet_o,
  output logic asleep_o
);

  assign asleep_o = 1'b0;  // the model is asked in every cycle

  logic [31:0] core_id;
  assign core_id = 32'(core_id_i);

  // ---------------------------------------------------------------- registers and doorbells
  logic [N-1:0]       seq_start;
  logic [N-1:0][47:0] seq_base;
  logic [N-1:0][24:0] seq_count;
  logic [E-1:0][47:0] ring_base;
  logic [E-1:0][15:0] ring_count;
  logic               tensor_rd;
  logic [2:0]         tensor_index;
  logic [47:0]        tensor_count;
  core_regs u_regs (
    .clk_i, .rst_ni, .select_i(reg_select_i), .apply_i(reg_apply_i), .reg_i, .reg_o,
    .seq_start_o(seq_start), .seq_base_o(seq_base), .seq_count_o(seq_count),
    .seq_state_i(seq_state_o), .seq_pc_i(seq_pc_o), .seq_cause_i(seq_cause_o),
    .ring_base_o(ring_base), .ring_count_o(ring_count),
    .dma_cause_i(dma_cause_o), .dma_pc_i(dma_pc_o),
    .tensor_rd_o(tensor_rd), .tensor_index_o(tensor_index), .tensor_count_i(tensor_count)
  );
  always_ff @(posedge clk_i) begin
    if (rst_ni && seq_start != '0) begin
      golden_dpi::dodeca_golden_peer(core_id, peer_i.shared, 64'(peer_i.base), 64'(peer_i.limit));
      for (int unsigned e = 0; e < E; e++) begin
        golden_dpi::dodeca_golden_ring(core_id, e, 64'(ring_base[e]), 32'(ring_count[e]));
      end
      for (int unsigned s = 0; s < N; s++) begin
        if (seq_start[s]) begin
          golden_dpi::dodeca_golden_start(core_id, s, 64'(seq_base[s]), 32'(seq_count[s]));
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
      quiet_o <= golden_dpi::dodeca_golden_quiet(core_id) && !msg_valid_o && seq_start == '0;
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
    size_pkg::msg_chunk_t beat;
    if (!rst_ni) begin
      msg_valid_o <= 1'b0;
    end else if (!msg_valid_o || msg_ready_i) begin
      msg_valid_o <= golden_dpi::dodeca_golden_sends(core_id);
      if (golden_dpi::dodeca_golden_sends(core_id)) begin
        golden_dpi::dodeca_golden_beat(core_id, beat.engine, beat.dst, beat.addr, beat.bytes,
          beat.vn, beat.last, beat.notify, beat.sem, beat.data);
        msg_o <= beat;
      end
    end
  end

  // ---------------------------------------------------------------- counters
  always_comb begin
    tensor_count = '0;
    if (tensor_rd) begin
      tensor_count = 48'(golden_dpi::dodeca_golden_count(core_id, 32'(tensor_index)));
    end
  end

  // ---------------------------------------------------------------- silent
  assign wait_sem_o         = '0;
  assign upd_valid_o        = '0;
  assign upd_o              = '0;
  assign upd_pc_o           = '0;
  assign upd_serial_o       = '0;
  assign upd_take_o         = '0;
  assign upd_dma_engine_o   = '0;
  assign fetch.req_valid     = 1'b0;
  assign fetch.req           = '0;
  assign fetch.rsp_ready     = 1'b0;
  assign dma_read.req_valid  = 1'b0;
  assign dma_read.req        = '0;
  assign dma_read.rsp_ready  = 1'b0;
  assign dma_write.req_valid = 1'b0;
  assign dma_write.req       = '0;
  assign sbuf_line.req_ready = 1'b0;
  assign sbuf_line.rsp_valid = 1'b0;
  assign sbuf_line.rsp       = '0;

  logic unused;
  assign unused = ^{chip_id_i, ring_size_i, wait_value_i, upd_error_i, dma_read.rsp_err};

endmodule
