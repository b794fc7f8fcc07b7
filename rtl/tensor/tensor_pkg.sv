// SPDX-License-Identifier: Apache-2.0
// What the head of the tensor engine, its checks and its units tell each other.
package tensor_pkg;

  // What waits in a slot: one pass of a LOAD_STATIONARY or a MULTIPLY_MOVING.
  typedef struct packed {
    logic [111:0] src;             // operand_t, which Yosys does not find inside a struct
    logic [111:0] dst;             // of a multiply
    logic [2:0] bank;              // of dst
    logic [63:0] sizes;            // four times 16 bits, innermost in the low bits
    logic [7:0] partitions;        // rows of the tile
    logic [7:0] columns;           // stationary columns
    logic [1:0] halves;            // of the array's rows: 01 upper, 10 lower, 11 all
    logic [1:0] planes;            // of the weights, by half
    logic fast;                    // checked_t
    logic pair;
    logic long_stride;
    logic bits;                    // loaded, or picked: not numbers
    logic low;                     // fp32: the low halves of the numbers
    logic accumulate;
    logic last_pass;
    logic [31:0] serial;
  } tile_t;

  // What a MULTIPLY_MOVING has to fit: the last load into the half of the rows where it starts.
  typedef struct packed {
    logic valid;
    logic [7:0] partitions;
    logic [7:0] first;
    logic [7:0] columns;
    logic [3:0] dtype;
    logic bits;
  } loaded_t;

  // What tensor_check finds out about an instruction.
  typedef struct packed {
    logic [7:0] columns;           // of its stationary tile
    logic [1:0] halves;
    logic load;
    logic bits;                    // it loads or picks bits
    logic halved;                  // of fp32 numbers: low and high halves, in several passes
    logic fast;                    // it can be read four columns at a time
    logic pair;                    // 4-byte formats: two columns at a time
    logic long_stride;             // innermost stride of 16 bytes or more: half rate
  } checked_t;

endpackage
