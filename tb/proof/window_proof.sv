// SPDX-License-Identifier: Apache-2.0
// link_window with a receiver that takes only what comes next, and acknowledgements that are lost,
// late or wrong: the pointers keep their order, nothing unacknowledged is overwritten or forgotten.
module window_proof (
  input logic clk_i,
  input logic push_i,
  input logic take_i,
  input logic ack_valid_i,
  input logic ack_nak_i,
  input logic [3:0] ack_seq_i
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic ready, go_back, restart, send, straight, push;
  logic [3:0] write, next, acked, held;
  assign held = write - acked;
  assign push = push_i && held < 4'd6;
  link_window #(.Window(6), .SeqBits(4), .SilenceBits(2)) u_window (
    .clk_i, .rst_ni, .en_i(1'b1), .push_i(push && rst_ni),
    .ack_valid_i(ack_valid_i && rst_ni), .ack_nak_i, .ack_seq_i,
    .ready_o(ready), .write_seq_o(write), .send_seq_o(next), .acked_seq_o(acked),
    .go_back_o(go_back), .restart_o(restart), .send_o(send), .straight_o(straight)
  );

  always_comb begin
    if (rst_ni) begin
      assert (held <= 4'd6);
      assert (4'(write - next) <= held);
      if (straight) assert (next == write);
      if (ready) assert (held < 4'd2);
      if (write != next) assert (send != restart);
      if (restart) assert (next == acked);
    end
  end

endmodule
