// SPDX-License-Identifier: Apache-2.0
// Sending end of a link: a flit every fabric cycle, NULL when there is nothing to say.
//
//   flit_* --> [1] -------------> [2] + CRC = link_tx_o
//               +--> replay ------^
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
  input  logic fabric_en_i,

  // ready_o: stop soon; up to 4 more flits are taken.
  output logic ready_o,
  input  logic flit_valid_i,
  input  logic [2:0] flit_vc_i,
  input  logic flit_head_i,
  input  logic flit_tail_i,
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

  output defs_pkg::flit_t link_tx_o,
  output logic idle_o
);

  // ---------------------------------------------------------------- stage 1: into the replay buffer
  logic [2:0] vc_q, type_q, type_d;
  logic [511:0] payload_q;
  logic valid_q;

  always_comb begin
    type_d = defs_pkg::FlitTypeNull;
    if (flit_valid_i) begin
      unique case ({flit_head_i, flit_tail_i})
        2'b11:   type_d = defs_pkg::FlitTypeHeadTail;
        2'b10:   type_d = defs_pkg::FlitTypeHead;
        2'b01:   type_d = defs_pkg::FlitTypeTail;
        default: type_d = defs_pkg::FlitTypeBody;
      endcase
    end
  end

  // The header is the low end of a head flit, `hop` its last byte: one more link crossed.
  always_ff @(posedge clk_i) begin
    if (fabric_en_i && flit_valid_i) begin
      payload_q <= {flit_payload_i[511:8], flit_payload_i[7:0] + {7'b0, flit_head_i}};
    end
  end

  logic [511:0] replay [Window];
  logic [5:0] about [Window];  // {vc, type}
  logic [9:0] write_seq, send_seq, acked_seq;
  logic restart, send, straight;
  always_ff @(posedge clk_i) begin
    if (fabric_en_i && valid_q) begin
      replay[write_seq[IndexBits-1:0]] <= payload_q;
      about[write_seq[IndexBits-1:0]]  <= {vc_q, type_q};
    end
  end

  link_window #(.Window(Window)) u_window (
    .clk_i, .rst_ni, .en_i(fabric_en_i), .push_i(valid_q),
    .ack_valid_i, .ack_nak_i, .ack_seq_i,
    .ready_o, .write_seq_o(write_seq), .send_seq_o(send_seq), .acked_seq_o(acked_seq),
    .go_back_o(), .restart_o(restart), .send_o(send), .straight_o(straight)
  );

  // ---------------------------------------------------------------- stage 2: the word on the wire
  logic [2:0] credit_vc_q;
  defs_pkg::lcw_t lcw_d;
  always_comb begin
    lcw_d            = '0;
    if (restart) lcw_d.flit_type = defs_pkg::FlitTypeCtrl;
    if (send) {lcw_d.vc, lcw_d.flit_type} = straight ? {vc_q, type_q} : about[send_seq[IndexBits-1:0]];
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
    if (fabric_en_i && send) word_d = straight ? payload_q : replay[send_seq[IndexBits-1:0]];
    if (fabric_en_i && restart) word_d = 512'(send_seq);
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q <= '0;
      crc_q  <= '0;
    end else if (fabric_en_i) begin
      if (send || restart) begin
        word_q <= word_d;
        crc_q  <= crc_pkg::of_payload(word_d) ^ crc_pkg::of_control({lcw_d, send ? send_seq : 10'd0});
      end else begin
        if (sent_q) word_q <= '0;
        crc_q <= crc_pkg::of_control({lcw_d, 10'd0});
      end
    end
  end
  assign link_tx_o = {crc_q, lcw_q, word_q};

  // ---------------------------------------------------------------- registers
  logic [31:0] replays_q;  // how often something was sent again
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      type_q      <= defs_pkg::FlitTypeNull;
      vc_q        <= '0;
      valid_q     <= 1'b0;
      sent_q      <= 1'b0;
      credit_vc_q <= '0;
      lcw_q       <= '0;
      replays_q   <= '0;
    end else if (fabric_en_i) begin
      type_q      <= type_d;
      vc_q        <= flit_valid_i ? flit_vc_i : '0;
      valid_q     <= flit_valid_i;
      sent_q      <= send || restart;
      credit_vc_q <= credit_vc_q + 3'd1;
      lcw_q       <= lcw_d;
      if (restart && send_seq != write_seq) replays_q <= replays_q + 32'd1;
    end
  end
  logic unused_replays;  // read by the board's statistics
  assign unused_replays = ^replays_q;

  assign idle_o = !valid_q && write_seq == acked_seq;

  // ---------------------------------------------------------------- assertions
  // A word without a type has no payload.
  `ASSERT(NullIsEmpty_A, sent_q || word_q == '0)

endmodule
