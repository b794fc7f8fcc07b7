// SPDX-License-Identifier: Apache-2.0
// Network interface of a chip: two senders, two receivers, and what they have in common.
//
//   msg0, ACKs ----> u_tx0 --> lanes 0, 1       u_rx0 <-- flit 0, 2 (sides)
//   msg1, reports -> u_tx1 --> lanes 2, 3       u_rx1 <-- flit 1, 3
//                      ^                          |
//                      +------- u_ack <---- u_accept: once, in order --> rxN_req, semN
//                      +------- u_report: forbidden packets, of links too
//                      +------- u_manage: registers of other chips; write_o: of this one
//
// It stands still while there is nothing to do: what wakes it comes from registers.
module fabric_ni (
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
  input  logic [15:0] key_i,
  input  logic [95:0] base_i,
  input  logic [95:0] end_i,
  input  logic [55:0] rate_i,
  input  logic [15:0] managers_i,

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
  input  logic [3:0] mgmt_dst_i,
  output logic [2:0] mgmt_status_o,
  input  logic control_write_i,
  input  logic [3:0] control_index_i,
  input  logic [63:0] control_wdata_i,
  output logic write_o,
  output logic [67:0] write_about_o,

  input  logic msg0_valid_i,
  output logic msg0_ready_o,
  input  size_pkg::msg_chunk_t msg0_i,
  input  logic msg1_valid_i,
  output logic msg1_ready_o,
  input  size_pkg::msg_chunk_t msg1_i,

  output logic rx0_req_valid_o,
  input  logic rx0_req_ready_i,
  output size_pkg::mem_req_t rx0_req_o,
  input  logic rx0_req_err_i,
  input  logic rx0_settled_i,
  output logic rx1_req_valid_o,
  input  logic rx1_req_ready_i,
  output size_pkg::mem_req_t rx1_req_o,
  input  logic rx1_req_err_i,
  input  logic rx1_settled_i,
  output logic sem0_valid_o,
  output defs_pkg::sem_update_t sem0_o,
  output logic sem1_valid_o,
  output defs_pkg::sem_update_t sem1_o,

  // To the router: next flit of lane {core, lane}, see fabric_router.
  output logic [3:0] local_valid_o,
  output logic [7:0] local_vn_o,
  output logic [3:0] local_class_o,
  output logic [3:0] local_head_o,
  output logic [3:0] local_tail_o,
  output logic [11:0] local_out_o,
  output logic [19:0] local_len_o,
  output logic [23:0] local_born_o,
  input  logic [3:0] local_pop_i,
  output logic [511:0] local_payload0_o,
  output logic [511:0] local_payload1_o,
  output logic [511:0] local_payload2_o,
  output logic [511:0] local_payload3_o,
  input  logic [31:0] local_room_i,

  // From the router: {side, port}.
  output logic [15:0] eject_room_o,
  input  logic [3:0] eject_take_i,
  input  logic [11:0] eject_take_vc_i,
  input  logic [3:0] flit_valid_i,
  input  logic [11:0] flit_vc_i,
  input  logic [3:0] flit_head_i,
  input  logic [3:0] flit_tail_i,
  input  logic [3:0] flit_poison_i,
  input  logic [511:0] flit_payload0_i,
  input  logic [511:0] flit_payload1_i,
  input  logic [511:0] flit_payload2_i,
  input  logic [511:0] flit_payload3_i,

  // Packets with a key that link port i does not let in; all that were forbidden, first of them.
  input  logic [3:0] violation_i,
  input  logic [511:0] violated_i,
  output logic [31:0] violations_o,
  output logic [127:0] violation_o,

  output logic [1:0] damaged_o,    // for the counters
  output logic [1:0] done_o,
  output logic [59:0] done_about_o,
  output logic [3:0] error_valid_o,
  output logic [31:0] error_cause_o,

  output logic sending_o,          // a packet is in a lane
  output logic rx_idle_o,
  output logic idle_o              // nothing here, and nothing kept
);
  /* verilator inline_module */  // as pins, its payloads would be copied in every cycle

  // ---------------------------------------------------------------- settings, clocks
  logic [15:0] key_q, managers_q;
  logic [95:0] base_q, end_q;
  always_ff @(posedge ni_clk) begin
    key_q      <= key_i;
    managers_q <= managers_i;
    base_q     <= base_i;
    end_q      <= end_i;
  end

  logic ni_clk, ways_clk, bucket_clk, wakes, ack_asleep;
  assign wakes = router_wakes_i || tx_asleep != '1 || ni_idle[1:0] != '1 || !ack_asleep ||
                 err_valid || msg0_valid_i || msg1_valid_i || walking != '0 || resend_i || tick || age ||
                 mgmt_send_i || mgmt_busy;
  prim_clock_gate u_ni_clk (.clk_i, .en_i(wakes), .clk_o(ni_clk));
  prim_clock_gate u_ways_clk (
    .clk_i, .en_i(fabric_en_i || resend_i || walking != '0), .clk_o(ways_clk)
  );
  prim_clock_gate u_bucket_clk (.clk_i, .en_i(fabric_en_i && bucket_asleep != '1), .clk_o(bucket_clk));
  assign clk_o = ni_clk;

  // ---------------------------------------------------------------- senders, receivers
  logic [3:0] ni_idle;  // receivers, senders
  logic [1:0] sending, tx_asleep, bucket_asleep, walking;
  logic own_valid, own_ready, ack_idle, tick, age;  // own: an acknowledgement to send
  logic [511:0] own_word;
  logic acked_valid;                // an acknowledgement that came
  logic [3:0] acked_src;
  logic [127:0] acked_seq;
  logic [1:0] calm, rx_violation;
  logic [255:0] rx_violated;
  logic err_valid, err_ready, banned;
  logic [511:0] err_word;
  logic [3:0] err_dst;
  defs_pkg::header_t culprit;       // of a report that came

  // Links that a core's lanes have a packet for: the other core's had better take another.
  logic [7:0] local_busy;  // {core, link}
  always_comb begin
    local_busy = '0;
    for (int unsigned l = 0; l < 4; l++) begin
      if (local_valid_o[l] && !local_out_o[3*l + 2]) local_busy[{1'(l / 2), local_out_o[3*l +: 2]}] = 1'b1;
    end
  end

  fabric_ni_tx u_tx0 (
    .clk_i(ni_clk), .ways_clk_i(ways_clk), .rst_ni, .fabric_en_i,
    .core_i(1'b0), .chip_id_i, .ring_size_i,
    .bucket_clk_i(bucket_clk), .rate_i(rate_i[0 +: 28]),
    .key_i(key_q[0 +: 8]), .now_i, .age_stored_i,
    .bank_i, .stop_i, .tenant_i,
    .msg_valid_i(msg0_valid_i), .msg_ready_o(msg0_ready_o), .msg_i(msg0_i),
    .mgmt_valid_i(mgmt_valid), .mgmt_ready_o(mgmt_ready), .mgmt_i(mgmt), .mgmt_open_o(mgmt_open),
    .mgmt_kept_o(mgmt_kept), .mgmt_lost_o(mgmt_lost),
    .room_i(local_room_i), .busy_i(local_busy[7:4]),
    .hol_valid_o(local_valid_o[1:0]), .hol_vn_o(local_vn_o[3:0]),
    .hol_class_o(local_class_o[1:0]), .hol_head_o(local_head_o[1:0]),
    .hol_tail_o(local_tail_o[1:0]), .hol_out_o(local_out_o[5:0]),
    .hol_len_o(local_len_o[9:0]), .hol_born_o(local_born_o[11:0]),
    .pop_i(local_pop_i[1:0]),
    .payload0_o(local_payload0_o), .payload1_o(local_payload1_o),
    .ack_valid_i(own_valid), .ack_ready_o(own_ready), .ack_i(own_word), .ack_dst_i(own_dst),
    .acked_valid_i(acked_valid), .acked_src_i(acked_src), .acked_seq_i(acked_seq[0 +: 64]),
    .ban_i(banned && culprit.group[5] == 1'b0), .ban_flow_i({culprit.vn, culprit.dst[3:0]}),
    .tick_i(tick), .resend_i,
    .error_valid_o(error_valid_o[2]), .error_cause_o(error_cause_o[23:16]),
    .sending_o(sending[0]), .upset_o(upset_o[0]), .walking_o(walking[0]),
    .bucket_asleep_o(bucket_asleep[0]), .asleep_o(tx_asleep[0]), .calm_o(calm[0]), .idle_o(ni_idle[2])
  );

  logic [33:0] unused_mgmt;  // core 1 manages nobody
  fabric_ni_tx u_tx1 (
    .clk_i(ni_clk), .ways_clk_i(ways_clk), .rst_ni, .fabric_en_i,
    .core_i(1'b1), .chip_id_i, .ring_size_i,
    .bucket_clk_i(bucket_clk), .rate_i(rate_i[28 +: 28]),
    .key_i(key_q[8 +: 8]), .now_i, .age_stored_i,
    .bank_i, .stop_i, .tenant_i,
    .msg_valid_i(msg1_valid_i), .msg_ready_o(msg1_ready_o), .msg_i(msg1_i),
    .mgmt_valid_i(1'b0), .mgmt_ready_o(unused_mgmt[0]), .mgmt_i('0), .mgmt_open_o(unused_mgmt[1]),
    .mgmt_kept_o(unused_mgmt[17:2]), .mgmt_lost_o(unused_mgmt[33:18]),
    .room_i(local_room_i), .busy_i(local_busy[3:0]),
    .hol_valid_o(local_valid_o[3:2]), .hol_vn_o(local_vn_o[7:4]),
    .hol_class_o(local_class_o[3:2]), .hol_head_o(local_head_o[3:2]),
    .hol_tail_o(local_tail_o[3:2]), .hol_out_o(local_out_o[11:6]),
    .hol_len_o(local_len_o[19:10]), .hol_born_o(local_born_o[23:12]),
    .pop_i(local_pop_i[3:2]),
    .payload0_o(local_payload2_o), .payload1_o(local_payload3_o),
    .ack_valid_i(err_valid), .ack_ready_o(err_ready), .ack_i(err_word), .ack_dst_i(err_dst),
    .acked_valid_i(acked_valid), .acked_src_i(acked_src), .acked_seq_i(acked_seq[64 +: 64]),
    .ban_i(banned && culprit.group[5] == 1'b1), .ban_flow_i({culprit.vn, culprit.dst[3:0]}),
    .tick_i(tick), .resend_i,
    .error_valid_o(error_valid_o[3]), .error_cause_o(error_cause_o[31:24]),
    .sending_o(sending[1]), .upset_o(upset_o[1]), .walking_o(walking[1]),
    .bucket_asleep_o(bucket_asleep[1]), .asleep_o(tx_asleep[1]), .calm_o(calm[1]), .idle_o(ni_idle[3])
  );

  fabric_ni_rx u_rx0 (
    .clk_i(ni_clk), .rst_ni, .fabric_en_i,
    .chip_id_i, .key_i(key_q), .base_i(base_q), .end_i(end_q),
    .take_i({eject_take_i[2], eject_take_i[0]}),
    .take_vc_i({eject_take_vc_i[6 +: 3], eject_take_vc_i[0 +: 3]}),
    .room_o(eject_room_o[0 +: 8]),
    .flit_valid_i({flit_valid_i[2], flit_valid_i[0]}),
    .flit_vc_i({flit_vc_i[6 +: 3], flit_vc_i[0 +: 3]}),
    .flit_head_i({flit_head_i[2], flit_head_i[0]}), .flit_tail_i({flit_tail_i[2], flit_tail_i[0]}),
    .flit_poison_i({flit_poison_i[2], flit_poison_i[0]}),
    .flit_payload0_i(flit_payload0_i), .flit_payload1_i(flit_payload2_i),
    .req_valid_o(rx0_req_valid_o), .req_ready_i(rx0_req_ready_i), .req_o(rx0_req_o),
    .req_err_i(rx0_req_err_i), .settled_i(rx0_settled_i),
    .sem_valid_o(sem0_valid_o), .sem_o(sem0_o),
    .want_o(want[0]), .flow_o(rx_flow[0 +: 7]), .seq_o(rx_seq[0 +: 16]), .len_o(rx_len[0 +: 5]),
    .drained_o(rx_drained[0]), .go_i(go[0]), .good_i(good[0]),
    .ack_valid_o(rx_ack[0]), .report_valid_o(rx_report[0]), .control_ready_i(1'b1),
    .control_o(rx_row0), .managers_i(managers_q), .mgmt_valid_o(rx_mgmt[0]),
    .mgmt_index_o(rx_mgmt_index[3:0]), .mgmt_ready_i(rx_mgmt_ready[0]), .mgmt_legal_i(mgmt_legal),
    .mgmt_take_o(rx_mgmt_take[0]), .violation_o(rx_violation[0]), .header_o(rx_violated[0 +: 128]),
    .damaged_o(damaged_o[0]), .done_o(done_o[0]), .done_about_o(done_about_o[0 +: 30]),
    .error_valid_o(error_valid_o[0]), .error_cause_o(error_cause_o[7:0]),
    .idle_o(ni_idle[0])
  );

  fabric_ni_rx u_rx1 (
    .clk_i(ni_clk), .rst_ni, .fabric_en_i,
    .chip_id_i, .key_i(key_q), .base_i(base_q), .end_i(end_q),
    .take_i({eject_take_i[3], eject_take_i[1]}),
    .take_vc_i({eject_take_vc_i[9 +: 3], eject_take_vc_i[3 +: 3]}),
    .room_o(eject_room_o[8 +: 8]),
    .flit_valid_i({flit_valid_i[3], flit_valid_i[1]}),
    .flit_vc_i({flit_vc_i[9 +: 3], flit_vc_i[3 +: 3]}),
    .flit_head_i({flit_head_i[3], flit_head_i[1]}), .flit_tail_i({flit_tail_i[3], flit_tail_i[1]}),
    .flit_poison_i({flit_poison_i[3], flit_poison_i[1]}),
    .flit_payload0_i(flit_payload1_i), .flit_payload1_i(flit_payload3_i),
    .req_valid_o(rx1_req_valid_o), .req_ready_i(rx1_req_ready_i), .req_o(rx1_req_o),
    .req_err_i(rx1_req_err_i), .settled_i(rx1_settled_i),
    .sem_valid_o(sem1_valid_o), .sem_o(sem1_o),
    .want_o(want[1]), .flow_o(rx_flow[7 +: 7]), .seq_o(rx_seq[16 +: 16]), .len_o(rx_len[5 +: 5]),
    .drained_o(rx_drained[1]), .go_i(go[1]), .good_i(good[1]),
    .ack_valid_o(rx_ack[1]), .report_valid_o(rx_report[1]), .control_ready_i(!rx_ack[0] && !rx_report[0]),
    .control_o(rx_row1), .managers_i(managers_q), .mgmt_valid_o(rx_mgmt[1]),
    .mgmt_index_o(rx_mgmt_index[7:4]), .mgmt_ready_i(rx_mgmt_ready[1]), .mgmt_legal_i(mgmt_legal),
    .mgmt_take_o(rx_mgmt_take[1]), .violation_o(rx_violation[1]), .header_o(rx_violated[128 +: 128]),
    .damaged_o(damaged_o[1]), .done_o(done_o[1]), .done_about_o(done_about_o[30 +: 30]),
    .error_valid_o(error_valid_o[1]), .error_cause_o(error_cause_o[15:8]),
    .idle_o(ni_idle[1])
  );

  // ---------------------------------------------------------------- end to end
  // Delivered once, in order, whatever was lost or sent twice on the way.
  logic [1:0] want, go, good, again, rx_drained, rx_ack;
  logic [13:0] rx_flow;
  logic [31:0] rx_seq;
  logic [9:0] rx_len;
  logic [127:0] rx_row0, rx_row1, row;
  logic row_valid;
  logic [3:0] row_src, own_dst;
  fabric_accept #(.Ports(2)) u_accept (
    .clk_i(ni_clk), .rst_ni,
    .want_i(want), .flow_i(rx_flow), .seq_i(rx_seq), .drained_i(rx_drained),
    .go_o(go), .good_o(good), .again_o(again),
    .row_valid_i(row_valid), .row_i(row_src), .row_o(row)
  );
  assign age = fabric_en_i && now_i[11:0] % 12'(defs_pkg::AckAge) == '0;
  fabric_ack #(.Ports(2)) u_ack (
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
    if (acked_valid) acked_seq = rx_ack[0] ? rx_row0 : rx_row1;
  end

  logic [1:0] rx_report;
  logic unused_culprit;
  assign banned  = rx_report != '0;
  assign culprit = rx_report[0] ? rx_row0 : rx_row1;
  assign unused_culprit = ^culprit;
  // In slot mode nobody is told: a report would take this chip's time because of what others do.
  fabric_report #(.Ports(6)) u_report (
    .clk_i(ni_clk), .rst_ni, .chip_id_i, .violation_i({rx_violation, violation_i}), .header_i({rx_violated, violated_i}),
    .count_o(violations_o), .first_o(violation_o),
    .valid_o(err_valid), .ready_i(err_ready || tenant_i[2]), .word_o(err_word), .dst_o(err_dst)
  );

  logic [19:0] timer_q;
  assign tick = fabric_en_i && timer_q >= timeout_i && timeout_i != '0;
  always_ff @(posedge fabric_clk_i or negedge rst_ni) begin
    if (!rst_ni) timer_q <= 20'd1;
    else timer_q <= tick ? 20'd1 : timer_q + 20'd1;
  end

  // ---------------------------------------------------------------- management
  logic mgmt_valid, mgmt_ready, mgmt_open, mgmt_legal, mgmt_busy;
  logic [71:0] mgmt;
  logic [15:0] mgmt_kept, mgmt_lost;
  logic [1:0] rx_mgmt, rx_mgmt_ready, rx_mgmt_take;
  logic [7:0] rx_mgmt_index;
  fabric_manage u_manage (
    .clk_i(ni_clk), .rst_ni,
    .send_i(mgmt_send_i), .dst_i(mgmt_dst_i), .index_i(control_index_i), .wdata_i(control_wdata_i),
    .status_o(mgmt_status_o),
    .tx_valid_o(mgmt_valid), .tx_ready_i(mgmt_ready), .tx_o(mgmt), .tx_open_i(mgmt_open),
    .tx_kept_i(mgmt_kept), .tx_lost_i(mgmt_lost),
    .rx_valid_i(rx_mgmt), .rx_ready_o(rx_mgmt_ready),
    .rx_i({rx_mgmt_index[7:4], rx_row1[63:0], rx_mgmt_index[3:0], rx_row0[63:0]}),
    .now_i, .rx_legal_o(mgmt_legal), .rx_take_i(rx_mgmt_take != '0),
    .host_write_i(control_write_i), .write_o, .write_about_o,
    .busy_o(mgmt_busy)
  );

  assign sending_o = sending != '0;
  assign rx_idle_o = ni_idle[1:0] == '1;
  assign idle_o    = ni_idle == '1 && ack_idle && !err_valid && !mgmt_busy;

endmodule
