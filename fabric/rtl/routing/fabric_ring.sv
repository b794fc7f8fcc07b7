// SPDX-License-Identifier: Apache-2.0
// Route and class on the ring, computed: what a bank of tables means as long as nobody has loaded it.
//
// Shortest path. A destination exactly half the ring away is a tie: even chips send it to + 1, odd
// ones to - 1, so both directions carry the same load. Only the source meets a tie; one hop later
// the route on is strictly the shorter one.
//
// The class is chosen once, by the source. Class 0 never crosses cable A, class 1 never cable B, so
// each class is a line and cannot wait in a circle.
//
//           cable A                  cable B
//   n-1 ------||------ 0 -- ... h-1 ----||---- h ... -- n-1          h = n / 2
//         class 1 only              class 0 only
//
// No shortest route crosses both: they are h cables apart or more. Routes that cross neither balance
// the load: class 0 in the half of the line next to A, which class 1 fills, class 1 next to B.
module fabric_ring (
  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,
  input  logic [3:0] dst_i,

  output logic here_o,   // this chip, or none of the ring: its receiver rejects those
  output logic minus_o,  // to chip - 1
  output logic class_o
);

  // Both chips are below ring_size <= 12, so 5 bits hold all sums.
  logic [4:0] chip, dst, ahead, half, last, sum;
  assign chip  = {1'b0, chip_i};
  assign dst   = {1'b0, dst_i};
  assign ahead = (dst >= chip) ? dst - chip : dst + ring_size_i - chip;
  assign here_o  = dst == chip || dst >= ring_size_i;
  assign minus_o = ({ahead, 1'b0} == {1'b0, ring_size_i}) ? chip_i[0]
                                                          : {ahead, 1'b0} > {1'b0, ring_size_i};

  // Distances of both ends from A, together; at most 2 * 11.
  assign half = {1'b0, ring_size_i[4:1]};
  assign last = ring_size_i - 5'd1;
  assign sum  = (chip >= half) ? (last - chip) + (last - dst) : chip + dst;
  always_comb begin
    if (here_o) class_o = 1'b0;
    else if (minus_o ? dst > chip : dst < chip) class_o = 1'b1;
    else if ((chip >= half) != (dst >= half)) class_o = 1'b0;
    else class_o = sum >= half;
  end

endmodule
