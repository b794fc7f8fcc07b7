// SPDX-License-Identifier: Apache-2.0
// What the parts of the DMA tell each other.
package dma_pkg;

  // A read that starts now, to the back end: where its bytes go.
  typedef struct packed {
    logic [$clog2(size_pkg::LineBytes)-1:0] from;  // first byte in the source line
    logic [47:0] addr;                             // destination
    logic [8:0] bytes;
    logic remote;
    logic [1:0] memory;                            // of a local one
    logic last;                                    // of a packet
    logic notify;                                  // last of the descriptor, which notifies
    logic [9:0] dst;
    logic [1:0] vn;
    logic [8:0] sem;
    logic [31:0] pc;
    logic ends;                                    // last of the descriptor
    logic update;                                  // which updates
    logic [8:0] update_sem;
    logic [15:0] update_delta;
  } beat_t;

  // The first of `able` at or behind `first`, else the first of all; 0 if there is none.
  function automatic logic [3:0] pick_of(input logic [15:0] able, input logic [3:0] first);
    logic [15:0] ahead;
    ahead = able & (16'hFFFF << first);
    if (ahead == '0) ahead = able;
    pick_of = '0;
    for (int unsigned i = 0; i < 16; i++) begin
      if (ahead[15-i]) pick_of = 4'(15 - i);
    end
  endfunction

endpackage
