// SPDX-License-Identifier: Apache-2.0
// Functions from tables: one element per lane and cycle, 8 cycles after it came.
`include "assert.svh"

//   1, 2   reduce    x -> u, k: u = x, or an exact remainder
//   3      row       directory[upper bits of |u|] -> base, shift, flags; c0 .. c3 = row[base + (fraction >> shift)]
//                    t = |u| - x0, exact; x0 is near the middle of the row's segment, where c3's low bits say
//   4                t - k * the rest of the step
//   5 .. 7 cubic     A = c0 + t (c1 + t (c2 + t c3)), three fused multiply-adds
//   8      finish    y = A * w + v, or A * 2^k
//
//   flags of the row      w    v                       why
//   none                  1    -0                      y = A
//   WIsU, VIsU            u    u, or u / 2 (VIsHalf)   f vanishes at 0 like u: A is the small rest of f(u) / u
//   VIsU                  1    u                       f approaches u
//   VIsRest               1    a number                f is nearly that number
//   logarithm, k != 0     1    k * step + c0, exact    and k * the rest of the step takes the place of c0
//
// Square, Abs and Sign are done in 8 alone. What each other function is: rtl/defs/table_functions.toml. No operand of an addition here is infinite or NaN: where x
// is, or where the function is beyond fp32, `limits` have the result. The twin is cmodel/machine/table_function.h.
module table_function (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,       // of an instruction: func_i is taken
  input  logic [7:0] func_i,

  input  logic valid_i,
  input  logic last_i,
  input  row_pkg::lane_row_t x_i,
  output logic valid_o,
  output logic last_o,
  output row_pkg::lane_row_t y_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam int unsigned Stages = 8;
  localparam logic [31:0] Round = 32'h4B40_0000;  // 1.5 * 2^23: the sum's low bits are an integer
  localparam logic [31:0] One = 32'h3F80_0000;
  localparam logic [31:0] MinusZero = 32'h8000_0000;
  localparam logic [31:0] RootOfTwo = 32'h0035_04F3;  // its fraction, rounded up
  localparam logic [31:0] PlaceMask = (32'd1 << table_pkg::PlaceBits) - 32'd1;

  // ---------------------------------------------------------------- function
  table_pkg::function_t function_q;
  logic multiple, logarithm, root, reciprocal, scaled;
  logic [31:0] odd, alternate, both, most, rest, inverse, step_high, step_low, against;

  simple_pkg::simple_e simple_q;
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      function_q <= table_pkg::function_of(func_i);
      simple_q   <= simple_pkg::simple_of(func_i);
    end
  end
  assign multiple   = function_q.reduce == table_pkg::ReduceMultiple;
  assign logarithm  = function_q.reduce == table_pkg::ReduceLogarithm;
  assign root       = function_q.reduce == table_pkg::ReduceRoot;
  assign reciprocal = function_q.reduce == table_pkg::ReduceReciprocal;
  assign scaled     = function_q.scale != 2'd0;
  assign odd        = bits_pkg::mask(function_q.odd);
  assign alternate  = bits_pkg::mask(function_q.alternate);
  assign both       = bits_pkg::mask(!function_q.one_side);
  assign most       = function_q.most;
  assign rest       = function_q.rest;
  assign inverse    = function_q.inverse;
  assign step_high  = function_q.step_high;
  assign step_low   = function_q.step_low;
  assign against    = bits_pkg::mask(function_q.scale[1]);

  // u / 2 to nearest even.
  function automatic logic [31:0] half(input logic [31:0] word_i);
    logic [31:0] magnitude, least;
    magnitude = word_i & 32'h7FFF_FFFF;
    least     = (magnitude >> 1) + (magnitude & (magnitude >> 1) & 32'd1);
    half      = (word_i & 32'h8000_0000)
                | bits_pkg::sel(bits_pkg::mask(magnitude < 32'h0100_0000), least, magnitude - 32'h0080_0000);
  endfunction

  // ---------------------------------------------------------------- datapath
  logic [Stages-1:0] valid_q, last_q;
  row_pkg::lane_row_t x1_q, x2_q, x3_q, x4_q, x5_q, x6_q, x7_q;
  row_pkg::lane_row_t u1_q, u2_q, u3_q, u4_q, u5_q, u6_q, u7_q;
  row_pkg::lane_row_t k1_q, k2_q, k3_q, k4_q, k5_q, k6_q, k7_q;  // an integer
  row_pkg::lane_row_t c0_3_q, c0_4_q, c0_5_q, c0_6_q, c1_3_q, c1_4_q, c1_5_q, c2_3_q, c2_4_q, c3_3_q, c3_4_q;
  row_pkg::lane_row_t flags3_q, flags4_q, flags5_q, flags6_q, flags7_q;
  row_pkg::lane_row_t t3_q, t4_q, t5_q, t6_q, t7_q;
  row_pkg::lane_row_t q5_q, p6_q, a7_q, v7_q, y_q;

  logic [31:0] word, size, tiny, fraction, exponent, upper, first, last, bias, place, entry;
  logic [4:0] shift;
  logic [table_pkg::RowBits-1:0] index;
  logic [31:0] x0, far, negative, k, u, w, v, y, low, high, low_value, high_value;

  assign valid_o = valid_q[Stages-1];
  assign last_o  = last_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Stages-2:0], valid_i};
  end
  always_ff @(posedge clk_i) last_q <= {last_q[Stages-2:0], last_i};

  always_ff @(posedge clk_i) begin
    // 8: finish.
    if (valid_q[6]) begin
      if (simple_q == simple_pkg::SimpleSquare) begin
        for (int unsigned i = 0; i < P; i++) y_q[i] = wide_fma_pkg::fma_fp32(x7_q[i], x7_q[i], MinusZero);
      end else if (simple_q == simple_pkg::SimpleAbs) begin
        for (int unsigned i = 0; i < P; i++) y_q[i] = x7_q[i] & 32'h7FFF_FFFF;
      end else if (simple_q == simple_pkg::SimpleSign) begin
        for (int unsigned i = 0; i < P; i++) y_q[i] = simple_pkg::sign_fp32(x7_q[i]);
      end else if (scaled) begin
        for (int unsigned i = 0; i < P; i++) begin
          k      = (k7_q[i] ^ against) - against;
          y_q[i] = wide_fma_pkg::fma_scaled(a7_q[i], One, MinusZero, k);
        end
      end else begin
        for (int unsigned i = 0; i < P; i++) begin
          u      = bits_pkg::sel({32{multiple}}, t7_q[i], u7_q[i] & (both | 32'h7FFF_FFFF));
          w      = bits_pkg::sel(bits_pkg::mask(1'(flags7_q[i] >> table_pkg::WIsUBit)), u, One);
          y_q[i] = wide_fma_pkg::fma_finite(a7_q[i], w, v7_q[i]);
        end
      end
      if (simple_q == simple_pkg::SimpleNone) begin
        for (int unsigned i = 0; i < P; i++) begin
          y        = y_q[i] ^ ((u7_q[i] & odd & 32'h8000_0000) ^ ((k7_q[i] & alternate) << 31));
          size     = x7_q[i] & 32'h7FFF_FFFF;
          negative = bits_pkg::mask(1'(x7_q[i] >> 31));
          low        = bits_pkg::sel(negative, function_q.low1, function_q.low0);
          low_value  = bits_pkg::sel(negative, function_q.low_value1, function_q.low_value0);
          high       = bits_pkg::sel(negative, function_q.high1, function_q.high0);
          high_value = bits_pkg::sel(negative, function_q.high_value1, function_q.high_value0);
          y        = bits_pkg::sel(bits_pkg::mask(size >= high), high_value, y);
          y        = bits_pkg::sel(bits_pkg::mask(size < low), low_value, y);
          y_q[i]   = bits_pkg::sel(bits_pkg::mask(size > bits_pkg::Infinity), bits_pkg::CanonicalNan, y);
        end
      end
      y_o <= y_q;
    end

    // 7: the cubic's last step.
    if (valid_q[5]) begin
      if (logarithm) begin
        for (int unsigned i = 0; i < P; i++) begin
          k       = convert_pkg::int32_to_fp32(k6_q[i]);
          low     = wide_fma_pkg::fma_finite(k, step_low, MinusZero);
          w       = bits_pkg::mask(k6_q[i] != 32'd0);
          a7_q[i] = wide_fma_pkg::fma_finite(p6_q[i], t6_q[i], bits_pkg::sel(w, low, c0_6_q[i]));
          u       = bits_pkg::sel(bits_pkg::mask(1'(flags6_q[i] >> table_pkg::VIsUBit)), u6_q[i], MinusZero);
          v7_q[i] = bits_pkg::sel(w, wide_fma_pkg::fma_finite(k, step_high, c0_6_q[i]), u);
        end
      end else begin
        for (int unsigned i = 0; i < P; i++) begin
          a7_q[i] = wide_fma_pkg::fma_finite(p6_q[i], t6_q[i], c0_6_q[i]);
        end
        for (int unsigned i = 0; i < P; i++) begin
          u       = bits_pkg::sel({32{multiple}}, t6_q[i], u6_q[i] & (both | 32'h7FFF_FFFF));
          v       = bits_pkg::sel(bits_pkg::mask(1'(flags6_q[i] >> table_pkg::VIsHalfBit)), half(u), u);
          v       = bits_pkg::sel(bits_pkg::mask(1'(flags6_q[i] >> table_pkg::VIsUBit)), v, MinusZero);
          v7_q[i] = bits_pkg::sel(bits_pkg::mask(1'(flags6_q[i] >> table_pkg::VIsRestBit)), rest, v);
        end
      end
      x7_q     = x6_q;
      u7_q     = u6_q;
      k7_q     = k6_q;
      t7_q     = t6_q;
      flags7_q = flags6_q;
    end

    // 6, 5: its first two.
    if (valid_q[4]) begin
      for (int unsigned i = 0; i < P; i++) p6_q[i] = wide_fma_pkg::fma_finite(q5_q[i], t5_q[i], c1_5_q[i]);
      x6_q     = x5_q;
      u6_q     = u5_q;
      k6_q     = k5_q;
      t6_q     = t5_q;
      c0_6_q   = c0_5_q;
      flags6_q = flags5_q;
    end
    if (valid_q[3]) begin
      for (int unsigned i = 0; i < P; i++) q5_q[i] = wide_fma_pkg::fma_finite(c3_4_q[i], t4_q[i], c2_4_q[i]);
      x5_q     = x4_q;
      u5_q     = u4_q;
      k5_q     = k4_q;
      t5_q     = t4_q;
      c0_5_q   = c0_4_q;
      c1_5_q   = c1_4_q;
      flags5_q = flags4_q;
    end

    // 4: the part of k steps that is too small for u.
    if (valid_q[2]) begin
      if (multiple) begin
        for (int unsigned i = 0; i < P; i++) begin
          k       = convert_pkg::int32_to_fp32(k3_q[i]) ^ (~u3_q[i] & 32'h8000_0000);
          t4_q[i] = wide_fma_pkg::fma_finite(k, step_low, t3_q[i]);
        end
      end else begin
        t4_q = t3_q;
      end
      x4_q     = x3_q;
      u4_q     = u3_q;
      k4_q     = k3_q;
      c0_4_q   = c0_3_q;
      c1_4_q   = c1_3_q;
      c2_4_q   = c2_3_q;
      c3_4_q   = c3_3_q;
      flags4_q = flags3_q;
    end

    // 3: the row.
    if (valid_q[1]) begin
      for (int unsigned i = 0; i < P; i++) begin
        size     = u2_q[i] & 32'h7FFF_FFFF;
        negative = bits_pkg::mask(1'(u2_q[i] >> 31)) & both;
        far      = bits_pkg::mask(logarithm && k2_q[i] != 32'd0);
        first = bits_pkg::sel(far, bits_pkg::sel(negative, {16'b0, function_q.first3}, {16'b0, function_q.first2}),
                                      bits_pkg::sel(negative, {16'b0, function_q.first1}, {16'b0, function_q.first0}));
        last  = bits_pkg::sel(far, bits_pkg::sel(negative, {16'b0, function_q.last3}, {16'b0, function_q.last2}),
                              bits_pkg::sel(negative, {16'b0, function_q.last1}, {16'b0, function_q.last0}));
        bias  = bits_pkg::sel(far, bits_pkg::sel(negative, {16'b0, function_q.bias3}, {16'b0, function_q.bias2}),
                              bits_pkg::sel(negative, {16'b0, function_q.bias1}, {16'b0, function_q.bias0}));
        place = size >> (23 - table_pkg::QuarterBits);
        place = bits_pkg::sel(bits_pkg::mask(place < first), first, place);
        place = bits_pkg::sel(bits_pkg::mask(place > last), last, place) + bias;
        entry = table_pkg::Directory[place[table_pkg::DirectoryBits-1:0]];
        shift = 5'(entry >> table_pkg::RowBits);
        index = table_pkg::RowBits'(entry + ((size & 32'h007F_FFFF) >> shift));
        flags3_q[i] = entry;
        c0_3_q[i] = table_pkg::C0[index];
        c1_3_q[i] = table_pkg::C1[index];
        c2_3_q[i] = table_pkg::C2[index];
        c3_3_q[i] = table_pkg::C3[index];
      end
      for (int unsigned i = 0; i < P; i++) begin
        size     = u2_q[i] & 32'h7FFF_FFFF;
        shift    = 5'(flags3_q[i] >> table_pkg::RowBits);
        x0       = ((size >> shift) << shift) + ((32'd1 << shift) >> 1)
                   + (((c3_3_q[i] & PlaceMask) - ((PlaceMask + 32'd1) >> 1))
                      << 5'(shift - 5'd1 - 5'(table_pkg::PlaceBits)));
        // Both have the same exponent.
        word     = convert_pkg::int32_to_fp32(size - x0);
        exponent = ((size & 32'h7F80_0000) - (32'd150 << 23)) & bits_pkg::mask(word != 32'd0);
        t3_q[i]  = bits_pkg::sel(bits_pkg::mask(1'(flags3_q[i] >> table_pkg::ZeroBit)), size, word + exponent);
      end
      x3_q = x2_q;
      u3_q = u2_q;
      k3_q = k2_q;
    end

    // 2: x - k * step.
    if (valid_q[0]) begin
      if (multiple) begin
        for (int unsigned i = 0; i < P; i++) begin
          // A sum below 0 is far below the least multiple, too.
          word    = (u1_q[i] & ~bits_pkg::mask(1'(u1_q[i] >> 31))) - Round;
          word    = bits_pkg::sel(bits_pkg::mask($signed(word) > $signed(most)), most, word);
          word    = bits_pkg::sel(bits_pkg::mask($signed(word) < -$signed(most)), -most, word);
          k2_q[i] = word;
          k       = convert_pkg::int32_to_fp32(word) ^ 32'h8000_0000;
          u2_q[i] = wide_fma_pkg::fma_finite(k, step_high, x1_q[i]);
        end
      end else begin
        u2_q = u1_q;
        k2_q = k1_q;
      end
      x2_q = x1_q;
    end

    // 1: exponent and fraction, or the multiple.
    if (valid_i) begin
      if (multiple) begin
        for (int unsigned i = 0; i < P; i++) u1_q[i] = wide_fma_pkg::fma_finite(x_i[i], inverse, Round);
      end else if (logarithm || root || reciprocal) begin
        for (int unsigned i = 0; i < P; i++) begin
          size     = x_i[i] & 32'h7FFF_FFFF;
          tiny     = bits_pkg::mask(size < 32'h0080_0000);
          word     = bits_pkg::sel(tiny, convert_pkg::int32_to_fp32(size), size);
          fraction = word & 32'h007F_FFFF;
          exponent = (word >> 23) - 32'd127 - (tiny & 32'd149);
          // logarithm
          upper    = bits_pkg::one(fraction >= RootOfTwo);
          far      = (fraction | 32'h0080_0000) - (32'h0080_0000 << upper[0]);
          far      = convert_pkg::int32_to_fp32(far);
          far      = (far - ((32'd23 + upper) << 23)) & bits_pkg::mask(far != 32'd0);
          u        = bits_pkg::sel({32{logarithm}}, far, (x_i[i] & {reciprocal, 31'b0}) | One | fraction);
          u        = u + (({32{root}} & exponent & 32'd1) << 23);
          u1_q[i]  = u;
          k        = bits_pkg::sel({32{root}}, (exponent >> 1) | (exponent & 32'h8000_0000), exponent);
          k1_q[i]  = k + (upper & {32{logarithm}});
        end
      end else begin
        u1_q = x_i;
        for (int unsigned i = 0; i < P; i++) k1_q[i] = 32'd0;
      end
      x1_q = x_i;
    end
  end

  // Before an instruction starts, the older one has left.
  `ASSERT_NOW(StartWhenDrained_A, start_i -> valid_q == '0 && !valid_i)

endmodule
