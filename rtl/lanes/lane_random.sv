// SPDX-License-Identifier: Apache-2.0
// A random generator per lane (fp/random_pkg.sv): what stochastic rounding draws from.
`include "assert.svh"

//   number_o   the next number of every lane
//   draw_i     it is used: all lanes step, also those that the instruction does not use
//   seed_i     with seed_valid_i: all generators begin again. Reset leaves those of seed 0
module lane_random (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic seed_valid_i,
  input  logic [31:0] seed_i,
  input  logic draw_i,
  output row_pkg::lane_row_t number_o
);

  localparam int unsigned P = size_pkg::Partitions;
  row_pkg::lane_row_t x_q, y_q, z_q, w_q, v_q, d_q, number;
  logic [31:0] seed, last;
  logic fresh_q;  // reset was the last that happened

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) fresh_q <= 1'b1;
    else fresh_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (seed_valid_i || fresh_q) begin
      seed = seed_i & {32{seed_valid_i}};
      for (int unsigned i = 0; i < P; i++) begin
        x_q[i] = random_pkg::seed_word(seed, i * random_pkg::Words);
        y_q[i] = random_pkg::seed_word(seed, i * random_pkg::Words + 1);
        z_q[i] = random_pkg::seed_word(seed, i * random_pkg::Words + 2);
        w_q[i] = random_pkg::seed_word(seed, i * random_pkg::Words + 3);
        v_q[i] = random_pkg::seed_word(seed, i * random_pkg::Words + 4);
        d_q[i] = random_pkg::seed_word(seed, i * random_pkg::Words + 5);
      end
    end
    if (seed_valid_i || fresh_q || draw_i) begin
      for (int unsigned i = 0; i < P; i++) begin
        last   = v_q[i];
        v_q[i] = random_pkg::xorwow(x_q[i], last);
        x_q[i] = y_q[i];
        y_q[i] = z_q[i];
        z_q[i] = w_q[i];
        w_q[i] = last;
        d_q[i] = d_q[i] + random_pkg::Weyl;
        number[i] = v_q[i] + d_q[i];
      end
      number_o <= number;
    end
  end
  // A seed is an instruction of its own: while it takes effect, no other one draws.
  `ASSERT_NOW(SeedMeetsNoDraw_A, !(seed_valid_i && draw_i) && !(fresh_q && draw_i))

endmodule
