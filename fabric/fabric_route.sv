// SPDX-License-Identifier: Apache-2.0
// Next hop and deadlock class of a packet on the ring: shortest path, two classes, one dateline.
//
// A destination exactly half the ring away is a tie: even chips send it to +1, odd ones to -1, so
// both directions carry the same load. Only the source meets a tie; one hop later the way on is
// strictly the shorter one.
//
//   chip   0    1    2   ...   n-1    0    1
//          o----o----o-- ... ---o-||--o----o        || dateline, on the link n-1 <-> 0
//          class 0 -------------------> class 1     (and mirrored for the other direction)
`include "assert.svh"

module fabric_route (
  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,

  // Where the packet comes from: link port 0, link port 1, or (2) this chip; and its class there.
  input  logic [1:0] from_i,
  input  logic       class_i,

  input  logic [3:0] dst_i,
  input  logic       lport_i,

  // 0, 1: link port; 2, 3: local port 0, 1
  output logic [1:0] out_o,
  output logic       class_o
);

  // Distance in + direction; both chips are below ring_size <= 12, so 5 bits hold the sum.
  logic [4:0] ahead;
  assign ahead = (dst_i >= chip_i) ? {1'b0, dst_i} - {1'b0, chip_i}
                                   : {1'b0, dst_i} + ring_size_i - {1'b0, chip_i};

  // Chips that do not exist end here: the receiver refuses them, they never circle.
  always_comb begin
    out_o = {1'b1, lport_i};
    if (dst_i != chip_i && {1'b0, dst_i} < ring_size_i) begin
      if ({ahead, 1'b0} < {1'b0, ring_size_i}) out_o = 2'd0;
      else if ({ahead, 1'b0} > {1'b0, ring_size_i}) out_o = 2'd1;
      else out_o = {1'b0, chip_i[0]};
    end
  end

  // Chip 0 hears chip n-1 on port 1; chip n-1 hears chip 0 on port 0.
  logic over_dateline;
  assign over_dateline = (from_i == 2'd1 && chip_i == 4'd0) ||
                         (from_i == 2'd0 && {1'b0, chip_i} + 5'd1 == ring_size_i);
  assign class_o = class_i || over_dateline;

endmodule
