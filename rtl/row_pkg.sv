// SPDX-License-Identifier: Apache-2.0
// One word of every partition, as it goes between SBUF, PSUM and the engines.
//
// Always use these names for such ports and for the wires between them. Verilator joins a port and
// its wire only if both have the very same type; with two equal declarations it copies the whole
// array at every level of the hierarchy in every cycle, idle or not.
package row_pkg;

  typedef logic [63:0] sbuf_row_t [size_pkg::Partitions];
  typedef logic [31:0] lane_row_t [size_pkg::Partitions];

endpackage
