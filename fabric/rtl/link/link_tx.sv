// SPDX-License-Identifier: Apache-2.0
// Sending end of a link: a flit every fabric cycle, NULL when there is nothing to say.
//
//   flit_* --> [1] -------------> [2] + CRC -+-----------------> link_tx_o
//               +--> replay ------^          +--> [line] ------^
//                             training words ------^
//
// On fewer lanes a word takes two or four cycles, cut up by [line]; the replay buffer keeps what has
// to wait. Before the link is up it carries training words. A dead link is a sink: what comes is
// counted and gone, and its credit is given back, so that nothing behind it waits for ever.
//
// Every flit is kept until the other side acknowledged it. After a NAK, and after a long silence,
// everything from the first missing flit is sent again (go-back-N), behind a CTRL word that says from
// which number on; new flits queue up behind.
// Every word, NULL or not, carries one VC's count of freed flits, the VCs in turn, and an
// acknowledgement; so each VC is reported every 8 fabric cycles and a lost report is healed by the
// next. The sequence number is in the CRC only.
`include "assert.svh"

module link_tx #(
  parameter int unsigned Window = 128,
  localparam int unsigned IndexBits = $clog2(Window)
) (
  input  logic clk_i,
  input  logic rst_ni,

  // ready_o: stop soon; up to 4 more flits are taken.
  output logic ready_o,
  input  logic flit_valid_i,
  input  defs_pkg::flit_meta_t flit_i,
  input  logic [511:0] flit_payload_i,

  // Flits freed so far in the input buffers of the same port, modulo 256 each: VC i in byte i.
  input  logic [63:0] freed_i,

  // From the receiving end of the same port: what it expects next, whether it asks for a repeat;
  // and what the neighbour says of this side's flits.
  input  logic [9:0] expected_i,
  input  logic nak_i,
  input  logic ack_valid_i,
  input  logic ack_nak_i,
  input  logic [9:0] ack_seq_i,

  // From the training: whether words are sent and on which lanes, or training words instead.
  input  logic up_i,
  input  logic [2:0] slice_i,
  input  logic training_i,
  input  logic [10:0] info_i,
  input  logic dead_i,
  output logic stuck_o,

  output defs_pkg::flit_t link_tx_o,
  output logic [63:0] taken_o,  // flits taken so far, VC i in byte i
  output logic [31:0] flits_o,  // sent, repeats included
  output logic [31:0] replays_o,  // times that it went back to a flit that it had sent
  output logic [31:0] dropped_o,  // packets whose end a dead link swallowed
  output logic idle_o
);

  // ---------------------------------------------------------------- stage 1: into the replay buffer
  logic [2:0] vc_q, type_q, type_d;
  logic [511:0] payload_q;
  logic valid_q, poison_q;

  always_comb begin
    type_d = defs_pkg::FlitTypeNull;
    if (flit_valid_i) begin
      unique case ({flit_i.head, flit_i.tail})
        2'b11:   type_d = defs_pkg::FlitTypeHeadTail;
        2'b10:   type_d = defs_pkg::FlitTypeHead;
        2'b01:   type_d = defs_pkg::FlitTypeTail;
        default: type_d = defs_pkg::FlitTypeBody;
      endcase
    end
  end

  // The header is the low end of a head flit, `hop` its last byte: one more link crossed.
  always_ff @(posedge clk_i) begin
    if (flit_valid_i) begin
      payload_q <= {flit_payload_i[511:8], flit_payload_i[7:0] + {7'b0, flit_i.head}};
    end
  end

  logic [511:0] replay [Window];
  logic [6:0] kinds [Window];  // {poison, vc, type}
  logic [9:0] write_seq, send_seq, acked_seq;
  logic ready, restart, send, straight, slot, push;
  assign push = valid_q && !dead_i;
  always_ff @(posedge clk_i) begin
    if (push) begin
      replay[write_seq[IndexBits-1:0]] <= payload_q;
      kinds[write_seq[IndexBits-1:0]]  <= {poison_q, vc_q, type_q};
    end
  end

  link_window #(.Window(Window)) u_window (
    .clk_i, .rst_ni, .push_i(push), .up_i, .slot_i(slot),
    .ack_valid_i, .ack_nak_i, .ack_seq_i,
    .ready_o(ready), .write_seq_o(write_seq), .send_seq_o(send_seq), .acked_seq_o(acked_seq),
    .restart_o(restart), .send_o(send), .straight_o(straight), .stuck_o
  );
  assign ready_o = ready || dead_i;

  // ---------------------------------------------------------------- stage 2: the word on the wire
  logic [2:0] credit_vc_q;
  defs_pkg::lcw_t lcw_d;
  always_comb begin
    lcw_d            = '0;
    if (restart) lcw_d.flit_type = defs_pkg::FlitTypeCtrl;
    if (send) begin
      {lcw_d.poison, lcw_d.vc, lcw_d.flit_type} =
        straight ? {poison_q, vc_q, type_q} : kinds[send_seq[IndexBits-1:0]];
    end
    lcw_d.credit_vc  = credit_vc_q;
    lcw_d.credit_cum = freed_i[{credit_vc_q, 3'b0} +: 8];
    lcw_d.ack_type   = nak_i ? 2'd2 : 2'd1;
    lcw_d.ack_seq    = expected_i;
  end

  // The word is a token that others hash, so a NULL flit carries zeros, not what was there before.
  defs_pkg::lcw_t lcw_q;
  logic [511:0] word_d, word_q;
  logic [31:0] crc_q;
  logic sent_q;
  always_comb begin
    word_d = '0;
    if (send) word_d = straight ? payload_q : replay[send_seq[IndexBits-1:0]];
    if (restart) word_d = 512'(send_seq);
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q <= '0;
      crc_q  <= '0;
    end else if (slot) begin
      if (send || restart) begin
        word_q <= word_d;
        crc_q  <= crc_pkg::of_payload(word_d) ^ crc_pkg::of_control({lcw_d, send ? send_seq : 10'd0});
      end else begin
        if (sent_q) word_q <= '0;
        crc_q <= crc_pkg::of_control({lcw_d, 10'd0});
      end
    end
  end

  // ---------------------------------------------------------------- line: training, and fewer lanes
  logic [575:0] line_q;
  logic [1:0] beat_q, part;
  logic plain_q, up_q, line_used_q;
  assign slot = up_i && beat_q == '0;
  assign part = (beat_q == '0) ? link_lanes_pkg::last_beat(slice_i) : beat_q - 2'd1;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) line_q <= '0;
    else if (training_i) line_q <= link_lanes_pkg::train_word(info_i);
    else if (line_used_q) begin
      if (!up_q || slice_i == link_lanes_pkg::SliceAll) line_q <= '0;
      else if (slice_i[2]) begin
        line_q <= 576'(144'({crc_q, lcw_q, word_q} >> (144 * part))) << (144 * slice_i[1:0]);
      end else begin
        line_q <= 576'(288'({crc_q, lcw_q, word_q} >> (288 * part[0]))) << (288 * slice_i[0]);
      end
    end
  end
  assign link_tx_o = plain_q ? {crc_q, lcw_q, word_q} : line_q;

  // ---------------------------------------------------------------- registers
  logic [31:0] flits_q, replays_q, dropped_q;
  logic [9:0] newest_q;  // behind the newest flit that was ever sent
  logic [63:0] taken_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      type_q      <= defs_pkg::FlitTypeNull;
      vc_q        <= '0;
      valid_q     <= 1'b0;
      poison_q    <= 1'b0;
      sent_q      <= 1'b0;
      credit_vc_q <= '0;
      lcw_q       <= '0;
      flits_q     <= '0;
      replays_q   <= '0;
      newest_q    <= '0;
      dropped_q   <= '0;
      taken_q     <= '0;
      beat_q      <= '0;
      up_q        <= 1'b0;
      plain_q     <= 1'b0;
      line_used_q <= 1'b0;
    end else begin
      type_q      <= type_d;
      vc_q        <= flit_valid_i ? flit_i.vc : '0;
      valid_q     <= flit_valid_i;
      if (flit_valid_i) begin
        poison_q <= flit_i.poison;
        taken_q[8*flit_i.vc +: 8] <= taken_q[8*flit_i.vc +: 8] + 8'd1;
      end
      if (slot) begin
        sent_q      <= send || restart;
        credit_vc_q <= credit_vc_q + 3'd1;
        lcw_q       <= lcw_d;
      end
      beat_q      <= (!up_i || beat_q == link_lanes_pkg::last_beat(slice_i)) ? '0 : beat_q + 2'd1;
      up_q        <= up_i;
      plain_q     <= up_i && slice_i == link_lanes_pkg::SliceAll;
      line_used_q <= training_i || (up_i && slice_i != link_lanes_pkg::SliceAll);
      if (send) flits_q <= flits_q + 32'd1;
      if (send && send_seq == newest_q) newest_q <= newest_q + 10'd1;
      if (restart && send_seq != newest_q) replays_q <= replays_q + 32'd1;
      if (dead_i && flit_valid_i && flit_i.tail) dropped_q <= dropped_q + 32'd1;
    end
  end
  assign taken_o   = taken_q;
  assign flits_o   = flits_q;
  assign replays_o = replays_q;
  assign dropped_o = dropped_q;

  assign idle_o = !valid_q && (write_seq == acked_seq || dead_i);

  // ---------------------------------------------------------------- assertions
  // A word without a type has no payload.
  `ASSERT_NOW(NullIsEmpty_A, sent_q || word_q == '0)

endmodule
