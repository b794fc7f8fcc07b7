// SPDX-License-Identifier: Apache-2.0
// a * b + c of any fp32 numbers, rounded once; straight-line like fma_pkg, in words of 64 bits.
//
//   product   48 bits, bit 47 for the exponent sum; never normalised first
//   c         24 bits, beside the upper half of the product
//   14 bits below them hold guard and sticky
//
// The one with the larger exponent stays, the other is shifted right. If both are normal, cancellation takes many
// leading bits only when nothing was shifted out. A subnormal factor has at most 23 leading zeros: the product then
// still reaches 24 places below c's last, and what c loses lies 14 below the product's.
package wide_fma_pkg;

  // Added to both exponents while they may be negative.
  localparam logic [31:0] Bias = 32'd2048;

  function automatic logic [63:0] mask64(input logic bit_i);
    mask64 = {64{bit_i}};
  endfunction

  function automatic logic [63:0] sel64(input logic [63:0] which, input logic [63:0] yes,
                                        input logic [63:0] no);
    sel64 = (which & yes) | (~which & no);
  endfunction

  // (a * b) * 2^scale_i + c of finite numbers; the bits of anything else are rubbish.
  function automatic logic [31:0] fma_scaled(
      input logic [31:0] a_i, input logic [31:0] b_i, input logic [31:0] c_i,
      input logic [31:0] scale_i);
    logic [31:0] a_exponent, b_exponent, c_exponent, a_tiny, b_tiny, c_tiny, product_sign;
    logic [31:0] product_exponent, exponent, distance, sign;
    logic [63:0] a_part, b_part, product, addend, swap, differ, high, low, shifted, sum, negative;
    logic [63:0] total, limit, probe, step, count, kept, nonzero, result;

    a_exponent   = (a_i >> 23) & 32'hFF;
    b_exponent   = (b_i >> 23) & 32'hFF;
    c_exponent   = (c_i >> 23) & 32'hFF;
    a_tiny       = bits_pkg::one(a_exponent == 32'd0);
    b_tiny       = bits_pkg::one(b_exponent == 32'd0);
    c_tiny       = bits_pkg::one(c_exponent == 32'd0);
    a_part       = {32'b0, (a_i & 32'h007F_FFFF) | ((a_tiny ^ 32'd1) << 23)};
    b_part       = {32'b0, (b_i & 32'h007F_FFFF) | ((b_tiny ^ 32'd1) << 23)};
    addend       = {32'b0, (c_i & 32'h007F_FFFF) | ((c_tiny ^ 32'd1) << 23)} << 24;
    product      = a_part * b_part;
    product_sign = a_i ^ b_i;
    // A product of zero must not push c away.
    product_exponent = (a_exponent + a_tiny + b_exponent + b_tiny + scale_i + (Bias - 32'd126))
                       & bits_pkg::mask(product != 64'd0);
    c_exponent   = c_exponent + c_tiny + Bias;
    differ       = mask64(1'((product_sign ^ c_i) >> 31));

    // Align.
    swap     = mask64(product_exponent < c_exponent);
    high     = sel64(swap, addend, product) << 14;
    low      = sel64(swap, product, addend) << 14;
    exponent = bits_pkg::sel(swap[31:0], c_exponent, product_exponent) - Bias;
    distance = product_exponent - c_exponent;
    distance = (distance ^ swap[31:0]) - swap[31:0];
    distance = (distance | bits_pkg::mask(distance > 32'd63)) & 32'd63;
    shifted  = low >> distance[5:0];
    shifted  = shifted | {63'b0, (shifted << distance[5:0]) != low};

    // Add.
    sum      = high + ((shifted ^ differ) - differ);
    negative = mask64(sum[63]);
    total    = ((sum ^ negative) - negative) << 1;
    nonzero  = mask64(total != 64'd0);

    // Normalise to bit 63, but not below the least exponent: `limit` stops the count there.
    distance = (exponent | bits_pkg::mask(exponent > 32'd63)) & 32'd63;
    limit    = 64'h8000_0000_0000_0000 >> distance[5:0];
    probe    = total | limit;
    step     = {63'b0, probe < 64'h0000_0001_0000_0000} << 5;
    count    = step;
    probe    = probe << step[5:0];
    step     = {63'b0, probe < 64'h0001_0000_0000_0000} << 4;
    count    = count | step;
    probe    = probe << step[5:0];
    step     = {63'b0, probe < 64'h0100_0000_0000_0000} << 3;
    count    = count | step;
    probe    = probe << step[5:0];
    step     = {63'b0, probe < 64'h1000_0000_0000_0000} << 2;
    count    = count | step;
    probe    = probe << step[5:0];
    step     = {63'b0, probe < 64'h4000_0000_0000_0000} << 1;
    count    = count | step;
    probe    = probe << step[5:0];
    step     = {63'b0, probe < 64'h8000_0000_0000_0000};
    count    = count | step;
    total    = total << count[5:0];
    exponent = exponent - count[31:0];

    // Round to nearest even. The hidden bit and a carry both step the exponent field by themselves.
    kept     = total >> 40;
    kept     = kept + (((total & 64'hFF_FFFF_FFFF) + 64'h7F_FFFF_FFFF + (kept & 64'd1)) >> 40);
    exponent = bits_pkg::sel(bits_pkg::mask(exponent < 32'd254), exponent, 32'd254);
    result   = {32'b0, exponent << 23} + kept;
    result   = sel64(mask64(result < {32'b0, bits_pkg::Infinity}), result,
                     {32'b0, bits_pkg::Infinity}) & nonzero;
    // An exact zero is -0 only if both sides are negative.
    sign       = bits_pkg::sel(swap[31:0], c_i, product_sign) ^ negative[31:0];
    fma_scaled = result[31:0] | (sign & 32'h8000_0000 & (nonzero[31:0] | ~differ[31:0]));
  endfunction

  function automatic logic [31:0] fma_finite(
      input logic [31:0] a_i, input logic [31:0] b_i, input logic [31:0] c_i);
    fma_finite = fma_scaled(a_i, b_i, c_i, 32'd0);
  endfunction

  // a * b + c of any words. NaN is canonical.
  function automatic logic [31:0] fma_fp32(
      input logic [31:0] a_i, input logic [31:0] b_i, input logic [31:0] c_i);
    logic [31:0] a_size, b_size, c_size, infinite, nan, sign, differ, result;
    a_size   = a_i & 32'h7FFF_FFFF;
    b_size   = b_i & 32'h7FFF_FFFF;
    c_size   = c_i & 32'h7FFF_FFFF;
    sign     = (a_i ^ b_i) & 32'h8000_0000;
    differ   = bits_pkg::mask(1'((sign ^ c_i) >> 31));
    infinite = bits_pkg::mask(a_size >= bits_pkg::Infinity) | bits_pkg::mask(b_size >= bits_pkg::Infinity);
    nan      = bits_pkg::mask(a_size > bits_pkg::Infinity) | bits_pkg::mask(b_size > bits_pkg::Infinity)
               | bits_pkg::mask(c_size > bits_pkg::Infinity)
               | (infinite & (bits_pkg::mask(a_size == 32'd0) | bits_pkg::mask(b_size == 32'd0)
                              | (differ & bits_pkg::mask(c_size == bits_pkg::Infinity))));
    result   = fma_finite(a_i, b_i, c_i);
    result   = bits_pkg::sel(bits_pkg::mask(c_size == bits_pkg::Infinity), c_i, result);
    result   = bits_pkg::sel(infinite, sign | bits_pkg::Infinity, result);
    fma_fp32 = bits_pkg::sel(nan, bits_pkg::CanonicalNan, result);
  endfunction

endpackage
