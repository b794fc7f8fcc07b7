// SPDX-License-Identifier: Apache-2.0
// Conversions and comparisons of fp32 words, straight-line like fma_pkg (masks: see bits_pkg).
package convert_pkg;

  // Exact: bf16 is the upper half of fp32. NaN becomes canonical.
  function automatic logic [31:0] bf16_to_fp32(input logic [15:0] bits_i);
    logic [31:0] word;
    word         = {bits_i, 16'b0};
    bf16_to_fp32 = canonical(word);
  endfunction

  // Nearest-even; overflow goes to infinity; NaN becomes 0x7FC0.
  function automatic logic [15:0] fp32_to_bf16(input logic [31:0] word_i);
    logic [31:0] rounded;
    rounded      = (word_i + 32'h7FFF + ((word_i >> 16) & 32'd1)) >> 16;
    rounded      = bits_pkg::sel(is_nan(word_i), 32'h7FC0, rounded);
    fp32_to_bf16 = rounded[15:0];
  endfunction

  // Of two's complement. Nearest-even: exact up to 2^24.
  function automatic logic [31:0] int32_to_fp32(input logic [31:0] word_i);
    logic [31:0] sign;
    sign          = bits_pkg::mask(1'(word_i >> 31));
    int32_to_fp32 = natural_to_fp32((word_i ^ sign) - sign) | (sign & 32'h8000_0000);
  endfunction

  // Of a number without sign.
  function automatic logic [31:0] natural_to_fp32(input logic [31:0] magnitude_i);
    logic [31:0] total, step, count, kept;
    total     = magnitude_i;
    step      = bits_pkg::one(total < 32'h0001_0000) << 4;
    count     = step;
    total     = total << step[4:0];
    step      = bits_pkg::one(total < 32'h0100_0000) << 3;
    count     = count | step;
    total     = total << step[4:0];
    step      = bits_pkg::one(total < 32'h1000_0000) << 2;
    count     = count | step;
    total     = total << step[4:0];
    step      = bits_pkg::one(total < 32'h4000_0000) << 1;
    count     = count | step;
    total     = total << step[4:0];
    step      = bits_pkg::one(total < 32'h8000_0000);
    count     = count | step;
    total     = total << step[4:0];
    // The hidden bit and a carry both step the exponent field by themselves.
    kept            = total >> 8;
    kept            = kept + (((total & 32'hFF) + 32'h7F + (kept & 32'd1)) >> 8);
    natural_to_fp32 = (((32'd157 - count) << 23) + kept) & bits_pkg::mask(magnitude_i != 32'd0);
  endfunction

  // Mask: the word is a NaN.
  function automatic logic [31:0] is_nan(input logic [31:0] word_i);
    is_nan = bits_pkg::mask((word_i & 32'h7FFF_FFFF) > bits_pkg::Infinity);
  endfunction

  // The word itself, or the one NaN we write.
  function automatic logic [31:0] canonical(input logic [31:0] word_i);
    canonical = bits_pkg::sel(is_nan(word_i), bits_pkg::CanonicalNan, word_i);
  endfunction

  // Orders all numbers as unsigned words, -0 just below +0.
  function automatic logic [31:0] key(input logic [31:0] word_i);
    key = word_i ^ (bits_pkg::mask(1'(word_i >> 31)) | 32'h8000_0000);
  endfunction

  // IEEE 754-2019 maximum: a NaN on either side wins, +0 > -0.
  function automatic logic [31:0] max_fp32(input logic [31:0] a_i, input logic [31:0] b_i);
    logic [31:0] larger;
    larger   = bits_pkg::sel(bits_pkg::mask(key(a_i) > key(b_i)), a_i, b_i);
    max_fp32 = bits_pkg::sel(is_nan(a_i) | is_nan(b_i), bits_pkg::CanonicalNan, larger);
  endfunction

  // IEEE 754-2019 minimum, likewise.
  function automatic logic [31:0] min_fp32(input logic [31:0] a_i, input logic [31:0] b_i);
    logic [31:0] smaller;
    smaller  = bits_pkg::sel(bits_pkg::mask(key(a_i) < key(b_i)), a_i, b_i);
    min_fp32 = bits_pkg::sel(is_nan(a_i) | is_nan(b_i), bits_pkg::CanonicalNan, smaller);
  endfunction

  // x > 0 ? x : +0; NaN stays (the canonical) NaN.
  function automatic logic [31:0] relu_fp32(input logic [31:0] word_i);
    relu_fp32 = bits_pkg::sel(is_nan(word_i), bits_pkg::CanonicalNan,
                             word_i & ~bits_pkg::mask(1'(word_i >> 31)));
  endfunction

endpackage
