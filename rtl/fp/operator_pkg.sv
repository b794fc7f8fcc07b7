// SPDX-License-Identifier: Apache-2.0
// Operators of the vector engine beyond addition, straight-line like fma_pkg (masks: see bits_pkg).
// What each of them is: alu_op of rtl/defs/isa.toml.
package operator_pkg;

  localparam logic [31:0] One = 32'h3F80_0000;

  // a * b in fp32: the product of the significands is exact in 48 bits and rounded once.
  function automatic logic [31:0] mul_fp32(input logic [31:0] a_i, input logic [31:0] b_i);
    logic [31:0] a, b, a_exponent, b_exponent, step, count, exponent, word, distance, shifted;
    logic [31:0] kept, special, nan, result;
    logic [63:0] product;
    a          = a_i & 32'h7FFF_FFFF;
    b          = b_i & 32'h7FFF_FFFF;
    a_exponent = a >> 23;
    b_exponent = b >> 23;
    product    = {32'b0, (a & 32'h007F_FFFF) | (bits_pkg::one(a_exponent != 32'd0) << 23)}
                 * {32'b0, (b & 32'h007F_FFFF) | (bits_pkg::one(b_exponent != 32'd0) << 23)};
    // The exponent field if the leading one is bit 47; plus 256, so that it is never negative.
    exponent   = a_exponent + bits_pkg::one(a_exponent == 32'd0)
                 + b_exponent + bits_pkg::one(b_exponent == 32'd0) + 32'd130;
    product    = product << 16;
    step       = bits_pkg::one(product < 64'h1_0000_0000) << 5;
    count      = step;
    product    = product << step[5:0];
    step       = bits_pkg::one(product < 64'h1_0000_0000_0000) << 4;
    count      = count | step;
    product    = product << step[5:0];
    step       = bits_pkg::one(product < 64'h0100_0000_0000_0000) << 3;
    count      = count | step;
    product    = product << step[5:0];
    step       = bits_pkg::one(product < 64'h1000_0000_0000_0000) << 2;
    count      = count | step;
    product    = product << step[5:0];
    step       = bits_pkg::one(product < 64'h4000_0000_0000_0000) << 1;
    count      = count | step;
    product    = product << step[5:0];
    step       = bits_pkg::one(product < 64'h8000_0000_0000_0000);
    count      = count | step;
    product    = product << step[5:0];
    word       = 32'(product >> 32) | bits_pkg::one(32'(product) != 32'd0);
    exponent   = exponent - count;
    // Below the least exponent, 257 here, the number is subnormal.
    distance   = (32'd257 - exponent) & bits_pkg::mask(exponent < 32'd257);
    distance   = (distance | bits_pkg::mask(distance > 32'd31)) & 32'd31;
    shifted    = word >> distance[4:0];
    word       = shifted | bits_pkg::one((shifted << distance[4:0]) != word);
    exponent   = bits_pkg::sel(bits_pkg::mask(exponent < 32'd257), 32'd0, exponent - 32'd257);
    // The hidden bit and a carry both step the exponent field by themselves.
    kept       = word >> 8;
    kept       = kept + (((word & 32'hFF) + 32'h7F + (kept & 32'd1)) >> 8);
    result     = ((exponent << 23) + kept) & bits_pkg::mask(product != 64'd0);
    special    = bits_pkg::mask(a_exponent == 32'hFF) | bits_pkg::mask(b_exponent == 32'hFF)
                 | bits_pkg::mask(result > bits_pkg::Infinity);
    result     = bits_pkg::sel(special, bits_pkg::Infinity, result) | ((a_i ^ b_i) & 32'h8000_0000);
    nan        = convert_pkg::is_nan(a_i) | convert_pkg::is_nan(b_i)
                 | (special & (bits_pkg::mask(a == 32'd0) | bits_pkg::mask(b == 32'd0)));
    mul_fp32   = bits_pkg::sel(nan, bits_pkg::CanonicalNan, result);
  endfunction

  function automatic logic [31:0] magnitude(input logic [31:0] word_i);
    magnitude = word_i & 32'h7FFF_FFFF;
  endfunction

  // What compare_fp32 may be asked for: {unordered, greater, equal, less}.
  localparam logic [3:0] Eq = 4'b0010;
  localparam logic [3:0] Ne = 4'b1101;
  localparam logic [3:0] Lt = 4'b0001;
  localparam logic [3:0] Le = 4'b0011;
  localparam logic [3:0] Gt = 4'b0100;
  localparam logic [3:0] Ge = 4'b0110;

  // 1 if one of the asked relations holds, else 0.
  function automatic logic [31:0] compare_fp32(input logic [31:0] a_i, input logic [31:0] b_i,
                                               input logic [3:0] asked_i);
    logic [31:0] a_key, b_key, unordered, holds;
    // -0 as +0.
    a_key        = convert_pkg::key(a_i & bits_pkg::mask(magnitude(a_i) != 32'd0));
    b_key        = convert_pkg::key(b_i & bits_pkg::mask(magnitude(b_i) != 32'd0));
    unordered    = convert_pkg::is_nan(a_i) | convert_pkg::is_nan(b_i);
    holds        = (bits_pkg::mask(a_key < b_key) & bits_pkg::mask(asked_i[0]))
                   | (bits_pkg::mask(a_key == b_key) & bits_pkg::mask(asked_i[1]))
                   | (bits_pkg::mask(a_key > b_key) & bits_pkg::mask(asked_i[2]));
    compare_fp32 = One & bits_pkg::sel(unordered, bits_pkg::mask(asked_i[3]), holds);
  endfunction

  // How many of a and b must be true: {two, one}.
  localparam logic [1:0] And = 2'b10;
  localparam logic [1:0] Or = 2'b11;
  localparam logic [1:0] Xor = 2'b01;

  function automatic logic [31:0] logic_fp32(input logic [31:0] a_i, input logic [31:0] b_i,
                                             input logic [1:0] asked_i);
    logic [31:0] a, b;
    a          = bits_pkg::mask(magnitude(a_i) != 32'd0);
    b          = bits_pkg::mask(magnitude(b_i) != 32'd0);
    logic_fp32 = One & (((a ^ b) & bits_pkg::mask(asked_i[0])) | (a & b & bits_pkg::mask(asked_i[1])));
  endfunction

  // Nothing is left of 32 bits and more.
  function automatic logic [31:0] shift_left(input logic [31:0] a_i, input logic [31:0] b_i);
    shift_left = (a_i << b_i[4:0]) & bits_pkg::mask(b_i < 32'd32);
  endfunction

  function automatic logic [31:0] shift_right(input logic [31:0] a_i, input logic [31:0] b_i);
    shift_right = (a_i >> b_i[4:0]) & bits_pkg::mask(b_i < 32'd32);
  endfunction

endpackage
