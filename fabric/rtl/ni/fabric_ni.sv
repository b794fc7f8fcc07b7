// SPDX-License-Identifier: Apache-2.0
// Network interface of a chip: a sender and a receiver per core, and what they have in common.
//
//   msg 0, ACKs ----> gen_core[0].u_tx --> lanes 0, 1     gen_core[0].u_rx <-- flit 0, 2 (sides)
//   msg 1, reports -> gen_core[1].u_tx --> lanes 2, 3     gen_core[1].u_rx <-- flit 1, 3
//                      ^                          |
//                      +------- u_ack <---- u_accept: once, in order --> rx_req, sem
//                      +------- u_report: forbidden packets, of links too
//                      +------- u_manage: registers of other chips; write_o: of this one
//
// Its clock is gated while there is nothing to do: what wakes it comes from registers.
module fabric_ni #(
  localparam int unsigned Cores = defs_pkg::Cores,
  localparam int unsigned AccessBits = defs_pkg::CoreAccessBits
) (
  input  logic clk_i,
  input  logic fabric_clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,
  input  logic router_wakes_i,
  output logic clk_o,             // when something happens here

  // Settings, see fabric_node.
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  logic [19:0] timeout_i,  // a register of fabric_clk_i
  input  defs_pkg::fabric_settings_t settings_i,

  // fabric_control
  input  logic [15:0] now_i,      // fabric cycle
  input  logic age_stored_i,
  input  defs_pkg::route_bank_t bank_i,
  input  logic stop_i,
  input  logic resend_i,
  input  logic [2:0] tenant_i,
  output logic [1:0] upset_o,
  // Management packets of the host; a write of another chip's host to fabric_control.
  input  logic mgmt_send_i,
  input  defs_pkg::mgmt_packet_t mgmt_i,
  output logic [2:0] mgmt_status_o,
  input  logic control_write_i,
  output logic write_o,
  output defs_pkg::fabric_write_t write_what_o,

  // By core, see fabric_node.
  input  logic [Cores-1:0] msg_valid_i,
  output logic [Cores-1:0] msg_ready_o,
  input  fabric_pkg::core_chunks_t msg_i,
  output logic [Cores-1:0] rx_req_valid_o,
  input  logic [Cores-1:0] rx_req_ready_i,
  output fabric_pkg::core_requests_t rx_req_o,
  input  logic [Cores-1:0] rx_req_err_i,
  input  logic [Cores-1:0] rx_settled_i,
  output logic [Cores-1:0] sem_valid_o,
  output defs_pkg::sem_update_t [Cores-1:0] sem_o,

  // To the router: next flit of lane {core, lane}, see fabric_router.
  output logic [3:0] local_valid_o,
  output defs_pkg::lane_flit_t [3:0] local_o,
  input  logic [3:0] local_pop_i,
  output fabric_pkg::lane_payloads_t local_payload_o,
  input  logic [31:0] local_room_i,

  // From the router: outputs 4 .. 7, {side, port}.
  output logic [15:0] eject_room_o,
  input  logic [3:0] eject_take_i,
  input  logic [11:0] eject_take_vc_i,
  input  logic [3:0] flit_valid_i,
  input  defs_pkg::flit_meta_t [3:0] flit_i,
  input  fabric_pkg::output_payloads_t out_payload_i,

  // Packets with a key that link port i does not admit; all that were forbidden, first of them.
  input  logic [3:0] violation_i,
  input  logic [511:0] violated_i,
  output logic [31:0] violations_o,
  output logic [127:0] violation_o,

  output logic [Cores-1:0] damaged_o,  // for the counters
  output logic [Cores-1:0] done_o,
  output defs_pkg::delivery_t [Cores-1:0] delivery_o,
  output logic [3:0] error_valid_o,
  output logic [31:0] error_cause_o,
  output logic [127:0] error_pc_o,

  output logic sending_o,          // a packet is in a lane
  output logic rx_idle_o,
  output logic idle_o              // nothing here, and nothing kept
);
  /* verilator inline_module */  // as pins, its payloads would be copied in every cycle

  // ---------------------------------------------------------------- settings, clocks
  logic [15:0] managers_q;
  logic [Cores*AccessBits-1:0] access_q;
  always_ff @(posedge ni_clk) begin
    managers_q <= settings_i.managers;
    access_q   <= settings_i.access;
  end

  logic ni_clk, routes_clk, bucket_clk, wakes, ack_asleep;
  assign wakes = router_wakes_i || tx_asleep != '1 || rx_idle != '1 || !ack_asleep ||
                 err_valid || msg_valid_i != '0 || walking != '0 || resend_i || tick || age ||
                 mgmt_send_i || mgmt_busy;
  prim_clock_gate u_ni_clk (.clk_i, .en_i(wakes), .clk_o(ni_clk));
  prim_clock_gate u_routes_clk (
    .clk_i, .en_i(fabric_en_i || resend_i || walking != '0), .clk_o(routes_clk)
  );
  prim_clock_gate u_bucket_clk (.clk_i, .en_i(fabric_en_i && bucket_asleep != '1), .clk_o(bucket_clk));
  assign clk_o = ni_clk;

  // ---------------------------------------------------------------- senders, receivers
  logic [Cores-1:0] tx_idle, rx_idle, sending, tx_asleep, bucket_asleep, walking, calm, rx_violation;
  logic own_valid, own_ready, ack_idle, tick, age;  // own: an acknowledgement to send
  logic acked_valid;                // an acknowledgement that came
  logic [3:0] acked_src;
  logic [127:0] acked_seq;
  logic [128*Cores-1:0] rx_violated;
  logic err_valid, err_ready, banned;
  logic [3:0] own_dst, err_dst;
  logic [511:0] own_word, err_word;
  defs_pkg::header_t offending;     // header of a report that came

  // Links that a core's lanes have a packet for: the other core's had better take another.
  logic [7:0] local_busy;  // {core, link}
  always_comb begin
    local_busy = '0;
    for (int unsigned l = 0; l < 4; l++) begin
      if (local_valid_o[l] && !local_o[l].out[2]) local_busy[{1'(l / 2), local_o[l].out[1:0]}] = 1'b1;
    end
  end

  // Core 0 sends the acknowledgements and management packets, core 1 the reports.
  for (genvar c = 0; c < Cores; c++) begin : gen_core
    defs_pkg::core_access_t access;
    logic word_ready, mgmt_taken, mgmt_open;
    logic [15:0] mgmt_kept, mgmt_lost;
    assign access = access_q[AccessBits*c +: AccessBits];
    fabric_ni_tx u_tx (
      .clk_i(ni_clk), .routes_clk_i(routes_clk), .rst_ni, .fabric_en_i,
      .core_i(1'(c)), .chip_id_i, .ring_size_i,
      .bucket_clk_i(bucket_clk), .rate_i(settings_i.rate[28*c +: 28]),
      .key_i(access.key), .now_i, .age_stored_i,
      .bank_i, .stop_i, .tenant_i,
      .msg_valid_i(msg_valid_i[c]), .msg_ready_o(msg_ready_o[c]), .msg_i(msg_i[c]),
      .mgmt_valid_i(c == 0 && mgmt_valid), .mgmt_ready_o(mgmt_taken), .mgmt_i(mgmt), .mgmt_open_o(mgmt_open),
      .mgmt_kept_o(mgmt_kept), .mgmt_lost_o(mgmt_lost),
      .room_i(local_room_i), .busy_i(local_busy[4*(1 - c) +: 4]),
      .hol_valid_o(local_valid_o[2*c +: 2]), .hol_o(local_o[2*c +: 2]), .pop_i(local_pop_i[2*c +: 2]),
      .payload0_o(local_payload_o[2*c]), .payload1_o(local_payload_o[2*c + 1]),
      .ack_valid_i(c == 0 ? own_valid : err_valid), .ack_ready_o(word_ready),
      .ack_i(c == 0 ? own_word : err_word), .ack_dst_i(c == 0 ? own_dst : err_dst),
      .acked_valid_i(acked_valid), .acked_src_i(acked_src), .acked_seq_i(acked_seq[64*c +: 64]),
      .ban_i(banned && offending.group[5] == 1'(c)), .ban_flow_i({offending.vn, offending.dst[3:0]}),
      .tick_i(tick), .resend_i,
      .error_valid_o(error_valid_o[2 + c]), .error_cause_o(error_cause_o[8*(2 + c) +: 8]),
      .sending_o(sending[c]), .upset_o(upset_o[c]), .walking_o(walking[c]),
      .bucket_asleep_o(bucket_asleep[c]), .asleep_o(tx_asleep[c]), .calm_o(calm[c]), .idle_o(tx_idle[c])
    );

    logic [127:0] row;
    fabric_ni_rx u_rx (
      .clk_i(ni_clk), .rst_ni, .fabric_en_i,
      .chip_id_i, .access_i(access_q),
      .take_i({eject_take_i[2 + c], eject_take_i[c]}),
      .take_vc_i({eject_take_vc_i[3*(2 + c) +: 3], eject_take_vc_i[3*c +: 3]}),
      .room_o(eject_room_o[8*c +: 8]),
      .flit_valid_i({flit_valid_i[2 + c], flit_valid_i[c]}), .flit_i({flit_i[2 + c], flit_i[c]}),
      .flit_payload0_i(out_payload_i[4 + c]), .flit_payload1_i(out_payload_i[6 + c]),
      .req_valid_o(rx_req_valid_o[c]), .req_ready_i(rx_req_ready_i[c]), .req_o(rx_req_o[c]),
      .req_err_i(rx_req_err_i[c]), .settled_i(rx_settled_i[c]),
      .sem_valid_o(sem_valid_o[c]), .sem_o(sem_o[c]),
      .want_o(want[c]), .flow_o(rx_flow[7*c +: 7]), .seq_o(rx_seq[16*c +: 16]), .len_o(rx_len[5*c +: 5]),
      .drained_o(rx_drained[c]), .go_i(go[c]), .good_i(good[c]),
      .ack_valid_o(rx_ack[c]), .report_valid_o(rx_report[c]),
      .control_ready_i(c == 0 || (!rx_ack[0] && !rx_report[0])), .control_o(row),
      .managers_i(managers_q), .mgmt_valid_o(rx_mgmt[c]),
      .mgmt_index_o(rx_mgmt_index[4*c +: 4]), .mgmt_ready_i(rx_mgmt_ready[c]), .mgmt_legal_i(mgmt_legal),
      .mgmt_take_o(rx_mgmt_take[c]), .violation_o(rx_violation[c]), .header_o(rx_violated[128*c +: 128]),
      .damaged_o(damaged_o[c]), .done_o(done_o[c]), .delivery_o(delivery_o[c]),
      .error_valid_o(error_valid_o[c]), .error_cause_o(error_cause_o[8*c +: 8]),
      .idle_o(rx_idle[c])
    );
  end
  assign own_ready = gen_core[0].word_ready;
  assign err_ready = gen_core[1].word_ready;
  logic unused_mgmt;  // core 1 manages nobody
  assign unused_mgmt = ^{gen_core[1].mgmt_taken, gen_core[1].mgmt_open, gen_core[1].mgmt_kept,
                         gen_core[1].mgmt_lost};

  // ---------------------------------------------------------------- end to end
  // Delivered once, in order, whatever was lost or sent twice on the route.
  logic [Cores-1:0] want, go, good, again, rx_drained, rx_ack, rx_report;
  logic [7*Cores-1:0] rx_flow;
  logic [16*Cores-1:0] rx_seq;
  logic [5*Cores-1:0] rx_len;
  logic [127:0] row;
  logic row_valid;
  logic [3:0] row_src;
  fabric_accept #(.Ports(Cores)) u_accept (
    .clk_i(ni_clk), .rst_ni,
    .want_i(want), .flow_i(rx_flow), .seq_i(rx_seq), .drained_i(rx_drained),
    .go_o(go), .good_o(good), .again_o(again),
    .row_valid_i(row_valid), .row_i(row_src), .row_o(row)
  );
  assign age = fabric_en_i && now_i[11:0] % 12'(defs_pkg::AckAge) == '0;
  fabric_ack #(.Ports(Cores)) u_ack (
    .clk_i(ni_clk), .rst_ni, .fabric_en_i, .chip_id_i,
    .taken_i(good | again), .taken_src_i({rx_flow[13:10], rx_flow[6:3]}), .taken_len_i(rx_len),
    .calm_i(calm == '1), .age_i(age),
    .row_valid_o(row_valid), .row_o(row_src), .row_i(row),
    .valid_o(own_valid), .ready_i(own_ready), .word_o(own_word),
    .dst_o(own_dst), .asleep_o(ack_asleep), .idle_o(ack_idle)
  );
  assign acked_valid = rx_ack != '0;
  assign acked_src   = rx_ack[0] ? rx_flow[6:3] : rx_flow[13:10];
  always_comb begin
    acked_seq = '0;
    if (acked_valid) acked_seq = rx_ack[0] ? gen_core[0].row : gen_core[1].row;
  end

  logic unused_offending;
  assign banned    = rx_report != '0;
  assign offending = rx_report[0] ? gen_core[0].row : gen_core[1].row;
  assign unused_offending = ^offending;
  // In slot mode nobody is notified: a report would take this chip's time because of what others do.
  fabric_report #(.Ports(defs_pkg::LinkPorts + Cores)) u_report (
    .clk_i(ni_clk), .rst_ni, .chip_id_i, .violation_i({rx_violation, violation_i}),
    .header_i({rx_violated, violated_i}), .count_o(violations_o), .first_o(violation_o),
    .valid_o(err_valid), .ready_i(err_ready || tenant_i[2]), .word_o(err_word), .dst_o(err_dst)
  );

  logic [19:0] timer_q;
  assign tick = fabric_en_i && timer_q >= timeout_i && timeout_i != '0;
  always_ff @(posedge fabric_clk_i or negedge rst_ni) begin
    if (!rst_ni) timer_q <= 20'd1;
    else timer_q <= tick ? 20'd1 : timer_q + 20'd1;
  end

  // Packets rejected so far, per source of errors.
  logic [127:0] rejected_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) rejected_q <= '0;
    else if (error_valid_o != '0) begin
      for (int unsigned i = 0; i < 4; i++) begin
        if (error_valid_o[i] && rejected_q[32*i +: 32] != '1) begin
          rejected_q[32*i +: 32] <= rejected_q[32*i +: 32] + 32'd1;
        end
      end
    end
  end
  assign error_pc_o = rejected_q;

  // ---------------------------------------------------------------- management
  logic mgmt_valid, mgmt_legal, mgmt_busy;
  defs_pkg::mgmt_packet_t mgmt;
  defs_pkg::fabric_write_t [Cores-1:0] mgmt_came;
  logic [Cores-1:0] rx_mgmt, rx_mgmt_ready, rx_mgmt_take;
  logic [4*Cores-1:0] rx_mgmt_index;
  for (genvar c = 0; c < Cores; c++) begin : gen_came
    assign mgmt_came[c].index = rx_mgmt_index[4*c +: 4];
    assign mgmt_came[c].data  = gen_core[c].row[63:0];
  end
  fabric_manage u_manage (
    .clk_i(ni_clk), .rst_ni, .send_i(mgmt_send_i), .packet_i(mgmt_i), .status_o(mgmt_status_o),
    .tx_valid_o(mgmt_valid), .tx_ready_i(gen_core[0].mgmt_taken), .tx_o(mgmt), .tx_open_i(gen_core[0].mgmt_open),
    .tx_kept_i(gen_core[0].mgmt_kept), .tx_lost_i(gen_core[0].mgmt_lost),
    .rx_valid_i(rx_mgmt), .rx_ready_o(rx_mgmt_ready), .rx0_i(mgmt_came[0]), .rx1_i(mgmt_came[1]),
    .now_i, .rx_legal_o(mgmt_legal), .rx_take_i(rx_mgmt_take != '0),
    .host_write_i(control_write_i), .write_o, .write_what_o,
    .busy_o(mgmt_busy)
  );

  assign sending_o = sending != '0;
  assign rx_idle_o = rx_idle == '1;
  assign idle_o    = rx_idle_o && tx_idle == '1 && ack_idle && !err_valid && !mgmt_busy;

endmodule
