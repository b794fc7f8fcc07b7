// SPDX-License-Identifier: Apache-2.0
// What the parts of the DMA tell each other.
package dma_pkg;

  // A doorbell: `count` descriptors of the ring; or, with `start`, the one that is here (count 1), by the DmaStart at `pc`.
  typedef struct packed {
    logic [7:0] engine;
    logic [15:0] count;
    logic start;
    logic [23:0] pc;
    defs_pkg::descriptor_t desc;
  } trigger_t;

  // A read that starts now, to the back end: where its bytes go.
  typedef struct packed {
    logic [$clog2(size_pkg::LineBytes)-1:0] from;  // first byte in the source line
    logic [47:0] addr;                             // destination
    logic [8:0] bytes;
    logic remote;
    logic [1:0] memory;                            // of a local one
    logic keep;                                    // of the second source: for the next beat
    logic [2:0] combine;                           // what is made of this one and the one kept
    logic [3:0] dtype;
    logic [3:0] dst_dtype;                         // of a cast
    logic drop;                                    // nothing is written: only the end of its descriptor
    logic fault;                                   // which stops there
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

  // Of the words of two lines. Twin: combine() of cmodel/machine/dma.cc.
  localparam int unsigned Words = size_pkg::LineBytes / 4;

  function automatic logic [31:0] two_bf16(input logic [31:0] low, input logic [31:0] high);
    two_bf16 = {convert_pkg::fp32_to_bf16(high), convert_pkg::fp32_to_bf16(low)};
  endfunction

  function automatic logic [Words*32-1:0] combine(input logic adds, input logic [3:0] dtype,
                                                  input logic [Words*32-1:0] a,
                                                  input logic [Words*32-1:0] b);
    logic [31:0] x, y;
    for (int unsigned i = 0; i < Words; i++) begin
      x = a[32*i+:32];
      y = b[32*i+:32];
      if (dtype == defs_pkg::DtypeInt32) begin
        if (adds) x = x + y;
        else if ($signed(x) < $signed(y)) x = y;
      end else if (dtype == defs_pkg::DtypeBf16) begin
        if (adds) begin
          x = two_bf16(
            fma_pkg::add_fp32(convert_pkg::bf16_to_fp32(x[15:0]), convert_pkg::bf16_to_fp32(y[15:0])),
            fma_pkg::add_fp32(convert_pkg::bf16_to_fp32(x[31:16]), convert_pkg::bf16_to_fp32(y[31:16])));
        end else begin
          x = two_bf16(
            convert_pkg::max_fp32(convert_pkg::bf16_to_fp32(x[15:0]), convert_pkg::bf16_to_fp32(y[15:0])),
            convert_pkg::max_fp32(convert_pkg::bf16_to_fp32(x[31:16]), convert_pkg::bf16_to_fp32(y[31:16])));
        end
      end else begin
        x = convert_pkg::canonical(adds ? fma_pkg::add_fp32(x, y) : convert_pkg::max_fp32(x, y));
      end
      combine[32*i+:32] = x;
    end
  endfunction

  // The elements at the low end of a line, at most one for every word, from one format to another. Twin: cast() of
  // cmodel/machine/dma.cc.
  function automatic logic [Words*32-1:0] cast(input logic [Words*32-1:0] line_i, input logic [3:0] from_i,
                                               input logic [3:0] to_i);
    logic [22:0] from, to;
    logic [31:0] element;
    from = format_pkg::format_of(from_i);
    to   = format_pkg::format_of(to_i);
    cast = '0;
    for (int unsigned i = 0; i < Words; i++) begin
      case (format_pkg::element_shift(from_i))
        2'd2:    element = line_i[32*i+:32];
        2'd1:    element = {line_i[16*i+:16], 16'd0};
        default: element = {line_i[8*i+:8], 24'd0};
      endcase
      element = format_pkg::from_fp32(format_pkg::to_fp32(element, from), to);
      case (format_pkg::element_shift(to_i))
        2'd2:    cast[32*i+:32] = element;
        2'd1:    cast[16*i+:16] = element[15:0];
        default: cast[8*i+:8]   = element[7:0];
      endcase
    end
  endfunction

endpackage
