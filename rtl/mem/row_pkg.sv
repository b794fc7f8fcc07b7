// SPDX-License-Identifier: Apache-2.0
// One word of every partition, as it goes between SBUF, PSUM and the engines.
//
// Always use these names for such ports and for the wires between them. Verilator joins a port and
// its wire only if both have the very same type; with two equal declarations it copies the whole
// array at every level of the hierarchy in every cycle, idle or not.
package row_pkg;

  typedef logic [63:0] sbuf_row_t [size_pkg::Partitions];
  typedef logic [31:0] lane_row_t [size_pkg::Partitions];

  // The element of 2^shift_i bytes that starts at byte byte_i of an SBUF word, in the upper bits of a
  // word, zeros below.
  function automatic logic [31:0] element(input logic [63:0] word_i, input logic [2:0] byte_i,
                                          input logic [1:0] shift_i);
    logic [31:0] low;
    low     = 32'(word_i >> {byte_i, 3'b0});
    element = low << (6'd32 - (6'd8 << shift_i));
  endfunction

endpackage
