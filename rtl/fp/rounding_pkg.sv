// SPDX-License-Identifier: Apache-2.0
// What a destination asks for before its cast, straight-line like fma_pkg (masks: see bits_pkg). The result goes
// through the cast to nearest even, which finds nothing left to round.
//
//   saturated   what is beyond the greatest number of the format, infinity too, becomes that number; NaN stays
//   at_random   one of the two numbers of the format next to x, the upper one with the probability of how near x
//               is to it, in steps of 2^-31; a number of the format stays. Behind the last one is what would be next
package rounding_pkg;

  // Greatest number of a format, as fp32; of integers, which saturate in their cast, that of fp32.
  function automatic logic [31:0] greatest_of(input logic [3:0] dtype_i);
    case (dtype_i)
      defs_pkg::DtypeTf32:    greatest_of = 32'h7F7F_E000;
      defs_pkg::DtypeBf16:    greatest_of = 32'h7F7F_0000;
      defs_pkg::DtypeFp16:    greatest_of = 32'h477F_E000;
      defs_pkg::DtypeFp8E5M2: greatest_of = 32'h4760_0000;
      defs_pkg::DtypeFp8E4M3: greatest_of = 32'h4370_0000;
      defs_pkg::DtypeFp8E3M4: greatest_of = 32'h4178_0000;
      default:                greatest_of = 32'h7F7F_FFFF;
    endcase
  endfunction

  function automatic logic [31:0] saturated(input logic [31:0] word_i, input logic [31:0] greatest_i);
    logic [31:0] size;
    size      = word_i & 32'h7FFF_FFFF;
    saturated = bits_pkg::sel(bits_pkg::mask(size > greatest_i) & ~convert_pkg::is_nan(word_i),
                              (word_i & 32'h8000_0000) | greatest_i, word_i);
  endfunction

  // format_i: of format_pkg::format_of.
  function automatic logic [31:0] at_random(input logic [31:0] word_i, input logic [22:0] format_i,
                                            input logic [31:0] random_i);
    logic [31:0] exponent, significand, last, base, right, ones, excess, kept, whole, size;
    size        = word_i & 32'h7FFF_FFFF;
    exponent    = size >> 23;
    significand = (size & 32'h007F_FFFF) | (bits_pkg::one(exponent != 32'd0) << 23);
    exponent    = exponent + bits_pkg::one(exponent == 32'd0);

    // Exponent of the format's last place at x, and how many places of x's 24 are right of it.
    base  = {24'b0, format_i[22:15]} + 32'd1;
    base  = bits_pkg::sel(bits_pkg::mask(exponent < base), base, exponent);
    last  = bits_pkg::sel(bits_pkg::mask(format_i[0]), 32'd150, base + 32'd23 - {27'b0, format_i[9:5]});
    right = (last - exponent) & bits_pkg::mask(exponent < last) & bits_pkg::mask(exponent != 32'd255);

    // Up to 23 of them are low bits of the word, and a carry steps the exponent by itself.
    ones  = (32'd1 << right[4:0]) - 32'd1;
    kept  = (size + (random_i & ones)) & ~ones;
    // If all are, x is less than the last place, and what is left is that or nothing.
    excess = (right - 32'd31) & bits_pkg::mask(right > 32'd31);
    excess = (excess | bits_pkg::mask(excess > 32'd31)) & 32'd31;
    ones   = 32'h7FFF_FFFF >> ((32'd31 - right) & bits_pkg::mask(right < 32'd31));
    whole  = ((significand >> excess[4:0]) + (random_i & ones)) & ~ones;
    whole  = ((last - 32'd23) << 23) & bits_pkg::mask(whole != 32'd0);

    at_random = (word_i & 32'h8000_0000) | bits_pkg::sel(bits_pkg::mask(right > 32'd23), whole, kept);
  endfunction

endpackage
