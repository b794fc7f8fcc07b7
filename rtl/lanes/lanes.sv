// SPDX-License-Identifier: Apache-2.0
// The P fp32 lanes of the vector and the activation engine: pick an element, operate, cast.
`include "assert.svh"

//             land_i               pair_*                  value_*
//   SBUF, PSUM --> x or y --> value = f(x, y) --> wr_data_o = cast(value)
//   word           (cycle t)        (t + 1)               (t + 2)
//
// Lane i takes partition land_i.source.partition + i (modulo P; lanes beyond the instruction's partitions
// carry rubbish that is never written). Operations, by flags that hold while pair_valid_i:
//
//   pass     value = x
//   max      value = max(a, b)        reduce: a = value, b = x; else a = x, b = y
//   neither  value = a + b, or a - b with negate
//   relu     then value = value > 0 ? value : +0
//   table    value_o goes to another module, and what it makes of it comes back as table_i, later
//
// All stages are one process, last stage first, so that each reads the register of the one before
// as it was. An engine ties the flags that it does not use; their logic then vanishes.
module lanes (
  input  logic clk_i,
  input  logic rst_ni,

  input  row_pkg::landing_t land_i,
  input  row_pkg::sbuf_row_t rd_data_i,
  input  row_pkg::lane_row_t ps_rd_data_i,

  input  logic pair_valid_i,
  input  logic pair_pass_i,
  input  logic pair_reduce_i,
  input  logic pair_max_i,
  input  logic pair_negate_i,
  input  logic pair_relu_i,
  input  logic pair_table_i,
  output row_pkg::lane_row_t value_o,

  input  logic value_valid_i,
  input  logic value_table_i,   // of table_i
  input  row_pkg::lane_row_t table_i,
  input  logic value_narrow_i,  // cast to bf16
  output row_pkg::lane_row_t wr_data_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam int unsigned PartitionBits = $clog2(P);

  row_pkg::lane_row_t x_q, y_q, value_q;
  row_pkg::lane_row_t ready, cast, word;
  logic [31:0] fold, flip;
  logic [PartitionBits-1:0] from, start;

  assign fold  = {32{pair_reduce_i}};
  assign flip  = {pair_negate_i, 31'b0};
  assign start = land_i.source.partition[PartitionBits-1:0];

  always_ff @(posedge clk_i) begin
    // Cast. Every NaN that is written is the canonical one, also in fp32.
    if (value_valid_i) begin
      if (value_table_i) ready = table_i;
      else ready = value_q;
      if (value_narrow_i) begin
        for (int unsigned i = 0; i < P; i++) begin
          cast[i] = {16'b0, convert_pkg::fp32_to_bf16(ready[i])};
        end
      end else begin
        for (int unsigned i = 0; i < P; i++) cast[i] = convert_pkg::canonical(ready[i]);
      end
      wr_data_o <= cast;
    end

    // Operate.
    if (pair_valid_i) begin
      if (pair_pass_i) begin
        for (int unsigned i = 0; i < P; i++) value_q[i] = x_q[i];
      end else if (pair_max_i) begin
        for (int unsigned i = 0; i < P; i++) begin
          value_q[i] = convert_pkg::max_fp32(bits_pkg::sel(fold, value_q[i], x_q[i]),
                                             bits_pkg::sel(fold, x_q[i], y_q[i]));
        end
      end else begin
        for (int unsigned i = 0; i < P; i++) begin
          value_q[i] = fma_pkg::add_fp32(bits_pkg::sel(fold, value_q[i], x_q[i]),
                                         bits_pkg::sel(fold, x_q[i], y_q[i]) ^ flip);
        end
      end
      if (pair_relu_i) begin
        for (int unsigned i = 0; i < P; i++) value_q[i] = convert_pkg::relu_fp32(value_q[i]);
      end
      if (pair_table_i) value_o <= value_q;
    end

    // Pick the partition, then the element of its word.
    if (land_i.valid) begin
      if (land_i.source.psum) begin
        for (int unsigned i = 0; i < P; i++) begin
          from    = PartitionBits'(i) + start;
          word[i] = ps_rd_data_i[from];
        end
      end else if (land_i.source.narrow) begin
        for (int unsigned i = 0; i < P; i++) begin
          from    = PartitionBits'(i) + start;
          word[i] = convert_pkg::bf16_to_fp32(16'(rd_data_i[from] >> {land_i.halfword, 4'b0}));
        end
      end else begin
        for (int unsigned i = 0; i < P; i++) begin
          from    = PartitionBits'(i) + start;
          word[i] = 32'(rd_data_i[from] >> {land_i.halfword[1], 5'b0});
        end
      end
      if (land_i.source.integers) begin
        for (int unsigned i = 0; i < P; i++) word[i] = convert_pkg::int32_to_fp32(word[i]);
      end
      if (land_i.second) begin
        for (int unsigned i = 0; i < P; i++) y_q[i] = word[i];
      end else begin
        for (int unsigned i = 0; i < P; i++) x_q[i] = word[i];
      end
    end
  end

  // The operand has been checked.
  `ASSERT_NOW(PartitionIsInside_A, land_i.valid -> {24'b0, land_i.source.partition} < P)

endmodule
