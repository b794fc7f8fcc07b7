// SPDX-License-Identifier: Apache-2.0
// Every format of an operand to fp32 and back, straight-line like fma_pkg (masks: see bits_pkg).
//
//   to fp32     exact but for Tf32 (the lower 13 bits rounded away) and integers beyond 2^24: to
//               nearest even. NaN becomes canonical
//   from fp32   to nearest even. Floats: overflow goes to infinity, NaN is positive and quiet.
//               Integers: what is beyond the least or the greatest becomes that one, NaN 0
package format_pkg;

  // Of an element's bytes, binary logarithm. Unknown formats count as one byte: they are rejected anyway.
  function automatic logic [1:0] element_shift(input logic [3:0] dtype_i);
    element_shift = {defs_pkg::DtypeBytes4[dtype_i], defs_pkg::DtypeBytes2[dtype_i]};
  endfunction

  // What a format is; constant over an instruction.
  //
  //   22..15              14..10              9..5             4..2               1       0
  //   127 - exponent      32 - bits of an     fraction bits    8 - exponent bits  signed  integer
  //   bias                element
  //
  // (A plain vector: Yosys does not take structs as arguments.)
  function automatic logic [22:0] format_of(input logic [3:0] dtype_i);
    case (dtype_i)
      defs_pkg::DtypeTf32:    format_of = {8'd0, 5'd0, 5'd10, 3'd0, 2'b10};
      defs_pkg::DtypeBf16:    format_of = {8'd0, 5'd16, 5'd7, 3'd0, 2'b10};
      defs_pkg::DtypeFp16:    format_of = {8'd112, 5'd16, 5'd10, 3'd3, 2'b10};
      defs_pkg::DtypeFp8E5M2: format_of = {8'd112, 5'd24, 5'd2, 3'd3, 2'b10};
      defs_pkg::DtypeFp8E4M3: format_of = {8'd120, 5'd24, 5'd3, 3'd4, 2'b10};
      defs_pkg::DtypeFp8E3M4: format_of = {8'd124, 5'd24, 5'd4, 3'd5, 2'b10};
      defs_pkg::DtypeInt32:   format_of = {8'd0, 5'd0, 5'd0, 3'd0, 2'b11};
      defs_pkg::DtypeUint32:  format_of = {8'd0, 5'd0, 5'd0, 3'd0, 2'b01};
      defs_pkg::DtypeInt16:   format_of = {8'd0, 5'd16, 5'd0, 3'd0, 2'b11};
      defs_pkg::DtypeUint16:  format_of = {8'd0, 5'd16, 5'd0, 3'd0, 2'b01};
      defs_pkg::DtypeInt8:    format_of = {8'd0, 5'd24, 5'd0, 3'd0, 2'b11};
      defs_pkg::DtypeUint8:   format_of = {8'd0, 5'd24, 5'd0, 3'd0, 2'b01};
      default:                format_of = {8'd0, 5'd0, 5'd23, 3'd0, 2'b10};  // fp32
    endcase
  endfunction

  // An element in the upper bits of a word.
  function automatic logic [31:0] to_fp32(input logic [31:0] element_i, input logic [22:0] format_i);
    logic [31:0] sign, round, integer_mask, infinity, aligned, nan, whole, rebias, natural, tiny;
    logic [31:0] value;
    integer_mask = bits_pkg::mask(format_i[0]);
    sign         = bits_pkg::mask(1'(element_i >> 31) & format_i[1]);
    whole        = ((element_i ^ sign) - sign) >> format_i[14:10];
    // A float with its exponent field where fp32 has it.
    rebias       = {24'b0, format_i[22:15]};
    aligned      = (element_i & 32'h7FFF_FFFF) >> format_i[4:2];
    infinity     = (bits_pkg::Infinity >> format_i[4:2]) & 32'h7F80_0000;
    nan          = bits_pkg::mask(aligned > infinity);
    round        = bits_pkg::mask(format_i[14:5] == {5'd0, 5'd10});
    aligned      = (aligned + (round & (32'hFFF + ((aligned >> 13) & 32'd1)))) & ~(round & 32'h1FFF);
    // A subnormal number is a whole number of its least one, 2^(rebias - 149).
    natural      = convert_pkg::natural_to_fp32(bits_pkg::sel(integer_mask, whole, aligned));
    tiny         = (natural - ((32'd149 - rebias) << 23)) & bits_pkg::mask(aligned != 32'd0);
    tiny         = bits_pkg::sel(bits_pkg::mask(rebias != 32'd0), tiny, aligned);
    value        = bits_pkg::sel(bits_pkg::mask(aligned < 32'h0080_0000), tiny, aligned + (rebias << 23));
    value        = bits_pkg::sel(bits_pkg::mask(aligned >= infinity), bits_pkg::Infinity, value);
    value        = bits_pkg::sel(integer_mask, natural, value) | (sign & 32'h8000_0000);
    to_fp32      = bits_pkg::sel(nan & ~integer_mask, bits_pkg::CanonicalNan, value);
  endfunction

  // An element in the lower bits of a word, zeros above.
  function automatic logic [31:0] from_fp32(input logic [31:0] word_i, input logic [22:0] format_i);
    logic [31:0] sign, nan, exponent, tiny, significand, rebias, least, base, integer_mask, right;
    logic [31:0] half, kept, infinity, number, ones, limit, whole;
    logic [4:0] left, pad;
    integer_mask = bits_pkg::mask(format_i[0]);
    sign         = bits_pkg::mask(1'(word_i >> 31));
    nan          = convert_pkg::is_nan(word_i);
    exponent     = (word_i >> 23) & 32'hFF;
    tiny         = bits_pkg::one(exponent == 32'd0);
    significand  = (word_i & 32'h007F_FFFF) | ((tiny ^ 32'd1) << 23);
    exponent     = exponent + tiny;

    // Round: places that go, on the right, of 24.
    rebias       = {24'b0, format_i[22:15]};
    least        = rebias + 32'd1;
    base         = bits_pkg::sel(bits_pkg::mask(exponent < least), least, exponent);
    right        = bits_pkg::sel(integer_mask, (32'd150 - exponent) & bits_pkg::mask(exponent < 32'd150),
                                 32'd23 - {27'b0, format_i[9:5]} + base - exponent);
    right        = (right | bits_pkg::mask(right > 32'd31)) & 32'd31;
    half         = (32'd1 << right[4:0]) >> 1;
    kept         = (significand + half - bits_pkg::one(half != 32'd0)
                    + ((significand >> right[4:0]) & bits_pkg::one(half != 32'd0))) >> right[4:0];

    // The hidden bit and a carry both step the exponent field by themselves.
    infinity     = ((32'd256 >> format_i[4:2]) - 32'd1) << format_i[9:5];
    number        = ((base - least) << format_i[9:5]) + kept;
    number        = bits_pkg::sel(bits_pkg::mask(number > infinity), infinity, number);
    pad          = 5'd23 - format_i[14:10] + {2'b0, format_i[4:2]} - format_i[9:5];
    number        = bits_pkg::sel(nan, infinity | (32'd1 << format_i[9:5] >> 1), number) << pad;
    number        = number | ((sign & ~nan & 32'h8000_0000) >> format_i[14:10]);

    ones         = 32'hFFFF_FFFF >> format_i[14:10];
    limit        = bits_pkg::sel(bits_pkg::mask(format_i[1]), (ones >> 1) - sign, ones & ~sign);
    left         = 5'((exponent - 32'd150) & bits_pkg::mask(exponent > 32'd150));
    whole        = kept << left;
    whole        = bits_pkg::sel(bits_pkg::mask(exponent > 32'd158) | bits_pkg::mask(whole > limit), limit, whole);
    whole        = ((whole ^ sign) - sign) & ones & ~nan;
    from_fp32    = bits_pkg::sel(integer_mask, whole, number);
  endfunction

endpackage
