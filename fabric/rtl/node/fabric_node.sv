// SPDX-License-Identifier: Apache-2.0
// The fabric node of a chip: network interfaces of two cores, router, four link ports.
//
//   msg0, msg1 --> u_ni --> rx0, rx1 writes, semaphore updates
//                  |  ^
//                  v  |
//                 u_router              u_control: tables, switch-over
//                  |  ^                 u_counters
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
  always_ff @(posedge rst_ni) begin
    chip_id_q   <= chip_id_i;
    ring_size_q <= ring_size_i;
  end
  always_ff @(posedge fabric_clk) begin
    timeout_q <= timeout_i;
    keys_q    <= keys_i;
    key_q     <= key_i;
  end

  // ---------------------------------------------------------------- control
  defs_pkg::route_bank_t bank;
  logic [3:0] ports, dead;
  logic [3:0] upset;
  logic stop, cut, resend, switched, drained, empty, upset_q, control_write, mgmt_write, control_busy;
  logic [34:0] slots;
  logic [24:0] arbiter;
  logic [67:0] mgmt_about, written;
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
  assign control_write = control_write_i || mgmt_write;
  assign written       = control_write_i ? {control_index_i, control_wdata_i} : mgmt_about;

  // ---------------------------------------------------------------- clocks
  // The fabric's clock is every second edge of clk_i. A link port that is not in use stands still;
  // so do router and network interfaces while they have nothing to do. What wakes them comes from
  // registers: the cone of a clock is computed apart.
  logic fabric_clk, control_clk, router_clk, ni_clk;
  logic copy, step;
  logic [3:0] link_clk, credit_clk;
  logic router_asleep, router_wakes;
  assign router_wakes = !router_asleep || flit_valid != '0 || local_valid != '0;
  prim_clock_gate u_fabric_clk (.clk_i, .en_i(fabric_en_i), .clk_o(fabric_clk));
  // What seldom happens: registers, the copy of the counters, a step of the watchdog.
  assign step = time_q[6:0] == '0 && fabric_en_i && router_wakes;
  prim_clock_gate u_control_clk (
    .clk_i, .en_i(control_write || count_write_i || copy || step || resend || upset_q || control_busy),
    .clk_o(control_clk)
  );
  prim_clock_gate u_router_clk (.clk_i, .en_i(fabric_en_i && router_wakes), .clk_o(router_clk));
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
  logic [3:0] violation, let_in;
  logic [511:0] violated;
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
  logic [1:0] done, damaged;
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
    .damaged_i(damaged), .done_i(done), .done_about_i(done_about), .switched_i(switched),
    .stalls_i(stalls), .stall_i(stall), .patience_o(patience), .patience_set_o(patience_set),
    .write_i(count_write_i), .index_i(count_index_i), .wdata_i(control_wdata_i[31:0]),
    .rdata_o(count_rdata_o), .copy_o(copy)
  );
  assign stalled_o = stall != '0;

  // ---------------------------------------------------------------- network interface
  logic sending, rx_idle, ni_idle;
  fabric_ni u_ni (
    .clk_i, .fabric_clk_i(fabric_clk), .rst_ni, .fabric_en_i, .router_wakes_i(router_wakes), .clk_o(ni_clk),
    .chip_id_i(chip_id_q), .ring_size_i(ring_size_q), .timeout_i(timeout_q),
    .key_i, .base_i, .end_i, .rate_i, .managers_i,
    .now_i(time_q[15:0]), .age_stored_i(arbiter[1:0] == defs_pkg::ArbiterQueue), .bank_i(bank), .stop_i(stop),
    .resend_i(resend), .tenant_i(tenant), .upset_o(upset[2:1]),
    .mgmt_send_i, .mgmt_dst_i, .mgmt_status_o, .control_write_i, .control_index_i, .control_wdata_i,
    .write_o(mgmt_write), .write_about_o(mgmt_about),
    .msg0_valid_i, .msg0_ready_o, .msg0_i, .msg1_valid_i, .msg1_ready_o, .msg1_i,
    .rx0_req_valid_o, .rx0_req_ready_i, .rx0_req_o, .rx0_req_err_i, .rx0_settled_i,
    .rx1_req_valid_o, .rx1_req_ready_i, .rx1_req_o, .rx1_req_err_i, .rx1_settled_i,
    .sem0_valid_o, .sem0_o, .sem1_valid_o, .sem1_o,
    .local_valid_o(local_valid), .local_vn_o(local_vn), .local_class_o(local_class),
    .local_head_o(local_head), .local_tail_o(local_tail), .local_out_o(local_out),
    .local_len_o(local_len), .local_born_o(local_born), .local_pop_i(local_pop),
    .local_payload0_o(local_payload0), .local_payload1_o(local_payload1),
    .local_payload2_o(local_payload2), .local_payload3_o(local_payload3), .local_room_i(local_room),
    .eject_room_o(eject_room), .eject_take_i(eject_take), .eject_take_vc_i(eject_take_vc),
    .flit_valid_i(out_valid[7:4]), .flit_vc_i(out_vc[23:12]), .flit_head_i(out_head[7:4]),
    .flit_tail_i(out_tail[7:4]), .flit_poison_i(out_poison[7:4]),
    .flit_payload0_i(out_payload4), .flit_payload1_i(out_payload5),
    .flit_payload2_i(out_payload6), .flit_payload3_i(out_payload7),
    .violation_i(violation), .violated_i(violated), .violations_o, .violation_o,
    .damaged_o(damaged), .done_o(done), .done_about_o(done_about), .error_valid_o, .error_cause_o,
    .sending_o(sending), .rx_idle_o(rx_idle), .idle_o(ni_idle)
  );

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
  assign empty     = router_idle && link_idle == '1 && !sending;
  assign drained   = empty && rx_idle;
  assign drained_o = drained;
  assign quiet_o   = drained && ni_idle;

  // ---------------------------------------------------------------- assertions
  // The router is awake in whole fabric cycles.
  `ASSERT_NOW(TurnIsPhase_A, turn_q == (fabric_en_i && router_wakes))
  // Straps hold still and make sense.
  `ASSERT_NOW(StrapsAreSane_A, chip_id_q == chip_id_i && ring_size_q == ring_size_i &&
          ring_size_i >= 5'd1 && ring_size_i <= 5'(defs_pkg::BoardChips) &&
          {1'b0, chip_id_i[3:0]} < ring_size_i)

endmodule
