// SPDX-License-Identifier: Apache-2.0
// May a descriptor read before its predecessors have written? Not if it reads what they write.
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
  input  logic [47:0] dst_last_i,
  output logic clash_o,
  input  logic load_i                        // it becomes one of the open ones
);

  logic [Engines*4-1:0] valid_q;             // index {engine, memory}
  logic [47:0] low_q [Engines*4];
  logic [47:0] high_q [Engines*4];
  logic [17:0] from_q [Engines*4];
  logic [17:0] to_q [Engines*4];

  logic [EngineBits+1:0] src_index, dst_index;
  logic src_up, dst_up, src_right, dst_right, grow;
  logic [47:0] src_low, src_high, low, high;
  logic [17:0] src_from, src_to, from, to;

  always_comb begin
    src_index = '0;
    dst_index = '0;
    src_up    = 1'b0;
    dst_up    = 1'b0;
    src_right = 1'b0;
    dst_right = 1'b0;
    grow      = 1'b0;
    src_low   = '0;
    src_high  = '0;
    src_from  = '0;
    src_to    = '0;
    low       = '0;
    high      = '0;
    from      = '0;
    to        = '0;
    clash_o   = 1'b0;
    if (look_i) begin
      src_index = {engine_i, 2'(address_pkg::memory_of(desc_i.src))};
      dst_index = {engine_i, 2'(address_pkg::memory_of(desc_i.dst))};
      src_up    = desc_i.src < src_last_i;
      dst_up    = desc_i.dst < dst_last_i;
      src_right = desc_i.src[17:0] < src_last_i[17:0];
      dst_right = desc_i.dst[17:0] < dst_last_i[17:0];
      src_low   = src_up ? desc_i.src : src_last_i;
      src_high  = (src_up ? src_last_i : desc_i.src) + 48'(desc_i.row_bytes) - 48'd1;
      src_from  = src_right ? desc_i.src[17:0] : src_last_i[17:0];
      src_to    = (src_right ? src_last_i[17:0] : desc_i.src[17:0]) + 18'(desc_i.row_bytes) - 18'd1;
      low       = dst_up ? desc_i.dst : dst_last_i;
      high      = (dst_up ? dst_last_i : desc_i.dst) + 48'(desc_i.row_bytes) - 48'd1;
      from      = dst_right ? desc_i.dst[17:0] : dst_last_i[17:0];
      to        = (dst_right ? dst_last_i[17:0] : desc_i.dst[17:0]) + 18'(desc_i.row_bytes) - 18'd1;

      clash_o = open_i && valid_q[src_index] && src_low <= high_q[src_index] && low_q[src_index] <= src_high &&
                (!address_pkg::in_core(desc_i.src) ||
                 (src_from <= to_q[src_index] && from_q[src_index] <= src_to));
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
