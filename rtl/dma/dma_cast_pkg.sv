// SPDX-License-Identifier: Apache-2.0
// Sizes of what a DMA engine casts. The cast itself: dma_pkg.
package dma_cast_pkg;

  function automatic logic is_format(input logic [3:0] dtype_i);
    is_format = dtype_i <= defs_pkg::DtypeUint32;
  endfunction

  // Bytes that are made of so many.
  function automatic logic [19:0] made(input logic [19:0] bytes_i, input logic [3:0] from_i, input logic [3:0] to_i);
    made = (bytes_i >> format_pkg::element_shift(from_i)) << format_pkg::element_shift(to_i);
  endfunction

endpackage
