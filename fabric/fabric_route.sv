// SPDX-License-Identifier: Apache-2.0
// Next hop of a packet on the ring: shortest path.
//
// A destination exactly half the ring away is a tie: even chips send it to +1, odd ones to -1, so
// both directions carry the same load. Only the source meets a tie; one hop later the way on is
// strictly the shorter one. The class never changes (fabric_class).
module fabric_route (
  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,

  // Number of the link port, or of the core of this chip, that the packet comes from.
  input  logic       from_i,

  input  logic [3:0] dst_i,

  // 0, 1: link port; 2, 3: local port 0, 1
  output logic [1:0] out_o
);

  // Distance in + direction; both chips are below ring_size <= 12, so 5 bits hold the sum.
  logic [4:0] ahead;
  assign ahead = (dst_i >= chip_i) ? {1'b0, dst_i} - {1'b0, chip_i}
                                   : {1'b0, dst_i} + ring_size_i - {1'b0, chip_i};

  // What came by port p leaves by local port p: all packets of a source meet in one receiver, so
  // they stay in order whatever they write, and each link can eject at its full rate. Chips that
  // do not exist end here too: the receiver refuses them, they never circle.
  always_comb begin
    out_o = {1'b1, from_i};
    if (dst_i != chip_i && {1'b0, dst_i} < ring_size_i) begin
      if ({ahead, 1'b0} < {1'b0, ring_size_i}) out_o = 2'd0;
      else if ({ahead, 1'b0} > {1'b0, ring_size_i}) out_o = 2'd1;
      else out_o = {1'b0, chip_i[0]};
    end
  end

endmodule
