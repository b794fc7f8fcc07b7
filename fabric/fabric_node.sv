// SPDX-License-Identifier: Apache-2.0
// The fabric node of a chip: network interfaces of two cores, router, two link ports.
//
//   msg0 --> u_ni_tx0 --+    +--> u_ni_rx0 --> rx0 writes, semaphore updates
//   msg1 --> u_ni_tx1 --+    +--> u_ni_rx1 --> rx1 writes, semaphore updates
//                       |    |
//                     u_router
//                    |        |
//   link_rx0 -> u_link_rx0   u_link_tx0 -> link_tx0      port 0: chip + 1
//   link_rx1 -> u_link_rx1   u_link_tx1 -> link_tx1      port 1: chip - 1
//
// Contract of the channels:
//   msgN       valid/ready, core clock. Pieces of a packet in order; engines may interleave.
//   link_*     one token per fabric cycle: sampled at, and changed by, edges with fabric_en_i.
//   rxN_req    valid/ready, core clock, writes only; err as in mem_xbar: the write was dropped.
//   rxN_settled_i  every write accepted in an earlier cycle is in memory at the end of this one;
//              a notify waits for it.
//   semN       valid only, always taken: + 1 behind the last write of a WRITE_NOTIFY.
//   errorN     one pulse per packet refused: cause, and how many were refused before (saturating).
//              0, 1: received by local port 0, 1;
//              2, 3: offered by core 0, 1. Flat vectors: source i in slice i.
//   quiet_o    nothing buffered anywhere in the node, every credit home.
`include "assert.svh"

module fabric_node (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  // fabric cycles, one to two times, after which what was not acknowledged is sent again; 0: never
  input  logic [19:0] timeout_i,
  // pulse: ways have changed; look them up, and send everything not acknowledged again
  input  logic resend_i,

  // isolation: keys that link ports let in, {valid, key 8}, entry {port, 4 bits} in slice; per core: its
  // key, and the addresses that packets may write. Forbidden packets so far, header of the first.
  input  logic [9*2*defs_pkg::KeyEntries-1:0] keys_i,
  input  logic [15:0] key_i,
  input  logic [95:0] base_i,
  input  logic [95:0] end_i,
  output logic [31:0] violations_o,
  output logic [127:0] violation_o,

  // messages from the DMA engines of core 0 and core 1
  input  logic msg0_valid_i,
  output logic msg0_ready_o,
  input  size_pkg::msg_chunk_t msg0_i,

  input  logic msg1_valid_i,
  output logic msg1_ready_o,
  input  size_pkg::msg_chunk_t msg1_i,

  // links
  input  defs_pkg::flit_t link_rx0_i,
  input  defs_pkg::flit_t link_rx1_i,
  output defs_pkg::flit_t link_tx0_o,
  output defs_pkg::flit_t link_tx1_o,

  // received packets: writes and semaphore updates of local port 0 and 1
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

  // refused packets
  output logic [3:0] error_valid_o,
  output logic [31:0] error_cause_o,
  output logic [127:0] error_pc_o,

  output logic quiet_o
);

  // ---------------------------------------------------------------- links
  logic [1:0] flit_valid, flit_head, flit_tail;
  logic [5:0] flit_vc, credit_vc;
  logic [511:0] flit_payload0, flit_payload1;
  logic [15:0] credit_freed;
  logic [127:0] freed;
  logic [1:0] nak, ack_valid, ack_nak, link_ready, link_idle;
  logic [9:0] expected0, expected1, ack_seq0, ack_seq1;

  link_rx u_link_rx0 (
    .clk_i, .rst_ni, .fabric_en_i,
    .link_rx_i(link_rx0_i),
    .flit_valid_o(flit_valid[0]), .flit_vc_o(flit_vc[2:0]), .flit_head_o(flit_head[0]),
    .flit_tail_o(flit_tail[0]), .flit_payload_o(flit_payload0),
    .credit_vc_o(credit_vc[2:0]), .credit_freed_o(credit_freed[7:0]),
    .expected_o(expected0), .nak_o(nak[0]), .ack_valid_o(ack_valid[0]),
    .ack_nak_o(ack_nak[0]), .ack_seq_o(ack_seq0)
  );
  link_rx u_link_rx1 (
    .clk_i, .rst_ni, .fabric_en_i,
    .link_rx_i(link_rx1_i),
    .flit_valid_o(flit_valid[1]), .flit_vc_o(flit_vc[5:3]), .flit_head_o(flit_head[1]),
    .flit_tail_o(flit_tail[1]), .flit_payload_o(flit_payload1),
    .credit_vc_o(credit_vc[5:3]), .credit_freed_o(credit_freed[15:8]),
    .expected_o(expected1), .nak_o(nak[1]), .ack_valid_o(ack_valid[1]),
    .ack_nak_o(ack_nak[1]), .ack_seq_o(ack_seq1)
  );

  logic [3:0] out_valid, out_head, out_tail;
  logic [11:0] out_vc;
  logic [511:0] out_payload0, out_payload1, out_payload2, out_payload3;
  link_tx u_link_tx0 (
    .clk_i, .rst_ni, .fabric_en_i,
    .flit_valid_i(out_valid[0]), .flit_vc_i(out_vc[2:0]), .flit_head_i(out_head[0]),
    .flit_tail_i(out_tail[0]), .flit_payload_i(out_payload0),
    .freed_i(all_freed[63:0]), .link_tx_o(link_tx0_o),
    .ready_o(link_ready[0]), .idle_o(link_idle[0]),
    .expected_i(expected0), .nak_i(nak[0]), .ack_valid_i(ack_valid[0]),
    .ack_nak_i(ack_nak[0]), .ack_seq_i(ack_seq0)
  );
  link_tx u_link_tx1 (
    .clk_i, .rst_ni, .fabric_en_i,
    .flit_valid_i(out_valid[1]), .flit_vc_i(out_vc[5:3]), .flit_head_i(out_head[1]),
    .flit_tail_i(out_tail[1]), .flit_payload_i(out_payload1),
    .freed_i(all_freed[127:64]), .link_tx_o(link_tx1_o),
    .ready_o(link_ready[1]), .idle_o(link_idle[1]),
    .expected_i(expected1), .nak_i(nak[1]), .ack_valid_i(ack_valid[1]),
    .ack_nak_i(ack_nak[1]), .ack_seq_i(ack_seq1)
  );

  // ---------------------------------------------------------------- keys
  // Sources of violations: link ports, then receive ports.
  logic [3:0] violation;
  logic [511:0] violated;
  logic [1:0] let_in;
  logic [127:0] all_freed;
  for (genvar p = 0; p < 2; p++) begin : gen_guard
    fabric_guard u_guard (
      .clk_i, .rst_ni, .fabric_en_i, .keys_i(keys_i[9*defs_pkg::KeyEntries*p +: 9*defs_pkg::KeyEntries]),
      .flit_valid_i(flit_valid[p]), .flit_vc_i(flit_vc[3*p +: 3]), .flit_head_i(flit_head[p]),
      .flit_tail_i(flit_tail[p]), .header_i((p == 0) ? flit_payload0[127:0] : flit_payload1[127:0]),
      .flit_valid_o(let_in[p]),
      .freed_i(freed[64*p +: 64]), .freed_o(all_freed[64*p +: 64]), .violation_o(violation[p]),
      .header_o(violated[128*p +: 128])
    );
  end

  // ---------------------------------------------------------------- router
  // Fabric cycles since reset, the same in every chip: what the age of a packet is measured with.
  logic [11:0] time_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) time_q <= '0;
    else if (fabric_en_i) time_q <= time_q + 12'd1;
  end

  logic [3:0] local_valid, local_class, local_head, local_tail, local_pop;
  logic [1:0] eject_take;
  logic [7:0] local_vn, local_out;
  logic [19:0] local_len;
  logic [15:0] local_birth;
  logic [511:0] local_payload0, local_payload1, local_payload2, local_payload3;
  logic [15:0] local_room;
  logic [15:0] eject_room;
  logic [5:0] eject_take_vc;
  logic router_idle;
  fabric_router u_router (
    .clk_i, .rst_ni, .fabric_en_i,
    .chip_i(chip_id_i[3:0]), .ring_size_i, .now_i(time_q[11:8]),
    .flit_valid_i(let_in), .flit_vc_i(flit_vc), .flit_head_i(flit_head),
    .flit_tail_i(flit_tail), .flit_payload0_i(flit_payload0), .flit_payload1_i(flit_payload1),
    .credit_vc_i(credit_vc), .credit_freed_i(credit_freed), .freed_o(freed),
    .local_valid_i(local_valid), .local_vn_i(local_vn), .local_class_i(local_class),
    .local_head_i(local_head), .local_tail_i(local_tail), .local_out_i(local_out),
    .local_len_i(local_len), .local_birth_i(local_birth), .local_pop_o(local_pop),
    .local_payload0_i(local_payload0), .local_payload1_i(local_payload1),
    .local_payload2_i(local_payload2), .local_payload3_i(local_payload3),
    .local_room_o(local_room),
    .eject_room_i(eject_room), .eject_take_o(eject_take), .eject_take_vc_o(eject_take_vc),
    .link_ready_i(link_ready),
    .out_valid_o(out_valid), .out_vc_o(out_vc), .out_head_o(out_head), .out_tail_o(out_tail),
    .out_payload0_o(out_payload0), .out_payload1_o(out_payload1),
    .out_payload2_o(out_payload2), .out_payload3_o(out_payload3),
    .idle_o(router_idle)
  );

  // ---------------------------------------------------------------- network interfaces
  logic [3:0] ni_idle;
  logic own_valid, own_ready, ack_idle, tick;  // own: an acknowledgement to send
  logic [511:0] own_word;
  logic acked_valid;                // an acknowledgement that came
  logic [3:0] acked_src;
  logic [127:0] acked_seq;
  logic [1:0] calm;
  logic err_valid, err_ready, banned;
  logic [511:0] err_word;
  logic [3:0] err_dst;
  defs_pkg::header_t culprit;       // of a report that came

  fabric_ni_tx u_ni_tx0 (
    .clk_i, .rst_ni, .fabric_en_i,
    .core_i(1'b0), .chip_id_i, .ring_size_i, .key_i(key_i[0 +: 8]), .now_i(time_q[11:8]),
    .msg_valid_i(msg0_valid_i), .msg_ready_o(msg0_ready_o), .msg_i(msg0_i),
    .room_i(local_room),
    .hol_valid_o(local_valid[1:0]), .hol_vn_o(local_vn[3:0]),
    .hol_class_o(local_class[1:0]), .hol_head_o(local_head[1:0]),
    .hol_tail_o(local_tail[1:0]), .hol_out_o(local_out[3:0]),
    .hol_len_o(local_len[9:0]), .hol_birth_o(local_birth[7:0]),
    .pop_i(local_pop[1:0]),
    .payload0_o(local_payload0), .payload1_o(local_payload1),
    .ack_valid_i(own_valid), .ack_ready_o(own_ready), .ack_i(own_word), .ack_dst_i(own_dst),
    .acked_valid_i(acked_valid), .acked_src_i(acked_src), .acked_seq_i(acked_seq[0 +: 64]),
    .ban_i(banned && culprit.group[5] == 1'b0), .ban_flow_i({culprit.vn, culprit.dst[3:0]}),
    .tick_i(tick), .resend_i,
    .error_valid_o(error_valid_o[2]), .error_cause_o(error_cause_o[23:16]),
    .calm_o(calm[0]), .idle_o(ni_idle[2])
  );

  fabric_ni_tx u_ni_tx1 (
    .clk_i, .rst_ni, .fabric_en_i,
    .core_i(1'b1), .chip_id_i, .ring_size_i, .key_i(key_i[8 +: 8]), .now_i(time_q[11:8]),
    .msg_valid_i(msg1_valid_i), .msg_ready_o(msg1_ready_o), .msg_i(msg1_i),
    .room_i(local_room),
    .hol_valid_o(local_valid[3:2]), .hol_vn_o(local_vn[7:4]),
    .hol_class_o(local_class[3:2]), .hol_head_o(local_head[3:2]),
    .hol_tail_o(local_tail[3:2]), .hol_out_o(local_out[7:4]),
    .hol_len_o(local_len[19:10]), .hol_birth_o(local_birth[15:8]),
    .pop_i(local_pop[3:2]),
    .payload0_o(local_payload2), .payload1_o(local_payload3),
    .ack_valid_i(err_valid), .ack_ready_o(err_ready), .ack_i(err_word), .ack_dst_i(err_dst),
    .acked_valid_i(acked_valid), .acked_src_i(acked_src), .acked_seq_i(acked_seq[64 +: 64]),
    .ban_i(banned && culprit.group[5] == 1'b1), .ban_flow_i({culprit.vn, culprit.dst[3:0]}),
    .tick_i(tick), .resend_i,
    .error_valid_o(error_valid_o[3]), .error_cause_o(error_cause_o[31:24]),
    .calm_o(calm[1]), .idle_o(ni_idle[3])
  );

  fabric_ni_rx u_ni_rx0 (
    .clk_i, .rst_ni, .fabric_en_i,
    .chip_id_i, .key_i, .base_i, .end_i,
    .take_i(eject_take[0]), .take_vc_i(eject_take_vc[2:0]), .room_o(eject_room[7:0]),
    .flit_valid_i(out_valid[2]), .flit_vc_i(out_vc[8:6]), .flit_head_i(out_head[2]),
    .flit_tail_i(out_tail[2]), .flit_payload_i(out_payload2),
    .req_valid_o(rx0_req_valid_o), .req_ready_i(rx0_req_ready_i), .req_o(rx0_req_o),
    .req_err_i(rx0_req_err_i), .settled_i(rx0_settled_i),
    .sem_valid_o(sem0_valid_o), .sem_o(sem0_o),
    .want_o(want[0]), .flow_o(rx_flow[0 +: 7]), .seq_o(rx_seq[0 +: 16]), .len_o(rx_len[0 +: 5]),
    .drained_o(drained[0]), .go_i(go[0]), .good_i(good[0]),
    .ack_valid_o(rx_ack[0]), .report_valid_o(rx_report[0]), .control_ready_i(1'b1),
    .control_o(rx_row0), .violation_o(violation[2]), .header_o(violated[256 +: 128]),
    .error_valid_o(error_valid_o[0]), .error_cause_o(error_cause_o[7:0]),
    .idle_o(ni_idle[0])
  );

  fabric_ni_rx u_ni_rx1 (
    .clk_i, .rst_ni, .fabric_en_i,
    .chip_id_i, .key_i, .base_i, .end_i,
    .take_i(eject_take[1]), .take_vc_i(eject_take_vc[5:3]), .room_o(eject_room[15:8]),
    .flit_valid_i(out_valid[3]), .flit_vc_i(out_vc[11:9]), .flit_head_i(out_head[3]),
    .flit_tail_i(out_tail[3]), .flit_payload_i(out_payload3),
    .req_valid_o(rx1_req_valid_o), .req_ready_i(rx1_req_ready_i), .req_o(rx1_req_o),
    .req_err_i(rx1_req_err_i), .settled_i(rx1_settled_i),
    .sem_valid_o(sem1_valid_o), .sem_o(sem1_o),
    .want_o(want[1]), .flow_o(rx_flow[7 +: 7]), .seq_o(rx_seq[16 +: 16]), .len_o(rx_len[5 +: 5]),
    .drained_o(drained[1]), .go_i(go[1]), .good_i(good[1]),
    .ack_valid_o(rx_ack[1]), .report_valid_o(rx_report[1]), .control_ready_i(!rx_ack[0] && !rx_report[0]),
    .control_o(rx_row1), .violation_o(violation[3]), .header_o(violated[384 +: 128]),
    .error_valid_o(error_valid_o[1]), .error_cause_o(error_cause_o[15:8]),
    .idle_o(ni_idle[1])
  );

  // ---------------------------------------------------------------- end to end
  // Delivered once, in order, whatever was lost or sent twice on the way.
  logic [1:0] want, go, good, again, drained, rx_ack;
  logic [13:0] rx_flow;
  logic [31:0] rx_seq;
  logic [9:0] rx_len;
  logic [127:0] rx_row0, rx_row1, row;
  logic row_valid;
  logic [3:0] row_src, own_dst;
  fabric_accept #(.Ports(2)) u_accept (
    .clk_i, .rst_ni,
    .want_i(want), .flow_i(rx_flow), .seq_i(rx_seq), .drained_i(drained),
    .go_o(go), .good_o(good), .again_o(again),
    .row_valid_i(row_valid), .row_i(row_src), .row_o(row)
  );
  fabric_ack #(.Ports(2)) u_ack (
    .clk_i, .rst_ni, .fabric_en_i, .chip_id_i,
    .taken_i(good | again), .taken_src_i({rx_flow[13:10], rx_flow[6:3]}), .taken_len_i(rx_len),
    .calm_i(calm == '1), .age_i(fabric_en_i && time_q % 12'(defs_pkg::AckAge) == '0),
    .row_valid_o(row_valid), .row_o(row_src), .row_i(row),
    .valid_o(own_valid), .ready_i(own_ready), .word_o(own_word),
    .dst_o(own_dst), .idle_o(ack_idle)
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
  fabric_report #(.Ports(4)) u_report (
    .clk_i, .rst_ni, .chip_id_i, .violation_i(violation), .header_i(violated),
    .count_o(violations_o), .first_o(violation_o),
    .valid_o(err_valid), .ready_i(err_ready), .word_o(err_word), .dst_o(err_dst)
  );

  logic [19:0] timer_q;
  assign tick = fabric_en_i && timer_q >= timeout_i && timeout_i != '0;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) timer_q <= 20'd1;
    else if (fabric_en_i) timer_q <= tick ? 20'd1 : timer_q + 20'd1;
  end

  // ---------------------------------------------------------------- registers
  // Packets refused so far, per source of errors.
  logic [127:0] refused_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) refused_q <= '0;
    else if (error_valid_o != '0) begin
      for (int unsigned i = 0; i < 4; i++) begin
        if (error_valid_o[i] && refused_q[32*i +: 32] != '1) begin
          refused_q[32*i +: 32] <= refused_q[32*i +: 32] + 32'd1;
        end
      end
    end
  end
  assign error_pc_o = refused_q;

  assign quiet_o = router_idle && link_idle == '1 && ni_idle == '1 && ack_idle && !err_valid;

  // ---------------------------------------------------------------- assertions
  // Straps hold still and make sense.
  `ASSERT(StrapsAreSane_A, ring_size_i >= 5'd1 && ring_size_i <= 5'(defs_pkg::BoardChips) &&
          {1'b0, chip_id_i[3:0]} < ring_size_i)

endmodule
