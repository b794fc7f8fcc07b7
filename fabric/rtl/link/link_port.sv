// SPDX-License-Identifier: Apache-2.0
// One port of a link: both ends that lie in this chip, and their training.
//
//   flit_* (router) --> u_tx --> link_tx_o        u_train: state, lanes, width
//   rx_flit_*      <--  u_rx <-- link_rx_i
//
// A dead port gives the router all credits back and swallows what is sent.
`include "assert.svh"

module link_port (
  input  logic clk_i,
  input  logic rst_ni,

  input  defs_pkg::flit_t link_rx_i,
  output defs_pkg::flit_t link_tx_o,

  // ready_o: stop soon; up to 4 more flits are taken.
  output logic ready_o,
  input  logic flit_valid_i,
  input  defs_pkg::flit_meta_t flit_i,
  input  logic [511:0] flit_payload_i,

  // At most one flit per fabric cycle; the sender holds a credit for it.
  output logic rx_flit_valid_o,
  output defs_pkg::flit_meta_t rx_flit_o,
  output logic [511:0] rx_flit_payload_o,

  // Flits freed so far, modulo 256: by the neighbour in one VC, every fabric cycle; by this chip, VC i
  // in byte i.
  output logic [2:0] credit_vc_o,
  output logic [7:0] credit_freed_o,
  input  logic [63:0] freed_i,

  input  logic [15:0] error_limit_i,  // words per 2^16 cycles that may fail
  output defs_pkg::link_status_t status_o,
  output logic [255:0] lane_errors_o,  // link_lane_counts
  output logic dead_o,
  output logic idle_o
);

  logic clean, failed, stuck, training, retrain, tx_up, rx_up, dead, nak, ack_valid, ack_nak;
  logic [2:0] state, tx_slice, rx_slice, reported_vc;
  logic [7:0] reported_freed;
  logic [9:0] expected, ack_seq;
  logic [10:0] info;
  logic [15:0] bad_lanes, wrong;
  logic [31:0] flits, replays, dropped, naks, failures;
  logic [63:0] taken;
  assign dead = state == defs_pkg::LinkStateDead;

  link_train u_train (
    .clk_i, .rst_ni, .word_i(link_rx_i), .clean_i(clean), .failed_i(failed),
    .stuck_i(stuck), .error_limit_i,
    .state_o(state), .training_o(training), .info_o(info),
    .tx_up_o(tx_up), .tx_slice_o(tx_slice), .rx_up_o(rx_up), .rx_slice_o(rx_slice),
    .bad_lanes_o(bad_lanes), .wrong_o(wrong), .retrain_o(retrain)
  );
  link_lane_counts u_lanes (.clk_i, .rst_ni, .wrong_i(wrong), .counts_o(lane_errors_o));

  link_rx u_rx (
    .clk_i, .rst_ni, .link_rx_i,
    .up_i(rx_up), .slice_i(rx_slice), .dead_i(dead), .clean_o(clean), .failed_o(failed),
    .flit_valid_o(rx_flit_valid_o), .flit_o(rx_flit_o), .flit_payload_o(rx_flit_payload_o),
    .credit_vc_o(reported_vc), .credit_freed_o(reported_freed),
    .expected_o(expected), .nak_o(nak), .ack_valid_o(ack_valid), .ack_nak_o(ack_nak),
    .ack_seq_o(ack_seq), .naks_o(naks), .failures_o(failures)
  );

  link_tx u_tx (
    .clk_i, .rst_ni, .ready_o, .flit_valid_i, .flit_i, .flit_payload_i,
    .freed_i, .expected_i(expected), .nak_i(nak), .ack_valid_i(ack_valid), .ack_nak_i(ack_nak),
    .ack_seq_i(ack_seq),
    .up_i(tx_up), .slice_i(tx_slice), .training_i(training), .info_i(info), .dead_i(dead),
    .stuck_o(stuck),
    .link_tx_o, .taken_o(taken), .flits_o(flits), .replays_o(replays), .dropped_o(dropped), .idle_o
  );

  // ---------------------------------------------------------------- status
  logic [31:0] retrains_q, degraded_q;
  logic [2:0] sunk_vc_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      retrains_q <= '0;
      degraded_q <= '0;
      sunk_vc_q  <= '0;
    end else begin
      if (retrain) retrains_q <= retrains_q + 32'd1;
      if (state == defs_pkg::LinkStateDegraded) degraded_q <= degraded_q + 32'd1;
      if (dead) sunk_vc_q <= sunk_vc_q + 3'd1;
    end
  end
  assign credit_vc_o    = dead ? sunk_vc_q : reported_vc;
  assign credit_freed_o = dead ? taken[8*sunk_vc_q +: 8] : reported_freed;
  always_comb begin
    status_o.bad_lanes = bad_lanes;
    status_o.dropped   = dropped;
    status_o.degraded  = degraded_q;
    status_o.retrains  = retrains_q;
    status_o.failures  = failures;
    status_o.naks      = naks;
    status_o.replays   = replays;
    status_o.flits     = flits;
    status_o.tx_slice  = tx_slice;
    status_o.rx_slice  = rx_slice;
    status_o.state     = state;
  end
  assign dead_o   = dead;

endmodule
