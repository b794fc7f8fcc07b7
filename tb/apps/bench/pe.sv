// SPDX-License-Identifier: Apache-2.0
// One PE with ordinary arithmetic: the same function as fma_pkg::pe_fma, written with if and ?:.
module pe (
  input  logic clk_i,
  input  logic load_i,
  input  logic [31:0] weight_i,   // operand words of fma_pkg
  input  logic [31:0] moving_i,
  output logic [31:0] moving_o,
  input  logic [31:0] psum_i,
  output logic [31:0] psum_o
);

  logic [31:0] weight_q, result;

  // fp32 fields of psum_i, the product, and both aligned to the larger exponent: 24 bits of
  // significand above 27 that catch what is shifted out, the last of them sticky.
  logic p_sign, x_sign, sign, x_special, x_nan, p_special, p_nan, sticky, round_up;
  logic [23:0] p_significand, x_significand;
  logic signed [12:0] p_exponent, x_exponent, exponent;
  logic [12:0] distance;
  logic [51:0] p_wide, x_wide, total;
  logic [23:0] kept;
  logic [31:0] packed_result;

  always_comb begin
    p_sign        = psum_i[31];
    p_special     = psum_i[30:23] == 8'hFF;
    p_nan         = p_special && psum_i[22:0] != 0;
    p_exponent    = psum_i[30:23] == 0 ? 13'sd1 : $signed({5'b0, psum_i[30:23]});
    p_significand = {psum_i[30:23] != 0, psum_i[22:0]};

    x_sign        = weight_q[31] ^ moving_i[31];
    x_special     = weight_q[21:12] == 10'd1023 || moving_i[21:12] == 10'd1023;
    x_significand = 24'(weight_q[11:0]) * 24'(moving_i[11:0]);
    x_nan         = x_special && x_significand == 0;
    x_exponent    = $signed({3'b0, weight_q[21:12]}) + $signed({3'b0, moving_i[21:12]}) - 13'sd640;

    p_wide   = {1'b0, p_significand, 27'b0};
    x_wide   = {1'b0, x_significand, 27'b0};
    sticky   = 1'b0;
    exponent = p_exponent;
    distance = 13'd0;
    if (x_exponent > p_exponent && x_significand != 0) begin
      exponent = x_exponent;
      distance = x_exponent - p_exponent;
      if (distance > 13'd50) begin
        sticky = p_wide != 0;
        p_wide = '0;
      end else begin
        sticky = (p_wide & ((52'd1 << distance) - 52'd1)) != 0;
        p_wide = p_wide >> distance;
      end
      p_wide[0] = p_wide[0] | sticky;
    end else begin
      distance = p_exponent - x_exponent;
      if (x_significand == 0 || distance > 13'd50) begin
        sticky = x_significand != 0;
        x_wide = '0;
      end else begin
        sticky = (x_wide & ((52'd1 << distance) - 52'd1)) != 0;
        x_wide = x_wide >> distance;
      end
      x_wide[0] = x_wide[0] | sticky;
    end

    if (p_sign == x_sign) begin
      sign  = p_sign;
      total = p_wide + x_wide;
    end else if (p_wide >= x_wide) begin
      sign  = p_wide == x_wide ? 1'b0 : p_sign;
      total = p_wide - x_wide;
    end else begin
      sign  = x_sign;
      total = x_wide - p_wide;
    end

    // Normalise to bit 50, not below exponent 1; then round to nearest even.
    if (total[51]) begin
      total    = {1'b0, total[51:2], total[1] | total[0]};
      exponent = exponent + 13'sd1;
    end
    for (int i = 0; i < 50; i++) begin
      if (!total[50] && exponent > 13'sd1) begin
        total    = total << 1;
        exponent = exponent - 13'sd1;
      end
    end
    kept     = total[50:27];
    round_up = total[26] && (total[25:0] != 0 || kept[0]);
    packed_result = kept[23] ? {sign, exponent[7:0], kept[22:0]} : {sign, 8'd0, kept[22:0]};
    if (exponent > 13'sd254) packed_result = {sign, 8'hFF, 23'b0};
    else if (round_up) packed_result = packed_result + 32'd1;

    if (weight_q[30] || moving_i[30]) result = psum_i;
    else if (moving_i[28]) result = x_sign ? psum_i - {8'b0, x_significand} : psum_i + {8'b0, x_significand};
    else if (p_nan || x_nan || (p_special && x_special && p_sign != x_sign)) result = 32'h7FC0_0000;
    else if (p_special) result = psum_i;
    else if (x_special) result = {x_sign, 8'hFF, 23'b0};
    else result = packed_result;
  end

  logic unused_weight;
  assign unused_weight = ^weight_q[29:22];

  always_ff @(posedge clk_i) begin
    if (load_i) weight_q <= weight_i;
    moving_o <= moving_i;
    psum_o   <= result;
  end

endmodule
