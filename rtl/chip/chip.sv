// SPDX-License-Identifier: Apache-2.0
// One chip: host port, two cores, memory crossbar and fabric node. The table of contents of rtl/.
//
//   host tokens <--> u_host ---- registers, status --> gen_core[0, 1] <---> u_semaphores
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

  input  fabric_pkg::link_words_t link_rx_i,
  output fabric_pkg::link_words_t link_tx_o,
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

  // ---------------------------------------------------------------- memory
  localparam int unsigned Rx = mem_xbar_pkg::Rx, Host = mem_xbar_pkg::Host;
  mem_if from [mem_xbar_pkg::Requesters] ();
  mem_if to [mem_xbar_pkg::Memories] ();
  logic xbar_idle, xbar_clk;
  prim_clock_gate u_xbar_clk (.clk_i, .en_i(!rst_ni || !xbar_idle), .clk_o(xbar_clk));
  mem_xbar u_xbar (.clk_i(xbar_clk), .rst_ni, .from(from), .to(to), .idle_o(xbar_idle));

  assign hbm0_req_valid_o = to[0].req_valid;
  assign hbm0_req_o       = to[0].req;
  assign hbm0_rsp_ready_o = to[0].rsp_ready;
  assign to[0].req_ready  = hbm0_req_ready_i;
  assign to[0].rsp_valid  = hbm0_rsp_valid_i;
  assign to[0].rsp        = hbm0_rsp_i;
  assign hbm1_req_valid_o = to[1].req_valid;
  assign hbm1_req_o       = to[1].req;
  assign hbm1_rsp_ready_o = to[1].rsp_ready;
  assign to[1].req_ready  = hbm1_req_ready_i;
  assign to[1].rsp_valid  = hbm1_rsp_valid_i;
  assign to[1].rsp        = hbm1_rsp_i;

  // ---------------------------------------------------------------- host port
  logic host_quiet;
  logic                     reg_apply, fabric_select;
  logic [1:0]               core_select;
  defs_pkg::reg_req_t       core_req, fabric_req;
  defs_pkg::reg_rsp_t [1:0] core_rsp;
  defs_pkg::reg_rsp_t       fabric_rsp;
  logic [1:0][N-1:0]        seq_event_valid, seq_event_ready;
  logic [1:0][N-1:0][1:0]   seq_state;
  logic [1:0][N-1:0][31:0]  seq_pc;
  logic [1:0][N-1:0][7:0]   seq_cause;
  logic [1:0][E-1:0]        dma_error;
  logic [1:0][E-1:0][7:0]   dma_cause;
  logic [1:0][E-1:0][31:0]  dma_pc;
  logic [3:0]       fabric_error;
  logic [3:0][7:0]  fabric_cause;
  logic [3:0][31:0] fabric_pc;
  logic             fabric_stalled;
  host_if u_host (
    .clk_i, .rst_ni, .fabric_en_i(fabric_en), .chip_id_i, .ring_size_i, .host_req_i, .host_rsp_o,
    .mem_req_valid_o(from[Host].req_valid), .mem_req_ready_i(from[Host].req_ready),
    .mem_req_o(from[Host].req), .mem_settled_i(from[Host].stuck == '0),
    .mem_rsp_valid_i(from[Host].rsp_valid), .mem_rsp_ready_o(from[Host].rsp_ready),
    .mem_rsp_i(from[Host].rsp),
    .reg_apply_o(reg_apply), .core_select_o(core_select), .core_reg_o(core_req), .core_reg_i(core_rsp),
    .fabric_select_o(fabric_select), .fabric_reg_o(fabric_req), .fabric_reg_i(fabric_rsp),
    .seq_state_i(seq_state), .seq_pc_i(seq_pc), .seq_cause_i(seq_cause),
    .seq_event_valid_i(seq_event_valid), .seq_event_ready_o(seq_event_ready),
    .dma_error_i(dma_error), .dma_cause_i(dma_cause), .dma_pc_i(dma_pc),
    .rx_upd_error_i(upd_error[11:10]),
    .fabric_error_i(fabric_error), .fabric_cause_i(fabric_cause), .fabric_pc_i(fabric_pc),
    .fabric_stalled_i(fabric_stalled),
    .quiet_o(host_quiet)
  );

  // ---------------------------------------------------------------- semaphores
  // Ports as in semaphores.sv. The host has no register that updates one: port 12 is silent.
  logic [4*N*9-1:0]  wait_sem;
  logic [4*N*16-1:0] wait_value;
  logic [12:0] upd_valid, upd_error;
  defs_pkg::sem_update_t [12:0] upd;
  logic [9:0][31:0] upd_pc, upd_serial;
  logic [1:0][3:0] upd_take, upd_dma_engine;
  logic semaphores_quiet, semaphores_clk;
  prim_clock_gate u_semaphores_clk (
    .clk_i, .en_i(!rst_ni || upd_valid != '0 || !semaphores_quiet), .clk_o(semaphores_clk)
  );
  semaphores u_semaphores (
    .clk_i(semaphores_clk), .rst_ni, .upd_valid_i(upd_valid), .upd_i(upd), .error_o(upd_error),
    .wait_sem_i(wait_sem), .wait_value_o(wait_value), .quiet_o(semaphores_quiet)
  );
  assign upd_valid[12] = 1'b0;
  assign upd[12]       = '0;
  // Whose update it was is for the tracer (tb/dut/trace/chip_tracer.sv) only.
  logic unused_trace;
  assign unused_trace = ^{upd_error[12], upd_pc, upd_serial, upd_take, upd_dma_engine};

  // ---------------------------------------------------------------- cores
  logic [1:0] core_quiet, core_asleep, core_clk, msg_valid, msg_ready;
  fabric_pkg::core_chunks_t msg;
  defs_pkg::peer_access_t [1:0] peer;
  for (genvar c = 0; c < 2; c++) begin : gen_core
    localparam int unsigned First = mem_xbar_pkg::CoreRequesters * c;
    core_clock u_clock (
      .clk_i, .rst_ni, .asleep_i(core_asleep[c]),
      .wake_i(core_select[c] || to[32'(defs_pkg::MemorySbuf0) + c].req_valid), .clk_o(core_clk[c])
    );
    core u_core (
      .clk_i(core_clk[c]), .rst_ni, .core_id_i(1'(c)), .chip_id_i, .ring_size_i, .peer_i(peer[c]),
      .reg_select_i(core_select[c]), .reg_apply_i(reg_apply), .reg_i(core_req),
      .reg_o(core_rsp[c]),
      .seq_state_o(seq_state[c]), .seq_pc_o(seq_pc[c]), .seq_cause_o(seq_cause[c]),
      .seq_event_valid_o(seq_event_valid[c]), .seq_event_ready_i(seq_event_ready[c]),
      .dma_error_o(dma_error[c]), .dma_cause_o(dma_cause[c]), .dma_pc_o(dma_pc[c]),
      .wait_sem_o(wait_sem[c*2*N*9 +: 2*N*9]), .wait_value_i(wait_value[c*2*N*16 +: 2*N*16]),
      .upd_valid_o(upd_valid[c*(N+1) +: N+1]), .upd_o(upd[c*(N+1) +: N+1]),
      .upd_pc_o(upd_pc[c*(N+1) +: N+1]), .upd_serial_o(upd_serial[c*(N+1) +: N+1]),
      .upd_take_o(upd_take[c]), .upd_dma_engine_o(upd_dma_engine[c]),
      .upd_error_i(upd_error[c*(N+1) +: N+1]),
      .fetch(from[First + mem_xbar_pkg::Fetch]), .dma_read(from[First + mem_xbar_pkg::DmaRead]),
      .dma_write(from[First + mem_xbar_pkg::DmaWrite]),
      .sbuf_line(to[32'(defs_pkg::MemorySbuf0) + c]),
      .msg_valid_o(msg_valid[c]), .msg_ready_i(msg_ready[c]), .msg_o(msg[c]), .quiet_o(core_quiet[c]),
      .asleep_o(core_asleep[c])
    );
  end

  // ---------------------------------------------------------------- fabric
  logic fabric_quiet;
  logic [1:0] rx_req_valid, rx_req_ready, rx_req_err, rx_settled;
  fabric_pkg::core_requests_t rx_req;
  for (genvar c = 0; c < 2; c++) begin : gen_rx
    assign from[Rx+c].req_valid = rx_req_valid[c];
    assign from[Rx+c].req       = rx_req[c];
    assign rx_req_ready[c]      = from[Rx+c].req_ready;
    assign rx_req_err[c]        = from[Rx+c].req_err;
    assign rx_settled[c]        = from[Rx+c].stuck == '0;
  end
  fabric_pkg::link_statuses_t link_status;  // read by the board's statistics
  logic unused_links;
  assign unused_links = ^{link_status[0], link_status[1], link_status[2], link_status[3]};
  fabric_node u_fabric (
    .clk_i, .rst_ni, .fabric_en_i(fabric_en), .chip_id_i, .ring_size_i,
    .reg_select_i(fabric_select), .reg_apply_i(reg_apply), .reg_i(fabric_req), .reg_o(fabric_rsp),
    .peer_o(peer), .msg_valid_i(msg_valid), .msg_ready_o(msg_ready), .msg_i(msg),
    .link_rx_i, .link_tx_o,
    .rx_req_valid_o(rx_req_valid), .rx_req_ready_i(rx_req_ready), .rx_req_o(rx_req),
    .rx_req_err_i(rx_req_err), .rx_settled_i(rx_settled),
    .sem_valid_o(upd_valid[11:10]), .sem_o(upd[11:10]),
    .error_valid_o(fabric_error), .error_cause_o(fabric_cause), .error_pc_o(fabric_pc),
    .stalled_o(fabric_stalled), .link_status_o(link_status), .link_dead_o, .drained_o(fabric_drained_o),
    .quiet_o(fabric_quiet)
  );

  assign quiet_o = host_quiet && semaphores_quiet && (&core_quiet) && fabric_quiet &&
                   rx_settled == '1 &&
                   from[mem_xbar_pkg::DmaWrite].stuck == '0 &&
                   from[mem_xbar_pkg::CoreRequesters + mem_xbar_pkg::DmaWrite].stuck == '0;

  // The phase alternates: tokens are sampled at every second edge.
  `ASSERT(PhaseAlternates_A, 1'b1 |=> phase_q != $past(phase_q))

endmodule
