// SPDX-License-Identifier: Apache-2.0
// Lists of indices of the DMA engines: read ahead, a line at a time, and given out one by one.
//
//   load (list of an engine) --> left_q --> req --> (memory) --> line_q[engine][2] --> index, valid
//                                pick: has some left, and room for a line
//
// Two lines per engine: one is used up, the other one is on its way. Answers have the tag of a line of descriptors, so
// an engine has either of them under way, never both: waiting_o, quiet_i. A list that is loaded is used up, or its engine
// is halted.
`include "assert.svh"

module dma_index #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines)
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic load_i,                       // a new list
  input  logic [EngineBits-1:0] load_engine_i,
  input  logic [47:0] load_addr_i,
  input  logic [15:0] load_count_i,

  input  logic [Engines-1:0] halted_i,       // asks for nothing more
  input  logic [Engines-1:0] quiet_i,        // no line of descriptors is under way
  output logic [Engines-1:0] waiting_o,      // a line of indices is
  output logic req_valid_o,
  input  logic req_ready_i,
  output logic [EngineBits-1:0] req_engine_o,
  output logic [47:0] req_addr_o,
  output logic [8:0] req_bytes_o,
  input  logic rsp_valid_i,
  input  logic [EngineBits-1:0] rsp_engine_i,
  input  logic [size_pkg::LineBytes*8-1:0] rsp_data_i,

  output logic [Engines-1:0] valid_o,        // the next index is here
  input  logic [EngineBits-1:0] engine_i,
  output logic [31:0] index_o,
  input  logic take_i
);

  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);
  localparam int unsigned Words = size_pkg::LineBytes / 4;

  logic [Engines-1:0] left_any_q, full_q, waiting_q, valid_q;
  logic [15:0] left_q [Engines];             // not asked for
  logic [47:0] addr_q [Engines];             // of the next to ask for
  logic [Engines-1:0] head_q, tail_q;        // line in use, line to come
  logic [LineBits-3:0] word_q [Engines];     // next in the line in use
  logic [LineBits-2:0] words_q [Engines*2];  // of a line: how many up to its end
  logic [Engines-1:0][1:0] here_q;           // lines that are here
  logic [size_pkg::LineBytes*8-1:0] line_q [Engines*2];
  logic [EngineBits-1:0] turn_q;

  assign waiting_o = waiting_q;
  assign valid_o   = valid_q;

  // ---------------------------------------------------------------- next line
  logic [Engines-1:0] able;
  logic [EngineBits-1:0] engine;
  logic [16:0] room, count;                  // words to the end of the line, words to ask for
  logic ask;
  always_comb begin
    able   = left_any_q & ~full_q & ~waiting_q & quiet_i & ~halted_i;
    engine = '0;
    room   = '0;
    count  = '0;
    if (able != '0) begin
      engine = EngineBits'(dma_pkg::pick_of(16'(able), 4'(turn_q)));
      room   = 17'(Words) - 17'(addr_q[engine][LineBits-1:2]);
      count  = room < 17'(left_q[engine]) ? room : 17'(left_q[engine]);
    end
  end
  assign req_valid_o  = able != '0;
  assign req_engine_o = engine;
  assign req_addr_o   = addr_q[engine];
  assign req_bytes_o  = 9'({count[6:0], 2'b0});
  assign ask          = req_valid_o && req_ready_i;

  // ---------------------------------------------------------------- next index
  logic [EngineBits:0] head_slot;
  logic [LineBits-3:0] word;
  logic used_up;
  assign head_slot = {engine_i, head_q[engine_i]};
  assign word      = word_q[engine_i];
  assign index_o   = line_q[head_slot][32*32'(word)+:32];
  assign used_up   = take_i && (LineBits-1)'(word) + (LineBits-1)'(1) == words_q[head_slot];

  logic same;                                // a line comes and another one is used up, of one engine
  assign same = rsp_valid_i && used_up && rsp_engine_i == engine_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_any_q <= '0;
      full_q     <= '0;
      waiting_q  <= '0;
      valid_q    <= '0;
      here_q     <= '0;
      head_q     <= '0;
      tail_q     <= '0;
      turn_q     <= '0;
    end else begin
      if (ask) begin
        turn_q             <= (32'(engine) == Engines - 1) ? '0 : engine + EngineBits'(1);
        waiting_q[engine]  <= 1'b1;
        left_any_q[engine] <= 17'(left_q[engine]) != count;
      end
      if (rsp_valid_i) begin
        waiting_q[rsp_engine_i] <= 1'b0;
        tail_q[rsp_engine_i]    <= !tail_q[rsp_engine_i];
        valid_q[rsp_engine_i]   <= 1'b1;
        if (!same) begin
          here_q[rsp_engine_i] <= here_q[rsp_engine_i] + 2'd1;
          full_q[rsp_engine_i] <= here_q[rsp_engine_i] == 2'd1;
        end
      end
      if (used_up) begin
        head_q[engine_i] <= !head_q[engine_i];
        if (!same) begin
          here_q[engine_i]  <= here_q[engine_i] - 2'd1;
          valid_q[engine_i] <= here_q[engine_i] == 2'd2;
          full_q[engine_i]  <= 1'b0;
        end
      end
      if (load_i) left_any_q[load_engine_i] <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rsp_valid_i) line_q[{rsp_engine_i, tail_q[rsp_engine_i]}] <= rsp_data_i;
    if (ask) begin
      words_q[{engine, tail_q[engine]}] <= (LineBits-1)'(17'(addr_q[engine][LineBits-1:2]) + count);
      left_q[engine]                    <= left_q[engine] - 16'(count);
      addr_q[engine]                    <= addr_q[engine] + {29'd0, count, 2'b0};
    end
    if (take_i) word_q[engine_i] <= used_up ? '0 : word + (LineBits-2)'(1);
    if (load_i) begin
      left_q[load_engine_i] <= load_count_i;
      addr_q[load_engine_i] <= load_addr_i;
      word_q[load_engine_i] <= load_addr_i[LineBits-1:2];
    end
  end

  // ---------------------------------------------------------------- assertions
  // What is taken is here.
  `ASSERT_NOW(TakenIsHere_A, take_i -> valid_q[engine_i])
  // An answer was asked for.
  `ASSERT_NOW(AnswerWasAsked_A, rsp_valid_i -> waiting_q[rsp_engine_i])
  // A list is used up before the next one comes.
  `ASSERT_NOW(OneListAtATime_A, load_i -> !left_any_q[load_engine_i] && !waiting_q[load_engine_i] && !valid_q[load_engine_i])

endmodule
