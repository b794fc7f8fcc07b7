// SPDX-License-Identifier: Apache-2.0
// One chip: host port, two cores, memory crossbar and fabric node. The table of contents of rtl/.
//
//   host tokens <--> u_host ---- doorbells, status ---> u_core0, u_core1 <---> u_semaphores
//                      |                                  |  fetch, DMA, SBUF lines
//                      +---------> u_xbar <---------------+
//                                  |    |                 | messages
//                                hbm0  hbm1  <-- rx -- u_fabric <--> links: chip + 1, - 1, + 5, - 5
//
// Tokens (links and host) move once per fabric cycle, that is every second core cycle: the inputs
// are sampled at the edge that ends the cycle with fabric_phase_o = 1; the outputs change there.
// After reset the phase is 0 first. HBM channels run at the core clock.
// quiet_o: nothing is in flight anywhere: engines idle, queues empty, link credits home.
//
// Wiring only, in data-path order.
`include "assert.svh"

module chip #(
  localparam int unsigned E = size_pkg::DmaEngines,
  localparam int unsigned N = defs_pkg::Sequencers
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [9:0] chip_id_i,    // straps
  input  logic [4:0] ring_size_i,
  output logic fabric_phase_o,
  output logic quiet_o,

  input  defs_pkg::host_req_t host_req_i,
  output defs_pkg::host_rsp_t host_rsp_o,

  input  defs_pkg::flit_t link_rx0_i,
  input  defs_pkg::flit_t link_rx1_i,
  output defs_pkg::flit_t link_tx0_o,
  output defs_pkg::flit_t link_tx1_o,
  input  defs_pkg::flit_t link_rx2_i,
  input  defs_pkg::flit_t link_rx3_i,
  output defs_pkg::flit_t link_tx2_o,
  output defs_pkg::flit_t link_tx3_o,
  output logic [3:0]      link_dead_o,       // cables that are dead, for the host
  output logic            fabric_drained_o,  // no packet is between its sender and memory

  output logic               hbm0_req_valid_o,
  input  logic               hbm0_req_ready_i,
  output size_pkg::mem_req_t hbm0_req_o,
  input  logic               hbm0_rsp_valid_i,
  output logic               hbm0_rsp_ready_o,
  input  size_pkg::mem_rsp_t hbm0_rsp_i,

  output logic               hbm1_req_valid_o,
  input  logic               hbm1_req_ready_i,
  output size_pkg::mem_req_t hbm1_req_o,
  input  logic               hbm1_rsp_valid_i,
  output logic               hbm1_rsp_ready_o,
  input  size_pkg::mem_rsp_t hbm1_rsp_i
);

  // ---------------------------------------------------------------- fabric clock enable
  logic phase_q, fabric_en;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) phase_q <= 1'b0;
    else phase_q <= !phase_q;
  end
  assign fabric_en      = phase_q;
  assign fabric_phase_o = phase_q;

  // ---------------------------------------------------------------- host port
  logic host_req_valid, host_req_ready, host_settled, host_rsp_valid, host_rsp_ready, host_quiet;
  size_pkg::mem_req_t host_req;
  size_pkg::mem_rsp_t host_rsp;
  logic [2*N-1:0]       seq_start, seq_event_valid, seq_event_ready;
  logic [2*N-1:0][47:0] seq_base;
  logic [2*N-1:0][24:0] seq_count;
  logic [2*N-1:0][1:0]  seq_state;
  logic [2*N-1:0][31:0] seq_pc;
  logic [2*N-1:0][7:0]  seq_cause;
  logic [2*E-1:0][47:0] ring_base;
  logic [2*E-1:0][15:0] ring_count;
  logic [2*E-1:0]       dma_error;
  logic [2*E-1:0][7:0]  dma_cause;
  logic [2*E-1:0][31:0] dma_pc;
  logic [1:0]       tensor_rd;
  logic [2:0]       tensor_index;
  logic [1:0][47:0] tensor_count;
  logic [3:0]       fabric_error;
  logic [3:0][7:0]  fabric_cause;
  logic [3:0][31:0] fabric_pc;
  logic             fabric_stalled;
  logic fabric_apply;
  defs_pkg::reg_req_t fabric_req;
  defs_pkg::reg_rsp_t fabric_rsp;
  host_if u_host (
    .clk_i, .rst_ni, .fabric_en_i(fabric_en), .chip_id_i, .ring_size_i, .host_req_i, .host_rsp_o,
    .mem_req_valid_o(host_req_valid), .mem_req_ready_i(host_req_ready), .mem_req_o(host_req),
    .mem_settled_i(host_settled),
    .mem_rsp_valid_i(host_rsp_valid), .mem_rsp_ready_o(host_rsp_ready), .mem_rsp_i(host_rsp),
    .seq_start_o(seq_start), .seq_base_o(seq_base), .seq_count_o(seq_count),
    .seq_state_i(seq_state), .seq_pc_i(seq_pc), .seq_cause_i(seq_cause),
    .seq_event_valid_i(seq_event_valid), .seq_event_ready_o(seq_event_ready),
    .ring_base_o(ring_base), .ring_count_o(ring_count),
    .dma_error_i(dma_error), .dma_cause_i(dma_cause), .dma_pc_i(dma_pc),
    .tensor_rd_o(tensor_rd), .tensor_index_o(tensor_index), .tensor_count_i(tensor_count),
    .rx_upd_error_i(upd_error[11:10]),
    .fabric_error_i(fabric_error), .fabric_cause_i(fabric_cause), .fabric_pc_i(fabric_pc),
    .fabric_stalled_i(fabric_stalled),
    .fabric_apply_o(fabric_apply), .fabric_req_o(fabric_req), .fabric_rsp_i(fabric_rsp),
    .quiet_o(host_quiet)
  );

  // ---------------------------------------------------------------- semaphores
  // Ports as in semaphores.sv. The host has no register that updates one: port 12 is silent.
  logic [4*N*9-1:0]  wait_sem;
  logic [4*N*16-1:0] wait_value;
  logic [12:0] upd_valid, upd_error;
  defs_pkg::sem_update_t [12:0] upd;
  logic [9:0][31:0] upd_pc;
  logic [1:0][3:0] upd_dma_engine;
  logic semaphores_quiet;
  semaphores u_semaphores (
    .clk_i, .rst_ni, .upd_valid_i(upd_valid), .upd_i(upd), .error_o(upd_error),
    .wait_sem_i(wait_sem), .wait_value_o(wait_value), .quiet_o(semaphores_quiet)
  );
  assign upd_valid[12] = 1'b0;
  assign upd[12]       = '0;
  // Whose update it was is for the tracer (tb/dut/trace/chip_tracer.sv) only.
  logic unused_trace;
  assign unused_trace = ^{upd_error[12], upd_pc, upd_dma_engine};

  // ---------------------------------------------------------------- cores
  logic [1:0] core_quiet;
  logic fetch0_req_valid, fetch0_req_ready, fetch0_rsp_valid, fetch0_rsp_ready;
  logic dma_rd0_req_valid, dma_rd0_req_ready, dma_rd0_rsp_valid, dma_rd0_rsp_ready;
  logic dma_wr0_req_valid, dma_wr0_req_ready, dma_wr0_settled, dma_rd0_rsp_err;
  logic sbuf0_req_valid, sbuf0_req_ready, sbuf0_rsp_valid, sbuf0_rsp_ready;
  logic [1:0] msg_valid, msg_ready;
  size_pkg::mem_req_t fetch0_req, dma_rd0_req, dma_wr0_req, sbuf0_req;
  size_pkg::mem_rsp_t fetch0_rsp, dma_rd0_rsp, sbuf0_rsp;
  fabric_pkg::core_chunks_t msg;
  core u_core0 (
    .clk_i, .rst_ni, .core_id_i(1'b0), .chip_id_i, .ring_size_i,
    .seq_start_i(seq_start[0*N +: N]), .seq_base_i(seq_base[0*N +: N]),
    .seq_count_i(seq_count[0*N +: N]), .seq_state_o(seq_state[0*N +: N]),
    .seq_pc_o(seq_pc[0*N +: N]), .seq_cause_o(seq_cause[0*N +: N]),
    .seq_event_valid_o(seq_event_valid[0*N +: N]),
    .seq_event_ready_i(seq_event_ready[0*N +: N]),
    .ring_base_i(ring_base[0*E +: E]), .ring_count_i(ring_count[0*E +: E]),
    .dma_error_o(dma_error[0*E +: E]), .dma_cause_o(dma_cause[0*E +: E]),
    .dma_pc_o(dma_pc[0*E +: E]),
    .tensor_rd_i(tensor_rd[0]), .tensor_index_i(tensor_index),
    .tensor_count_o(tensor_count[0]),
    .wait_sem_o(wait_sem[0*2*N*9 +: 2*N*9]),
    .wait_value_i(wait_value[0*2*N*16 +: 2*N*16]),
    .upd_valid_o(upd_valid[0*(N+1) +: N+1]), .upd_o(upd[0*(N+1) +: N+1]),
    .upd_pc_o(upd_pc[0*(N+1) +: N+1]), .upd_dma_engine_o(upd_dma_engine[0]),
    .upd_error_i(upd_error[0*(N+1) +: N+1]),
    .fetch_req_valid_o(fetch0_req_valid), .fetch_req_ready_i(fetch0_req_ready),
    .fetch_req_o(fetch0_req), .fetch_rsp_valid_i(fetch0_rsp_valid),
    .fetch_rsp_ready_o(fetch0_rsp_ready), .fetch_rsp_i(fetch0_rsp),
    .dma_rd_req_valid_o(dma_rd0_req_valid), .dma_rd_req_ready_i(dma_rd0_req_ready),
    .dma_rd_req_o(dma_rd0_req), .dma_rd_rsp_valid_i(dma_rd0_rsp_valid),
    .dma_rd_rsp_ready_o(dma_rd0_rsp_ready), .dma_rd_rsp_i(dma_rd0_rsp),
    .dma_rd_rsp_err_i(dma_rd0_rsp_err),
    .dma_wr_req_valid_o(dma_wr0_req_valid), .dma_wr_req_ready_i(dma_wr0_req_ready),
    .dma_wr_req_o(dma_wr0_req), .dma_wr_settled_i(dma_wr0_settled),
    .sbuf_req_valid_i(sbuf0_req_valid), .sbuf_req_ready_o(sbuf0_req_ready),
    .sbuf_req_i(sbuf0_req), .sbuf_rsp_valid_o(sbuf0_rsp_valid),
    .sbuf_rsp_ready_i(sbuf0_rsp_ready), .sbuf_rsp_o(sbuf0_rsp),
    .msg_valid_o(msg_valid[0]), .msg_ready_i(msg_ready[0]), .msg_o(msg[0]),
    .quiet_o(core_quiet[0])
  );

  logic fetch1_req_valid, fetch1_req_ready, fetch1_rsp_valid, fetch1_rsp_ready;
  logic dma_rd1_req_valid, dma_rd1_req_ready, dma_rd1_rsp_valid, dma_rd1_rsp_ready;
  logic dma_wr1_req_valid, dma_wr1_req_ready, dma_wr1_settled, dma_rd1_rsp_err;
  logic sbuf1_req_valid, sbuf1_req_ready, sbuf1_rsp_valid, sbuf1_rsp_ready;
  size_pkg::mem_req_t fetch1_req, dma_rd1_req, dma_wr1_req, sbuf1_req;
  size_pkg::mem_rsp_t fetch1_rsp, dma_rd1_rsp, sbuf1_rsp;
  core u_core1 (
    .clk_i, .rst_ni, .core_id_i(1'b1), .chip_id_i, .ring_size_i,
    .seq_start_i(seq_start[1*N +: N]), .seq_base_i(seq_base[1*N +: N]),
    .seq_count_i(seq_count[1*N +: N]), .seq_state_o(seq_state[1*N +: N]),
    .seq_pc_o(seq_pc[1*N +: N]), .seq_cause_o(seq_cause[1*N +: N]),
    .seq_event_valid_o(seq_event_valid[1*N +: N]),
    .seq_event_ready_i(seq_event_ready[1*N +: N]),
    .ring_base_i(ring_base[1*E +: E]), .ring_count_i(ring_count[1*E +: E]),
    .dma_error_o(dma_error[1*E +: E]), .dma_cause_o(dma_cause[1*E +: E]),
    .dma_pc_o(dma_pc[1*E +: E]),
    .tensor_rd_i(tensor_rd[1]), .tensor_index_i(tensor_index),
    .tensor_count_o(tensor_count[1]),
    .wait_sem_o(wait_sem[1*2*N*9 +: 2*N*9]),
    .wait_value_i(wait_value[1*2*N*16 +: 2*N*16]),
    .upd_valid_o(upd_valid[1*(N+1) +: N+1]), .upd_o(upd[1*(N+1) +: N+1]),
    .upd_pc_o(upd_pc[1*(N+1) +: N+1]), .upd_dma_engine_o(upd_dma_engine[1]),
    .upd_error_i(upd_error[1*(N+1) +: N+1]),
    .fetch_req_valid_o(fetch1_req_valid), .fetch_req_ready_i(fetch1_req_ready),
    .fetch_req_o(fetch1_req), .fetch_rsp_valid_i(fetch1_rsp_valid),
    .fetch_rsp_ready_o(fetch1_rsp_ready), .fetch_rsp_i(fetch1_rsp),
    .dma_rd_req_valid_o(dma_rd1_req_valid), .dma_rd_req_ready_i(dma_rd1_req_ready),
    .dma_rd_req_o(dma_rd1_req), .dma_rd_rsp_valid_i(dma_rd1_rsp_valid),
    .dma_rd_rsp_ready_o(dma_rd1_rsp_ready), .dma_rd_rsp_i(dma_rd1_rsp),
    .dma_rd_rsp_err_i(dma_rd1_rsp_err),
    .dma_wr_req_valid_o(dma_wr1_req_valid), .dma_wr_req_ready_i(dma_wr1_req_ready),
    .dma_wr_req_o(dma_wr1_req), .dma_wr_settled_i(dma_wr1_settled),
    .sbuf_req_valid_i(sbuf1_req_valid), .sbuf_req_ready_o(sbuf1_req_ready),
    .sbuf_req_i(sbuf1_req), .sbuf_rsp_valid_o(sbuf1_rsp_valid),
    .sbuf_rsp_ready_i(sbuf1_rsp_ready), .sbuf_rsp_o(sbuf1_rsp),
    .msg_valid_o(msg_valid[1]), .msg_ready_i(msg_ready[1]), .msg_o(msg[1]),
    .quiet_o(core_quiet[1])
  );

  // ---------------------------------------------------------------- memory
  // Sequencers, the host port and the fabric refuse unmapped addresses themselves or are told with
  // the request; the crossbar's other error flags say nothing new.
  logic fetch0_req_err, fetch0_rsp_err, dma_rd0_req_err, dma_wr0_req_err, fetch1_req_err,
        fetch1_rsp_err, dma_rd1_req_err, dma_wr1_req_err, host_req_err, host_rsp_err,
        unused_errors;
  assign unused_errors = ^{fetch0_req_err, fetch0_rsp_err, dma_rd0_req_err, dma_wr0_req_err,
        fetch1_req_err, fetch1_rsp_err, dma_rd1_req_err, dma_wr1_req_err, host_req_err,
        host_rsp_err};
  logic [1:0] rx_req_valid, rx_req_ready, rx_req_err, rx_settled;
  fabric_pkg::core_requests_t rx_req;
  mem_xbar u_xbar (
    .clk_i, .rst_ni,
    .fetch0_req_valid_i(fetch0_req_valid), .fetch0_req_ready_o(fetch0_req_ready),
    .fetch0_req_i(fetch0_req), .fetch0_req_err_o(fetch0_req_err),
    .fetch0_rsp_valid_o(fetch0_rsp_valid), .fetch0_rsp_ready_i(fetch0_rsp_ready),
    .fetch0_rsp_o(fetch0_rsp), .fetch0_rsp_err_o(fetch0_rsp_err),
    .dma_rd0_req_valid_i(dma_rd0_req_valid), .dma_rd0_req_ready_o(dma_rd0_req_ready),
    .dma_rd0_req_i(dma_rd0_req), .dma_rd0_req_err_o(dma_rd0_req_err),
    .dma_rd0_rsp_valid_o(dma_rd0_rsp_valid), .dma_rd0_rsp_ready_i(dma_rd0_rsp_ready),
    .dma_rd0_rsp_o(dma_rd0_rsp), .dma_rd0_rsp_err_o(dma_rd0_rsp_err),
    .dma_wr0_req_valid_i(dma_wr0_req_valid), .dma_wr0_req_ready_o(dma_wr0_req_ready),
    .dma_wr0_req_i(dma_wr0_req), .dma_wr0_req_err_o(dma_wr0_req_err),
    .dma_wr0_settled_o(dma_wr0_settled),
    .fetch1_req_valid_i(fetch1_req_valid), .fetch1_req_ready_o(fetch1_req_ready),
    .fetch1_req_i(fetch1_req), .fetch1_req_err_o(fetch1_req_err),
    .fetch1_rsp_valid_o(fetch1_rsp_valid), .fetch1_rsp_ready_i(fetch1_rsp_ready),
    .fetch1_rsp_o(fetch1_rsp), .fetch1_rsp_err_o(fetch1_rsp_err),
    .dma_rd1_req_valid_i(dma_rd1_req_valid), .dma_rd1_req_ready_o(dma_rd1_req_ready),
    .dma_rd1_req_i(dma_rd1_req), .dma_rd1_req_err_o(dma_rd1_req_err),
    .dma_rd1_rsp_valid_o(dma_rd1_rsp_valid), .dma_rd1_rsp_ready_i(dma_rd1_rsp_ready),
    .dma_rd1_rsp_o(dma_rd1_rsp), .dma_rd1_rsp_err_o(dma_rd1_rsp_err),
    .dma_wr1_req_valid_i(dma_wr1_req_valid), .dma_wr1_req_ready_o(dma_wr1_req_ready),
    .dma_wr1_req_i(dma_wr1_req), .dma_wr1_req_err_o(dma_wr1_req_err),
    .dma_wr1_settled_o(dma_wr1_settled),
    .rx0_req_valid_i(rx_req_valid[0]), .rx0_req_ready_o(rx_req_ready[0]),
    .rx0_req_i(rx_req[0]), .rx0_req_err_o(rx_req_err[0]), .rx0_settled_o(rx_settled[0]),
    .rx1_req_valid_i(rx_req_valid[1]), .rx1_req_ready_o(rx_req_ready[1]),
    .rx1_req_i(rx_req[1]), .rx1_req_err_o(rx_req_err[1]), .rx1_settled_o(rx_settled[1]),
    .host_req_valid_i(host_req_valid), .host_req_ready_o(host_req_ready),
    .host_req_i(host_req), .host_req_err_o(host_req_err), .host_settled_o(host_settled),
    .host_rsp_valid_o(host_rsp_valid), .host_rsp_ready_i(host_rsp_ready),
    .host_rsp_o(host_rsp), .host_rsp_err_o(host_rsp_err),
    .hbm0_req_valid_o, .hbm0_req_ready_i, .hbm0_req_o,
    .hbm0_rsp_valid_i, .hbm0_rsp_ready_o, .hbm0_rsp_i,
    .hbm1_req_valid_o, .hbm1_req_ready_i, .hbm1_req_o,
    .hbm1_rsp_valid_i, .hbm1_rsp_ready_o, .hbm1_rsp_i,
    .sbuf0_req_valid_o(sbuf0_req_valid), .sbuf0_req_ready_i(sbuf0_req_ready),
    .sbuf0_req_o(sbuf0_req), .sbuf0_rsp_valid_i(sbuf0_rsp_valid),
    .sbuf0_rsp_ready_o(sbuf0_rsp_ready), .sbuf0_rsp_i(sbuf0_rsp),
    .sbuf1_req_valid_o(sbuf1_req_valid), .sbuf1_req_ready_i(sbuf1_req_ready),
    .sbuf1_req_o(sbuf1_req), .sbuf1_rsp_valid_i(sbuf1_rsp_valid),
    .sbuf1_rsp_ready_o(sbuf1_rsp_ready), .sbuf1_rsp_i(sbuf1_rsp)
  );

  // ---------------------------------------------------------------- fabric
  logic fabric_quiet;
  fabric_pkg::link_words_t link_rx, link_tx;
  assign link_rx[0] = link_rx0_i;
  assign link_rx[1] = link_rx1_i;
  assign link_rx[2] = link_rx2_i;
  assign link_rx[3] = link_rx3_i;
  assign link_tx0_o = link_tx[0];
  assign link_tx1_o = link_tx[1];
  assign link_tx2_o = link_tx[2];
  assign link_tx3_o = link_tx[3];
  fabric_pkg::link_statuses_t link_status;  // read by the board's statistics
  logic unused_links;
  assign unused_links = ^{link_status[0], link_status[1], link_status[2], link_status[3]};
  fabric_node u_fabric (
    .clk_i, .rst_ni, .fabric_en_i(fabric_en), .chip_id_i, .ring_size_i,
    .reg_apply_i(fabric_apply), .reg_req_i(fabric_req), .reg_rsp_o(fabric_rsp),
    .msg_valid_i(msg_valid), .msg_ready_o(msg_ready), .msg_i(msg),
    .link_rx_i(link_rx), .link_tx_o(link_tx),
    .rx_req_valid_o(rx_req_valid), .rx_req_ready_i(rx_req_ready), .rx_req_o(rx_req),
    .rx_req_err_i(rx_req_err), .rx_settled_i(rx_settled),
    .sem_valid_o(upd_valid[11:10]), .sem_o(upd[11:10]),
    .error_valid_o(fabric_error), .error_cause_o(fabric_cause), .error_pc_o(fabric_pc),
    .stalled_o(fabric_stalled), .link_status_o(link_status), .link_dead_o, .drained_o(fabric_drained_o),
    .quiet_o(fabric_quiet)
  );

  assign quiet_o = host_quiet && semaphores_quiet && (&core_quiet) && fabric_quiet &&
                   rx_settled == '1 && dma_wr0_settled && dma_wr1_settled;

  // The phase alternates: tokens are sampled at every second edge.
  `ASSERT(PhaseAlternates_A, 1'b1 |=> phase_q != $past(phase_q))

endmodule
