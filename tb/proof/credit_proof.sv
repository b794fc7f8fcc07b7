// SPDX-License-Identifier: Apache-2.0
// prim_credit_counter with a receiver whose reports are lost, late, repeated or overtaken at will: the
// receiver's buffer never overflows, no credit appears or leaks.
module credit_proof (
  input logic clk_i,
  input logic want_i,
  input logic free_i,
  input logic report_i,
  input logic old_i,
  input logic [2:0] age_i
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic [3:0] available, sent = '0, freed = '0, told = '0, reported;
  logic home, take;
  // A report is any count between the last one heard and the current one, or one heard before.
  assign reported = old_i ? told - {1'b0, age_i}
                          : told + (({1'b0, age_i} <= 4'(freed - told)) ? {1'b0, age_i} : 4'd0);
  assign take = want_i && available != '0;
  prim_credit_counter #(.Depth(5), .CountBits(4)) u_credit (
    .clk_i, .rst_ni, .take_i(take), .report_i(report_i && rst_ni), .report_freed_i(reported),
    .available_o(available), .home_o(home)
  );

  // Registers of the block, by name.
  (* hierconn *) logic [3:0] \u_credit.sent_q ;
  (* hierconn *) logic [3:0] \u_credit.freed_q ;

  logic [3:0] stored;
  assign stored = sent - freed;
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      if (take) sent <= sent + 4'd1;
      if (free_i && stored != '0) freed <= freed + 4'd1;
      if (report_i && !old_i) told <= reported;
    end
  end

  always_comb begin
    if (rst_ni) begin
      assert (stored <= 4'd5);
      assert (4'(sent - told) <= 4'd5);
      assert (stored <= 4'(sent - told));
      assert (available == 4'd5 - 4'(sent - told));
      assert (home == (sent == told));
      assert (\u_credit.sent_q == sent && \u_credit.freed_q == told);
    end
  end

endmodule
