// SPDX-License-Identifier: Apache-2.0
// Functions of table_function that need no table.
package simple_pkg;

  typedef enum logic [1:0] {SimpleNone, SimpleSquare, SimpleAbs, SimpleSign} simple_e;

  function automatic simple_e simple_of(input logic [7:0] func_i);
    case (func_i)
      defs_pkg::ActFuncSquare: simple_of = SimpleSquare;
      defs_pkg::ActFuncAbs:    simple_of = SimpleAbs;
      defs_pkg::ActFuncSign:   simple_of = SimpleSign;
      default:                 simple_of = SimpleNone;
    endcase
  endfunction

  // 1 with the sign of x; x itself if that is zero or NaN.
  function automatic logic [31:0] sign_fp32(input logic [31:0] word_i);
    logic [31:0] size;
    size      = word_i & 32'h7FFF_FFFF;
    sign_fp32 = bits_pkg::sel(bits_pkg::mask(size == 32'd0) | bits_pkg::mask(size > bits_pkg::Infinity),
                              word_i, (word_i & 32'h8000_0000) | 32'h3F80_0000);
  endfunction

endpackage
