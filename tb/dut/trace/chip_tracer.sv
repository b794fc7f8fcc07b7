// SPDX-License-Identifier: Apache-2.0
// Reports what happens between the cores of a chip: semaphore updates with the stream they belong
// to, messages and their bursts, host bursts, and the errors of receiver and host.
//
// A semaphore update is reported when it is applied, one cycle after it was offered: who offered it
// is remembered here. A Take is one that its sequencer posts when the instruction issues: it may overtake updates of
// older instructions, so takes are a list of their own, in lane 1 of the sequencer's stream. A rejected one is not: its stream reports an error (sequencers and DMA engines
// in core_tracer, when they stop).
module chip_tracer (
  input logic clk_i,
  input logic rst_ni,

  input logic                  [12:0] upd_valid_i,  // u_semaphores.upd_valid_q, upd_q
  input defs_pkg::sem_update_t [12:0] upd_i,
  input logic                  [12:0] upd_error_i,
  input logic [9:0][31:0] upd_pc_i,          // as offered, one cycle earlier
  input logic [9:0][31:0] upd_serial_i,
  input logic [1:0][3:0]  upd_take_i,
  input logic [1:0][3:0]  upd_dma_engine_i,
  input logic [1:0][9:0]  upd_rx_src_i,
  input logic [1:0][6:0]  upd_rx_lane_i,

  // fabric receivers: message, then its bursts
  input logic [1:0]         message_valid_i,
  input logic [1:0][9:0]    message_src_i,
  input logic [1:0][6:0]    message_lane_i,
  input logic [1:0][10:0]   message_bytes_i,
  input logic [127:0]       message_header0_i,
  input logic [8191:0]      message_payload0_i,
  input logic [127:0]       message_header1_i,
  input logic [8191:0]      message_payload1_i,
  input logic [1:0]         rx_pending_i,    // the request register is full ...
  input logic [1:0]         rx_accepted_i,   // ... and its write is taken
  input logic [1:0]         rx_burst_i,      // ... by a memory
  input logic [1:0][9:0]    rx_src_i,
  input logic [1:0][6:0]    rx_lane_i,
  input size_pkg::mem_req_t rx0_req_i,
  input size_pkg::mem_req_t rx1_req_i,

  input logic               host_valid_i,
  input size_pkg::mem_req_t host_req_i,

  input logic       host_refused_i,
  input logic [7:0] host_cause_i,
  input logic [3:0]       fabric_error_i,
  input logic [3:0][7:0]  fabric_cause_i,
  input logic [3:0][31:0] fabric_pc_i
);

  localparam int Rx = 32'(defs_pkg::EngineRx), Host = 32'(defs_pkg::EngineHost);
  localparam int Dma0 = 32'(defs_pkg::EngineDma0);

  // ---------------------------------------------------------------- semaphores
  logic [9:0][31:0] upd_pc_q, upd_serial_q;
  logic [1:0][3:0] upd_take_q, upd_dma_engine_q;
  logic [1:0][9:0] upd_rx_src_q;
  logic [1:0][6:0] upd_rx_lane_q;
  always_ff @(posedge clk_i) begin
    upd_pc_q         <= upd_pc_i;
    upd_serial_q     <= upd_serial_i;
    upd_take_q       <= upd_take_i;
    upd_dma_engine_q <= upd_dma_engine_i;
    upd_rx_src_q     <= upd_rx_src_i;
    upd_rx_lane_q    <= upd_rx_lane_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni && upd_valid_i != '0) begin
      for (int unsigned core = 0; core < 2; core++) begin
        for (int unsigned s = 0; s < 5; s++) begin
          if (upd_valid_i[4'(core * 5 + s)] && !upd_error_i[4'(core * 5 + s)]) begin
            commit_dpi::dodeca_commit_semaphore(core,
              (s == 4) ? Dma0 + 32'(upd_dma_engine_q[core[0]]) : s, 0,
              32'(s < 4 && upd_take_q[core[0]][s[1:0]]),
              upd_serial_q[4'(core * 5 + s)], upd_pc_q[4'(core * 5 + s)], 32'(upd_i[4'(core * 5 + s)].sem),
              32'(upd_i[4'(core * 5 + s)].delta));
          end
        end
      end
      for (int unsigned p = 0; p < 2; p++) begin
        if (upd_valid_i[4'(10 + p)] && !upd_error_i[4'(10 + p)]) begin
          commit_dpi::dodeca_commit_semaphore(0, Rx, 32'(upd_rx_src_q[p[0]]),
            32'(upd_rx_lane_q[p[0]]), 0, 0, 32'(upd_i[4'(10 + p)].sem), 32'(upd_i[4'(10 + p)].delta));
        end else if (upd_valid_i[4'(10 + p)]) begin
          commit_dpi::dodeca_commit_error(0, Rx, 0, 0, 32'(defs_pkg::ErrorCauseSemaphoreOverflow));
        end
      end
      if (upd_valid_i[12] && !upd_error_i[12]) begin
        commit_dpi::dodeca_commit_semaphore(0, Host, 0, 0, 0, 0, 32'(upd_i[12].sem),
          32'(upd_i[12].delta));
      end
    end
  end

  // ---------------------------------------------------------------- receivers
  // The next message may be announced while the last burst of the one before still waits for its
  // memory; it is held until that burst was reported (`held`).
  logic [1:0] held, held_q;
  assign held = (message_valid_i | held_q) & rx_pending_i & ~rx_accepted_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) held_q <= '0;
    else held_q <= held;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      if (rx_burst_i[0]) begin
        commit_dpi::dodeca_commit_burst(0, Rx, 32'(rx_src_i[0]), 32'(rx_lane_i[0]), 0, 0,
          64'(rx0_req_i.addr), 32'(rx0_req_i.bytes), rx0_req_i.data);
      end
      if (rx_burst_i[1]) begin
        commit_dpi::dodeca_commit_burst(0, Rx, 32'(rx_src_i[1]), 32'(rx_lane_i[1]), 0, 0,
          64'(rx1_req_i.addr), 32'(rx1_req_i.bytes), rx1_req_i.data);
      end
      if ((message_valid_i[0] || held_q[0]) && !held[0]) begin
        commit_dpi::dodeca_commit_message(32'(message_src_i[0]), 32'(message_lane_i[0]),
          message_header0_i, 32'(message_bytes_i[0]), message_payload0_i);
      end
      if ((message_valid_i[1] || held_q[1]) && !held[1]) begin
        commit_dpi::dodeca_commit_message(32'(message_src_i[1]), 32'(message_lane_i[1]),
          message_header1_i, 32'(message_bytes_i[1]), message_payload1_i);
      end
      if (fabric_error_i != '0) begin
        for (int unsigned f = 0; f < 4; f++) begin
          if (fabric_error_i[f]) begin
            commit_dpi::dodeca_commit_error(0, Rx, 0, fabric_pc_i[f], 32'(fabric_cause_i[f]));
          end
        end
      end
    end
  end

  // ---------------------------------------------------------------- host
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      if (host_valid_i && host_req_i.write) begin
        commit_dpi::dodeca_commit_burst(0, Host, 0, 0, 0, 0, 64'(host_req_i.addr),
          32'(host_req_i.bytes), host_req_i.data);
      end
      if (host_refused_i) commit_dpi::dodeca_commit_error(0, Host, 0, 0, 32'(host_cause_i));
    end
  end

endmodule

bind chip chip_tracer u_tracer (
  .clk_i, .rst_ni,
  .upd_valid_i(u_semaphores.upd_valid_q), .upd_i(u_semaphores.upd_q), .upd_error_i(upd_error),
  .upd_pc_i(upd_pc), .upd_serial_i(upd_serial), .upd_take_i(upd_take), .upd_dma_engine_i(upd_dma_engine),
  .upd_rx_src_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_sem_src, u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_sem_src}),
  .upd_rx_lane_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_sem_lane, u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_sem_lane}),
  .message_valid_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_message_valid_q,
                    u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_message_valid_q}),
  .message_src_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_message_src, u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_message_src}),
  .message_lane_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_message_lane, u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_message_lane}),
  .message_bytes_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_message_bytes,
                    u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_message_bytes}),
  .message_header0_i(u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_message_header_q),
  .message_payload0_i(u_fabric.u_ni.gen_core[0].u_rx.u_store.trace_message_payload_q),
  .message_header1_i(u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_message_header_q),
  .message_payload1_i(u_fabric.u_ni.gen_core[1].u_rx.u_store.trace_message_payload_q),
  .rx_pending_i(rx_req_valid),
  .rx_accepted_i(rx_req_valid & rx_req_ready),
  .rx_burst_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_burst_valid, u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_burst_valid}),
  .rx_src_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_burst_src, u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_burst_src}),
  .rx_lane_i({u_fabric.u_ni.gen_core[1].u_rx.u_write.trace_burst_lane, u_fabric.u_ni.gen_core[0].u_rx.u_write.trace_burst_lane}),
  .rx0_req_i(rx_req[0]), .rx1_req_i(rx_req[1]),
  .host_valid_i(from[Host].req_valid && from[Host].req_ready), .host_req_i(from[Host].req),
  .host_refused_i(u_host.do_error), .host_cause_i(u_host.host_cause_d),
  .fabric_error_i(fabric_error), .fabric_cause_i(fabric_cause), .fabric_pc_i(fabric_pc)
);
