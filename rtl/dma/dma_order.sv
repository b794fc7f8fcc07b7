// SPDX-License-Identifier: Apache-2.0
// May a descriptor read before its predecessors have written? Not if it reads what they write.
//
// It reads its list of indices, too; what that names lies, with all of its bound, between the first and the last row.
//
// Per engine and memory there is one box around all that its open descriptors (loaded, not ended) write:
// bytes low .. high, and in SBUF, where rows step over partitions, bytes from .. to of each. The box is too
// large if it is around several; it goes when the engine has nothing open. Writes need no such question:
// those of one engine stay in order, and a read has left before a younger write can.
module dma_order #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines)
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic look_i,                       // at a descriptor without fault; otherwise clash_o is 0
  input  logic [EngineBits-1:0] engine_i,
  input  logic open_i,                       // the engine has open ones
  input  logic remote_i,
  input  defs_pkg::descriptor_t desc_i,
  input  logic [47:0] src_last_i,
  input  logic [47:0] src1_last_i,
  input  logic [47:0] dst_last_i,
  input  logic [19:0] dst_bytes_i,           // of a row
  output logic clash_o,
  input  logic load_i                        // it becomes one of the open ones
);

  logic [Engines*4-1:0] valid_q;             // index {engine, memory}
  logic [47:0] low_q [Engines*4];
  logic [47:0] high_q [Engines*4];
  logic [17:0] from_q [Engines*4];
  logic [17:0] to_q [Engines*4];

  // Rows first .. last, and what lies in the box.
  function automatic logic meets(input logic [47:0] first, input logic [47:0] last, input logic [19:0] bytes,
                                 input logic [47:0] low, input logic [47:0] high,
                                 input logic [17:0] from, input logic [17:0] to);
    logic up, right;
    up    = first < last;
    right = first[17:0] < last[17:0];
    meets = (up ? first : last) <= high && low <= (up ? last : first) + 48'(bytes) - 48'd1 &&
            (!address_pkg::in_core(first) ||
             ((right ? first[17:0] : last[17:0]) <= to &&
              from <= (right ? last[17:0] : first[17:0]) + 18'(bytes) - 18'd1));
  endfunction

  logic [EngineBits+1:0] src_index, src1_index, dst_index, list_index;
  logic second, up, right, grow;
  logic [47:0] low, high;
  logic [17:0] from, to;

  always_comb begin
    src_index  = '0;
    src1_index = '0;
    dst_index  = '0;
    list_index = '0;
    second     = 1'b0;
    up         = 1'b0;
    right      = 1'b0;
    grow       = 1'b0;
    low        = '0;
    high       = '0;
    from       = '0;
    to         = '0;
    clash_o    = 1'b0;
    if (look_i) begin
      src_index  = {engine_i, 2'(address_pkg::memory_of(desc_i.src))};
      src1_index = {engine_i, 2'(address_pkg::memory_of(desc_i.src1))};
      dst_index  = {engine_i, 2'(address_pkg::memory_of(desc_i.dst))};
      list_index = {engine_i, 2'(address_pkg::memory_of(desc_i.index))};
      second     = desc_i.combine == defs_pkg::CombineAdd || desc_i.combine == defs_pkg::CombineMax;
      up         = desc_i.dst < dst_last_i;
      right      = desc_i.dst[17:0] < dst_last_i[17:0];
      low        = up ? desc_i.dst : dst_last_i;
      high       = (up ? dst_last_i : desc_i.dst) + 48'(dst_bytes_i) - 48'd1;
      from       = right ? desc_i.dst[17:0] : dst_last_i[17:0];
      to         = (right ? dst_last_i[17:0] : desc_i.dst[17:0]) + 18'(dst_bytes_i) - 18'd1;

      clash_o = open_i && ((valid_q[src_index] &&
                            meets(desc_i.src, src_last_i, desc_i.row_bytes, low_q[src_index],
                                  high_q[src_index], from_q[src_index], to_q[src_index])) ||
                           (second && valid_q[src1_index] &&
                            meets(desc_i.src1, src1_last_i, desc_i.row_bytes, low_q[src1_index],
                                  high_q[src1_index], from_q[src1_index], to_q[src1_index])) ||
                           (desc_i.index_mode != defs_pkg::IndexModeNone && valid_q[list_index] &&
                            meets(desc_i.index, desc_i.index, {2'd0, desc_i.rows, 2'd0}, low_q[list_index],
                                  high_q[list_index], from_q[list_index], to_q[list_index])));
      grow = open_i && valid_q[dst_index];
      if (grow && low_q[dst_index] < low) low = low_q[dst_index];
      if (grow && high_q[dst_index] > high) high = high_q[dst_index];
      if (grow && from_q[dst_index] < from) from = from_q[dst_index];
      if (grow && to_q[dst_index] > to) to = to_q[dst_index];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
    end else if (load_i) begin
      if (!open_i) valid_q[{engine_i, 2'b0}+:4] <= '0;
      if (!remote_i) valid_q[dst_index] <= 1'b1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (load_i && !remote_i) begin
      low_q[dst_index]  <= low;
      high_q[dst_index] <= high;
      from_q[dst_index] <= from;
      to_q[dst_index]   <= to;
    end
  end

  logic unused_desc;
  assign unused_desc = ^desc_i;

endmodule
