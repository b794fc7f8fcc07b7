// SPDX-License-Identifier: Apache-2.0
// Pointers of a replay buffer, as sequence numbers modulo 2^SeqBits:
//
//   acked <= send <= write <= acked + Window
//     |        |       +-- where the next new flit goes
//     |        +-- next to be put on the wire
//     +-- first that the other side does not yet have
//
// A NAK and a silence of 2^SilenceBits slots set `send` back to `acked`. The other side repeats its
// NAK until it is served, so one that says the same again counts only after an acknowledgement without
// NAK. Wherever `send` jumps, the next word says so (`restart_o`) instead of carrying a flit. An
// acknowledgement of something that was never sent is ignored. A link that comes up starts so, too.
`include "assert.svh"

module link_window #(
  parameter int unsigned Window = 128,
  parameter int unsigned SeqBits = 10,
  parameter int unsigned SilenceBits = 9
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic push_i,
  input  logic up_i,    // the link carries words
  input  logic slot_i,  // one of them leaves in this cycle

  input  logic ack_valid_i,
  input  logic ack_nak_i,
  input  logic [SeqBits-1:0] ack_seq_i,

  output logic ready_o,  // with 4 flits to spare
  output logic [SeqBits-1:0] write_seq_o,
  output logic [SeqBits-1:0] send_seq_o,
  output logic [SeqBits-1:0] acked_seq_o,
  output logic restart_o,
  output logic send_o,
  output logic straight_o,  // what is sent is what is being pushed
  output logic stuck_o      // the fourth repeat without an acknowledgement in between
);

  logic [SeqBits-1:0] write_q, send_q, acked_q, held, acks, waiting;
  logic [SilenceBits-1:0] silence_q;
  logic good_ack, silent, go_back, behind, served_q, restart_q;
  logic [1:0] repeats_q;
  assign held     = write_q - acked_q;
  assign waiting  = write_q - send_q;
  assign acks     = ack_seq_i - acked_q;
  assign good_ack = ack_valid_i && acks <= held;
  assign silent   = silence_q == '1;

  assign go_back    = (good_ack && ack_nak_i && !(served_q && acks == '0)) || silent;
  assign restart_o  = slot_i && restart_q;
  assign send_o     = slot_i && !restart_q && (waiting != '0 || push_i);
  assign stuck_o    = go_back && held != '0 && repeats_q == '1;
  assign straight_o = waiting == '0;
  assign ready_o    = held < SeqBits'(Window - 4);

  logic [SeqBits-1:0] acked_d, send_d;
  // An acknowledgement may be ahead of `send` while a repeat is under way: skip what is known.
  assign acked_d = good_ack ? ack_seq_i : acked_q;
  assign behind  = SeqBits'(write_q - acked_d) < SeqBits'(write_q - send_q);
  always_comb begin
    send_d  = send_q + SeqBits'(send_o);
    if (go_back || behind || !up_i) send_d = acked_d;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q   <= '0;
      send_q    <= '0;
      acked_q   <= '0;
      silence_q <= '0;
      served_q  <= 1'b0;
      restart_q <= 1'b0;
      repeats_q <= '0;
    end else begin
      write_q   <= write_q + SeqBits'(push_i);
      acked_q   <= acked_d;
      send_q    <= send_d;
      restart_q <= go_back || behind || !up_i || (restart_q && !slot_i);
      if (go_back) served_q <= 1'b1;
      else if (!up_i || (good_ack && !ack_nak_i)) served_q <= 1'b0;
      if (!up_i || acked_d != acked_q) repeats_q <= '0;
      else if (go_back && held != '0 && repeats_q != '1) repeats_q <= repeats_q + 2'd1;
      if (!up_i || (held == '0 && !served_q) || acked_d != acked_q || go_back) silence_q <= '0;
      else if (slot_i) silence_q <= silence_q + SilenceBits'(1);
    end
  end

  assign write_seq_o = write_q;
  assign send_seq_o  = send_q;
  assign acked_seq_o = acked_q;

  // The pointers keep their order, and nothing unacknowledged is overwritten.
  `ASSERT_NOW(Order_A, waiting <= held && held <= SeqBits'(Window))
  `ASSERT_NOW(NoOverwrite_A, push_i -> held < SeqBits'(Window))

endmodule
