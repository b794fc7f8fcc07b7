// SPDX-License-Identifier: Apache-2.0
// Back end of the DMA: lines come back, move to their place, and leave as writes or messages.
//
//   beat ---> plan_q[engine][seq] --------------+
//   answer -> line_q[engine][seq] --+           v
//                                   +--> pick --> rotate --+--> wr   (one register)
//                                        round robin       +--> msg  (one register)
//
// Answers of one engine come in the order of its reads (a descriptor has one source memory, and an
// engine drains between descriptors), so a count per engine says which lines are there. One beat
// leaves per cycle; engines take turns. An engine's entries are freed when its write is accepted.
// An accepted write may still wait in the crossbar's register: the write is completed in a
// later cycle in which wr_settled_i is high. If an engine must wait for that, no new local write
// starts, so that other engines' traffic cannot keep it waiting for ever.
`include "assert.svh"

module dma_write (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic beat_valid_i,
  input  logic [3:0] beat_engine_i,
  input  logic [3:0] beat_seq_i,
  input  logic beat_remote_i,
  input  dma_pkg::beat_t beat_i,

  input  logic rsp_valid_i,
  input  size_pkg::mem_rsp_t rsp_i,

  input  logic [3:0] slot_i,
  output logic [3:0] inflight_o,
  output logic unsettled_o,
  input  logic blocked_i,

  output logic wr_req_valid_o,
  input  logic wr_req_ready_i,
  output size_pkg::mem_req_t wr_req_o,
  input  logic wr_settled_i,
  output logic [31:0] wr_pc_o,               // of wr_req_o, for the commit; engine: wr_req_o.tag

  output logic msg_valid_o,
  input  logic msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,

  output logic busy_o
);

  localparam int unsigned Engines = size_pkg::DmaEngines;
  localparam int unsigned EngineBits = $clog2(Engines);
  localparam int unsigned LineWidth = size_pkg::LineBytes * 8;
  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);

  logic [LineWidth-1:0] line_q [Engines*16];
  dma_pkg::beat_t plan_q [Engines*16];

  logic [Engines-1:0][3:0] inflight_d, inflight_q;   // reads started, writes not accepted
  logic [Engines-1:0][3:0] arrived_d, arrived_q;     // lines here, not picked
  logic [Engines-1:0][3:0] head_q;                   // seq of the oldest entry
  logic [Engines-1:0] here_d, here_q;                // arrived_q != 0
  logic [Engines-1:0] remote_q;
  logic [Engines-1:0] unsettled_d, unsettled_q;
  logic [EngineBits-1:0] turn_q;
  logic hold_q;

  logic unused_engine;  // mini has two of the four bits
  assign unused_engine = ^{beat_engine_i, slot_i};

  // --- pick ---------------------------------------------------------------------------
  logic wr_done, msg_done, wr_free, msg_free;
  assign wr_done  = wr_req_valid_o && wr_req_ready_i;
  assign msg_done = msg_valid_o && msg_ready_i;
  assign wr_free  = !wr_req_valid_o || wr_req_ready_i;
  assign msg_free = !msg_valid_o || msg_ready_i;

  logic [Engines-1:0] able, ahead;
  logic pick_wr, pick_msg;
  logic [EngineBits-1:0] pick;
  logic [3:0] pick_seq;
  dma_pkg::beat_t plan;

  always_comb begin
    able     = '0;
    ahead    = '0;
    pick     = '0;
    pick_seq = '0;
    pick_wr  = 1'b0;
    pick_msg = 1'b0;
    plan     = '0;
    if (here_q != '0) begin
      able  = here_q & (({Engines{msg_free}} & remote_q) |
                        ({Engines{wr_free && !hold_q}} & ~remote_q));
      ahead = able & ({Engines{1'b1}} << turn_q);
      if (ahead == '0) ahead = able;
      for (int unsigned i = 0; i < Engines; i++) begin
        if (ahead[Engines-1-i]) pick = EngineBits'(Engines - 1 - i);
      end
      pick_seq = head_q[pick];
      plan     = plan_q[{pick, pick_seq}];
      pick_wr  = able != '0 && !remote_q[pick];
      pick_msg = able != '0 && remote_q[pick];
    end
  end

  // --- data: moved only when picked -----------------------------------------------------
  function automatic logic [LineWidth-1:0] rotate_left(input logic [LineWidth-1:0] line,
                                                       input logic [LineBits-1:0] by);
    rotate_left = (line << {by, 3'b0}) |
                  (line >> ((LineBits+4)'(LineWidth) - (LineBits+4)'({by, 3'b0})));
  endfunction

  always_ff @(posedge clk_i) begin
    if (rsp_valid_i) line_q[rsp_i.tag[0+:EngineBits+4]] <= rsp_i.data;
    if (beat_valid_i) begin
      plan_q[{beat_engine_i[EngineBits-1:0], beat_seq_i}] <= beat_i;
    end
    if (pick_wr) begin
      wr_req_o <= '{write: 1'b1, addr: plan.addr, bytes: plan.bytes, tag: 12'(pick),
                    data: rotate_left(line_q[{pick, pick_seq}],
                                      plan.addr[LineBits-1:0] - plan.from)};
      wr_pc_o  <= plan.pc;
    end
    if (pick_msg) begin
      msg_o <= '{engine: 4'(pick), dst: plan.dst, addr: plan.addr, bytes: plan.bytes, vn: plan.vn,
                 last: plan.last, notify: plan.notify, sem: plan.notify ? plan.sem : 9'd0,
                 data: line_q[{pick, pick_seq}] >> {plan.from, 3'b0}};
    end
  end

  // --- control --------------------------------------------------------------------------
  logic [EngineBits-1:0] beat_engine, rsp_engine, wr_engine, msg_engine;
  assign beat_engine = beat_engine_i[EngineBits-1:0];
  assign rsp_engine  = rsp_i.tag[4+:EngineBits];
  assign wr_engine   = wr_req_o.tag[0+:EngineBits];
  assign msg_engine  = msg_o.engine[0+:EngineBits];

  always_comb begin
    inflight_d  = inflight_q;
    arrived_d   = arrived_q;
    here_d      = here_q;
    unsettled_d = wr_settled_i ? '0 : unsettled_q;
    if (beat_valid_i) inflight_d[beat_engine] = inflight_d[beat_engine] + 4'd1;
    if (wr_done) begin
      inflight_d[wr_engine]  = inflight_d[wr_engine] - 4'd1;
      unsettled_d[wr_engine] = 1'b1;
    end
    if (msg_done) inflight_d[msg_engine] = inflight_d[msg_engine] - 4'd1;
    if (pick_wr || pick_msg) begin
      arrived_d[pick] = arrived_d[pick] - 4'd1;
      here_d[pick]    = arrived_d[pick] != '0;
    end
    if (rsp_valid_i) begin
      arrived_d[rsp_engine] = arrived_d[rsp_engine] + 4'd1;
      here_d[rsp_engine]    = 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      inflight_q     <= '0;
      arrived_q      <= '0;
      head_q         <= '0;
      here_q         <= '0;
      remote_q       <= '0;
      unsettled_q    <= '0;
      turn_q         <= '0;
      hold_q         <= 1'b0;
      wr_req_valid_o <= 1'b0;
      msg_valid_o    <= 1'b0;
    end else begin
      inflight_q  <= inflight_d;
      arrived_q   <= arrived_d;
      here_q      <= here_d;
      unsettled_q <= unsettled_d;
      hold_q      <= (hold_q || blocked_i) && !wr_settled_i;
      if (wr_free) wr_req_valid_o <= pick_wr;
      if (msg_free) msg_valid_o <= pick_msg;
      if (beat_valid_i) remote_q[beat_engine] <= beat_remote_i;
      if (pick_wr || pick_msg) begin
        head_q[pick] <= (pick_seq == 4'd14) ? 4'd0 : pick_seq + 4'd1;
        turn_q       <= (32'(pick) == Engines - 1) ? '0 : pick + EngineBits'(1);
      end
    end
  end

  assign inflight_o  = inflight_q[slot_i[EngineBits-1:0]];
  assign unsettled_o = unsettled_q[slot_i[EngineBits-1:0]] && !wr_settled_i;
  assign busy_o      = inflight_q != '0 || unsettled_q != '0;

  // --- assertions -----------------------------------------------------------------------

  // A pending write or message stays put.
  `ASSERT(WriteStays_A, wr_req_valid_o && !wr_req_ready_i |=> wr_req_valid_o)
  `ASSERT(MessageStays_A, msg_valid_o && !msg_ready_i |=> msg_valid_o)
  // Lines here are among the reads started.
  `ASSERT_NOW(ArrivedIsInflight_A, here_q != '0 -> inflight_q != '0)
  // The rest looks into wide structs: immediate, because a property would sample them whole.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      // An answer belongs to a started read.
      AnswerWasAsked_A: assert (!rsp_valid_i || arrived_q[rsp_engine] < inflight_q[rsp_engine]);
      // A write stays inside its line.
      WriteInLine_A: assert (!pick_wr || 32'(plan.addr[LineBits-1:0]) + 32'(plan.bytes) <=
                             size_pkg::LineBytes);
    end
  end

endmodule
