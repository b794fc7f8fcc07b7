// SPDX-License-Identifier: Apache-2.0
// The arithmetic of one PE and of one fp32 adder: straight-line functions over 32-bit words.
//
// No `if` and no `?:`: a loop over such a function becomes vector code in a Verilated model, and in
// hardware it is the same multiplexers. Masks: see bits_pkg.
//
// Operand word of the array. Formats are decoded once, at the edge; a PE never sees them.
//
//   31    30     29     28       27     26    25..22  21..12             11..0
//   sign  empty  plane  integer  fresh  pick  zero    exponent + 384     significand, bit 11 set
//
//   zero      exponent 0,    significand 0         every finite product has exponent sum <= 1022,
//   infinity  exponent 1023, significand 0x800     so a sum >= 1023 says "infinity or NaN", and
//   NaN       exponent 1023, significand 0         NaN (0 x infinity too) is that with product 0
//   int8      exponent 0,    magnitude 0 .. 128    integer set
//
// `empty` on either side: the sum passes untouched (a weight outside the tile; a low half of fp32
// that is zero). `plane` travels with a moving operand and names the weight plane that it meets,
// `integer` says that the sum is an int32, `fresh` that the sums of the lower half of the rows start
// from +0: the rows above belong to another tile. `pick`: the bits of the weight, whatever they are,
// go into those that come from above. Who picks is empty, and makes no product of them.
//
// Why an fma is only an addition here: two 12-bit significands give an exact product of 24 bits,
// as wide as an fp32 significand. So psum + product is the sum of two 24-bit significands. Six
// bits below them hold guard and sticky. The product is not normalised first: it has at most one
// leading zero, so when the two exponents differ by two or more, cancellation leaves the leading
// one at bit 27 or above and bits 3..0 below the last place; with less difference nothing is lost.
package fma_pkg;

  localparam logic [31:0] EmptyWeight = 32'h4000_0000;
  localparam int unsigned PlaneBit = 29;
  // An exponent sum minus this is the fp32 exponent field of product bit 23.
  localparam logic [31:0] ProductBias = 32'd640;

  localparam int unsigned EmptyBit = 30;
  localparam int unsigned IntegerBit = 28;
  localparam int unsigned FreshBit = 27;
  localparam int unsigned PickBit = 26;

  // How to decode an element: constant over a tile, so a simulation works it out once per column.
  //
  //   17    16        15               14                 13..9                            8..0
  //   bits  integer8  round (tf32:     low (fp32: lower   fraction bits below the          rebias:
  //                   drop 13 bits)    12 bits, else the  exponent of an element in the    384 - exponent
  //                                    upper 12)          upper bits of a word             bias
  //
  // `bits`: a weight is not decoded but moved, from the upper bits of its word down by 13..9; a moving
  // operand is decoded, and picks such weights if it is not 0.
  // (A plain vector: Yosys does not take structs as arguments.)
  typedef logic [17:0] format_t;
  localparam int unsigned BitsBit = 17;

  // What decode() asks for: all but `bits`. `low_i` only matters for fp32.
  function automatic logic [16:0] format_of(input logic [3:0] dtype_i, input logic low_i);
    case (dtype_i)
      defs_pkg::DtypeFp32:    format_of = {1'b0, 1'b0, low_i, 5'd23, 9'd257};
      defs_pkg::DtypeTf32:    format_of = {1'b0, 1'b1, 1'b0, 5'd23, 9'd257};
      defs_pkg::DtypeFp16:    format_of = {1'b0, 1'b0, 1'b0, 5'd26, 9'd369};
      defs_pkg::DtypeFp8E5M2: format_of = {1'b0, 1'b0, 1'b0, 5'd26, 9'd369};
      defs_pkg::DtypeFp8E4M3: format_of = {1'b0, 1'b0, 1'b0, 5'd27, 9'd377};
      defs_pkg::DtypeFp8E3M4: format_of = {1'b0, 1'b0, 1'b0, 5'd28, 9'd381};
      defs_pkg::DtypeInt8:    format_of = {1'b1, 1'b0, 1'b0, 5'd23, 9'd257};
      default:                format_of = {1'b0, 1'b0, 1'b0, 5'd23, 9'd257};  // bf16
    endcase
  endfunction

  // Of a weight that is bits: of 32 or, in the lower half of the word, of 16.
  function automatic logic [17:0] bits_of(input logic half_i);
    bits_of = {1'b1, 3'b0, half_i, 4'd0, 9'd0};
  endfunction

  // An element, in the upper bits of a word, to an operand word. Subnormals are normalised.
  //
  // fp32 x = high + low: the upper and the lower 12 bits of the normalised significand. A low half
  // that is zero, or of an infinity or NaN, is empty: else 0 x infinity would turn up where x has
  // no such product.
  function automatic logic [31:0] decode(input logic [31:0] element_i, input logic [16:0] format_i);
    logic [31:0] sign, magnitude, fraction_mask, infinity, nan, round, special, exponent;
    logic [31:0] significand, step, count, low, word, integer8, integer_word;
    logic [4:0] fraction;
    fraction      = format_i[13:9];
    sign          = bits_pkg::mask(1'(element_i >> 31));
    magnitude     = element_i & 32'h7FFF_FFFF;
    fraction_mask = (32'd1 << fraction) - 32'd1;
    infinity      = 32'h7FFF_FFFF & ~fraction_mask;
    nan           = bits_pkg::mask(magnitude > infinity);
    round         = bits_pkg::mask(format_i[15]);
    magnitude     = (magnitude + (round & (32'hFFF + ((magnitude >> 13) & 32'd1))))
                    & ~(round & 32'h1FFF);
    special       = bits_pkg::mask(magnitude >= infinity) | nan;

    exponent    = magnitude >> fraction;
    significand = ((magnitude & fraction_mask) >> (fraction - 5'd23))
                  | (bits_pkg::one(exponent != 32'd0) << 23);
    exponent    = exponent + bits_pkg::one(exponent == 32'd0) + {23'b0, format_i[8:0]};
    // Leading zeros of the 24 bits: none in a normal number.
    step        = bits_pkg::one(significand < 32'h100) << 4;
    count       = step;
    significand = significand << step[4:0];
    step        = bits_pkg::one(significand < 32'h1_0000) << 3;
    count       = count | step;
    significand = significand << step[4:0];
    step        = bits_pkg::one(significand < 32'h10_0000) << 2;
    count       = count | step;
    significand = significand << step[4:0];
    step        = bits_pkg::one(significand < 32'h40_0000) << 1;
    count       = count | step;
    significand = significand << step[4:0];
    step        = bits_pkg::one(significand < 32'h80_0000);
    count       = count | step;
    significand = significand << step[4:0];
    exponent    = exponent - count;

    // The half; a low one has leading zeros again.
    low         = bits_pkg::mask(format_i[14]);
    significand = bits_pkg::sel(low, significand & 32'hFFF, significand >> 12);
    step        = bits_pkg::one(significand < 32'h10) << 3;
    count       = step;
    significand = significand << step[4:0];
    step        = bits_pkg::one(significand < 32'h100) << 2;
    count       = count | step;
    significand = significand << step[4:0];
    step        = bits_pkg::one(significand < 32'h400) << 1;
    count       = count | step;
    significand = significand << step[4:0];
    step        = bits_pkg::one(significand < 32'h800);
    count       = count | step;
    significand = significand << step[4:0];
    exponent    = (exponent - count - (low & 32'd12)) & bits_pkg::mask(significand != 32'd0);

    exponent    = bits_pkg::sel(special, 32'd1023, exponent);
    significand = bits_pkg::sel(special, 32'h800 & ~nan, significand);
    word        = (exponent << 12) | significand;
    word        = bits_pkg::sel(low & (special | bits_pkg::mask(significand == 32'd0)),
                                EmptyWeight, word);
    word        = word | (sign & 32'h8000_0000);

    integer8     = bits_pkg::mask(format_i[16]);
    integer_word = (sign & 32'h8000_0000) | (32'd1 << IntegerBit)
                   | (((element_i ^ sign) - sign) >> 24);
    decode       = bits_pkg::sel(integer8, integer_word, word);
  endfunction

  // The word of a weight, and that of a moving operand but for its tags.
  function automatic logic [31:0] weight_word(input logic [31:0] element_i, input logic [17:0] format_i);
    weight_word = bits_pkg::sel(bits_pkg::mask(format_i[BitsBit]), element_i >> format_i[13:9],
                                decode(element_i, format_i[16:0]));
  endfunction

  function automatic logic [31:0] moving_word(input logic [31:0] element_i, input logic [17:0] format_i);
    logic [31:0] word;
    word        = decode(element_i, format_i[16:0]);
    moving_word = bits_pkg::sel(bits_pkg::mask(format_i[BitsBit]),
                                EmptyWeight | (bits_pkg::one((word & 32'h3F_FFFF) != 32'd0) << PickBit),
                                word);
  endfunction

  // The tags of a moving operand; the weight that such an operand meets, and the sum from above.
  function automatic logic [31:0] moving_tag(input logic plane_i, input logic fresh_i);
    moving_tag = {2'b0, plane_i, 1'b0, fresh_i, 27'b0};
  endfunction

  function automatic logic [31:0] sum_above(input logic [31:0] moving_i, input logic [31:0] psum_i);
    sum_above = psum_i & ~bits_pkg::mask(1'(moving_i >> FreshBit));
  endfunction

  function automatic logic [31:0] pick_weight(
      input logic [31:0] moving_i, input logic [31:0] weight0_i, input logic [31:0] weight1_i);
    pick_weight = bits_pkg::sel(bits_pkg::mask(1'(moving_i >> PlaneBit)), weight1_i, weight0_i);
  endfunction

  // Weight of array row row_i when rows first .. first + count - 1 hold the tile; of bits all are zero
  // elsewhere, and may be picked.
  function automatic logic [31:0] row_weight(
      input logic [31:0] word_i, input logic [7:0] row_i, input logic [7:0] first_i,
      input logic [7:0] count_i, input logic bits_i);
    row_weight = bits_pkg::sel(bits_pkg::mask((row_i - first_i) < count_i), word_i,
                               EmptyWeight & ~bits_pkg::mask(bits_i));
  endfunction

  // Rounded psum + (-1)^sign * significand * 2^(exponent - ...): see the head of the file.
  //   sign_i         bit 31
  //   exponent_i     fp32 exponent field of significand bit 23, plus ProductBias
  //   significand_i  24 bits
  //   special_i      mask: infinity, or NaN if the significand is 0; the exponent is then huge
  function automatic logic [31:0] add_core(
      input logic [31:0] sign_i, input logic [31:0] exponent_i, input logic [31:0] significand_i,
      input logic [31:0] special_i, input logic [31:0] psum_i);
    logic [31:0] magnitude, psum_exponent, tiny, psum_significand, differ, swap, high, low;
    logic [31:0] distance, shifted, sum, negative, total, limit, probe, step, count, exponent;
    logic [31:0] kept, nonzero, sign, nan, result;

    magnitude        = psum_i & 32'h7FFF_FFFF;
    psum_exponent    = magnitude >> 23;
    tiny             = bits_pkg::one(psum_exponent == 32'd0);
    psum_significand = (psum_i & 32'h007F_FFFF) | ((tiny ^ 32'd1) << 23);
    psum_exponent    = psum_exponent + tiny + ProductBias;
    differ           = bits_pkg::mask(1'((sign_i ^ psum_i) >> 31));

    // Align: `high` has the larger exponent; what leaves `low` on the right stays as a sticky bit.
    swap     = bits_pkg::mask(exponent_i < psum_exponent);
    high     = bits_pkg::sel(swap, psum_significand, significand_i) << 6;
    low      = bits_pkg::sel(swap, significand_i, psum_significand) << 6;
    exponent = bits_pkg::sel(swap, psum_exponent, exponent_i) - ProductBias;
    distance = exponent_i - psum_exponent;
    distance = (distance ^ swap) - swap;
    distance = (distance | bits_pkg::mask(distance > 32'd31)) & 32'd31;
    shifted  = low >> distance[4:0];
    shifted  = shifted | bits_pkg::one((shifted << distance[4:0]) != low);

    // Add; only equal or neighbouring exponents can give a negative sum, and those are exact.
    sum      = high + ((shifted ^ differ) - differ);
    negative = bits_pkg::mask(1'(sum >> 31));
    total    = ((sum ^ negative) - negative) << 1;
    nonzero  = bits_pkg::mask(total != 32'd0);

    // Normalise to bit 31, but not below the least exponent: `limit` stops the count there.
    distance = (exponent | bits_pkg::mask(exponent > 32'd31)) & 32'd31;
    limit    = 32'h8000_0000 >> distance[4:0];
    probe    = total | limit;
    step     = bits_pkg::one(probe < 32'h0001_0000) << 4;
    count    = step;
    probe    = probe << step[4:0];
    step     = bits_pkg::one(probe < 32'h0100_0000) << 3;
    count    = count | step;
    probe    = probe << step[4:0];
    step     = bits_pkg::one(probe < 32'h1000_0000) << 2;
    count    = count | step;
    probe    = probe << step[4:0];
    step     = bits_pkg::one(probe < 32'h4000_0000) << 1;
    count    = count | step;
    probe    = probe << step[4:0];
    step     = bits_pkg::one(probe < 32'h8000_0000);
    count    = count | step;
    total    = total << count[4:0];
    exponent = exponent - count;

    // Round to nearest even. The hidden bit and a carry both step the exponent field by themselves.
    kept     = total >> 8;
    kept     = kept + (((total & 32'hFF) + 32'h7F + (kept & 32'd1)) >> 8);
    exponent = bits_pkg::sel(bits_pkg::mask(exponent < 32'd254), exponent, 32'd254);
    result   = (exponent << 23) + kept;
    result   = bits_pkg::sel(bits_pkg::mask(result < bits_pkg::Infinity), result,
                             bits_pkg::Infinity) & nonzero;
    // An exact zero is -0 only if both sides are negative.
    sign     = (bits_pkg::sel(swap, psum_i, sign_i) ^ negative) & 32'h8000_0000
               & (nonzero | ~differ);
    result   = result | sign;

    // Specials: an infinite psum wins over anything finite.
    nan      = (special_i & bits_pkg::mask(significand_i == 32'd0))
               | bits_pkg::mask(magnitude > bits_pkg::Infinity)
               | (special_i & differ & bits_pkg::mask(magnitude >= bits_pkg::Infinity));
    result   = bits_pkg::sel(bits_pkg::mask(magnitude >= bits_pkg::Infinity), psum_i, result);
    add_core = bits_pkg::sel(nan, bits_pkg::CanonicalNan, result);
  endfunction

  // fma(weight, moving, psum_in) with one rounding, or psum_in + weight * moving modulo 2^32 of
  // integers, or psum_in with the bits of the weight. Both operand words come from above.
  function automatic logic [31:0] pe_fma(
      input logic [31:0] weight_i, input logic [31:0] moving_i, input logic [31:0] psum_i);
    logic [31:0] sum, exponent, product, empty, negative, integer_sum, result;
    // Signs and exponents in one addition: the carry out of bit 31 makes it an exclusive or.
    sum         = (weight_i & 32'h803F_F000) + (moving_i & 32'h803F_F000);
    exponent    = (sum >> 12) & 32'h7FF;
    product     = (weight_i & 32'hFFF) * (moving_i & 32'hFFF);
    negative    = bits_pkg::mask(1'(sum >> 31));
    integer_sum = psum_i + ((product ^ negative) - negative);
    result      = add_core(sum, exponent, product, bits_pkg::mask(exponent > 32'd1022), psum_i);
    result      = bits_pkg::sel(bits_pkg::mask(1'(moving_i >> IntegerBit)), integer_sum, result);
    empty       = bits_pkg::mask(1'((weight_i | moving_i) >> EmptyBit));
    pe_fma      = bits_pkg::sel(empty, psum_i, result)
                  | (weight_i & bits_pkg::mask(1'(moving_i >> PickBit)));
  endfunction

  // What a PE does: the moving operand meets the weight of its plane, the sum comes from above.
  function automatic logic [31:0] pe_sum(
      input logic [31:0] moving_i, input logic [31:0] weight0_i, input logic [31:0] weight1_i,
      input logic [31:0] psum_i);
    pe_sum = pe_fma(pick_weight(moving_i, weight0_i, weight1_i), moving_i, psum_i);
  endfunction

  // a + b in fp32.
  function automatic logic [31:0] add_fp32(input logic [31:0] a_i, input logic [31:0] b_i);
    logic [31:0] magnitude, exponent, tiny, significand, special;
    magnitude   = a_i & 32'h7FFF_FFFF;
    exponent    = magnitude >> 23;
    tiny        = bits_pkg::one(exponent == 32'd0);
    special     = bits_pkg::mask(exponent == 32'hFF);
    significand = ((a_i & 32'h007F_FFFF) | ((tiny ^ 32'd1) << 23))
                  & ~bits_pkg::mask(magnitude > bits_pkg::Infinity);
    exponent    = exponent + tiny + ProductBias + (special & 32'd1024);
    add_fp32    = add_core(a_i, exponent, significand, special, b_i);
  endfunction

  // a - b in fp32.
  function automatic logic [31:0] sub_fp32(input logic [31:0] a_i, input logic [31:0] b_i);
    sub_fp32 = add_fp32(a_i, b_i ^ 32'h8000_0000);
  endfunction

endpackage
