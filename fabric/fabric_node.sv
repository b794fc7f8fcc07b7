// SPDX-License-Identifier: Apache-2.0
// The fabric node of a chip: network interfaces of two cores, router, two link ports.
//
//   msg0 --> u_ni_tx0 --+    +--> u_ni_rx0 --> rx0 writes, semaphore updates
//   msg1 --> u_ni_tx1 --+    +--> u_ni_rx1 --> rx1 writes, semaphore updates
//                       |    |
//                     u_router
//                    |        |          u_control: tables, switch-over
//   link_rxP -> u_link_rxP   u_link_txP -> link_txP      ports 0, 1: chip + 1, - 1
//                                                              2, 3: chip + 5, - 5
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
//   link_dead_i  this port's cable is dead: what goes there is lost.
//   quiet_o    nothing buffered anywhere in the node, every credit home.
`include "assert.svh"

module fabric_node (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

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
  input  logic [3:0] link_dead_i,

  // registers (fabric_control)
  input  logic control_write_i,
  input  logic [2:0] control_index_i,
  input  logic [63:0] control_wdata_i,
  output logic [63:0] control_rdata_o,

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

  output logic [3:0] link_dead_o,
  output logic drained_o,
  output logic quiet_o
);

  // ---------------------------------------------------------------- control
  defs_pkg::route_bank_t bank;
  logic [3:0] ports;
  logic [2:0] upset;
  logic stop, reroute, drained, upset_any;
  fabric_control u_control (
    .clk_i, .rst_ni,
    .write_i(control_write_i), .index_i(control_index_i), .wdata_i(control_wdata_i),
    .rdata_o(control_rdata_o),
    .bank_o(bank), .ports_o(ports), .stop_o(stop), .reroute_o(reroute),
    .dead_i(link_dead_i), .drained_i(drained), .upset_i(upset_any)
  );

  // ---------------------------------------------------------------- links
  logic [3:0] flit_valid, flit_head, flit_tail, nak, ack_valid, ack_nak, link_ready, link_idle;
  logic [3:0] link_en;
  logic [11:0] flit_vc, credit_vc;
  logic [511:0] flit_payload0, flit_payload1, flit_payload2, flit_payload3;
  logic [31:0] credit_freed;
  logic [255:0] freed;
  logic [9:0] expected0, expected1, expected2, expected3;
  logic [9:0] ack_seq0, ack_seq1, ack_seq2, ack_seq3;
  assign link_en = ports & {4{fabric_en_i}};

  link_rx u_link_rx0 (
    .clk_i, .rst_ni, .fabric_en_i(link_en[0]),
    .link_rx_i(link_rx0_i),
    .flit_valid_o(flit_valid[0]), .flit_vc_o(flit_vc[2:0]), .flit_head_o(flit_head[0]),
    .flit_tail_o(flit_tail[0]), .flit_payload_o(flit_payload0),
    .credit_vc_o(credit_vc[2:0]), .credit_freed_o(credit_freed[7:0]),
    .expected_o(expected0), .nak_o(nak[0]), .ack_valid_o(ack_valid[0]),
    .ack_nak_o(ack_nak[0]), .ack_seq_o(ack_seq0)
  );
  link_rx u_link_rx1 (
    .clk_i, .rst_ni, .fabric_en_i(link_en[1]),
    .link_rx_i(link_rx1_i),
    .flit_valid_o(flit_valid[1]), .flit_vc_o(flit_vc[5:3]), .flit_head_o(flit_head[1]),
    .flit_tail_o(flit_tail[1]), .flit_payload_o(flit_payload1),
    .credit_vc_o(credit_vc[5:3]), .credit_freed_o(credit_freed[15:8]),
    .expected_o(expected1), .nak_o(nak[1]), .ack_valid_o(ack_valid[1]),
    .ack_nak_o(ack_nak[1]), .ack_seq_o(ack_seq1)
  );
  link_rx u_link_rx2 (
    .clk_i, .rst_ni, .fabric_en_i(link_en[2]),
    .link_rx_i(link_rx2_i),
    .flit_valid_o(flit_valid[2]), .flit_vc_o(flit_vc[8:6]), .flit_head_o(flit_head[2]),
    .flit_tail_o(flit_tail[2]), .flit_payload_o(flit_payload2),
    .credit_vc_o(credit_vc[8:6]), .credit_freed_o(credit_freed[23:16]),
    .expected_o(expected2), .nak_o(nak[2]), .ack_valid_o(ack_valid[2]),
    .ack_nak_o(ack_nak[2]), .ack_seq_o(ack_seq2)
  );
  link_rx u_link_rx3 (
    .clk_i, .rst_ni, .fabric_en_i(link_en[3]),
    .link_rx_i(link_rx3_i),
    .flit_valid_o(flit_valid[3]), .flit_vc_o(flit_vc[11:9]), .flit_head_o(flit_head[3]),
    .flit_tail_o(flit_tail[3]), .flit_payload_o(flit_payload3),
    .credit_vc_o(credit_vc[11:9]), .credit_freed_o(credit_freed[31:24]),
    .expected_o(expected3), .nak_o(nak[3]), .ack_valid_o(ack_valid[3]),
    .ack_nak_o(ack_nak[3]), .ack_seq_o(ack_seq3)
  );

  logic [7:0] out_valid, out_head, out_tail;
  logic [23:0] out_vc;
  logic [511:0] out_payload0, out_payload1, out_payload2, out_payload3;
  logic [511:0] out_payload4, out_payload5, out_payload6, out_payload7;
  link_tx u_link_tx0 (
    .clk_i, .rst_ni, .fabric_en_i(link_en[0]),
    .flit_valid_i(out_valid[0] && !link_dead_i[0]), .flit_vc_i(out_vc[2:0]), .flit_head_i(out_head[0]),
    .flit_tail_i(out_tail[0]), .flit_payload_i(out_payload0),
    .freed_i(freed[63:0]), .link_tx_o(link_tx0_o),
    .ready_o(link_ready[0]), .idle_o(link_idle[0]),
    .expected_i(expected0), .nak_i(nak[0]), .ack_valid_i(ack_valid[0]),
    .ack_nak_i(ack_nak[0]), .ack_seq_i(ack_seq0)
  );
  link_tx u_link_tx1 (
    .clk_i, .rst_ni, .fabric_en_i(link_en[1]),
    .flit_valid_i(out_valid[1] && !link_dead_i[1]), .flit_vc_i(out_vc[5:3]), .flit_head_i(out_head[1]),
    .flit_tail_i(out_tail[1]), .flit_payload_i(out_payload1),
    .freed_i(freed[127:64]), .link_tx_o(link_tx1_o),
    .ready_o(link_ready[1]), .idle_o(link_idle[1]),
    .expected_i(expected1), .nak_i(nak[1]), .ack_valid_i(ack_valid[1]),
    .ack_nak_i(ack_nak[1]), .ack_seq_i(ack_seq1)
  );
  link_tx u_link_tx2 (
    .clk_i, .rst_ni, .fabric_en_i(link_en[2]),
    .flit_valid_i(out_valid[2] && !link_dead_i[2]), .flit_vc_i(out_vc[8:6]), .flit_head_i(out_head[2]),
    .flit_tail_i(out_tail[2]), .flit_payload_i(out_payload2),
    .freed_i(freed[191:128]), .link_tx_o(link_tx2_o),
    .ready_o(link_ready[2]), .idle_o(link_idle[2]),
    .expected_i(expected2), .nak_i(nak[2]), .ack_valid_i(ack_valid[2]),
    .ack_nak_i(ack_nak[2]), .ack_seq_i(ack_seq2)
  );
  link_tx u_link_tx3 (
    .clk_i, .rst_ni, .fabric_en_i(link_en[3]),
    .flit_valid_i(out_valid[3] && !link_dead_i[3]), .flit_vc_i(out_vc[11:9]), .flit_head_i(out_head[3]),
    .flit_tail_i(out_tail[3]), .flit_payload_i(out_payload3),
    .freed_i(freed[255:192]), .link_tx_o(link_tx3_o),
    .ready_o(link_ready[3]), .idle_o(link_idle[3]),
    .expected_i(expected3), .nak_i(nak[3]), .ack_valid_i(ack_valid[3]),
    .ack_nak_i(ack_nak[3]), .ack_seq_i(ack_seq3)
  );

  // ---------------------------------------------------------------- router
  // Fabric cycles since reset, the same in every chip: what the age of a packet is measured with.
  logic [11:0] time_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) time_q <= '0;
    else if (fabric_en_i) time_q <= time_q + 12'd1;
  end

  logic [3:0] local_valid, local_class, local_head, local_tail, local_pop;
  logic [3:0] eject_take;
  logic [7:0] local_vn;
  logic [11:0] local_out;
  logic [19:0] local_len;
  logic [15:0] local_birth;
  logic [511:0] local_payload0, local_payload1, local_payload2, local_payload3;
  logic [31:0] local_room;
  logic [15:0] eject_room;
  logic [11:0] eject_take_vc;
  logic router_idle;
  fabric_router u_router (
    .clk_i, .rst_ni, .fabric_en_i,
    .chip_i(chip_id_i[3:0]), .ring_size_i, .now_i(time_q[11:8]),
    .bank_i(bank), .ports_i(ports), .upset_o(upset[0]),
    .flit_valid_i(flit_valid), .flit_vc_i(flit_vc), .flit_head_i(flit_head),
    .flit_tail_i(flit_tail), .flit_payload0_i(flit_payload0), .flit_payload1_i(flit_payload1),
    .flit_payload2_i(flit_payload2), .flit_payload3_i(flit_payload3),
    .credit_vc_i(credit_vc), .credit_freed_i(credit_freed), .freed_o(freed),
    .local_valid_i(local_valid), .local_vn_i(local_vn), .local_class_i(local_class),
    .local_head_i(local_head), .local_tail_i(local_tail), .local_out_i(local_out),
    .local_len_i(local_len), .local_birth_i(local_birth), .local_pop_o(local_pop),
    .local_payload0_i(local_payload0), .local_payload1_i(local_payload1),
    .local_payload2_i(local_payload2), .local_payload3_i(local_payload3),
    .local_room_o(local_room),
    .eject_room_i(eject_room), .eject_take_o(eject_take), .eject_take_vc_o(eject_take_vc),
    .link_ready_i(link_ready), .link_dead_i,
    .out_valid_o(out_valid), .out_vc_o(out_vc), .out_head_o(out_head), .out_tail_o(out_tail),
    .out_payload0_o(out_payload0), .out_payload1_o(out_payload1),
    .out_payload2_o(out_payload2), .out_payload3_o(out_payload3),
    .out_payload4_o(out_payload4), .out_payload5_o(out_payload5),
    .out_payload6_o(out_payload6), .out_payload7_o(out_payload7),
    .idle_o(router_idle)
  );

  // ---------------------------------------------------------------- network interfaces
  logic [3:0] ni_idle;
  logic [1:0] sending;

  fabric_ni_tx u_ni_tx0 (
    .clk_i, .rst_ni, .fabric_en_i,
    .core_i(1'b0), .chip_id_i, .ring_size_i, .now_i(time_q[11:8]),
    .bank_i(bank), .reroute_i(reroute), .stop_i(stop),
    .msg_valid_i(msg0_valid_i), .msg_ready_o(msg0_ready_o), .msg_i(msg0_i),
    .room_i(local_room),
    .hol_valid_o(local_valid[1:0]), .hol_vn_o(local_vn[3:0]),
    .hol_class_o(local_class[1:0]), .hol_head_o(local_head[1:0]),
    .hol_tail_o(local_tail[1:0]), .hol_out_o(local_out[5:0]),
    .hol_len_o(local_len[9:0]), .hol_birth_o(local_birth[7:0]),
    .pop_i(local_pop[1:0]),
    .payload0_o(local_payload0), .payload1_o(local_payload1),
    .error_valid_o(error_valid_o[2]), .error_cause_o(error_cause_o[23:16]),
    .sending_o(sending[0]), .upset_o(upset[1]),
    .idle_o(ni_idle[2])
  );

  fabric_ni_tx u_ni_tx1 (
    .clk_i, .rst_ni, .fabric_en_i,
    .core_i(1'b1), .chip_id_i, .ring_size_i, .now_i(time_q[11:8]),
    .bank_i(bank), .reroute_i(reroute), .stop_i(stop),
    .msg_valid_i(msg1_valid_i), .msg_ready_o(msg1_ready_o), .msg_i(msg1_i),
    .room_i(local_room),
    .hol_valid_o(local_valid[3:2]), .hol_vn_o(local_vn[7:4]),
    .hol_class_o(local_class[3:2]), .hol_head_o(local_head[3:2]),
    .hol_tail_o(local_tail[3:2]), .hol_out_o(local_out[11:6]),
    .hol_len_o(local_len[19:10]), .hol_birth_o(local_birth[15:8]),
    .pop_i(local_pop[3:2]),
    .payload0_o(local_payload2), .payload1_o(local_payload3),
    .error_valid_o(error_valid_o[3]), .error_cause_o(error_cause_o[31:24]),
    .sending_o(sending[1]), .upset_o(upset[2]),
    .idle_o(ni_idle[3])
  );

  fabric_ni_rx u_ni_rx0 (
    .clk_i, .rst_ni, .fabric_en_i,
    .chip_id_i,
    .take_i({eject_take[2], eject_take[0]}),
    .take_vc_i({eject_take_vc[8:6], eject_take_vc[2:0]}), .room_o(eject_room[7:0]),
    .flit_valid_i({out_valid[6], out_valid[4]}),
    .flit_vc_i({out_vc[20:18], out_vc[14:12]}),
    .flit_head_i({out_head[6], out_head[4]}), .flit_tail_i({out_tail[6], out_tail[4]}),
    .flit_payload0_i(out_payload4), .flit_payload1_i(out_payload6),
    .req_valid_o(rx0_req_valid_o), .req_ready_i(rx0_req_ready_i), .req_o(rx0_req_o),
    .req_err_i(rx0_req_err_i), .settled_i(rx0_settled_i),
    .sem_valid_o(sem0_valid_o), .sem_o(sem0_o),
    .error_valid_o(error_valid_o[0]), .error_cause_o(error_cause_o[7:0]),
    .idle_o(ni_idle[0])
  );

  fabric_ni_rx u_ni_rx1 (
    .clk_i, .rst_ni, .fabric_en_i,
    .chip_id_i,
    .take_i({eject_take[3], eject_take[1]}),
    .take_vc_i({eject_take_vc[11:9], eject_take_vc[5:3]}), .room_o(eject_room[15:8]),
    .flit_valid_i({out_valid[7], out_valid[5]}),
    .flit_vc_i({out_vc[23:21], out_vc[17:15]}),
    .flit_head_i({out_head[7], out_head[5]}), .flit_tail_i({out_tail[7], out_tail[5]}),
    .flit_payload0_i(out_payload5), .flit_payload1_i(out_payload7),
    .req_valid_o(rx1_req_valid_o), .req_ready_i(rx1_req_ready_i), .req_o(rx1_req_o),
    .req_err_i(rx1_req_err_i), .settled_i(rx1_settled_i),
    .sem_valid_o(sem1_valid_o), .sem_o(sem1_o),
    .error_valid_o(error_valid_o[1]), .error_cause_o(error_cause_o[15:8]),
    .idle_o(ni_idle[1])
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

  // Drained: what has left its sender has arrived; a dead link has nothing that could arrive.
  assign upset_any = upset != '0;
  assign drained   = router_idle && (link_idle | link_dead_i) == '1 && sending == '0 &&
                     ni_idle[1:0] == '1;
  assign drained_o   = drained;
  assign link_dead_o = link_dead_i;
  assign quiet_o     = drained && ni_idle == '1;

  // ---------------------------------------------------------------- assertions
  // Straps hold still and make sense.
  `ASSERT(StrapsAreSane_A, ring_size_i >= 5'd1 && ring_size_i <= 5'(defs_pkg::BoardChips) &&
          {1'b0, chip_id_i[3:0]} < ring_size_i)

endmodule
