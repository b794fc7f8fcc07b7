// SPDX-License-Identifier: Apache-2.0
// Statistics of a stream of elements, those of even and those of odd number apart.

//   valid_i, x_i      d = x - mean;  mean = mean + d * (1 / k)      k-th element of its kind
//   a cycle later     sum = sum + d * (x - mean)                    squares of the distances (Welford)
//   behind the last   count, mean, sum of the even ones; of the odd ones: six rows
//
// Every operation is rounded to fp32, 1 / k too. Elements alternate, so a kind has two cycles.
module vector_stats (
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
  localparam int unsigned Most = 256;  // of a kind
  localparam int unsigned CountBits = $clog2(Most) + 1;

  // 1 / k for 1 <= k <= Most, nearest: 2^(23 + e) / k has 24 bits where 2^e is the power of two from k on.
  function automatic logic [Most*32-1:0] reciprocals();
    logic [31:0] e;
    logic [63:0] quotient;
    e = '0;
    for (int unsigned k = 1; k <= Most; k++) begin
      if ((32'd1 << e) < k) e = e + 1;
      quotient = (64'd1 << (32'd24 + e)) / 64'(k);
      reciprocals[32*(k-1) +: 32] = ((32'd126 - e) << 23) + 32'((quotient + 64'd1) >> 1);
    end
  endfunction
  localparam logic [Most*32-1:0] Reciprocals = reciprocals();

  // --- control
  logic odd_q, sum_odd_q, sum_valid_q, sum_last_q, out_q;
  logic [CountBits-1:0] count_q [2];
  logic [2:0] at_q;  // row that leaves
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_valid_q <= 1'b0;
      out_q       <= 1'b0;
      valid_o     <= 1'b0;
    end else begin
      sum_valid_q <= valid_i;
      out_q       <= (sum_valid_q && sum_last_q) || (out_q && at_q != 3'd5);
      valid_o     <= out_q;
    end
  end

  // --- lanes
  logic [31:0] mean_q [2][P];
  logic [31:0] sum_q [2][P];
  row_pkg::lane_row_t x_q, d_q, y;
  logic [31:0] inverse, distance;
  always_ff @(posedge clk_i) begin
    last_o <= out_q && at_q == 3'd5;
    at_q   <= out_q ? at_q + 3'd1 : 3'd0;
    if (out_q) begin
      for (int unsigned i = 0; i < P; i++) begin
        y[i]  = at_q == 3'd0 || at_q == 3'd3 ? convert_pkg::natural_to_fp32(32'(count_q[at_q == 3'd3]))
                : at_q == 3'd1 || at_q == 3'd4 ? mean_q[at_q == 3'd4][i] : sum_q[at_q == 3'd5][i];
      end
      y_o <= y;
    end
    if (sum_valid_q) begin
      for (int unsigned i = 0; i < P; i++) begin
        distance = fma_pkg::sub_fp32(x_q[i], mean_q[sum_odd_q][i]);
        sum_q[sum_odd_q][i] = fma_pkg::add_fp32(sum_q[sum_odd_q][i], operator_pkg::mul_fp32(d_q[i], distance));
      end
    end
    sum_last_q <= last_i;
    sum_odd_q  <= odd_q;
    if (valid_i) begin
      odd_q          <= !odd_q;
      inverse        = Reciprocals[32*count_q[odd_q][CountBits-2:0] +: 32];
      count_q[odd_q] = count_q[odd_q] + 1;
      for (int unsigned i = 0; i < P; i++) begin
        x_q[i] = x_i[i];
        d_q[i] = fma_pkg::sub_fp32(x_i[i], mean_q[odd_q][i]);
        mean_q[odd_q][i] = fma_pkg::add_fp32(mean_q[odd_q][i], operator_pkg::mul_fp32(d_q[i], inverse));
      end
    end
    if (start_i) begin
      odd_q <= 1'b0;
      for (int unsigned e = 0; e < 2; e++) begin
        count_q[e] = '0;
        for (int unsigned i = 0; i < P; i++) begin
          mean_q[e][i] = '0;
          sum_q[e][i]  = '0;
        end
      end
    end
  end

endmodule
