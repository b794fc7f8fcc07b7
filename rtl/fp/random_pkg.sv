// SPDX-License-Identifier: Apache-2.0
// Random numbers of the lanes: xorwow (Marsaglia, Xorshift RNGs, 2003), straight-line like fma_pkg.
//
// A generator has five words x y z w v and a sum d; its period is 2^192 - 2^32. One step:
//
//   v' = xorwow(x, v)   x' y' z' w' = y z w v   d' = d + Weyl   number = v' + d'
package random_pkg;

  localparam int unsigned Words = 6;  // x, y, z, w, v, d
  localparam logic [31:0] Weyl = 32'd362437;

  function automatic logic [31:0] xorwow(input logic [31:0] x_i, input logic [31:0] v_i);
    logic [31:0] t;
    t      = x_i ^ (x_i >> 2);
    xorwow = (v_i ^ (v_i << 4)) ^ (t ^ (t << 1));
  endfunction

  // Word number index_i of all generators with one seed: lane * Words + its place. The mixing is the last of
  // MurmurHash3, a bijection: the five words of a lane are not all zero.
  function automatic logic [31:0] seed_word(input logic [31:0] seed_i, input logic [31:0] index_i);
    logic [31:0] word;
    word      = seed_i + (index_i + 32'd1) * 32'h9E37_79B9;
    word      = (word ^ (word >> 16)) * 32'h85EB_CA6B;
    word      = (word ^ (word >> 13)) * 32'hC2B2_AE35;
    seed_word = word ^ (word >> 16);
  endfunction

endpackage
