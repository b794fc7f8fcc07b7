// SPDX-License-Identifier: Apache-2.0
// prim_fifo: what goes in comes out, in order, once; never more than Depth inside. One entry, chosen
// freely, is tracked by how many are ahead of it; since the choice is free, it stands for every entry.
module fifo_proof (
  input logic clk_i,
  input logic in_valid_i,
  input logic [1:0] in_i,
  input logic out_ready_i,
  input logic track_i
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic in_ready, out_valid, push, pop;
  logic [1:0] out;
  prim_fifo #(.Width(2), .Depth(4)) u_fifo (
    .clk_i, .rst_ni, .in_valid_i(in_valid_i && rst_ni), .in_ready_o(in_ready), .in_i,
    .out_valid_o(out_valid), .out_ready_i, .out_o(out)
  );
  assign push = in_valid_i && rst_ni && in_ready;
  assign pop  = out_valid && out_ready_i;

  // Registers of the block, by name.
  (* hierconn *) logic [2:0] \u_fifo.count_q ;
  (* hierconn *) logic [1:0] \u_fifo.write_q ;
  (* hierconn *) logic [1:0] \u_fifo.read_q ;
  (* hierconn *) logic [1:0] \u_fifo.mem[0] ;
  (* hierconn *) logic [1:0] \u_fifo.mem[1] ;
  (* hierconn *) logic [1:0] \u_fifo.mem[2] ;

  // The tracked entry: inside?, how many are ahead of it, what it is.
  logic inside = 1'b0;
  logic [2:0] ahead = '0;
  logic [1:0] value = '0;
  logic [2:0] count = '0;
  always_ff @(posedge clk_i) begin
    count <= count + {2'd0, push} - {2'd0, pop};
    if (!inside && push && track_i) begin
      inside <= 1'b1;
      ahead  <= count - {2'd0, pop};
      value  <= in_i;
    end else if (inside && pop) begin
      if (ahead == '0) inside <= 1'b0;
      else ahead <= ahead - 3'd1;
    end
  end

  // Where it lies in the ring behind the head.
  logic [2:0] place, behind;
  logic [1:0] stored;
  assign place = {1'b0, \u_fifo.read_q } + ahead - 3'd1;
  assign behind = {1'b0, \u_fifo.read_q } + ((count == '0) ? 3'd0 : count - 3'd1);
  always_comb begin
    unique case (place)
      3'd0, 3'd3: stored = \u_fifo.mem[0] ;
      3'd1, 3'd4: stored = \u_fifo.mem[1] ;
      default:    stored = \u_fifo.mem[2] ;
    endcase
  end

  always_comb begin
    if (rst_ni) begin
      assert (count <= 3'd4);
      assert (out_valid == (count != '0) && in_ready == (count != 3'd4));
      assert (!inside || ahead < count);
      if (inside && ahead == '0) assert (out_valid && out == value);
      // What induction needs to know of the inside.
      assert (\u_fifo.count_q == count);
      assert (\u_fifo.read_q < 2'd3 && \u_fifo.write_q < 2'd3);
      assert (behind == {1'b0, \u_fifo.write_q } || behind == {1'b0, \u_fifo.write_q } + 3'd3);
      if (inside && ahead != '0) assert (stored == value);
    end
  end

endmodule
