// SPDX-License-Identifier: Apache-2.0
// What goes between SBUF, PSUM and the engines: one word of every partition, and which.
//
// Always use these names for such ports and for the wires between them. Verilator joins a port and
// its wire only if both have the very same type; with two equal declarations it copies the whole
// array at every level of the hierarchy in every cycle, idle or not.
package row_pkg;

  typedef logic [63:0] sbuf_row_t [size_pkg::Partitions];
  typedef logic [31:0] lane_row_t [size_pkg::Partitions];

  typedef struct packed {
    logic valid;
    logic [17:0] addr;  // byte in the partition
  } sbuf_read_t;

  typedef struct packed {
    logic pair;         // two elements of two bytes, as one of four
    logic psum;         // else to SBUF
    logic masked;       // lanes whose skip word is not 0 stay as they are
    logic valid;
    logic [17:0] addr;
    logic [2:0] bytes;  // of an element: 1, 2 or 4
    logic [7:0] first;  // partition that lane 0 goes to, a multiple of P/4
    logic [7:0] count;  // lanes
  } sbuf_write_t;

  typedef struct packed {
    logic valid;
    logic [15:0] addr;  // bank * PsumCols + column
  } psum_read_t;

  typedef struct packed {
    logic [31:0] serial;    // of the instruction that writes
    logic valid;
    logic [15:0] addr;
    logic accumulate;   // onto what is there: fp32 with one rounding,
    logic integers;     // or int32 modulo 2^32
    logic [7:0] count;  // lanes, from partition 0
  } psum_write_t;

  // A word that a read of a lane engine brings, and what there is in it.
  typedef struct packed {
    logic psum;               // else from SBUF
    logic [3:0] dtype;
    logic [7:0] partition;    // of lane 0
  } source_t;

  typedef enum logic [1:0] {LandX = 2'd0, LandY = 2'd1, LandFirst = 2'd2, LandSecond = 2'd3} landing_e;  // element of src0, of src1; scalars

  typedef struct packed {
    logic valid;
    landing_e what;
    logic held;               // of the word that is kept, not of the one that comes
    logic [2:0] at;           // byte of the word where the element begins
    source_t source;
  } landing_t;

  // The element of 2^shift_i bytes that starts at byte byte_i of an SBUF word, in the upper bits of a
  // word, zeros below.
  function automatic logic [31:0] element(input logic [63:0] word_i, input logic [2:0] byte_i,
                                          input logic [1:0] shift_i);
    logic [31:0] low;
    low     = 32'(word_i >> {byte_i, 3'b0});
    element = low << (6'd32 - (6'd8 << shift_i));
  endfunction

endpackage
