// SPDX-License-Identifier: Apache-2.0
// Back end of the DMA: lines come back, move to their place, and leave as writes or messages.
//
//   beat ---> plan_q[engine][seq] --------------+
//   answer -> line_q[engine][seq] --+           v
//                                   +--> pick --> rotate --+--> wr   (one register)
//                                        round robin       +--> msg  (one register)
//
// Lines come in any order (descriptors that are open together may read different memories), and leave
// in the order of their reads, one beat per cycle. Engines take turns, and one goes first that does not
// write to the memory written last: see dma_engines. Behind the last beat of a descriptor its engine is closed
// until that one has ended: dma_finish. A beat of two sources is two entries: the line of the second source
// leaves into kept_q, and the one behind it is combined with that. A beat that is dropped leaves as a write does, but
// none is made: what its descriptor has written before lands as if the last of that were its end.
`include "assert.svh"

module dma_write #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines)
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic beat_valid_i,
  input  logic [EngineBits-1:0] beat_engine_i,
  input  logic [3:0] beat_seq_i,
  input  dma_pkg::beat_t beat_i,

  input  logic rsp_valid_i,
  input  size_pkg::mem_rsp_t rsp_i,

  output logic [Engines-1:0] full_o,         // no room for another line
  input  logic [Engines-1:0] closed_i,

  // a beat is picked that ends its descriptor
  output logic close_o,
  output logic [EngineBits-1:0] close_engine_o,
  output dma_pkg::beat_t close_beat_o,

  output logic wr_req_valid_o,
  input  logic wr_req_ready_i,
  output size_pkg::mem_req_t wr_req_o,
  output logic [31:0] wr_pc_o,               // of wr_req_o, for the commit; engine: wr_req_o.tag
  output logic wr_ends_o,
  output logic [1:0] wr_memory_o,

  output logic msg_valid_o,
  input  logic msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,
  output logic msg_ends_o,
  output logic drop_o                        // close_beat_o is dropped
);

  localparam int unsigned LineWidth = size_pkg::LineBytes * 8;
  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);

  logic [LineWidth-1:0] line_q [Engines*16];
  dma_pkg::beat_t plan_q [Engines*16];

  logic [Engines-1:0][3:0] inflight_q;       // reads started, not picked
  logic [Engines-1:0] any_q, full_q;         // inflight_q is not 0, is 15
  logic [Engines-1:0][14:0] arrived_q;       // per seq: its line is here
  logic [Engines-1:0][3:0] head_q;           // seq of the oldest
  logic [Engines-1:0] here_q, away_q, keep_q;  // the oldest has come; it becomes a message; it is kept
  logic [Engines-1:0][1:0] memory_q;         // or goes there
  logic [LineWidth-1:0] kept_q [Engines];    // of a second source
  logic [LineBits-1:0] kept_from_q [Engines];
  logic [1:0] last_q;                        // memory written last
  logic [EngineBits-1:0] turn_q;

  // --- pick ---------------------------------------------------------------------------
  logic wr_free, msg_free;
  assign wr_free  = !wr_req_valid_o || wr_req_ready_i;
  assign msg_free = !msg_valid_o || msg_ready_i;

  logic [Engines-1:0] able, other;
  logic pick_any, pick_wr, pick_msg, pick_keep;
  logic [EngineBits-1:0] pick;
  logic [3:0] pick_seq, next_seq;
  dma_pkg::beat_t plan;

  always_comb begin
    able     = '0;
    other    = '0;
    pick     = '0;
    pick_seq = '0;
    next_seq = '0;
    pick_any = 1'b0;
    pick_wr  = 1'b0;
    pick_msg = 1'b0;
    pick_keep = 1'b0;
    plan     = '0;
    if (here_q != '0) begin
      able     = here_q & ~closed_i &
                 (({Engines{msg_free}} & away_q) | ({Engines{wr_free}} & ~away_q) | keep_q);
      for (int unsigned e = 0; e < Engines; e++) begin
        other[e] = able[e] && (away_q[e] || keep_q[e] || memory_q[e] != last_q);
      end
      if (other == '0) other = able;
      pick     = EngineBits'(dma_pkg::pick_of(16'(other), 4'(turn_q)));
      pick_seq = head_q[pick];
      next_seq = pick_seq == 4'd14 ? 4'd0 : pick_seq + 4'd1;
      plan     = plan_q[{pick, pick_seq}];
      pick_any = able != '0;
      pick_keep = pick_any && keep_q[pick];
      pick_wr  = pick_any && !keep_q[pick] && !away_q[pick] && !plan.drop;
      pick_msg = pick_any && !keep_q[pick] && away_q[pick];
    end
  end

  assign close_o        = pick_any && plan.ends;
  assign close_engine_o = pick;
  assign close_beat_o   = plan;
  assign drop_o         = pick_any && plan.drop;
  assign full_o         = full_q;

  // --- data: moved only when picked -----------------------------------------------------
  function automatic logic [LineWidth-1:0] rotate_left(input logic [LineWidth-1:0] line,
                                                       input logic [LineBits-1:0] by);
    rotate_left = (line << {by, 3'b0}) |
                  (line >> ((LineBits+4)'(LineWidth) - (LineBits+4)'({by, 3'b0})));
  endfunction

  logic [LineBits-1:0] turn, kept_turn;      // by which a line moves to its place
  logic two, adds, casts;
  assign turn      = plan.addr[LineBits-1:0] - plan.from;
  assign kept_turn = plan.addr[LineBits-1:0] - kept_from_q[pick];
  assign two       = plan.combine == defs_pkg::CombineAdd || plan.combine == defs_pkg::CombineMax;
  assign casts     = plan.combine == defs_pkg::CombineCast;
  assign adds      = plan.combine == defs_pkg::CombineAdd;

  always_ff @(posedge clk_i) begin
    if (rsp_valid_i) line_q[rsp_i.tag[0+:EngineBits+4]] <= rsp_i.data;
    if (beat_valid_i) plan_q[{beat_engine_i, beat_seq_i}] <= beat_i;
    if (pick_keep) begin
      kept_q[pick]      <= line_q[{pick, pick_seq}];
      kept_from_q[pick] <= plan.from;
    end
    if (pick_wr) begin
      wr_req_o <= '{write: 1'b1, addr: plan.addr, bytes: plan.bytes, tag: 12'(pick),
                    data: rotate_left(line_q[{pick, pick_seq}], turn)};
      if (two) begin
        wr_req_o.data <= dma_pkg::combine(adds, plan.dtype, rotate_left(line_q[{pick, pick_seq}], turn),
                                          rotate_left(kept_q[pick], kept_turn));
      end
      if (casts) begin
        wr_req_o.data <= dma_pkg::cast(line_q[{pick, pick_seq}] >> {plan.from, 3'b0}, plan.dtype, plan.dst_dtype)
                         << {plan.addr[LineBits-1:0], 3'b0};
      end
      wr_pc_o     <= plan.pc;
      wr_ends_o   <= plan.ends;
      wr_memory_o <= plan.memory;
    end
    if (pick_msg) begin
      msg_o <= '{engine: 4'(pick), dst: plan.dst, addr: plan.addr, bytes: plan.bytes, vn: plan.vn,
                 last: plan.last, notify: plan.notify, sem: plan.notify ? plan.sem : 9'd0,
                 data: line_q[{pick, pick_seq}] >> {plan.from, 3'b0}};
      if (two) begin
        msg_o.data <= dma_pkg::combine(adds, plan.dtype, line_q[{pick, pick_seq}] >> {plan.from, 3'b0},
                                       kept_q[pick] >> {kept_from_q[pick], 3'b0});
      end
      msg_ends_o <= plan.ends;
    end
  end

  // --- control --------------------------------------------------------------------------
  logic [EngineBits-1:0] rsp_engine;
  logic [3:0] rsp_seq, rsp_head;
  logic same;                                // a beat starts and another one leaves, of one engine
  assign rsp_engine = rsp_i.tag[4+:EngineBits];
  assign rsp_seq    = rsp_i.tag[3:0];
  assign rsp_head   = pick_any && pick == rsp_engine ? next_seq : head_q[rsp_engine];
  assign same       = beat_valid_i && pick_any && beat_engine_i == pick;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      inflight_q     <= '0;
      any_q          <= '0;
      full_q         <= '0;
      arrived_q      <= '0;
      head_q         <= '0;
      here_q         <= '0;
      away_q         <= '0;
      keep_q         <= '0;
      memory_q       <= '0;
      last_q         <= '0;
      turn_q         <= '0;
      wr_req_valid_o <= 1'b0;
      msg_valid_o    <= 1'b0;
    end else begin
      if (wr_free) wr_req_valid_o <= pick_wr;
      if (msg_free) msg_valid_o <= pick_msg;
      if (beat_valid_i) begin
        any_q[beat_engine_i] <= 1'b1;
        if (!same) begin
          inflight_q[beat_engine_i] <= inflight_q[beat_engine_i] + 4'd1;
          full_q[beat_engine_i]     <= inflight_q[beat_engine_i] == 4'd14;
        end
      end
      if (pick_any) begin
        turn_q                    <= (32'(pick) == Engines - 1) ? '0 : pick + EngineBits'(1);
        head_q[pick]              <= next_seq;
        arrived_q[pick][pick_seq] <= 1'b0;
        here_q[pick]              <= arrived_q[pick][next_seq];
        away_q[pick]              <= plan_q[{pick, next_seq}].remote;
        keep_q[pick]              <= plan_q[{pick, next_seq}].keep;
        memory_q[pick]            <= plan_q[{pick, next_seq}].memory;
        if (pick_wr) last_q       <= plan.memory;
        if (!same) begin
          inflight_q[pick] <= inflight_q[pick] - 4'd1;
          any_q[pick]      <= inflight_q[pick] != 4'd1;
          full_q[pick]     <= 1'b0;
        end
      end
      if (rsp_valid_i) begin
        arrived_q[rsp_engine][rsp_seq] <= 1'b1;
        if (rsp_seq == rsp_head) begin
          here_q[rsp_engine]   <= 1'b1;
          away_q[rsp_engine]   <= plan_q[{rsp_engine, rsp_seq}].remote;
          keep_q[rsp_engine]   <= plan_q[{rsp_engine, rsp_seq}].keep;
          memory_q[rsp_engine] <= plan_q[{rsp_engine, rsp_seq}].memory;
        end
      end
    end
  end

  // --- assertions -----------------------------------------------------------------------

  // A pending write or message stays put.
  `ASSERT(WriteStays_A, wr_req_valid_o && !wr_req_ready_i |=> wr_req_valid_o)
  `ASSERT(MessageStays_A, msg_valid_o && !msg_ready_i |=> msg_valid_o)
  // Lines here are among the reads started.
  `ASSERT_NOW(ArrivedIsInflight_A, (here_q & ~any_q) == '0)
  // A read starts only where there is room for its line.
  `ASSERT_NOW(ReadHasRoom_A, beat_valid_i -> !full_q[beat_engine_i])
  // The rest looks into wide structs: immediate, because a property would sample them whole.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      // An answer belongs to a started read.
      AnswerWasAsked_A: assert (!rsp_valid_i || (any_q[rsp_engine] && !arrived_q[rsp_engine][rsp_seq]));
      // A write stays inside its line.
      WriteInLine_A: assert (!pick_wr || 32'(plan.addr[LineBits-1:0]) + 32'(plan.bytes) <=
                             size_pkg::LineBytes);
    end
  end

endmodule
