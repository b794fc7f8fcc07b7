// SPDX-License-Identifier: Apache-2.0
// Partial-sum buffer: PsumBanks x PsumCols words per partition, fp32 or int32, accumulate-on-write.

// One word of every partition is a row: contiguous here, because that is how it is read and written.
//
//   wr_* (tensor engine)  no stall; lanes 0 .. wr_count-1 become data, or old + data (fp32: one
//                         rounding; int32, `wr_integer`: modulo 2^32);
//                         visible to a read whose handshake is in the next cycle
//   lower_wr_*            the same for the tile of the lower half of the array's rows: never in the
//                         bank that wr_* writes in the same cycle
//   v_rd_*, a_rd_*        vector and activation engine share one read port, round robin; rd_data_o
//                         holds the row from the cycle after the handshake until the next one
//   commit_*              what was written, one cycle later, for the tracer
`include "assert.svh"

module psum (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic wr_valid_i,
  input  logic [15:0] wr_addr_i,        // bank * PsumCols + column
  input  logic wr_accumulate_i,
  input  logic wr_integer_i,
  input  logic [7:0] wr_count_i,
  input  logic [31:0] wr_pc_i,
  input  row_pkg::lane_row_t wr_data_i,

  input  logic lower_wr_valid_i,
  input  logic [15:0] lower_wr_addr_i,
  input  logic lower_wr_accumulate_i,
  input  logic lower_wr_integer_i,
  input  logic [7:0] lower_wr_count_i,
  input  logic [31:0] lower_wr_pc_i,
  input  row_pkg::lane_row_t lower_wr_data_i,

  input  logic v_rd_valid_i,
  output logic v_rd_ready_o,
  input  logic [15:0] v_rd_addr_i,
  input  logic a_rd_valid_i,
  output logic a_rd_ready_o,
  input  logic [15:0] a_rd_addr_i,
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
    v_rd_ready_o = v_rd_valid_i && !(a_rd_valid_i && prefer_act_q);
    a_rd_ready_o = a_rd_valid_i && !(v_rd_valid_i && !prefer_act_q);
    rd_valid     = v_rd_valid_i || a_rd_valid_i;
    rd_addr      = a_rd_ready_o ? a_rd_addr_i : v_rd_addr_i;
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
  // Temporaries of one write; [0] wr_*, [1] lower_wr_*.
  row_pkg::lane_row_t row, row0, row1;
  logic [WordBits-1:0] word;
  logic [7:0] count;
  logic accumulate, integers;

  logic commit_valid, lower_commit_valid;
  logic [31:0] commit_pc, lower_commit_pc;
  logic [31:0] commit_addr, lower_commit_addr;   // byte offset in the partition
  logic [7:0] commit_count, lower_commit_count;
  row_pkg::lane_row_t commit_data, lower_commit_data;

  always_ff @(posedge clk_i) begin
    if (rd_valid) rd_data_o <= mem_q[WordBits'(rd_addr)];
    for (int unsigned e = 0; e < 2; e++) begin
      if (e == 0 ? wr_valid_i : lower_wr_valid_i) begin
        word       = WordBits'(e == 0 ? wr_addr_i : lower_wr_addr_i);
        count      = e == 0 ? wr_count_i : lower_wr_count_i;
        accumulate = e == 0 ? wr_accumulate_i : lower_wr_accumulate_i;
        integers   = e == 0 ? wr_integer_i : lower_wr_integer_i;
        if (e == 0) row = wr_data_i;
        else row = lower_wr_data_i;
        if (accumulate && integers) begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            row[LaneBits'(i)] = mem_q[word][LaneBits'(i)] + row[LaneBits'(i)];
          end
        end else if (accumulate) begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            row[LaneBits'(i)] = fma_pkg::add_fp32(mem_q[word][LaneBits'(i)], row[LaneBits'(i)]);
          end
        end
        for (int unsigned i = 0; i < Lanes; i++) begin
          mem_q[word][LaneBits'(i)] = bits_pkg::sel(
              bits_pkg::mask(i < {24'b0, count}), row[LaneBits'(i)], mem_q[word][LaneBits'(i)]);
        end
        if (e == 0) row0 = row;
        else row1 = row;
      end
    end
    if (wr_valid_i) begin
      commit_data  <= row0;
      commit_pc    <= wr_pc_i;
      commit_addr  <= {14'b0, wr_addr_i, 2'b0};
      commit_count <= wr_count_i;
    end
    if (lower_wr_valid_i) begin
      lower_commit_data  <= row1;
      lower_commit_pc    <= lower_wr_pc_i;
      lower_commit_addr  <= {14'b0, lower_wr_addr_i, 2'b0};
      lower_commit_count <= lower_wr_count_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      commit_valid       <= 1'b0;
      lower_commit_valid <= 1'b0;
    end else begin
      commit_valid       <= wr_valid_i;
      lower_commit_valid <= lower_wr_valid_i;
    end
  end

  // The tracer binds to these.
  logic unused_commit;
  assign unused_commit = ^{commit_valid, commit_pc, commit_addr, commit_count, commit_data[0],
                           lower_commit_valid, lower_commit_pc, lower_commit_addr,
                           lower_commit_count, lower_commit_data[0]};

  // --------------------------------------------------------------------------------- assertions
  // Writes stay inside.
  `ASSERT_NOW(WriteInside_A, wr_valid_i -> 32'(wr_addr_i) < Words && 32'(wr_count_i) <= Lanes)
  `ASSERT_NOW(LowerWriteInside_A,
          lower_wr_valid_i -> 32'(lower_wr_addr_i) < Words && 32'(lower_wr_count_i) <= Lanes)
  // One write per bank and cycle.
  `ASSERT_NOW(OneWritePerBank_A, wr_valid_i && lower_wr_valid_i
          -> 32'(wr_addr_i) / size_pkg::PsumCols != 32'(lower_wr_addr_i) / size_pkg::PsumCols)
  // Reads stay inside.
  `ASSERT_NOW(ReadInside_A, rd_valid -> 32'(rd_addr) < Words)
  // One reader at a time, and never nobody when somebody asks.
  `ASSERT_NOW(OneReader_A, rd_valid -> v_rd_ready_o != a_rd_ready_o)

endmodule
