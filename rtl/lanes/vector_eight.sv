// SPDX-License-Identifier: Apache-2.0
// Works with eight numbers of each lane: the greatest of a stream, or where they are in it.
`include "assert.svh"

//   max8      keeps the eight greatest, in order; NaN above all. Behind the last element they leave
//   find8     the first eight elements are the numbers. Each of the others is claimed by the first
//             number that equals it and has none yet. Behind the last one the elements' numbers leave,
//             2^32 of a number without
//   replace8  likewise, but elements leave, a cycle later: `first` instead of those that are claimed
module vector_eight (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  instr_pkg::form_e form_i,  // of the instruction that runs
  input  logic valid_i,
  input  logic last_i,
  input  row_pkg::lane_row_t x_i,
  input  row_pkg::lane_row_t first_i,
  output logic valid_o,
  output logic last_o,
  output row_pkg::lane_row_t y_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam logic [31:0] Least = 32'hFFFF_FFFF;  // below every number that comes: a NaN that is none of ours
  localparam logic [31:0] Nowhere = 32'h4F80_0000;

  // --- control
  logic greatest, replaces, out_q;
  logic numbers_q;        // they come
  logic [2:0] at_q;       // number that comes, or that leaves
  logic [31:0] index_q;   // element that comes
  assign greatest = form_i == instr_pkg::FormMax8;
  assign replaces = form_i == instr_pkg::FormReplace8;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      out_q   <= 1'b0;
      valid_o <= 1'b0;
    end else begin
      out_q   <= (valid_i && last_i && !replaces) || (out_q && at_q != 3'd7);
      valid_o <= out_q || (valid_i && replaces && !numbers_q);
    end
  end

  // --- lanes
  logic [31:0] number_q [8][P];
  logic [31:0] index_of_q [8][P];
  logic [31:0] found_q [8][P];  // masks
  row_pkg::lane_row_t carry, claimed, y;
  logic [31:0] swap, now;
  always_ff @(posedge clk_i) begin
    last_o <= out_q ? at_q == 3'd7 : last_i;
    if (out_q || (valid_i && numbers_q)) at_q <= at_q + 3'd1;
    if (out_q) begin
      for (int unsigned i = 0; i < P; i++) begin
        y[i]  = greatest ? number_q[at_q][i] : bits_pkg::sel(found_q[at_q][i], index_of_q[at_q][i], Nowhere);
      end
      y_o <= y;
    end
    if (valid_i && numbers_q) begin
      if (at_q == 3'd7) numbers_q <= 1'b0;
      for (int unsigned i = 0; i < P; i++) number_q[at_q][i] = x_i[i];
    end else if (valid_i && greatest) begin
      for (int unsigned i = 0; i < P; i++) carry[i] = convert_pkg::canonical(x_i[i]);
      for (int unsigned k = 0; k < 8; k++) begin
        for (int unsigned i = 0; i < P; i++) begin
          now  = number_q[3'(k)][i];
          swap = bits_pkg::mask(convert_pkg::key(carry[i]) > convert_pkg::key(now));
          number_q[3'(k)][i] = bits_pkg::sel(swap, carry[i], now);
          carry[i]           = bits_pkg::sel(swap, now, carry[i]);
        end
      end
    end else if (valid_i) begin
      index_q <= index_q + 1;
      now = convert_pkg::natural_to_fp32(index_q);
      for (int unsigned i = 0; i < P; i++) claimed[i] = '0;
      for (int unsigned k = 0; k < 8; k++) begin
        for (int unsigned i = 0; i < P; i++) begin
          swap = bits_pkg::mask(operator_pkg::compare_fp32(x_i[i], number_q[3'(k)][i], operator_pkg::Eq) != 32'd0)
              & ~found_q[3'(k)][i] & ~claimed[i];
          index_of_q[3'(k)][i] = bits_pkg::sel(swap, now, index_of_q[3'(k)][i]);
          found_q[3'(k)][i]    = found_q[3'(k)][i] | swap;
          claimed[i]           = claimed[i] | swap;
        end
      end
      if (replaces) begin
        for (int unsigned i = 0; i < P; i++) y[i] = bits_pkg::sel(claimed[i], first_i[i], x_i[i]);
        y_o <= y;
      end
    end
    if (start_i) begin
      at_q    <= '0;
      index_q <= '0;
      numbers_q <= form_i != instr_pkg::FormMax8;
      for (int unsigned k = 0; k < 8; k++) begin
        for (int unsigned i = 0; i < P; i++) begin
          number_q[3'(k)][i] = Least;
          found_q[3'(k)][i]  = '0;
        end
      end
    end
  end

  // Eight numbers come before anything is looked for.
  `ASSERT_NOW(NumbersFirst_A, valid_i && last_i -> !numbers_q)

endmodule
