// SPDX-License-Identifier: Apache-2.0
// The fabric node of a chip: network interfaces of two cores, router, four link ports.
//
//          msg --> u_ni --> rx_req writes, semaphore updates
//                  |  ^
//                  v  |
//                 u_router              u_registers, u_control: tables, switch-over
//                  |  ^                 u_counters
//   link_txP <- u_linkP  +- gen_guard[P] <- u_linkP <- link_rxP    ports 0, 1: chip + 1, - 1
//                                                                        2, 3: chip + 5, - 5
//
// Contract of the channels:
//   msg        by core; valid/ready, core clock. Beats of a packet in order; engines may interleave.
//   link_*     by port; one token per fabric cycle: sampled at, and changed by, edges with fabric_en_i.
//   rx_req     by local port; valid/ready, core clock, writes only; err as in mem_xbar: the write was
//              dropped.
//   rx_settled_i  every write accepted in an earlier cycle is in memory at the end of this one;
//              a notify waits for it.
//   sem        by local port; valid only, always taken: + 1 behind the last write of a WRITE_NOTIFY.
//   error      one pulse per packet rejected: cause, and how many were rejected before (saturating).
//              0, 1: received by local port 0, 1;
//              2, 3: offered by core 0, 1. Flat vectors: source i in slice i.
//   peer       what the other core shares with each, from FabricKey, FabricBase, FabricEnd.
//   reg        register bus, see fabric_registers.
//   drained_o  no packet is between its sender and memory.
//   quiet_o    nothing buffered anywhere in the node, every credit home.
`include "assert.svh"

module fabric_node #(
  localparam int unsigned Links = fabric_pkg::Links,
  localparam int unsigned Cores = defs_pkg::Cores,
  localparam int unsigned Outs = fabric_pkg::Outputs,
  localparam int unsigned AccessBits = defs_pkg::CoreAccessBits,
  localparam int unsigned KeyBits = 9 * defs_pkg::KeyEntries  // of a link port
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  input  logic reg_select_i,
  input  logic reg_apply_i,
  input  defs_pkg::reg_req_t reg_i,
  output defs_pkg::reg_rsp_t reg_o,

  output defs_pkg::peer_access_t [Cores-1:0] peer_o,

  input  logic [Cores-1:0] msg_valid_i,
  output logic [Cores-1:0] msg_ready_o,
  input  fabric_pkg::core_chunks_t msg_i,

  input  fabric_pkg::link_words_t link_rx_i,
  output fabric_pkg::link_words_t link_tx_o,

  output logic [Cores-1:0] rx_req_valid_o,
  input  logic [Cores-1:0] rx_req_ready_i,
  output fabric_pkg::core_requests_t rx_req_o,
  input  logic [Cores-1:0] rx_req_err_i,
  input  logic [Cores-1:0] rx_settled_i,
  output logic [Cores-1:0] sem_valid_o,
  output defs_pkg::sem_update_t [Cores-1:0] sem_o,

  output logic [3:0] error_valid_o,
  output logic [31:0] error_cause_o,
  output logic [127:0] error_pc_o,
  output logic stalled_o,  // a packet is stalled, see FabricStall

  output fabric_pkg::link_statuses_t link_status_o,
  output logic [Links-1:0] link_dead_o,

  output logic drained_o,
  output logic quiet_o
);

  // ---------------------------------------------------------------- registers
  defs_pkg::fabric_settings_t settings;
  logic [Links*KeyBits-1:0] keys;
  logic reg_write, control_write, count_write, mgmt_send;
  logic [3:0] control_index;
  logic [7:0] count_index;
  logic [63:0] control_rdata, count_rdata;
  logic [2:0] mgmt_status;
  logic [31:0] violations;
  logic [127:0] first_violation;
  defs_pkg::mgmt_packet_t mgmt;
  fabric_registers u_registers (
    .clk_i(control_clk), .rst_ni, .select_i(reg_select_i), .apply_i(reg_apply_i), .reg_i, .reg_o, .write_o(reg_write),
    .settings_o(settings), .keys_o(keys),
    .control_write_o(control_write), .control_index_o(control_index), .control_rdata_i(control_rdata),
    .count_write_o(count_write), .count_index_o(count_index), .count_rdata_i(count_rdata),
    .mgmt_send_o(mgmt_send), .mgmt_dst_o(mgmt.chip), .mgmt_status_i(mgmt_status),
    .violations_i(violations), .violation_i(first_violation), .now_i(time_q[15:0])
  );
  assign mgmt.write.index = control_index;
  assign mgmt.write.data  = reg_i.data;

  // Straps are taken when the reset ends, settings with the clocks of those that use them: what
  // depends on them is then gated with these.
  logic [9:0] chip_id_q;
  logic [4:0] ring_size_q;
  logic [19:0] timeout_q;
  logic [Links*KeyBits-1:0] keys_q;
  defs_pkg::core_access_t access0, access1;
  logic [15:0] key_q;  // of both cores
  logic shared;
  assign access0 = settings.access[0 +: AccessBits];
  assign access1 = settings.access[AccessBits +: AccessBits];
  assign shared  = access0.key == access1.key;
  assign peer_o  = {defs_pkg::peer_access_t'{limit: access0.limit, base: access0.base, shared: shared},
                    defs_pkg::peer_access_t'{limit: access1.limit, base: access1.base, shared: shared}};
  always_ff @(posedge rst_ni) begin
    chip_id_q   <= chip_id_i;
    ring_size_q <= ring_size_i;
  end
  always_ff @(posedge fabric_clk) begin
    timeout_q <= settings.timeout;
    keys_q    <= keys;
    key_q     <= {access1.key, access0.key};
  end

  // ---------------------------------------------------------------- control
  defs_pkg::route_bank_t bank;
  logic [Links-1:0] ports, dead;
  logic [3:0] upset;
  logic stop, cut, resend, switched, drained, empty, upset_q, any_write, mgmt_write, control_busy;
  logic [24:0] arbiter;
  defs_pkg::fabric_write_t mgmt_what, written;
  logic [2:0] slot, tenant;
  fabric_control u_control (
    .clk_i(control_clk), .rst_ni,
    .write_i(any_write), .index_i(control_index), .write_index_i(written.index),
    .wdata_i(written.data), .rdata_o(control_rdata),
    .bank_o(bank), .ports_o(ports), .stop_o(stop), .cut_o(cut), .resend_o(resend), .switched_o(switched),
    .slot_o(slot), .tenant_o(tenant), .arbiter_o(arbiter),
    .fabric_en_i, .now_i(time_q[15:0]), .busy_o(control_busy), .empty_i(empty),
    .dead_i(dead), .drained_i(drained), .split_o(upset[3]), .upset_i(upset_q)
  );
  assign any_write = control_write || mgmt_write;
  assign written   = control_write ? mgmt.write : mgmt_what;

  // ---------------------------------------------------------------- clocks
  // The fabric's clock is every second edge of clk_i. That of a link port that is not in use is gated;
  // so are router and network interfaces while they have nothing to do. What wakes them comes from
  // registers: the cone of a clock is computed apart.
  logic fabric_clk, control_clk, router_clk, ni_clk;
  logic copy, step;
  logic [Links-1:0] link_clk, credit_clk;
  logic router_asleep, router_wakes;
  assign router_wakes = !router_asleep || flit_valid != '0 || local_valid != '0;
  prim_clock_gate u_fabric_clk (.clk_i, .en_i(fabric_en_i), .clk_o(fabric_clk));
  // What seldom happens: registers, the copy of the counters, a step of the watchdog.
  assign step = time_q[6:0] == '0 && fabric_en_i && router_wakes;
  prim_clock_gate u_control_clk (
    .clk_i, .en_i(reg_write || mgmt_write || copy || step || resend || upset_q || control_busy),
    .clk_o(control_clk)
  );
  prim_clock_gate u_router_clk (.clk_i, .en_i(fabric_en_i && router_wakes), .clk_o(router_clk));
  for (genvar p = 0; p < Links; p++) begin : gen_clk
    prim_clock_gate u_link_clk (.clk_i, .en_i(fabric_en_i && ports[p]), .clk_o(link_clk[p]));
    prim_clock_gate u_credit_clk (
      .clk_i, .en_i(fabric_en_i && (ports[p] || router_wakes)), .clk_o(credit_clk[p])
    );
  end

  // ---------------------------------------------------------------- links
  logic [Links-1:0] flit_valid, link_ready, link_idle;
  defs_pkg::flit_meta_t [Links-1:0] flit;
  fabric_pkg::link_payloads_t flit_payload;
  logic [3*Links-1:0] credit_vc;
  logic [8*Links-1:0] credit_freed;
  logic [64*Links-1:0] freed, all_freed;
  logic [Outs-1:0] out_valid;
  defs_pkg::flit_meta_t [Outs-1:0] out;
  fabric_pkg::output_payloads_t out_payload;
  fabric_pkg::lane_errors_t lane_errors;
  for (genvar p = 0; p < Links; p++) begin : gen_link
    link_port u_link (
      .clk_i(link_clk[p]), .rst_ni, .link_rx_i(link_rx_i[p]), .link_tx_o(link_tx_o[p]), .ready_o(link_ready[p]),
      .flit_valid_i(out_valid[p]), .flit_i(out[p]), .flit_payload_i(out_payload[p]),
      .rx_flit_valid_o(flit_valid[p]), .rx_flit_o(flit[p]), .rx_flit_payload_o(flit_payload[p]),
      .credit_vc_o(credit_vc[3*p +: 3]), .credit_freed_o(credit_freed[8*p +: 8]),
      .freed_i(all_freed[64*p +: 64]), .error_limit_i(settings.error_limit),
      .status_o(link_status_o[p]), .lane_errors_o(lane_errors[p]), .dead_o(dead[p]), .idle_o(link_idle[p])
    );
  end
  assign link_dead_o = dead;

  // ---------------------------------------------------------------- keys
  logic [Links-1:0] violation, admitted;
  logic [128*Links-1:0] violated;
  for (genvar p = 0; p < Links; p++) begin : gen_guard
    logic violated_key;
    assign violation[p] = violated_key && fabric_en_i && ports[p];
    fabric_guard u_guard (
      .clk_i(link_clk[p]), .rst_ni, .keys_i(keys_q[KeyBits*p +: KeyBits]),
      .only_own_i(tenant[2]), .chip_id_i(chip_id_q), .key_i(key_q),
      .flit_valid_i(flit_valid[p]), .flit_i(flit[p]), .header_i(flit_payload[p][127:0]), .flit_valid_o(admitted[p]),
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

  logic [3:0] local_valid, local_pop, eject_take;
  defs_pkg::lane_flit_t [3:0] local_flit;
  fabric_pkg::lane_payloads_t local_payload;
  logic [31:0] local_room, credit_stall;
  logic [15:0] eject_room, stalls;
  logic [11:0] eject_take_vc;
  logic [Links-1:0] lost_arbitration;
  logic [2*Links-1:0] popped;
  logic [7:0] patience;
  logic [63:0] stall;
  logic router_idle, patience_set;
  fabric_router u_router (
    .clk_i(router_clk), .credit_clk_i(credit_clk), .rst_ni, .fabric_en_i(turn_q),
    .chip_i(chip_id_q[3:0]), .ring_size_i(ring_size_q), .now_i(time_q[13:8]),
    .slot_i(slot), .arbiter_i(arbiter), .bank_i(bank), .ports_i(ports), .upset_o(upset[0]),
    .flit_valid_i(admitted), .flit_i(flit), .flit_payload_i(flit_payload),
    .credit_vc_i(credit_vc), .credit_freed_i(credit_freed), .freed_o(freed),
    .local_valid_i(local_valid), .local_i(local_flit), .local_pop_o(local_pop),
    .local_payload_i(local_payload), .local_room_o(local_room),
    .eject_room_i(eject_room), .cut_i(cut), .eject_take_o(eject_take), .eject_take_vc_o(eject_take_vc),
    .link_ready_i(link_ready), .out_valid_o(out_valid), .out_o(out), .out_payload_o(out_payload),
    .credit_stall_o(credit_stall), .lost_arbitration_o(lost_arbitration), .popped_o(popped),
    .slow_clk_i(control_clk), .step_i(step), .patience_i(patience), .patience_set_i(patience_set),
    .stalls_o(stalls), .stall_o(stall),
    .asleep_o(router_asleep), .idle_o(router_idle)
  );

  // ---------------------------------------------------------------- counters
  logic [Cores-1:0] done, damaged;
  defs_pkg::delivery_t [Cores-1:0] delivery;
  fabric_counters u_counters (
    .clk_i(control_clk), .router_clk_i(router_clk), .ni_clk_i(ni_clk), .rst_ni, .fabric_en_i, .now_i(time_q),
    .sent_i(out_valid[Links-1:0]), .sent_flit_i(out[Links-1:0]),
    .received_i(flit_valid), .admitted_i(admitted), .popped_i(popped), .credit_stall_i(credit_stall),
    .lost_arbitration_i(lost_arbitration), .status_i(link_status_o), .lanes_i(lane_errors),
    .damaged_i(damaged), .done_i(done), .delivery_i(delivery), .switched_i(switched),
    .stalls_i(stalls), .stall_i(stall), .patience_o(patience), .patience_set_o(patience_set),
    .write_i(count_write), .index_i(count_index), .wdata_i(reg_i.data[31:0]),
    .rdata_o(count_rdata), .copy_o(copy)
  );
  assign stalled_o = stall != '0;

  // ---------------------------------------------------------------- network interface
  logic sending, rx_idle, ni_idle;
  fabric_ni u_ni (
    .clk_i, .fabric_clk_i(fabric_clk), .rst_ni, .fabric_en_i, .router_wakes_i(router_wakes), .clk_o(ni_clk),
    .chip_id_i(chip_id_q), .ring_size_i(ring_size_q), .timeout_i(timeout_q), .settings_i(settings),
    .now_i(time_q[15:0]), .age_stored_i(arbiter[1:0] == defs_pkg::ArbiterQueue), .bank_i(bank), .stop_i(stop),
    .resend_i(resend), .tenant_i(tenant), .upset_o(upset[2:1]),
    .mgmt_send_i(mgmt_send), .mgmt_i(mgmt), .mgmt_status_o(mgmt_status), .control_write_i(control_write),
    .write_o(mgmt_write), .write_what_o(mgmt_what),
    .msg_valid_i, .msg_ready_o, .msg_i, .rx_req_valid_o, .rx_req_ready_i, .rx_req_o, .rx_req_err_i, .rx_settled_i,
    .sem_valid_o, .sem_o,
    .local_valid_o(local_valid), .local_o(local_flit), .local_pop_i(local_pop), .local_payload_o(local_payload),
    .local_room_i(local_room), .eject_room_o(eject_room), .eject_take_i(eject_take),
    .eject_take_vc_i(eject_take_vc),
    .flit_valid_i(out_valid[Outs-1:Links]), .flit_i(out[Outs-1:Links]), .out_payload_i(out_payload),
    .violation_i(violation), .violated_i(violated), .violations_o(violations), .violation_o(first_violation),
    .damaged_o(damaged), .done_o(done), .delivery_o(delivery), .error_valid_o, .error_cause_o, .error_pc_o,
    .sending_o(sending), .rx_idle_o(rx_idle), .idle_o(ni_idle)
  );

  // ---------------------------------------------------------------- state
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
