// SPDX-License-Identifier: Apache-2.0
// fabric_ack, whatever arrives: bits of an acknowledgement that carry nothing are zero. Coverage leaves them out.
module ack_proof (
  input logic clk_i,
  input logic fabric_en_i,
  input logic [9:0] chip_id_i,
  input logic [1:0] taken_i,
  input logic [7:0] taken_src_i,
  input logic [9:0] taken_len_i,
  input logic calm_i,
  input logic age_i,
  input logic [127:0] row_i,
  input logic ready_i
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic row_valid, valid, asleep, idle;
  logic [3:0] row, dst;
  logic [511:0] word;
  fabric_ack u_ack (
    .clk_i, .rst_ni, .fabric_en_i, .chip_id_i, .taken_i, .taken_src_i, .taken_len_i, .calm_i, .age_i,
    .row_valid_o(row_valid), .row_o(row), .row_i, .valid_o(valid), .ready_i(ready_i && valid), .word_o(word),
    .dst_o(dst), .asleep_o(asleep), .idle_o(idle)
  );

  // Registers of the block, by name.
  (* hierconn *) logic [511:0] \u_ack.word ;
  defs_pkg::head_payload_t made;
  logic zero;
  assign made = \u_ack.word ;
  assign zero = {made.stamp, made.seq, made.inline_data[319:128]} == '0 &&
                {made.header.ver, made.header.lport, made.header.vn, made.header.pkey, made.header.tag} == '0 &&
                {made.header.addr, made.header.group, made.header.hop} == '0;
  always_comb begin
    if (rst_ni) begin
      assert (zero && {made[511:304], made[175:160], made[71:0]} == '0);
      if (valid) assert ({word[511:304], word[175:160], word[71:0]} == '0);
    end
  end

endmodule
