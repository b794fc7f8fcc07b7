// SPDX-License-Identifier: Apache-2.0
// Words of straight-line arithmetic. A mask, all zeros or all ones, takes the place of an `if`.
package bits_pkg;

  localparam logic [31:0] CanonicalNan = 32'h7FC0_0000;
  localparam logic [31:0] Infinity = 32'h7F80_0000;

  function automatic logic [31:0] mask(input logic bit_i);
    mask = {32{bit_i}};
  endfunction

  // 1 or 0 as a word.
  function automatic logic [31:0] one(input logic bit_i);
    one = {31'b0, bit_i};
  endfunction

  function automatic logic [31:0] sel(input logic [31:0] which, input logic [31:0] yes,
                                      input logic [31:0] no);
    sel = (which & yes) | (~which & no);
  endfunction

endpackage
