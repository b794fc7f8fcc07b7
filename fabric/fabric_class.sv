// SPDX-License-Identifier: Apache-2.0
// Deadlock class of a packet, chosen once by its source. Class 0 never crosses cable A, class 1
// never cable B, so each class is a line and cannot wait in a circle.
//
//           cable A                  cable B
//   n-1 ------||------ 0 -- ... h-1 ----||---- h ... -- n-1          h = n / 2
//         class 1 only              class 0 only
//
// No shortest way crosses both: they are h cables apart or more. Ways that cross neither balance
// the load: class 0 in the half of the line next to A, which class 1 fills, class 1 next to B.
module fabric_class (
  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,
  input  logic [3:0] dst_i,
  input  logic       minus_i,  // goes to chip - 1

  output logic       class_o
);

  logic [4:0] chip, dst, half, last, sum;
  logic over_a, chip_upper, dst_upper;
  assign chip       = {1'b0, chip_i};
  assign dst        = {1'b0, dst_i};
  assign half       = {1'b0, ring_size_i[4:1]};
  assign last       = ring_size_i - 5'd1;
  assign over_a     = minus_i ? dst > chip : dst < chip;
  assign chip_upper = chip >= half;
  assign dst_upper  = dst >= half;

  // Distances of both ends from A, together; at most 2 * 11.
  assign sum = chip_upper ? (last - chip) + (last - dst) : chip + dst;

  always_comb begin
    if (over_a) class_o = 1'b1;
    else if (chip_upper != dst_upper) class_o = 1'b0;
    else class_o = sum >= half;
  end

endmodule
