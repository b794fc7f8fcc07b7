// SPDX-License-Identifier: Apache-2.0
// Receiving end of a link: flits towards the input buffers, credit reports towards the sender side.
//
//   link_rx_i --> [1] --> [2] --> flit_*, credit_*
//
// Two register stages: the place, and the time, of the CRC check, acknowledgement and replay.
// Until then every word is trusted. Payloads move only with a flit.
`include "assert.svh"

module link_rx (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  defs_pkg::flit_t link_rx_i,

  // At most one flit per fabric cycle; the sender holds a credit for it.
  output logic flit_valid_o,
  output logic [2:0] flit_vc_o,
  output logic flit_head_o,
  output logic flit_tail_o,
  output logic [511:0] flit_payload_o,

  // Flits the neighbour has freed so far in one of its VCs, every fabric cycle.
  output logic [2:0] credit_vc_o,
  output logic [7:0] credit_freed_o
);

  // ---------------------------------------------------------------- datapath
  defs_pkg::lcw_t lcw_1_q, lcw_2_q;
  logic [511:0] payload_1_q, payload_2_q;

  logic valid_0, valid_1;
  assign valid_0 = link_rx_i.lcw.flit_type >= defs_pkg::FlitTypeHead &&
                   link_rx_i.lcw.flit_type <= defs_pkg::FlitTypeHeadTail;
  assign valid_1 = lcw_1_q.flit_type >= defs_pkg::FlitTypeHead &&
                   lcw_1_q.flit_type <= defs_pkg::FlitTypeHeadTail;

  always_ff @(posedge clk_i) begin
    if (fabric_en_i && valid_0) payload_1_q <= link_rx_i.payload;
    if (fabric_en_i && valid_1) payload_2_q <= payload_1_q;
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lcw_1_q      <= '0;
      lcw_2_q      <= '0;
      flit_valid_o <= 1'b0;
    end else if (fabric_en_i) begin
      lcw_1_q      <= link_rx_i.lcw;
      lcw_2_q      <= lcw_1_q;
      flit_valid_o <= valid_1;
    end
  end

  assign flit_vc_o      = lcw_2_q.vc;
  assign flit_head_o    = lcw_2_q.flit_type == defs_pkg::FlitTypeHead ||
                          lcw_2_q.flit_type == defs_pkg::FlitTypeHeadTail;
  assign flit_tail_o    = lcw_2_q.flit_type == defs_pkg::FlitTypeTail ||
                          lcw_2_q.flit_type == defs_pkg::FlitTypeHeadTail;
  assign flit_payload_o = payload_2_q;
  assign credit_vc_o    = lcw_2_q.credit_vc;
  assign credit_freed_o = lcw_2_q.credit_cum;

  logic unused_lcw;
  assign unused_lcw = ^{link_rx_i.crc, lcw_2_q.spare, lcw_2_q.ack_seq, lcw_2_q.ack_type,
                        lcw_2_q.ecn, lcw_2_q.poison};

  // ---------------------------------------------------------------- assertions
  // Flits of a packet are contiguous in their VC: a head comes only behind a tail, a body or a
  // tail only behind a head.
  logic [7:0] open_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) open_q <= '0;
    else if (fabric_en_i && flit_valid_o) open_q[flit_vc_o] <= !flit_tail_o;
  end
  `ASSERT(PacketContiguity_A, flit_valid_o |-> open_q[flit_vc_o] != flit_head_o)

endmodule
