// SPDX-License-Identifier: Apache-2.0
// What the DMA engines tell the back end about a read: where its bytes go.
package dma_pkg;

  typedef struct packed {
    logic [$clog2(size_pkg::LineBytes)-1:0] from;  // first byte in the source line
    logic [47:0] addr;                             // destination
    logic [8:0] bytes;
    logic last;                                    // of a packet
    logic notify;                                  // last of the descriptor, which notifies
    logic [9:0] dst;
    logic [1:0] vn;
    logic [8:0] sem;
    logic [31:0] pc;
  } beat_t;

endpackage
