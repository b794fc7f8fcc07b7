// SPDX-License-Identifier: Apache-2.0
// The fabric node of a chip: network interfaces of two cores, router, four link ports.
//
//   msg0 --> u_ni_tx0 --+    +--> u_ni_rx0 --> rx0 writes, semaphore updates
//   msg1 --> u_ni_tx1 --+    +--> u_ni_rx1 --> rx1 writes, semaphore updates
//                       |    |
//                     u_router
//                    |   ^              u_control: tables, switch-over
//   link_txP <- u_linkP  +- gen_guard[P] <- u_linkP <- link_rxP    ports 0, 1: chip + 1, - 1
//                                                                        2, 3: chip + 5, - 5
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
//   drained_o  no packet is between its sender and memory.
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

  // isolation: keys that link ports let in, {valid, key 8}, entry {port, 4 bits} in slice; per core: its
  // key, and the addresses that packets may write. Forbidden packets so far, header of the first.
  input  logic [9*defs_pkg::LinkPorts*defs_pkg::KeyEntries-1:0] keys_i,
  input  logic [15:0] key_i,
  input  logic [95:0] base_i,
  input  logic [95:0] end_i,
  // how fast a core may inject, per stream port {core, lane}: {burst 8, rate 6}, see fabric_bucket
  input  logic [55:0] rate_i,
  output logic [31:0] violations_o,
  output logic [127:0] violation_o,

  // management packets: the host sends one to chip mgmt_dst_i, register control_index_i; what
  // became of those to it (fabric_manage); chips whose packets are obeyed
  input  logic mgmt_send_i,
  input  logic [3:0] mgmt_dst_i,
  output logic [2:0] mgmt_status_o,
  input  logic [15:0] managers_i,

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
  input  defs_pkg::flit_t link_rx2_i,
  input  defs_pkg::flit_t link_rx3_i,
  output defs_pkg::flit_t link_tx0_o,
  output defs_pkg::flit_t link_tx1_o,
  output defs_pkg::flit_t link_tx2_o,
  output defs_pkg::flit_t link_tx3_o,

  // registers (fabric_control)
  input  logic control_write_i,
  input  logic [3:0] control_index_i,
  input  logic [63:0] control_wdata_i,
  output logic [63:0] control_rdata_o,
  // registers of fabric_counters, with control_wdata_i
  input  logic count_write_i,
  input  logic [7:0] count_index_i,
  output logic [63:0] count_rdata_o,

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
  output logic stalled_o,  // a packet stands still, see FabricStall

  // links: words per 2^16 fabric cycles that may fail before one trains again; what became of them
  input  logic [15:0] link_error_limit_i,
  output defs_pkg::link_status_t link_status0_o,
  output defs_pkg::link_status_t link_status1_o,
  output defs_pkg::link_status_t link_status2_o,
  output defs_pkg::link_status_t link_status3_o,
  output logic [3:0] link_dead_o,

  output logic drained_o,
  output logic quiet_o
);

  // ---------------------------------------------------------------- settings
  // Straps are taken when the reset ends, registers with the clocks of those that use them: what
  // depends on them then stands still with these.
  logic [9:0] chip_id_q;
  logic [4:0] ring_size_q;
  logic [19:0] timeout_q;
  logic [9*defs_pkg::LinkPorts*defs_pkg::KeyEntries-1:0] keys_q;
  logic [15:0] key_q;
  logic [95:0] base_q, end_q;
  logic [15:0] managers_q;
  always_ff @(posedge rst_ni) begin
    chip_id_q   <= chip_id_i;
    ring_size_q <= ring_size_i;
  end
  always_ff @(posedge fabric_clk) begin
    timeout_q <= timeout_i;
    keys_q    <= keys_i;
  end
  always_ff @(posedge ni_clk) begin
    key_q  <= key_i;
    managers_q <= managers_i;
    base_q <= base_i;
    end_q  <= end_i;
  end

  // ---------------------------------------------------------------- control
  defs_pkg::route_bank_t bank;
  logic [3:0] ports, dead;
  logic [3:0] upset;
  logic stop, cut, resend, switched, drained, empty, upset_q, control_write, control_busy;
  logic [34:0] slots;
  logic [24:0] arbiter;
  logic [2:0] slot, tenant;  // {slot mode, VN}: of this fabric cycle, of this chip
  fabric_control u_control (
    .clk_i(control_clk), .rst_ni,
    .write_i(control_write), .index_i(control_index_i), .write_index_i(written[67:64]),
    .wdata_i(written[63:0]), .rdata_o(control_rdata_o),
    .bank_o(bank), .ports_o(ports), .stop_o(stop), .cut_o(cut), .resend_o(resend), .switched_o(switched),
    .slots_o(slots), .arbiter_o(arbiter),
    .fabric_en_i, .now_i(time_q[15:0]), .busy_o(control_busy), .empty_i(empty),
    .dead_i(dead), .drained_i(drained), .split_o(upset[3]), .upset_i(upset_q)
  );

  // ---------------------------------------------------------------- management
  logic mgmt_valid, mgmt_ready, mgmt_open, mgmt_legal, mgmt_write, mgmt_busy;
  logic [71:0] mgmt;
  logic [15:0] mgmt_kept, mgmt_lost;
  logic [1:0] rx_mgmt, rx_mgmt_ready, rx_mgmt_take;
  logic [7:0] rx_mgmt_index;
  logic [67:0] mgmt_about, written;
  fabric_manage u_manage (
    .clk_i(ni_clk), .rst_ni,
    .send_i(mgmt_send_i), .dst_i(mgmt_dst_i), .index_i(control_index_i), .wdata_i(control_wdata_i),
    .status_o(mgmt_status_o),
    .tx_valid_o(mgmt_valid), .tx_ready_i(mgmt_ready), .tx_o(mgmt), .tx_open_i(mgmt_open),
    .tx_kept_i(mgmt_kept), .tx_lost_i(mgmt_lost),
    .rx_valid_i(rx_mgmt), .rx_ready_o(rx_mgmt_ready),
    .rx_i({rx_mgmt_index[7:4], rx_row1[63:0], rx_mgmt_index[3:0], rx_row0[63:0]}),
    .now_i(time_q[15:0]), .rx_legal_o(mgmt_legal), .rx_take_i(rx_mgmt_take != '0),
    .host_write_i(control_write_i), .write_o(mgmt_write), .write_about_o(mgmt_about),
    .busy_o(mgmt_busy)
  );
  assign control_write = control_write_i || mgmt_write;
  assign written       = control_write_i ? {control_index_i, control_wdata_i} : mgmt_about;

  // ---------------------------------------------------------------- clocks
  // The fabric's clock is every second edge of clk_i. A link port that is not in use stands still;
  // so do router and network interfaces while they have nothing to do. What wakes them comes from
  // registers: the cone of a clock is computed apart.
  logic fabric_clk, control_clk, router_clk, ni_clk, ways_clk, bucket_clk;
  logic copy, step;
  logic [3:0] link_clk, credit_clk;
  logic router_asleep, router_wakes, ni_wakes, ack_asleep, age;
  logic [1:0] tx_asleep, bucket_asleep, walking;
  assign router_wakes = !router_asleep || flit_valid != '0 || local_valid != '0;
  assign ni_wakes     = router_wakes || tx_asleep != '1 || ni_idle[1:0] != '1 || !ack_asleep ||
                        err_valid || msg0_valid_i || msg1_valid_i || walking != '0 || resend || tick || age ||
                        mgmt_send_i || mgmt_busy;
  prim_clock_gate u_fabric_clk (.clk_i, .en_i(fabric_en_i), .clk_o(fabric_clk));
  // What seldom happens: registers, the copy of the counters, a step of the watchdog.
  assign step = time_q[6:0] == '0 && fabric_en_i && router_wakes;
  prim_clock_gate u_control_clk (
    .clk_i, .en_i(control_write || count_write_i || copy || step || resend || upset_q || control_busy),
    .clk_o(control_clk)
  );
  prim_clock_gate u_router_clk (.clk_i, .en_i(fabric_en_i && router_wakes), .clk_o(router_clk));
  prim_clock_gate u_ni_clk (.clk_i, .en_i(ni_wakes), .clk_o(ni_clk));
  prim_clock_gate u_ways_clk (
    .clk_i, .en_i(fabric_en_i || resend || walking != '0), .clk_o(ways_clk)
  );
  prim_clock_gate u_bucket_clk (.clk_i, .en_i(fabric_en_i && bucket_asleep != '1), .clk_o(bucket_clk));
  for (genvar p = 0; p < 4; p++) begin : gen_clk
    prim_clock_gate u_link_clk (.clk_i, .en_i(fabric_en_i && ports[p]), .clk_o(link_clk[p]));
    prim_clock_gate u_credit_clk (
      .clk_i, .en_i(fabric_en_i && (ports[p] || router_wakes)), .clk_o(credit_clk[p])
    );
  end

  // ---------------------------------------------------------------- links
  logic [3:0] flit_valid, flit_head, flit_tail, flit_poison, link_ready, link_idle;
  logic [11:0] flit_vc, credit_vc;
  logic [31:0] credit_freed;
  logic [255:0] freed, all_freed;
  logic [7:0] out_valid, out_head, out_tail, out_poison;
  logic [23:0] out_vc;
  logic [511:0] out_payload0, out_payload1, out_payload2, out_payload3;
  logic [511:0] out_payload4, out_payload5, out_payload6, out_payload7;
  for (genvar p = 0; p < 4; p++) begin : gen_link
    defs_pkg::flit_t rx, tx;
    logic [511:0] sent, payload;
    defs_pkg::link_status_t status;
    logic [255:0] lane_errors;
    if (p == 0) begin : gen_from
      assign rx   = link_rx0_i;
      assign sent = out_payload0;
    end else if (p == 1) begin : gen_from
      assign rx   = link_rx1_i;
      assign sent = out_payload1;
    end else if (p == 2) begin : gen_from
      assign rx   = link_rx2_i;
      assign sent = out_payload2;
    end else begin : gen_from
      assign rx   = link_rx3_i;
      assign sent = out_payload3;
    end
    link_port u_link (
      .clk_i(link_clk[p]), .rst_ni, .link_rx_i(rx), .link_tx_o(tx), .ready_o(link_ready[p]),
      .flit_valid_i(out_valid[p]), .flit_vc_i(out_vc[3*p +: 3]), .flit_head_i(out_head[p]),
      .flit_tail_i(out_tail[p]), .flit_poison_i(out_poison[p]), .flit_payload_i(sent),
      .rx_flit_valid_o(flit_valid[p]), .rx_flit_vc_o(flit_vc[3*p +: 3]),
      .rx_flit_head_o(flit_head[p]), .rx_flit_tail_o(flit_tail[p]),
      .rx_flit_poison_o(flit_poison[p]), .rx_flit_payload_o(payload),
      .credit_vc_o(credit_vc[3*p +: 3]), .credit_freed_o(credit_freed[8*p +: 8]),
      .freed_i(all_freed[64*p +: 64]), .error_limit_i(link_error_limit_i),
      .status_o(status), .lane_errors_o(lane_errors), .dead_o(dead[p]), .idle_o(link_idle[p])
    );
  end
  assign link_tx0_o     = gen_link[0].tx;
  assign link_tx1_o     = gen_link[1].tx;
  assign link_tx2_o     = gen_link[2].tx;
  assign link_tx3_o     = gen_link[3].tx;
  assign link_status0_o = gen_link[0].status;
  assign link_status1_o = gen_link[1].status;
  assign link_status2_o = gen_link[2].status;
  assign link_status3_o = gen_link[3].status;
  assign link_dead_o    = dead;

  // ---------------------------------------------------------------- keys
  // Sources of violations: link ports, then receive ports.
  logic [5:0] violation;
  logic [767:0] violated;
  logic [3:0] let_in;
  for (genvar p = 0; p < 4; p++) begin : gen_guard
    logic violated_key;
    assign violation[p] = violated_key && fabric_en_i && ports[p];
    fabric_guard u_guard (
      .clk_i(link_clk[p]), .rst_ni, .keys_i(keys_q[9*defs_pkg::KeyEntries*p +: 9*defs_pkg::KeyEntries]),
      .only_own_i(tenant[2]), .chip_id_i(chip_id_q), .key_i(key_q),
      .flit_valid_i(flit_valid[p]), .flit_vc_i(flit_vc[3*p +: 3]), .flit_head_i(flit_head[p]),
      .flit_tail_i(flit_tail[p]), .header_i(gen_link[p].payload[127:0]),
      .flit_valid_o(let_in[p]),
      .freed_i(freed[64*p +: 64]), .freed_o(all_freed[64*p +: 64]), .violation_o(violated_key),
      .header_o(violated[128*p +: 128])
    );
  end

  // ---------------------------------------------------------------- router
  // The router's own fabric_en_i, 0 while it sleeps: it falls asleep at the end of a fabric cycle.
  logic turn_clk, turn_q;
  prim_clock_gate u_turn_clk (.clk_i, .en_i(router_wakes), .clk_o(turn_clk));
  always_ff @(posedge turn_clk or negedge rst_ni) begin
    if (!rst_ni) turn_q <= 1'b0;
    else turn_q <= !fabric_en_i;
  end

  // Fabric cycles since reset, the same in every chip: what stamps and copies of counters go by.
  logic [31:0] time_q;
  logic age_stored;
  assign age_stored = arbiter[1:0] == defs_pkg::ArbiterQueue;
  always_ff @(posedge fabric_clk or negedge rst_ni) begin
    if (!rst_ni) time_q <= '0;
    else time_q <= time_q + 32'd1;
  end
  always_comb begin
    slot   = '0;
    tenant = '0;
    if (slots[34]) begin
      slot   = {1'b1, slots[2*time_q[3:0] +: 2]};
      tenant = slots[34:32];
    end
  end

  logic [3:0] local_valid, local_class, local_head, local_tail, local_pop;
  logic [3:0] eject_take;
  logic [7:0] local_vn;
  logic [11:0] local_out;
  logic [19:0] local_len;
  logic [23:0] local_born;
  logic [511:0] local_payload0, local_payload1, local_payload2, local_payload3;
  logic [31:0] local_room;
  logic [15:0] eject_room;
  logic [11:0] eject_take_vc;
  logic router_idle;
  fabric_router u_router (
    .clk_i(router_clk), .credit_clk_i(credit_clk), .rst_ni, .fabric_en_i(turn_q),
    .chip_i(chip_id_q[3:0]), .ring_size_i(ring_size_q), .now_i(time_q[13:8]),
    .slot_i(slot), .arbiter_i(arbiter),
    .bank_i(bank), .ports_i(ports), .upset_o(upset[0]),
    .flit_valid_i(let_in), .flit_vc_i(flit_vc), .flit_head_i(flit_head),
    .flit_tail_i(flit_tail), .flit_poison_i(flit_poison),
    .flit_payload0_i(gen_link[0].payload), .flit_payload1_i(gen_link[1].payload),
    .flit_payload2_i(gen_link[2].payload), .flit_payload3_i(gen_link[3].payload),
    .credit_vc_i(credit_vc), .credit_freed_i(credit_freed), .freed_o(freed),
    .local_valid_i(local_valid), .local_vn_i(local_vn), .local_class_i(local_class),
    .local_head_i(local_head), .local_tail_i(local_tail), .local_out_i(local_out),
    .local_len_i(local_len), .local_born_i(local_born), .local_pop_o(local_pop),
    .local_payload0_i(local_payload0), .local_payload1_i(local_payload1),
    .local_payload2_i(local_payload2), .local_payload3_i(local_payload3),
    .local_room_o(local_room),
    .eject_room_i(eject_room), .cut_i(cut), .eject_take_o(eject_take), .eject_take_vc_o(eject_take_vc),
    .link_ready_i(link_ready),
    .out_valid_o(out_valid), .out_vc_o(out_vc), .out_head_o(out_head), .out_tail_o(out_tail),
    .out_poison_o(out_poison),
    .out_payload0_o(out_payload0), .out_payload1_o(out_payload1),
    .out_payload2_o(out_payload2), .out_payload3_o(out_payload3),
    .out_payload4_o(out_payload4), .out_payload5_o(out_payload5),
    .out_payload6_o(out_payload6), .out_payload7_o(out_payload7),
    .short_o(short), .lost_turn_o(lost_turn), .popped_o(popped),
    .seldom_clk_i(control_clk), .step_i(step), .patience_i(patience), .patience_set_i(patience_set),
    .stalls_o(stalls), .stall_o(stall),
    .asleep_o(router_asleep), .idle_o(router_idle)
  );

  // ---------------------------------------------------------------- counters
  logic [31:0] short;
  logic [3:0] lost_turn;
  logic [7:0] popped, patience;
  logic patience_set;
  logic [15:0] stalls;
  logic [63:0] stall;
  logic [1:0] done;
  logic [59:0] done_about;
  fabric_counters u_counters (
    .clk_i(control_clk), .router_clk_i(router_clk), .ni_clk_i(ni_clk), .rst_ni, .fabric_en_i, .now_i(time_q),
    .sent_i(out_valid[3:0]),
    .sent_vn_i({out_vc[11:10], out_vc[8:7], out_vc[5:4], out_vc[2:1]}),
    .received_i(flit_valid), .let_in_i(let_in), .popped_i(popped), .short_i(short),
    .lost_turn_i(lost_turn),
    .status0_i(link_status0_o), .status1_i(link_status1_o),
    .status2_i(link_status2_o), .status3_i(link_status3_o),
    .lanes0_i(gen_link[0].lane_errors), .lanes1_i(gen_link[1].lane_errors),
    .lanes2_i(gen_link[2].lane_errors), .lanes3_i(gen_link[3].lane_errors),
    .done_i(done), .done_about_i(done_about), .switched_i(switched),
    .stalls_i(stalls), .stall_i(stall), .patience_o(patience), .patience_set_o(patience_set),
    .write_i(count_write_i), .index_i(count_index_i), .wdata_i(control_wdata_i[31:0]),
    .rdata_o(count_rdata_o), .copy_o(copy)
  );
  assign stalled_o = stall != '0;

  // ---------------------------------------------------------------- network interfaces
  logic [3:0] ni_idle;
  logic [1:0] sending;
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

  // Links that a core's lanes have a packet for: the other core's had better take another.
  logic [7:0] local_busy;  // {core, link}
  always_comb begin
    local_busy = '0;
    for (int unsigned l = 0; l < 4; l++) begin
      if (local_valid[l] && !local_out[3*l + 2]) local_busy[{1'(l / 2), local_out[3*l +: 2]}] = 1'b1;
    end
  end

  fabric_ni_tx u_ni_tx0 (
    .clk_i(ni_clk), .ways_clk_i(ways_clk), .rst_ni, .fabric_en_i,
    .core_i(1'b0), .chip_id_i(chip_id_q), .ring_size_i(ring_size_q),
    .bucket_clk_i(bucket_clk), .rate_i(rate_i[0 +: 28]), .key_i(key_q[0 +: 8]), .now_i(time_q[15:0]), .age_stored_i(age_stored),
    .bank_i(bank), .stop_i(stop), .tenant_i(tenant),
    .msg_valid_i(msg0_valid_i), .msg_ready_o(msg0_ready_o), .msg_i(msg0_i),
    .mgmt_valid_i(mgmt_valid), .mgmt_ready_o(mgmt_ready), .mgmt_i(mgmt), .mgmt_open_o(mgmt_open),
    .mgmt_kept_o(mgmt_kept), .mgmt_lost_o(mgmt_lost),
    .room_i(local_room), .busy_i(local_busy[7:4]),
    .hol_valid_o(local_valid[1:0]), .hol_vn_o(local_vn[3:0]),
    .hol_class_o(local_class[1:0]), .hol_head_o(local_head[1:0]),
    .hol_tail_o(local_tail[1:0]), .hol_out_o(local_out[5:0]),
    .hol_len_o(local_len[9:0]), .hol_born_o(local_born[11:0]),
    .pop_i(local_pop[1:0]),
    .payload0_o(local_payload0), .payload1_o(local_payload1),
    .ack_valid_i(own_valid), .ack_ready_o(own_ready), .ack_i(own_word), .ack_dst_i(own_dst),
    .acked_valid_i(acked_valid), .acked_src_i(acked_src), .acked_seq_i(acked_seq[0 +: 64]),
    .ban_i(banned && culprit.group[5] == 1'b0), .ban_flow_i({culprit.vn, culprit.dst[3:0]}),
    .tick_i(tick), .resend_i(resend),
    .error_valid_o(error_valid_o[2]), .error_cause_o(error_cause_o[23:16]),
    .sending_o(sending[0]), .upset_o(upset[1]), .walking_o(walking[0]),
    .bucket_asleep_o(bucket_asleep[0]), .asleep_o(tx_asleep[0]), .calm_o(calm[0]), .idle_o(ni_idle[2])
  );

  logic [33:0] unused_mgmt;  // core 1 manages nobody
  fabric_ni_tx u_ni_tx1 (
    .clk_i(ni_clk), .ways_clk_i(ways_clk), .rst_ni, .fabric_en_i,
    .core_i(1'b1), .chip_id_i(chip_id_q), .ring_size_i(ring_size_q),
    .bucket_clk_i(bucket_clk), .rate_i(rate_i[28 +: 28]), .key_i(key_q[8 +: 8]), .now_i(time_q[15:0]), .age_stored_i(age_stored),
    .bank_i(bank), .stop_i(stop), .tenant_i(tenant),
    .msg_valid_i(msg1_valid_i), .msg_ready_o(msg1_ready_o), .msg_i(msg1_i),
    .mgmt_valid_i(1'b0), .mgmt_ready_o(unused_mgmt[0]), .mgmt_i('0), .mgmt_open_o(unused_mgmt[1]),
    .mgmt_kept_o(unused_mgmt[17:2]), .mgmt_lost_o(unused_mgmt[33:18]),
    .room_i(local_room), .busy_i(local_busy[3:0]),
    .hol_valid_o(local_valid[3:2]), .hol_vn_o(local_vn[7:4]),
    .hol_class_o(local_class[3:2]), .hol_head_o(local_head[3:2]),
    .hol_tail_o(local_tail[3:2]), .hol_out_o(local_out[11:6]),
    .hol_len_o(local_len[19:10]), .hol_born_o(local_born[23:12]),
    .pop_i(local_pop[3:2]),
    .payload0_o(local_payload2), .payload1_o(local_payload3),
    .ack_valid_i(err_valid), .ack_ready_o(err_ready), .ack_i(err_word), .ack_dst_i(err_dst),
    .acked_valid_i(acked_valid), .acked_src_i(acked_src), .acked_seq_i(acked_seq[64 +: 64]),
    .ban_i(banned && culprit.group[5] == 1'b1), .ban_flow_i({culprit.vn, culprit.dst[3:0]}),
    .tick_i(tick), .resend_i(resend),
    .error_valid_o(error_valid_o[3]), .error_cause_o(error_cause_o[31:24]),
    .sending_o(sending[1]), .upset_o(upset[2]), .walking_o(walking[1]),
    .bucket_asleep_o(bucket_asleep[1]), .asleep_o(tx_asleep[1]), .calm_o(calm[1]), .idle_o(ni_idle[3])
  );

  fabric_ni_rx u_ni_rx0 (
    .clk_i(ni_clk), .rst_ni, .fabric_en_i,
    .chip_id_i(chip_id_q), .key_i(key_q), .base_i(base_q), .end_i(end_q),
    .take_i({eject_take[2], eject_take[0]}),
    .take_vc_i({eject_take_vc[6 +: 3], eject_take_vc[0 +: 3]}),
    .room_o(eject_room[0 +: 8]),
    .flit_valid_i({out_valid[6], out_valid[4]}),
    .flit_vc_i({out_vc[18 +: 3], out_vc[12 +: 3]}),
    .flit_head_i({out_head[6], out_head[4]}), .flit_tail_i({out_tail[6], out_tail[4]}),
    .flit_poison_i({out_poison[6], out_poison[4]}),
    .flit_payload0_i(out_payload4), .flit_payload1_i(out_payload6),
    .req_valid_o(rx0_req_valid_o), .req_ready_i(rx0_req_ready_i), .req_o(rx0_req_o),
    .req_err_i(rx0_req_err_i), .settled_i(rx0_settled_i),
    .sem_valid_o(sem0_valid_o), .sem_o(sem0_o),
    .want_o(want[0]), .flow_o(rx_flow[0 +: 7]), .seq_o(rx_seq[0 +: 16]), .len_o(rx_len[0 +: 5]),
    .drained_o(rx_drained[0]), .go_i(go[0]), .good_i(good[0]),
    .ack_valid_o(rx_ack[0]), .report_valid_o(rx_report[0]), .control_ready_i(1'b1),
    .control_o(rx_row0), .managers_i(managers_q), .mgmt_valid_o(rx_mgmt[0]),
    .mgmt_index_o(rx_mgmt_index[3:0]), .mgmt_ready_i(rx_mgmt_ready[0]), .mgmt_legal_i(mgmt_legal),
    .mgmt_take_o(rx_mgmt_take[0]), .violation_o(violation[4]), .header_o(violated[512 +: 128]),
    .done_o(done[0]), .done_about_o(done_about[0 +: 30]),
    .error_valid_o(error_valid_o[0]), .error_cause_o(error_cause_o[7:0]),
    .idle_o(ni_idle[0])
  );

  fabric_ni_rx u_ni_rx1 (
    .clk_i(ni_clk), .rst_ni, .fabric_en_i,
    .chip_id_i(chip_id_q), .key_i(key_q), .base_i(base_q), .end_i(end_q),
    .take_i({eject_take[3], eject_take[1]}),
    .take_vc_i({eject_take_vc[9 +: 3], eject_take_vc[3 +: 3]}),
    .room_o(eject_room[8 +: 8]),
    .flit_valid_i({out_valid[7], out_valid[5]}),
    .flit_vc_i({out_vc[21 +: 3], out_vc[15 +: 3]}),
    .flit_head_i({out_head[7], out_head[5]}), .flit_tail_i({out_tail[7], out_tail[5]}),
    .flit_poison_i({out_poison[7], out_poison[5]}),
    .flit_payload0_i(out_payload5), .flit_payload1_i(out_payload7),
    .req_valid_o(rx1_req_valid_o), .req_ready_i(rx1_req_ready_i), .req_o(rx1_req_o),
    .req_err_i(rx1_req_err_i), .settled_i(rx1_settled_i),
    .sem_valid_o(sem1_valid_o), .sem_o(sem1_o),
    .want_o(want[1]), .flow_o(rx_flow[7 +: 7]), .seq_o(rx_seq[16 +: 16]), .len_o(rx_len[5 +: 5]),
    .drained_o(rx_drained[1]), .go_i(go[1]), .good_i(good[1]),
    .ack_valid_o(rx_ack[1]), .report_valid_o(rx_report[1]), .control_ready_i(!rx_ack[0] && !rx_report[0]),
    .control_o(rx_row1), .managers_i(managers_q), .mgmt_valid_o(rx_mgmt[1]),
    .mgmt_index_o(rx_mgmt_index[7:4]), .mgmt_ready_i(rx_mgmt_ready[1]), .mgmt_legal_i(mgmt_legal),
    .mgmt_take_o(rx_mgmt_take[1]), .violation_o(violation[5]), .header_o(violated[640 +: 128]),
    .done_o(done[1]), .done_about_o(done_about[30 +: 30]),
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
  assign age = fabric_en_i && time_q[11:0] % 12'(defs_pkg::AckAge) == '0;
  fabric_ack #(.Ports(2)) u_ack (
    .clk_i(ni_clk), .rst_ni, .fabric_en_i, .chip_id_i(chip_id_q),
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
    .clk_i(ni_clk), .rst_ni, .chip_id_i(chip_id_q), .violation_i(violation), .header_i(violated),
    .count_o(violations_o), .first_o(violation_o),
    .valid_o(err_valid), .ready_i(err_ready || tenant[2]), .word_o(err_word), .dst_o(err_dst)
  );

  logic [19:0] timer_q;
  assign tick = fabric_en_i && timer_q >= timeout_q && timeout_q != '0;
  always_ff @(posedge fabric_clk or negedge rst_ni) begin
    if (!rst_ni) timer_q <= 20'd1;
    else timer_q <= tick ? 20'd1 : timer_q + 20'd1;
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

  // Drained: what has left its sender has arrived, or was lost on a link that died.
  always_ff @(posedge fabric_clk or negedge rst_ni) begin
    if (!rst_ni) upset_q <= 1'b0;
    else upset_q <= upset != '0;
  end
  assign empty     = router_idle && link_idle == '1 && sending == '0;
  assign drained   = empty && ni_idle[1:0] == '1;
  assign drained_o = drained;
  assign quiet_o   = drained && ni_idle == '1 && ack_idle && !err_valid && !mgmt_busy;

  // ---------------------------------------------------------------- assertions
  // The router is awake in whole fabric cycles.
  `ASSERT_NOW(TurnIsPhase_A, turn_q == (fabric_en_i && router_wakes))
  // Straps hold still and make sense.
  `ASSERT_NOW(StrapsAreSane_A, chip_id_q == chip_id_i && ring_size_q == ring_size_i &&
          ring_size_i >= 5'd1 && ring_size_i <= 5'(defs_pkg::BoardChips) &&
          {1'b0, chip_id_i[3:0]} < ring_size_i)

endmodule
