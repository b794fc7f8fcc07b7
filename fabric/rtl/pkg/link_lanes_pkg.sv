// SPDX-License-Identifier: Apache-2.0
// The 16 lanes of a link, 36 bits of a word each, lane i at bits 36 i; and the training word: the same
// 11 bits of information in every lane, checked lane by lane, so that one good lane is enough to hear it.
//
//   lane word   35      25 24       14 13      4 3    0      info   10  9 8    6 5   3 2   0
//              |   info   |  ~info   | Magic   | lane |           | step | choice | using | count |
//
// A slice is a set of lanes that carry words: 0 all, 2 and 3 the lower and upper half (a word takes two
// cycles), 4 .. 7 a quarter (four cycles), 1 none.
package link_lanes_pkg;

  // Bits 514:512 of a training word are 6: it is of type SKIP like any word's type field would say.
  localparam logic [9:0] Magic = 10'b101_110_1001;

  localparam logic [2:0] SliceAll = 3'd0;
  localparam logic [2:0] SliceNone = 3'd1;

  function automatic logic [35:0] lane_word(input logic [10:0] info, input logic [3:0] lane);
    lane_word = {info, ~info, Magic, lane};
  endfunction

  function automatic logic [575:0] train_word(input logic [10:0] info);
    train_word = '0;
    for (int unsigned i = 0; i < 16; i++) train_word[36*i +: 36] = lane_word(info, 4'(i));
  endfunction

  // Lanes of a word that differ from the training word.
  function automatic logic [15:0] wrong_lanes(input logic [575:0] word, input logic [10:0] info);
    wrong_lanes = '0;
    for (int unsigned i = 0; i < 16; i++) wrong_lanes[i] = word[36*i +: 36] != lane_word(info, 4'(i));
  endfunction

  // Most lanes that are all good.
  function automatic logic [2:0] widest(input logic [15:0] bad);
    if (bad == '0) widest = SliceAll;
    else if (bad[7:0] == '0) widest = 3'd2;
    else if (bad[15:8] == '0) widest = 3'd3;
    else if (bad[3:0] == '0) widest = 3'd4;
    else if (bad[7:4] == '0) widest = 3'd5;
    else if (bad[11:8] == '0) widest = 3'd6;
    else if (bad[15:12] == '0) widest = 3'd7;
    else widest = SliceNone;
  endfunction

  // Number of a word's last cycle.
  function automatic logic [1:0] last_beat(input logic [2:0] slice);
    last_beat = (slice == SliceAll) ? 2'd0 : slice[2] ? 2'd3 : 2'd1;
  endfunction

endpackage
