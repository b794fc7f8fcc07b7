// SPDX-License-Identifier: Apache-2.0
// Partial-sum buffer: PsumBanks x PsumCols words per partition, fp32 or int32, accumulate-on-write.

// One word of every partition is a row: contiguous here, because that is how it is read and written.
//
//   wr_i (tensor engine)  no stall; lanes 0 .. count-1 become data, or old + data (`accumulate`);
//                         visible to a read whose handshake is in the next cycle
//   lower_wr_i            the same for the tile of the lower half of the array's rows: never in the
//                         bank that wr_i writes in the same cycle
//   v_wr_i, a_wr_i        vector and activation engine, no stall: lane i to partition first + i, with
//                         `masked` only lanes whose skip word is 0; visible to the next cycle's reads.
//                         In one cycle tensor, vector and activation engine write in this order
//   v_rd_i, a_rd_i        vector and activation engine share one read port, round robin; rd_data_o
//                         holds the row from the cycle after the handshake until the next one
//   commit_q              what was written, one cycle later, for the tracer
`include "assert.svh"

module psum (
  input  logic clk_i,
  input  logic rst_ni,

  input  row_pkg::psum_write_t wr_i,
  input  row_pkg::lane_row_t wr_data_i,
  input  row_pkg::psum_write_t lower_wr_i,
  input  row_pkg::lane_row_t lower_wr_data_i,

  input  row_pkg::sbuf_write_t v_wr_i,
  input  row_pkg::lane_row_t v_wr_data_i,
  input  row_pkg::lane_row_t v_wr_skip_i,
  input  row_pkg::sbuf_write_t a_wr_i,
  input  row_pkg::lane_row_t a_wr_data_i,
  input  row_pkg::lane_row_t a_wr_skip_i,

  input  row_pkg::psum_read_t v_rd_i,
  output logic v_rd_ready_o,
  input  row_pkg::psum_read_t a_rd_i,
  output logic a_rd_ready_o,
  output row_pkg::lane_row_t rd_data_o
);

  localparam int unsigned Lanes = size_pkg::Partitions;
  localparam int unsigned LaneBits = $clog2(Lanes);
  localparam int unsigned Words = size_pkg::PsumBanks * size_pkg::PsumCols;
  localparam int unsigned WordBits = $clog2(Words);

  // ------------------------------------------------------------------------------------ control
  logic prefer_act_d, prefer_act_q;   // who wins when both ask
  logic rd_valid;
  logic [15:0] rd_addr;

  always_comb begin
    v_rd_ready_o = v_rd_i.valid && !(a_rd_i.valid && prefer_act_q);
    a_rd_ready_o = a_rd_i.valid && !(v_rd_i.valid && !prefer_act_q);
    rd_valid     = v_rd_i.valid || a_rd_i.valid;
    rd_addr      = a_rd_ready_o ? a_rd_i.addr : v_rd_i.addr;
    prefer_act_d = prefer_act_q;
    if (v_rd_ready_o) prefer_act_d = 1'b1;
    if (a_rd_ready_o) prefer_act_d = 1'b0;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) prefer_act_q <= 1'b0;
    else prefer_act_q <= prefer_act_d;
  end

  // ----------------------------------------------------------------------------------- datapath
  logic [31:0] mem_q [Words][Lanes];
  // Temporaries of one write; [0] wr_i, [1] lower_wr_i.
  row_pkg::lane_row_t row, row0, row1;
  row_pkg::psum_write_t wr;
  logic [WordBits-1:0] word;
  row_pkg::sbuf_write_t lane_wr;
  logic [LaneBits-1:0] to;
  logic [31:0] keep;

  row_pkg::psum_write_t commit_q, lower_commit_q;
  row_pkg::lane_row_t commit_data, lower_commit_data;

  always_ff @(posedge clk_i) begin
    if (rd_valid) rd_data_o <= mem_q[WordBits'(rd_addr)];
    for (int unsigned e = 0; e < 2; e++) begin
      wr = e == 0 ? wr_i : lower_wr_i;
      if (wr.valid) begin
        word = WordBits'(wr.addr);
        if (e == 0) row = wr_data_i;
        else row = lower_wr_data_i;
        if (wr.accumulate && wr.integers) begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            row[LaneBits'(i)] = mem_q[word][LaneBits'(i)] + row[LaneBits'(i)];
          end
        end else if (wr.accumulate) begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            row[LaneBits'(i)] = fma_pkg::add_fp32(mem_q[word][LaneBits'(i)], row[LaneBits'(i)]);
          end
        end
        for (int unsigned i = 0; i < Lanes; i++) begin
          mem_q[word][LaneBits'(i)] = bits_pkg::sel(
              bits_pkg::mask(i < {24'b0, wr.count}), row[LaneBits'(i)], mem_q[word][LaneBits'(i)]);
        end
        if (e == 0) row0 = row;
        else row1 = row;
      end
    end
    for (int unsigned e = 0; e < 2; e++) begin
      lane_wr = e == 0 ? v_wr_i : a_wr_i;
      if (lane_wr.valid && lane_wr.psum) begin
        word = WordBits'(lane_wr.addr[17:2]);
        for (int unsigned i = 0; i < Lanes; i++) begin
          to   = LaneBits'(i) + lane_wr.first[LaneBits-1:0];
          keep = bits_pkg::mask(i >= {24'b0, lane_wr.count})
              | (bits_pkg::mask(lane_wr.masked) & (e == 0 ? v_wr_skip_i[i] : a_wr_skip_i[i]));
          mem_q[word][to] = bits_pkg::sel(keep, mem_q[word][to], e == 0 ? v_wr_data_i[i] : a_wr_data_i[i]);
        end
      end
    end
    if (wr_i.valid) commit_data <= row0;
    if (lower_wr_i.valid) lower_commit_data <= row1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      commit_q       <= '0;
      lower_commit_q <= '0;
    end else begin
      commit_q       <= wr_i;
      lower_commit_q <= lower_wr_i;
    end
  end

  // The tracer binds to these.
  logic unused_commit;
  assign unused_commit = ^{commit_q, commit_data[0], lower_commit_q, lower_commit_data[0]};

  // --------------------------------------------------------------------------------- assertions
  // Writes stay inside.
  `ASSERT_NOW(WriteInside_A, wr_i.valid -> 32'(wr_i.addr) < Words && 32'(wr_i.count) <= Lanes)
  `ASSERT_NOW(LowerWriteInside_A,
          lower_wr_i.valid -> 32'(lower_wr_i.addr) < Words && 32'(lower_wr_i.count) <= Lanes)
  function automatic logic lanes_inside(input row_pkg::sbuf_write_t write);
    lanes_inside = !write.valid || !write.psum || (32'(write.addr[17:2]) < Words && write.bytes == 4
        && {24'b0, write.first} + {24'b0, write.count} <= Lanes);
  endfunction
  `ASSERT_NOW(LaneWritesInside_A, lanes_inside(v_wr_i) && lanes_inside(a_wr_i))
  // One write per bank and cycle.
  `ASSERT_NOW(OneWritePerBank_A, wr_i.valid && lower_wr_i.valid
          -> 32'(wr_i.addr) / size_pkg::PsumCols != 32'(lower_wr_i.addr) / size_pkg::PsumCols)
  // Reads stay inside.
  `ASSERT_NOW(ReadInside_A, rd_valid -> 32'(rd_addr) < Words)
  // One reader at a time, and never nobody when somebody asks.
  `ASSERT_NOW(OneReader_A, rd_valid -> v_rd_ready_o != a_rd_ready_o)

endmodule
