// SPDX-License-Identifier: Apache-2.0
// Receiving end of a link: flits towards the input buffers, credit reports towards the sender side.
//
//   link_rx_i -------------> [1] --> [2] --> flit_*, credit_*
//           +--> [gather] --^
//
// On fewer lanes [gather] puts words together. When the link dies, every packet that is still open
// gets a poisoned TAIL, so that nothing behind this end waits for the rest of it.
//
// A flit is taken only if its CRC is right with the number that this end expects. After a damaged word
// every word sent back asks for a repeat, until the flit is there. The flits behind the lost one are
// not taken, but what their control words say counts: this end keeps along with the numbers on the
// wire (`along_q`) and checks against those too. Otherwise a lost flit would also cost the other
// direction the credits, acknowledgements and requests of a round trip.
`include "assert.svh"

module link_rx (
  input  logic clk_i,
  input  logic rst_ni,

  input  defs_pkg::flit_t link_rx_i,

  // From the training: whether words come and on which lanes. To it: a word taken, one dropped.
  input  logic up_i,
  input  logic [2:0] slice_i,
  input  logic dead_i,
  output logic clean_o,
  output logic failed_o,

  // At most one flit per fabric cycle; the sender holds a credit for it.
  output logic flit_valid_o,
  output defs_pkg::flit_meta_t flit_o,
  output logic [511:0] flit_payload_o,

  // Flits the neighbour has freed so far in one of its VCs, every fabric cycle.
  output logic [2:0] credit_vc_o,
  output logic [7:0] credit_freed_o,

  // For the sending end of the same port: acknowledgement to send, and one that came.
  output logic [9:0] expected_o,
  output logic nak_o,
  output logic ack_valid_o,
  output logic ack_nak_o,
  output logic [9:0] ack_seq_o,

  output logic [31:0] naks_o,  // gaps
  output logic [31:0] failures_o
);

  // ---------------------------------------------------------------- gather
  logic [575:0] gather_q;
  logic [1:0] beat_q;
  logic plain, whole_q, valid_0;
  defs_pkg::flit_t gathered;
  always_ff @(posedge clk_i) begin
    if (up_i && !plain) begin
      gather_q <= slice_i[2] ? {link_rx_i[144*slice_i[1:0] +: 144], gather_q[575:144]}
                             : {link_rx_i[288*slice_i[0] +: 288], gather_q[575:288]};
    end
  end
  assign gathered = gather_q;
  assign plain    = slice_i == link_lanes_pkg::SliceAll;
  assign valid_0  = up_i && (plain || whole_q);

  // ---------------------------------------------------------------- stage 1
  defs_pkg::lcw_t lcw_1_q, lcw_2_q;
  logic [511:0] payload_1_q, payload_2_q;
  logic [31:0] crc_1_q;
  logic valid_1_q;
  logic empty_1_q;  // a payload of zeros is not kept: it has CRC zero

  logic empty_0;
  assign empty_0 = plain && link_rx_i.payload == '0;
  always_ff @(posedge clk_i) begin
    if (valid_0 && !empty_0) payload_1_q <= plain ? link_rx_i.payload : gathered.payload;
  end

  // ---------------------------------------------------------------- stage 2: the check
  logic sequenced, good, clean, take, spoken, restart;
  logic [9:0] expected_q, along_q, restart_seq;
  logic repeated;  // what passes has come before
  logic [31:0] syndrome;
  assign sequenced = lcw_1_q.flit_type >= defs_pkg::FlitTypeHead &&
                     lcw_1_q.flit_type <= defs_pkg::FlitTypeHeadTail;
  // The CRC is linear: the same word under another number differs by the CRC of the difference.
  assign repeated = 10'(along_q - expected_q) >= 10'd512;
  always_comb begin
    syndrome = '0;
    good     = 1'b0;
    clean    = 1'b0;
    if (valid_1_q) begin
      syndrome = crc_1_q ^ crc_pkg::of_control({lcw_1_q, sequenced ? expected_q : 10'd0});
      if (!empty_1_q) syndrome = syndrome ^ crc_pkg::of_payload(payload_1_q);
      good  = syndrome == '0;
      clean = good;
      if (!good && sequenced) clean = syndrome == crc_pkg::of_control({32'd0, expected_q ^ along_q});
    end
  end
  // Silence is a word of zeros: its CRC is right and it says nothing.
  assign spoken      = clean && lcw_1_q.ack_type != '0;
  assign take        = good && spoken && sequenced;
  assign restart     = good && lcw_1_q.flit_type == defs_pkg::FlitTypeCtrl;
  assign restart_seq = empty_1_q ? '0 : payload_1_q[9:0];
  assign clean_o     = spoken;
  assign failed_o    = valid_1_q && !clean;
  always_ff @(posedge clk_i) begin
    if (take) payload_2_q <= empty_1_q ? '0 : payload_1_q;
  end

  // ---------------------------------------------------------------- registers
  logic asked_q, ack_valid_q, missed, end_open;
  logic [7:0] open_q;  // VCs with a packet under way
  logic [2:0] end_vc;
  defs_pkg::lcw_t ending;  // of a packet that the dead link has cut off
  logic [31:0] naks_q, failures_q;
  assign missed   = valid_1_q && (!clean || (!good && !repeated));
  assign end_open = dead_i && open_q != '0 && !flit_valid_o && !take;
  always_comb begin
    end_vc = '0;
    for (int unsigned v = 0; v < 8; v++) begin
      if (open_q[v]) end_vc = 3'(v);
    end
    ending           = '0;
    ending.poison    = 1'b1;
    ending.vc        = end_vc;
    ending.flit_type = defs_pkg::FlitTypeTail;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lcw_1_q      <= '0;
      lcw_2_q      <= '0;
      crc_1_q      <= '0;
      empty_1_q    <= 1'b1;
      flit_valid_o <= 1'b0;
      ack_valid_q  <= 1'b0;
      expected_q   <= '0;
      along_q      <= '0;
      asked_q      <= 1'b0;
      beat_q       <= '0;
      whole_q      <= 1'b0;
      valid_1_q    <= 1'b0;
      open_q       <= '0;
      naks_q       <= '0;
      failures_q   <= '0;
    end else begin
      beat_q       <= (!up_i || beat_q == link_lanes_pkg::last_beat(slice_i)) ? '0 : beat_q + 2'd1;
      whole_q      <= up_i && beat_q == link_lanes_pkg::last_beat(slice_i);
      valid_1_q    <= valid_0;
      lcw_1_q      <= plain ? link_rx_i.lcw : gathered.lcw;
      crc_1_q      <= plain ? link_rx_i.crc : gathered.crc;
      empty_1_q    <= empty_0;
      flit_valid_o <= take || end_open;
      ack_valid_q  <= spoken;
      if (spoken) lcw_2_q <= lcw_1_q;
      else if (end_open) lcw_2_q <= ending;
      if (take) expected_q <= expected_q + 10'd1;
      // A damaged word that looks like a flit was one, most likely, and so was a missing one.
      if (take) along_q <= expected_q + 10'd1;
      else if (restart) along_q <= restart_seq;
      else if (valid_1_q && (sequenced || lcw_1_q.ack_type == '0)) along_q <= along_q + 10'd1;
      // Flits that came before are no gap.
      if (take || (restart && restart_seq == expected_q)) asked_q <= 1'b0;
      else if (missed) asked_q <= 1'b1;
      if (missed && !asked_q) naks_q <= naks_q + 32'd1;
      if (failed_o) failures_q <= failures_q + 32'd1;
      if (flit_valid_o) open_q[flit_o.vc] <= !flit_o.tail;
    end
  end
  assign expected_o  = expected_q;
  assign nak_o       = asked_q;
  assign ack_valid_o = ack_valid_q;
  assign ack_nak_o   = lcw_2_q.ack_type == 2'd2;
  assign ack_seq_o   = lcw_2_q.ack_seq;

  always_comb begin
    flit_o.vc     = lcw_2_q.vc;
    flit_o.head   = lcw_2_q.flit_type == defs_pkg::FlitTypeHead ||
                    lcw_2_q.flit_type == defs_pkg::FlitTypeHeadTail;
    flit_o.tail   = lcw_2_q.flit_type == defs_pkg::FlitTypeTail ||
                    lcw_2_q.flit_type == defs_pkg::FlitTypeHeadTail;
    flit_o.poison = lcw_2_q.poison;
  end
  assign flit_payload_o = payload_2_q;
  assign naks_o         = naks_q;
  assign failures_o     = failures_q;
  assign credit_vc_o    = lcw_2_q.credit_vc;
  assign credit_freed_o = lcw_2_q.credit_cum;

  logic unused_lcw;
  assign unused_lcw = ^{lcw_2_q.spare, lcw_2_q.ecn};

  // ---------------------------------------------------------------- assertions
  // Flits of a packet are contiguous in their VC: a head comes only behind a tail, a body or a
  // tail only behind a head.
  `ASSERT_NOW(PacketContiguity_A, flit_valid_o -> open_q[flit_o.vc] != flit_o.head)

endmodule
