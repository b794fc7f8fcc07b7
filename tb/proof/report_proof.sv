// SPDX-License-Identifier: Apache-2.0
// fabric_report, whatever is forbidden: bits of an Err packet that carry nothing are zero. Coverage leaves them out.
module report_proof (
  input logic clk_i,
  input logic [9:0] chip_id_i,
  input logic [3:0] violation_i,
  input logic [511:0] header_i,
  input logic ready_i
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic valid;
  logic [3:0] dst;
  logic [31:0] count;
  logic [127:0] first;
  logic [511:0] word;
  fabric_report u_report (
    .clk_i, .rst_ni, .chip_id_i, .violation_i, .header_i, .count_o(count), .first_o(first),
    .valid_o(valid), .ready_i, .word_o(word), .dst_o(dst)
  );

  // Registers of the block, by name.
  (* hierconn *) logic [511:0] \u_report.report ;
  defs_pkg::head_payload_t made;
  logic zero;
  assign made = \u_report.report ;
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
