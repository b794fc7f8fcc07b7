// SPDX-License-Identifier: Apache-2.0
// State buffer: P partitions of SbufBytes, read and written by the engines row-wise, by lines else.
`include "assert.svh"

// One row of storage is the 8-byte word at the same offset of every partition:
//
//                  partition 0   1   2  ...  P-1
//   offset 0..7    [   64 bits ][  ][  ] ... [  ]  <- engines read a row, write an element
//   offset 8..15   [           ][  ][  ] ... [  ]
//   ...                  ^ the line port reads and writes LineBytes down one partition
//
// Engine reads: rd_i with the byte offset; the row is out in the next cycle and stays until
// the port's next read. Engine writes: lane i goes to partition wr_i.first + i, i < wr_i.count; of a masked one only if its skip
// word is 0; of one to PSUM nothing. Writes are registered once (wr_*_q): a read in the cycle after
// the next sees them. No port ever stalls and none excludes another. Two accesses to the same bytes
// are ordered by semaphores, not here; in one cycle reads see the old bytes, and then vector,
// activation and line write follow in this order.
//
// Line port: address {partition 7, byte 18}, as in the core's window. Writes are always accepted
// and visible to whatever is accepted later. A read is answered in the next cycle; the answer waits
// for rsp_ready_i, and the next read with it. Addresses have been checked by the requester.
module sbuf (
  input  logic clk_i,
  input  logic rst_ni,

  // Tensor engine: stationary and moving tile.
  input  row_pkg::sbuf_read_t ts_rd_i,
  output row_pkg::sbuf_row_t ts_rd_data_o,
  input  row_pkg::sbuf_read_t tm_rd_i,
  output row_pkg::sbuf_row_t tm_rd_data_o,
  // A second moving tile, in the lower half of the partitions; then tm is only used in the upper one:
  // one port per partition, an address per half.
  input  row_pkg::sbuf_read_t tl_rd_i,
  output row_pkg::sbuf_row_t tl_rd_data_o,

  // Vector engine.
  input  row_pkg::sbuf_read_t v_rd_i,
  output row_pkg::sbuf_row_t v_rd_data_o,
  input  row_pkg::sbuf_write_t v_wr_i,
  input  row_pkg::lane_row_t v_wr_data_i,
  input  row_pkg::lane_row_t v_wr_skip_i,

  // Activation engine.
  input  row_pkg::sbuf_read_t a_rd_i,
  output row_pkg::sbuf_row_t a_rd_data_o,
  input  row_pkg::sbuf_write_t a_wr_i,
  input  row_pkg::lane_row_t a_wr_data_i,
  input  row_pkg::lane_row_t a_wr_skip_i,

  // Lines: DMA, fabric receiver.
  input  logic req_valid_i,
  output logic req_ready_o,
  input  size_pkg::mem_req_t req_i,
  output logic rsp_valid_o,
  input  logic rsp_ready_i,
  output size_pkg::mem_rsp_t rsp_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam int unsigned Quarter = P / 4;
  localparam int unsigned Words = size_pkg::SbufBytes / 8;
  localparam int unsigned WordBits = $clog2(Words);
  localparam int unsigned PartitionBits = $clog2(P);
  localparam int unsigned LineWords = size_pkg::LineBytes / 8;
  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);

  logic [63:0] mem [Words][P];

  // --- engine writes, registered once: [0] vector, [1] activation
  logic [1:0] wr_valid_q;
  logic [1:0][WordBits-1:0] wr_word_q;
  logic [1:0][2:0] wr_byte_q, wr_bytes_q;
  logic [1:0][PartitionBits-1:0] wr_first_q;
  logic [1:0][7:0] wr_count_q;
  logic [31:0] wr_data_q [2][P];
  logic [1:0] wr_masked_q;
  logic [31:0] wr_skip_q [2][P];

  row_pkg::sbuf_write_t wr;  // of the engine that is looked at

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) wr_valid_q <= 2'b00;
    else wr_valid_q <= {a_wr_i.valid && !a_wr_i.psum, v_wr_i.valid && !v_wr_i.psum};
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned e = 0; e < 2; e++) begin
      wr = e == 0 ? v_wr_i : a_wr_i;
      if (wr.valid) begin
        wr_word_q[e]  <= wr.addr[3 +: WordBits];
        wr_byte_q[e]  <= wr.addr[2:0];
        wr_bytes_q[e] <= wr.bytes;
        wr_first_q[e] <= wr.first[PartitionBits-1:0];
        wr_count_q[e] <= wr.count;
        wr_masked_q[e] <= wr.masked;
      end
    end
  end

  // --- line port
  logic line_read, line_write;
  logic [PartitionBits-1:0] line_partition;
  logic [WordBits-1:0] line_word;
  logic [31:0] line_first, line_end;  // first byte in the line, and the one behind the last
  logic rsp_valid_d, rsp_valid_q;

  assign req_ready_o    = req_i.write || !rsp_valid_q || rsp_ready_i;
  assign line_read      = req_valid_i && !req_i.write && req_ready_o;
  assign line_write     = req_valid_i && req_i.write;
  assign line_partition = req_i.addr[18 +: PartitionBits];
  assign line_word      = {req_i.addr[3 + WordBits - 1:LineBits], {(LineBits - 3){1'b0}}};
  assign line_first     = {{(32 - LineBits){1'b0}}, req_i.addr[LineBits-1:0]};
  assign line_end       = line_first + {23'b0, req_i.bytes};
  assign rsp_valid_d    = line_read || (rsp_valid_q && !rsp_ready_i);
  assign rsp_valid_o    = rsp_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) rsp_valid_q <= 1'b0;
    else rsp_valid_q <= rsp_valid_d;
  end

  // Bytes first .. last-1 of a line, as a mask of its 8-byte word `word`.
  function automatic logic [63:0] word_mask(logic [31:0] word, logic [31:0] first,
                                            logic [31:0] last);
    word_mask = '0;
    if (last >= word * 8 + 8) word_mask = '1;
    else if (last > word * 8) word_mask = ~(64'hFFFF_FFFF_FFFF_FFFF << {last[2:0], 3'b0});
    if (first >= word * 8 + 8) word_mask = '0;
    else if (first > word * 8) word_mask &= 64'hFFFF_FFFF_FFFF_FFFF << {first[2:0], 3'b0};
  endfunction

  // The bytes of a row's word that a write of 1, 2 or 4 bytes at `addr` replaces.
  function automatic logic [63:0] element_mask(logic [2:0] addr, logic [2:0] bytes);
    element_mask = (bytes == 3'd4 ? 64'hFFFF_FFFF : bytes == 3'd2 ? 64'hFFFF : 64'hFF) << {addr, 3'b0};
  endfunction

  // --- storage: one process, so that the order of accesses in a cycle is the order of the text
  logic [63:0] mask, keep;
  logic [5:0] shift;
  logic [WordBits-1:0] word;
  logic [PartitionBits-1:0] to;
  logic [size_pkg::LineBytes*8-1:0] line;

  always_ff @(posedge clk_i) begin
    if (ts_rd_i.valid) ts_rd_data_o <= mem[ts_rd_i.addr[3 +: WordBits]];
    if (tm_rd_i.valid) tm_rd_data_o <= mem[tm_rd_i.addr[3 +: WordBits]];
    if (tl_rd_i.valid) tl_rd_data_o <= mem[tl_rd_i.addr[3 +: WordBits]];
    if (v_rd_i.valid) v_rd_data_o <= mem[v_rd_i.addr[3 +: WordBits]];
    if (a_rd_i.valid) a_rd_data_o <= mem[a_rd_i.addr[3 +: WordBits]];
    if (line_read) begin
      for (int unsigned i = 0; i < LineWords; i++) begin
        line[64 * i +: 64] = mem[line_word + WordBits'(i)][line_partition];
      end
      rsp_o.tag  <= req_i.tag;
      rsp_o.data <= line;
    end

    for (int unsigned e = 0; e < 2; e++) begin
      if (wr_valid_q[e]) begin
        word  = wr_word_q[e];
        shift = {wr_byte_q[e], 3'b0};
        mask  = element_mask(wr_byte_q[e], wr_bytes_q[e]);
        for (int unsigned i = 0; i < P; i++) begin
          keep = i < {24'b0, wr_count_q[e]} ? ~mask : '1;
          if (wr_masked_q[e]) keep |= {2{wr_skip_q[e][i]}};
          to   = PartitionBits'(i) + wr_first_q[e];
          mem[word][to] = (mem[word][to] & keep) | (({32'b0, wr_data_q[e][i]} << shift) & ~keep);
        end
      end
    end
    if (line_write) begin
      for (int unsigned i = 0; i < LineWords; i++) begin
        keep = ~word_mask(i, line_first, line_end);
        word = line_word + WordBits'(i);
        mem[word][line_partition] = (mem[word][line_partition] & keep)
            | (req_i.data[64 * i +: 64] & ~keep);
      end
    end
    // Captured after use: the last stage above has read what was there.
    if (v_wr_i.valid) begin
      for (int unsigned i = 0; i < P; i++) wr_data_q[0][i] = v_wr_data_i[i];
      if (v_wr_i.masked) for (int unsigned i = 0; i < P; i++) wr_skip_q[0][i] = v_wr_skip_i[i];
    end
    if (a_wr_i.valid) begin
      for (int unsigned i = 0; i < P; i++) wr_data_q[1][i] = a_wr_data_i[i];
      if (a_wr_i.masked) for (int unsigned i = 0; i < P; i++) wr_skip_q[1][i] = a_wr_skip_i[i];
    end
  end

  // Engines have checked their operands.
  function automatic logic read_inside(input row_pkg::sbuf_read_t read);
    read_inside = !read.valid || read.addr < 18'(size_pkg::SbufBytes);
  endfunction
  function automatic logic write_inside(input row_pkg::sbuf_write_t write);
    write_inside = !write.valid || write.psum || (write.addr < 18'(size_pkg::SbufBytes)
        && (write.bytes == 1 || write.bytes == 2 || write.bytes == 4) && {24'b0, write.first} % Quarter == 0
        && {24'b0, write.first} + {24'b0, write.count} <= P);
  endfunction
  `ASSERT_NOW(ReadsInside_A, read_inside(ts_rd_i) && read_inside(tm_rd_i) && read_inside(tl_rd_i)
          && read_inside(v_rd_i) && read_inside(a_rd_i))
  `ASSERT_NOW(VectorWriteInside_A, write_inside(v_wr_i))
  `ASSERT_NOW(ActWriteInside_A, write_inside(a_wr_i))
  // Requesters have checked theirs, and never cross a line.
  `ASSERT_NOW(LineInside_A, req_valid_i -> req_i.addr < 48'(P * defs_pkg::SbufStride)
          && req_i.addr[17:0] < 18'(size_pkg::SbufBytes) && req_i.bytes != 0
          && line_end <= size_pkg::LineBytes)

endmodule
