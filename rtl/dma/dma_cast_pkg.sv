// SPDX-License-Identifier: Apache-2.0
// Sizes of what a DMA engine casts. The cast itself: dma_pkg.
package dma_cast_pkg;

  function automatic logic is_format(input logic [3:0] dtype_i);
    is_format = dtype_i <= defs_pkg::DtypeUint32;
  endfunction

  // Of an element, binary logarithm.
  function automatic logic [1:0] log_bytes(input logic [3:0] dtype_i);
    logic [1:0] missing;                     // bytes of four: 0, 2 or 3
    missing   = 2'(format_pkg::format_of(dtype_i) >> 13);
    log_bytes = missing == 2'd0 ? 2'd2 : missing == 2'd2 ? 2'd1 : 2'd0;
  endfunction

  // Bytes that are made of so many.
  function automatic logic [19:0] made(input logic [19:0] bytes_i, input logic [3:0] from_i, input logic [3:0] to_i);
    made = (bytes_i >> log_bytes(from_i)) << log_bytes(to_i);
  endfunction

endpackage
