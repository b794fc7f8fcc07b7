// SPDX-License-Identifier: Apache-2.0
// fabric_node with what its commit tracer sees brought to pins, for fabric_test.cc.
`include "assert.svh"

module fabric_probe (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  logic reg_select_i,
  input  logic reg_apply_i,
  input  defs_pkg::reg_req_t reg_i,
  output defs_pkg::reg_rsp_t reg_o,
  output logic [31:0] violations_o,
  output logic [127:0] violation_o,

  input  logic msg0_valid_i,
  output logic msg0_ready_o,
  input  logic msg1_valid_i,
  output logic msg1_ready_o,
  input  fabric_pkg::core_chunks_t msg_i,
  input  fabric_pkg::link_words_t link_rx_i,
  output fabric_pkg::link_words_t link_tx_o,
  output logic [3:0] link_dead_o,
  output logic drained_o,

  output logic rx0_req_valid_o,
  input  logic rx0_req_ready_i,
  input  logic rx0_req_err_i,
  input  logic rx0_settled_i,
  output logic sem0_valid_o,
  output defs_pkg::sem_update_t sem0_o,
  output logic message0_valid_o,
  output logic [9:0] message0_src_o,
  output logic [6:0] message0_lane_o,
  output logic [127:0] message0_header_o,
  output logic [10:0] message0_bytes_o,
  output logic [8191:0] message0_payload_o,
  output logic burst0_valid_o,
  output logic [9:0] burst0_src_o,
  output logic [6:0] burst0_lane_o,
  output logic trace_sem0_valid_o,
  output logic [9:0] trace_sem0_src_o,
  output logic [6:0] trace_sem0_lane_o,

  output logic rx1_req_valid_o,
  input  logic rx1_req_ready_i,
  output fabric_pkg::core_requests_t rx_req_o,
  input  logic rx1_req_err_i,
  input  logic rx1_settled_i,
  output logic sem1_valid_o,
  output defs_pkg::sem_update_t sem1_o,
  output logic message1_valid_o,
  output logic [9:0] message1_src_o,
  output logic [6:0] message1_lane_o,
  output logic [127:0] message1_header_o,
  output logic [10:0] message1_bytes_o,
  output logic [8191:0] message1_payload_o,
  output logic burst1_valid_o,
  output logic [9:0] burst1_src_o,
  output logic [6:0] burst1_lane_o,
  output logic trace_sem1_valid_o,
  output logic [9:0] trace_sem1_src_o,
  output logic [6:0] trace_sem1_lane_o,

  output logic [3:0] error_valid_o,
  output logic [31:0] error_cause_o,
  output logic [127:0] error_pc_o,
  output logic stalled_o,
  output fabric_pkg::link_statuses_t link_status_o,
  output logic quiet_o
);

  // The phase comes from a register, as in the chip; the pin says what the test takes it for.
  logic phase_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) phase_q <= 1'b0;
    else phase_q <= !phase_q;
  end
  `ASSERT_NOW(PhaseIsAgreed_A, phase_q == fabric_en_i)

  fabric_node u_node (
    .clk_i, .rst_ni, .fabric_en_i(phase_q), .chip_id_i, .ring_size_i,
    .reg_select_i, .reg_apply_i, .reg_i, .reg_o,
    .msg_valid_i({msg1_valid_i, msg0_valid_i}), .msg_ready_o({msg1_ready_o, msg0_ready_o}), .msg_i,
    .link_rx_i, .link_tx_o,
    .rx_req_valid_o({rx1_req_valid_o, rx0_req_valid_o}), .rx_req_ready_i({rx1_req_ready_i, rx0_req_ready_i}),
    .rx_req_o, .rx_req_err_i({rx1_req_err_i, rx0_req_err_i}),
    .rx_settled_i({rx1_settled_i, rx0_settled_i}),
    .sem_valid_o({sem1_valid_o, sem0_valid_o}), .sem_o({sem1_o, sem0_o}),
    .error_valid_o, .error_cause_o, .error_pc_o, .stalled_o,
    .link_status_o, .link_dead_o, .drained_o, .quiet_o
  );
  assign violations_o = u_node.violations;
  assign violation_o  = u_node.first_violation;

  assign message0_valid_o   = u_node.u_ni.gen_core[0].u_rx.u_write.trace_message_valid_q;
  assign message0_src_o     = u_node.u_ni.gen_core[0].u_rx.u_write.trace_message_src;
  assign message0_lane_o    = u_node.u_ni.gen_core[0].u_rx.u_write.trace_message_lane;
  assign message0_header_o  = u_node.u_ni.gen_core[0].u_rx.u_write.trace_message_header_q;
  assign message0_bytes_o   = u_node.u_ni.gen_core[0].u_rx.u_write.trace_message_bytes;
  assign burst0_valid_o     = u_node.u_ni.gen_core[0].u_rx.u_write.trace_burst_valid;
  assign burst0_src_o       = u_node.u_ni.gen_core[0].u_rx.u_write.trace_burst_src;
  assign burst0_lane_o      = u_node.u_ni.gen_core[0].u_rx.u_write.trace_burst_lane;
  assign trace_sem0_valid_o = u_node.u_ni.gen_core[0].u_rx.u_write.trace_sem_valid;
  assign trace_sem0_src_o   = u_node.u_ni.gen_core[0].u_rx.u_write.trace_sem_src;
  assign trace_sem0_lane_o  = u_node.u_ni.gen_core[0].u_rx.u_write.trace_sem_lane;
  // A cycle later than message_valid: a kilobyte is copied only when there is something new.
  always_ff @(posedge clk_i) begin
    if (u_node.u_ni.gen_core[0].u_rx.u_write.trace_message_valid_q) begin
      message0_payload_o <= u_node.u_ni.gen_core[0].u_rx.u_store.trace_message_payload_q;
    end
  end

  assign message1_valid_o   = u_node.u_ni.gen_core[1].u_rx.u_write.trace_message_valid_q;
  assign message1_src_o     = u_node.u_ni.gen_core[1].u_rx.u_write.trace_message_src;
  assign message1_lane_o    = u_node.u_ni.gen_core[1].u_rx.u_write.trace_message_lane;
  assign message1_header_o  = u_node.u_ni.gen_core[1].u_rx.u_write.trace_message_header_q;
  assign message1_bytes_o   = u_node.u_ni.gen_core[1].u_rx.u_write.trace_message_bytes;
  assign burst1_valid_o     = u_node.u_ni.gen_core[1].u_rx.u_write.trace_burst_valid;
  assign burst1_src_o       = u_node.u_ni.gen_core[1].u_rx.u_write.trace_burst_src;
  assign burst1_lane_o      = u_node.u_ni.gen_core[1].u_rx.u_write.trace_burst_lane;
  assign trace_sem1_valid_o = u_node.u_ni.gen_core[1].u_rx.u_write.trace_sem_valid;
  assign trace_sem1_src_o   = u_node.u_ni.gen_core[1].u_rx.u_write.trace_sem_src;
  assign trace_sem1_lane_o  = u_node.u_ni.gen_core[1].u_rx.u_write.trace_sem_lane;
  // A cycle later than message_valid: a kilobyte is copied only when there is something new.
  always_ff @(posedge clk_i) begin
    if (u_node.u_ni.gen_core[1].u_rx.u_write.trace_message_valid_q) begin
      message1_payload_o <= u_node.u_ni.gen_core[1].u_rx.u_store.trace_message_payload_q;
    end
  end

endmodule
