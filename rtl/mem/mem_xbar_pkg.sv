// SPDX-License-Identifier: Apache-2.0
// Who is at the crossbar: indices of its ports.
package mem_xbar_pkg;

  // Requesters. A core's three begin at CoreRequesters * core.
  localparam int unsigned Fetch = 0;          // instructions, reads only
  localparam int unsigned DmaRead = 1;
  localparam int unsigned DmaWrite = 2;
  localparam int unsigned CoreRequesters = 3;
  localparam int unsigned Rx = 6;             // fabric receiver of local port 0, 1; writes only
  localparam int unsigned Host = 8;           // reads and writes
  localparam int unsigned Requesters = 9;
  localparam logic [Requesters-1:0] Readers = 9'b1_0001_1011;
  localparam logic [Requesters-1:0] Writers = 9'b1_1110_0100;

  // Memories are numbered as in memory_e.
  localparam int unsigned Memories = 4;

endpackage
