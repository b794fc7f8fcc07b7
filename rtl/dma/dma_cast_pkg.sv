// SPDX-License-Identifier: Apache-2.0
// The cast of a DMA engine: elements of a line, from one format to another by way of fp32. Twin: cast() of
// cmodel/machine/dma.cc.
package dma_cast_pkg;

  localparam logic [3:0] Last = defs_pkg::DtypeUint32;  // the formats are those up to it

  // Of an element, binary logarithm.
  function automatic logic [1:0] log_bytes(input logic [3:0] dtype_i);
    logic [22:0] format;
    format    = format_pkg::format_of(dtype_i);
    log_bytes = !format[14] ? 2'd2 : !format[13] ? 2'd1 : 2'd0;
  endfunction

  // Bytes that are made of so many.
  function automatic logic [19:0] made(input logic [19:0] bytes_i, input logic [3:0] from_i, input logic [3:0] to_i);
    made = (bytes_i >> log_bytes(from_i)) << log_bytes(to_i);
  endfunction

  // The elements at the low end of a line, at most one for every four bytes.
  localparam int unsigned Elements = size_pkg::LineBytes / 4;

  function automatic logic [Elements*32-1:0] cast(input logic [Elements*32-1:0] line_i, input logic [3:0] from_i,
                                                  input logic [3:0] to_i);
    logic [22:0] from, to;
    logic [31:0] element;
    from = format_pkg::format_of(from_i);
    to   = format_pkg::format_of(to_i);
    cast = '0;
    for (int unsigned i = 0; i < Elements; i++) begin
      case (log_bytes(from_i))
        2'd2:    element = line_i[32*i+:32];
        2'd1:    element = {line_i[16*i+:16], 16'd0};
        default: element = {line_i[8*i+:8], 24'd0};
      endcase
      element = format_pkg::from_fp32(format_pkg::to_fp32(element, from), to);
      case (log_bytes(to_i))
        2'd2:    cast[32*i+:32] = element;
        2'd1:    cast[16*i+:16] = element[15:0];
        default: cast[8*i+:8]   = element[7:0];
      endcase
    end
  endfunction

endpackage
