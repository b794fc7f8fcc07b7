// SPDX-License-Identifier: Apache-2.0
// Mean and variance of a whole out of triples {count c, mean m, sum s} of its parts.

//   c    n = n + c
//   m    d = m - K, K the first mean;  a = a + c d;  b = b + (c d) d
//   s    q = q + s
//   behind the last one, r = 1 / n:  K + a r,  (q + maximum(b - a (a r), 0)) r: two rows
//
// Every operation is rounded to fp32. r comes from four of Newton's steps, a cycle each, from an
// estimate: within 2 ulp for 1 <= n < 2^24; of n = 0 it is NaN.
module vector_aggregate (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  logic valid_i,
  input  logic last_i,
  input  row_pkg::lane_row_t x_i,
  output logic valid_o,
  output logic last_o,
  output row_pkg::lane_row_t y_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam logic [31:0] Estimate = 32'h7EF3_11C7;  // minus the word of n: 1 / n within 13 %
  localparam logic [31:0] Two = 32'h4000_0000;
  localparam logic [2:0] Steps = 3'd5;  // the estimate, four steps

  // --- control
  logic [1:0] phase_q;  // c, m, s
  logic first_q, ends_q;
  logic [2:0] step_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ends_q  <= 1'b0;
      valid_o <= 1'b0;
    end else begin
      ends_q  <= (valid_i && last_i) || (ends_q && step_q != Steps + 3'd1);
      valid_o <= ends_q && step_q >= Steps;
    end
  end

  // --- lanes
  row_pkg::lane_row_t n_q, k_q, a_q, b_q, q_q, c_q, r_q, y;
  logic [31:0] d, t;
  always_ff @(posedge clk_i) begin
    last_o <= ends_q && step_q == Steps + 3'd1;
    step_q <= ends_q ? step_q + 3'd1 : 3'd0;
    if (ends_q) begin
      for (int unsigned i = 0; i < P; i++) begin
        t = operator_pkg::mul_fp32(a_q[i], r_q[i]);
        if (step_q == 3'd0) begin
          r_q[i] = Estimate - n_q[i];
        end else if (step_q < Steps) begin
          r_q[i] = operator_pkg::mul_fp32(r_q[i], fma_pkg::sub_fp32(Two, operator_pkg::mul_fp32(n_q[i], r_q[i])));
        end else if (step_q == Steps) begin
          y[i]  = fma_pkg::add_fp32(k_q[i], t);
        end else begin
          d      = convert_pkg::max_fp32(fma_pkg::sub_fp32(b_q[i], operator_pkg::mul_fp32(a_q[i], t)), 32'd0);
          y[i]  = operator_pkg::mul_fp32(fma_pkg::add_fp32(q_q[i], d), r_q[i]);
        end
      end
      y_o <= y;
    end
    if (valid_i) begin
      phase_q <= phase_q == 2'd2 ? 2'd0 : phase_q + 2'd1;
      if (phase_q == 2'd2) first_q <= 1'b0;
      for (int unsigned i = 0; i < P; i++) begin
        if (phase_q == 2'd0) begin
          c_q[i] = x_i[i];
          n_q[i] = fma_pkg::add_fp32(n_q[i], x_i[i]);
        end else if (phase_q == 2'd1) begin
          if (first_q) k_q[i] = x_i[i];
          d      = fma_pkg::sub_fp32(x_i[i], k_q[i]);
          t      = operator_pkg::mul_fp32(c_q[i], d);
          a_q[i] = fma_pkg::add_fp32(a_q[i], t);
          b_q[i] = fma_pkg::add_fp32(b_q[i], operator_pkg::mul_fp32(t, d));
        end else begin
          q_q[i] = fma_pkg::add_fp32(q_q[i], x_i[i]);
        end
      end
    end
    if (start_i) begin
      phase_q <= 2'd0;
      first_q <= 1'b1;
      for (int unsigned i = 0; i < P; i++) begin
        n_q[i] = '0;
        a_q[i] = '0;
        b_q[i] = '0;
        q_q[i] = '0;
      end
    end
  end

endmodule
