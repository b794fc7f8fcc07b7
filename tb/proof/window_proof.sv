// SPDX-License-Identifier: Apache-2.0
// link_window with a receiver that takes only what comes next, and acknowledgements that are lost,
// late or wrong: the pointers keep their order, nothing unacknowledged is overwritten or forgotten.
module window_proof (
  input logic clk_i,
  input logic push_i,
  input logic up_i,
  input logic slot_i,
  input logic take_i,
  input logic ack_valid_i,
  input logic ack_nak_i,
  input logic [3:0] ack_seq_i
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  // A register of the block, by name.
  (* hierconn *) logic \u_window.restart_q ;

  logic ready, restart, send, straight, stuck, slot, push;
  logic [3:0] write, next, acked, held;
  assign held = write - acked;
  assign slot = slot_i && up_i;
  assign push = push_i && held < 4'd6;
  link_window #(.Window(6), .SeqBits(4), .SilenceBits(2)) u_window (
    .clk_i, .rst_ni, .push_i(push && rst_ni), .up_i, .slot_i(slot),
    .ack_valid_i(ack_valid_i && rst_ni), .ack_nak_i, .ack_seq_i,
    .ready_o(ready), .write_seq_o(write), .send_seq_o(next), .acked_seq_o(acked),
    .restart_o(restart), .send_o(send), .straight_o(straight), .stuck_o(stuck)
  );

  always_comb begin
    if (rst_ni) begin
      assert (held <= 4'd6);
      assert (4'(write - next) <= held);
      if (straight) assert (next == write);
      if (ready) assert (held < 4'd2);
      if (slot && write != next) assert (send != restart);
      if (!slot) assert (!send && !restart);
      if (\u_window.restart_q ) assert (next == acked);
    end
  end

endmodule
