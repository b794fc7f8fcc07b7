// SPDX-License-Identifier: Apache-2.0
// A sum of fp32 for each lane, beside the results of the activation engine: what softmax and norms divide by.

//   start_i    an instruction begins; Reset and ResetReduce make the sums of its lanes +0
//   valid_i    an element: with Reduce and ResetReduce, sum = sum + x in every lane of the instruction, rounded once
//
// x is what the function made, before any cast, so a sum is ((+0 + x0) + x1) + .. in the order of the access pattern,
// over as many instructions as say Reduce. Reset of the chip leaves +0.
module accumulators (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  logic [1:0] command_i,  // reduce_command_e
  input  logic [7:0] count_i,    // lanes of the instruction

  input  logic valid_i,
  input  logic table_valid_i,    // x is table_i, else value_i
  input  row_pkg::lane_row_t value_i,
  input  row_pkg::lane_row_t table_i,
  output row_pkg::lane_row_t sum_o
);

  localparam int unsigned P = size_pkg::Partitions;
  logic fresh_q, reduce_q;  // reset was the last that happened
  logic [31:0] count_q;
  row_pkg::lane_row_t sum_q;
  logic [31:0] keep, from_table, x;
  logic reset, reduce;
  assign reset  = command_i == defs_pkg::ReduceCommandReset || command_i == defs_pkg::ReduceCommandResetReduce;
  assign reduce = command_i == defs_pkg::ReduceCommandReduce || command_i == defs_pkg::ReduceCommandResetReduce;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fresh_q  <= 1'b1;
      reduce_q <= 1'b0;
    end else begin
      fresh_q <= 1'b0;
      if (start_i) reduce_q <= reduce;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) count_q <= {24'b0, count_i};
    if (fresh_q || (start_i && reset)) begin
      keep = {32{!fresh_q}};
      for (int unsigned i = 0; i < P; i++) sum_q[i] = sum_q[i] & keep & ~bits_pkg::mask(i < {24'b0, count_i});
      sum_o <= sum_q;
    end else if (valid_i && reduce_q) begin
      from_table = {32{table_valid_i}};
      for (int unsigned i = 0; i < P; i++) begin
        x        = bits_pkg::sel(from_table, table_i[i], value_i[i]);
        sum_q[i] = bits_pkg::sel(bits_pkg::mask(i < count_q), fma_pkg::add_fp32(sum_q[i], x), sum_q[i]);
      end
      sum_o <= sum_q;
    end
  end

endmodule
