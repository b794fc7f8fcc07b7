// SPDX-License-Identifier: Apache-2.0
// What waits in a slot of the tensor engine: one pass of a LOAD_STATIONARY or a MULTIPLY_MOVING.
package tensor_pkg;

  typedef struct packed {
    logic [111:0] src;             // operand_t, which Yosys does not find inside a struct
    logic [111:0] dst;             // of a multiply
    logic [2:0] bank;              // of dst
    logic [63:0] sizes;            // four times 16 bits, innermost in the low bits
    logic [7:0] partitions;        // rows of the tile
    logic [7:0] columns;           // stationary columns
    logic [1:0] halves;            // of the array's rows: 01 upper, 10 lower, 11 all
    logic [1:0] planes;            // of the weights, by half
    logic fast;                    // tensor_check
    logic pair;
    logic long_stride;
    logic low;                     // fp32: the low halves of the numbers
    logic accumulate;
    logic last_pass;
    logic [31:0] pc;
  } tile_t;

endpackage
