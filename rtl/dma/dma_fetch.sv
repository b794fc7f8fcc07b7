// SPDX-License-Identifier: Apache-2.0
// Doorbells and rings: reads the lines of the descriptors that were triggered, and keeps what comes.
//
//   doorbell --> unasked_q --> req --> (memory) --> line_q[engine] --> next --> dma_engines
//                    pick: who has some and room for a line
//
// Ahead of the engine by up to 1,024 bytes of its ring (16 descriptors), all of a line that were
// triggered in one read. A ring lies in one memory, so its lines come in order. Where a ring is
// bad, an entry with its cause stands in for the line, once all lines before are here: the engine
// stops when it gets there. A ring that the other core shares is read descriptor by descriptor, for the
// window may end inside a line. A descriptor that comes with its doorbell (DmaStart) takes a line of its own: it waits
// until all that was rung before is here, and there is room; reads of rings wait for it, a cycle.
`include "assert.svh"

module dma_fetch #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines)
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic core_id_i,
  input  defs_pkg::peer_access_t peer_i,

  input  logic trig_valid_i,
  output logic trig_ready_o,
  input  dma_pkg::trigger_t trig_i,

  input  logic [Engines-1:0][47:0] ring_base_i,
  input  logic [Engines-1:0][15:0] ring_count_i,

  input  logic [Engines-1:0] stopped_i,
  input  logic done_valid_i,                 // a descriptor of this engine has ended
  input  logic [EngineBits-1:0] done_engine_i,
  output logic [Engines-1:0] work_o,         // triggered descriptors left

  input  logic [Engines-1:0] waiting_i,      // for a line of indices, whose answer would look like one of descriptors
  output logic [Engines-1:0] quiet_o,        // no line is under way
  output logic req_valid_o,
  input  logic req_ready_i,
  output logic [EngineBits-1:0] req_engine_o,
  output logic [47:0] req_addr_o,
  output logic [8:0] req_bytes_o,
  input  logic rsp_valid_i,
  input  size_pkg::mem_rsp_t rsp_i,

  // the oldest descriptor of the engine that is looked at, or what is wrong with its place
  output logic [Engines-1:0] next_valid_o,
  input  logic next_look_i,
  input  logic [EngineBits-1:0] next_engine_i,
  output defs_pkg::descriptor_t next_o,
  output logic next_start_o,                 // it came with the doorbell, of the DmaStart at this pc
  output logic [23:0] next_start_pc_o,
  output defs_pkg::error_cause_e next_cause_o,
  input  logic next_take_i
);

  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);
  localparam int unsigned LineWidth = size_pkg::LineBytes * 8;
  localparam int unsigned Parts = size_pkg::LineBytes / defs_pkg::InstrBytes;  // descriptors of a line
  localparam int unsigned Lines = 1024 / size_pkg::LineBytes;
  localparam int unsigned Slot = $clog2(Lines);

  // --- state ----------------------------------------------------------------------------------
  logic [Engines-1:0] work_q;
  logic [Engines-1:0] unasked_any_q, full_q, here_any_q;
  logic [15:0] pending_q [Engines];          // triggered, not ended
  logic [15:0] unasked_q [Engines];          // triggered, not asked for
  logic [15:0] position_q [Engines];         // in the ring, of the next to ask for
  logic [Slot-1:0] head_q [Engines];         // oldest line
  logic [Slot:0] lines_q [Engines];          // asked for and not used up
  logic [Slot:0] here_q [Engines];           // of these have come
  logic [size_pkg::LineBytes*8-1:0] line_q [Engines*Lines];
  logic [1:0] part_q [Engines*Lines];        // next descriptor in the line
  logic [2:0] left_q [Engines*Lines];
  defs_pkg::error_cause_e cause_q [Engines*Lines];
  logic [Engines*Lines-1:0] start_q;
  logic [23:0] start_pc_q [Engines*Lines];
  logic [EngineBits-1:0] turn_q;

  assign work_o       = work_q;
  assign next_valid_o = here_any_q;

  // --- doorbell -------------------------------------------------------------------------------
  logic trig, bring;                         // bring: a descriptor with it
  logic [EngineBits-1:0] trig_engine;
  logic [16:0] trig_sum;
  assign trig_engine = trig_i.engine[EngineBits-1:0];

  always_comb begin
    trig         = 1'b0;
    bring        = 1'b0;
    trig_sum     = '0;
    trig_ready_o = 1'b1;
    if (trig_valid_i && 32'(trig_i.engine) < Engines && !stopped_i[trig_engine]) begin
      trig_sum     = 17'(pending_q[trig_engine]) + 17'(trig_i.count);
      trig_ready_o = !trig_sum[16] &&
                     (!trig_i.start || (!unasked_any_q[trig_engine] && !full_q[trig_engine] && !rsp_valid_i &&
                                        here_q[trig_engine] == lines_q[trig_engine]));
      trig         = trig_ready_o;
      bring        = trig && trig_i.start;
    end
  end

  // --- next line ------------------------------------------------------------------------------
  logic [Engines-1:0] able;
  logic ask, bad, asked;
  logic [EngineBits-1:0] engine;
  logic [47:0] ring_base, addr;
  logic [15:0] position, to_end, count;
  logic [1:0] part;
  logic [Slot-1:0] tail;
  defs_pkg::error_cause_e cause;

  always_comb begin
    able      = unasked_any_q & ~full_q & ~stopped_i & ~waiting_i;
    ask       = 1'b0;
    bad       = 1'b0;
    engine    = '0;
    ring_base = '0;
    addr      = '0;
    position  = '0;
    part      = '0;
    to_end    = '0;
    count     = '0;
    tail      = '0;
    cause     = defs_pkg::ErrorCauseNone;
    if (bring) begin
      engine = trig_engine;
      tail   = head_q[engine] + lines_q[engine][Slot-1:0];
    end else if (able != '0) begin
      engine    = EngineBits'(dma_pkg::pick_of(16'(able), 4'(turn_q)));
      ring_base = ring_base_i[engine];
      position  = position_q[engine];
      addr      = ring_base + (48'(position) << 6);
      part      = 2'(addr[LineBits-1:0] >> 6);
      tail      = head_q[engine] + lines_q[engine][Slot-1:0];
      if (ring_base[LineBits-1:0] != '0) cause = defs_pkg::ErrorCauseMisaligned;
      else if (ring_count_i[engine] == '0) cause = defs_pkg::ErrorCauseBadDescriptor;
      else if (!guard_pkg::reaches(peer_i.shared, peer_i.base, peer_i.limit, core_id_i, addr,
                                   48'(defs_pkg::InstrBytes))) begin
        cause = defs_pkg::ErrorCauseForbidden;
      end else if (address_pkg::memory_of(addr) == defs_pkg::MemoryUnmapped) begin
        cause = defs_pkg::ErrorCauseUnmappedAddress;
      end
      ask    = cause == defs_pkg::ErrorCauseNone;
      bad    = !ask && !rsp_valid_i && here_q[engine] == lines_q[engine];
      to_end = ring_count_i[engine] - position;
      count  = 16'(Parts) - 16'(part);
      if (to_end < count) count = to_end;
      if (unasked_q[engine] < count) count = unasked_q[engine];
      if (bad || address_pkg::core_of(addr) != core_id_i) count = 16'd1;
    end
  end

  assign req_valid_o  = ask;
  assign req_engine_o = engine;
  assign req_addr_o   = addr;
  assign req_bytes_o  = 9'({count[2:0], 6'b0});
  assign asked        = (ask && req_ready_i) || bad || bring;

  always_comb begin
    for (int unsigned e = 0; e < Engines; e++) quiet_o[e] = here_q[e] == lines_q[e];
  end

  // --- oldest descriptor ------------------------------------------------------------------------
  logic [EngineBits-1:0] rsp_engine;
  logic [EngineBits+Slot-1:0] next_slot, rsp_slot, tail_slot;
  logic used_up;
  assign rsp_engine = rsp_i.tag[4+:EngineBits];
  assign rsp_slot   = {rsp_engine, head_q[rsp_engine] + here_q[rsp_engine][Slot-1:0]};
  assign tail_slot  = {engine, tail};

  always_comb begin
    next_slot    = '0;
    next_o       = '0;
    next_cause_o = defs_pkg::ErrorCauseNone;
    next_start_o = 1'b0;
    next_start_pc_o = '0;
    if (next_look_i) begin
      next_slot    = {next_engine_i, head_q[next_engine_i]};
      next_o       = line_q[next_slot][512*32'(part_q[next_slot])+:512];
      next_cause_o = cause_q[next_slot];
      next_start_o = start_q[next_slot];
      next_start_pc_o = start_pc_q[next_slot];
    end
  end
  assign used_up = next_take_i && left_q[next_slot] == 3'd1;

  // --- registers --------------------------------------------------------------------------------
  logic add_here, here_same, lines_same, unasked_same, done_same;
  logic [EngineBits-1:0] here_engine;
  assign add_here     = rsp_valid_i || bad || bring;
  assign here_engine  = rsp_valid_i ? rsp_engine : engine;
  assign here_same    = add_here && here_engine == next_engine_i;
  assign lines_same   = asked && engine == next_engine_i;
  assign unasked_same = trig && !bring && trig_engine == engine;
  assign done_same    = trig && trig_engine == done_engine_i;

  logic [Slot:0] here_less, lines_less;
  logic [15:0] unasked_less, pending_less;
  assign here_less    = here_q[next_engine_i] - (Slot+1)'(1) + (Slot+1)'(here_same);
  assign lines_less   = lines_q[next_engine_i] - (Slot+1)'(1) + (Slot+1)'(lines_same);
  assign unasked_less = unasked_q[engine] - count + (unasked_same ? trig_i.count : 16'd0);
  assign pending_less = (done_same ? trig_sum[15:0] : pending_q[done_engine_i]) - 16'd1;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      work_q        <= '0;
      unasked_any_q <= '0;
      full_q        <= '0;
      here_any_q    <= '0;
      pending_q     <= '{default: '0};
      unasked_q     <= '{default: '0};
      position_q    <= '{default: '0};
      head_q        <= '{default: '0};
      lines_q       <= '{default: '0};
      here_q        <= '{default: '0};
      turn_q        <= '0;
    end else begin
      if (trig) begin
        pending_q[trig_engine] <= trig_sum[15:0];
        work_q[trig_engine]    <= 1'b1;
      end
      if (trig && !bring) begin
        unasked_q[trig_engine]     <= unasked_q[trig_engine] + trig_i.count;
        unasked_any_q[trig_engine] <= 1'b1;
      end
      if (done_valid_i) begin
        pending_q[done_engine_i] <= pending_less;
        if (pending_less == '0) work_q[done_engine_i] <= 1'b0;
      end
      if (!bring && (asked || (able != '0 && !ask))) begin
        turn_q <= (32'(engine) == Engines - 1) ? '0 : engine + EngineBits'(1);
      end
      if (asked) begin
        unasked_q[engine]     <= unasked_less;
        unasked_any_q[engine] <= unasked_less != '0;
        if (!bring) position_q[engine] <= count == to_end ? 16'd0 : position + count;
        lines_q[engine]       <= lines_q[engine] + (Slot+1)'(1);
        full_q[engine]        <= 32'(lines_q[engine]) == Lines - 1;
      end
      if (add_here) begin
        here_q[here_engine]     <= here_q[here_engine] + (Slot+1)'(1);
        here_any_q[here_engine] <= 1'b1;
      end
      if (used_up) begin
        head_q[next_engine_i]     <= head_q[next_engine_i] + Slot'(1);
        lines_q[next_engine_i]    <= lines_less;
        full_q[next_engine_i]     <= 1'b0;
        here_q[next_engine_i]     <= here_less;
        here_any_q[next_engine_i] <= here_less != '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (asked) begin
      part_q[tail_slot]  <= part;
      left_q[tail_slot]  <= bring ? 3'd1 : count[2:0];
      cause_q[tail_slot] <= cause;
      start_q[tail_slot] <= bring;
      start_pc_q[tail_slot] <= trig_i.pc;
    end
    if (next_take_i) begin
      part_q[next_slot] <= part_q[next_slot] + 2'd1;
      left_q[next_slot] <= left_q[next_slot] - 3'd1;
    end
    if (rsp_valid_i) line_q[rsp_slot] <= rsp_i.data;
    else if (bring) line_q[tail_slot] <= LineWidth'(trig_i.desc);
  end

  // --- assertions -------------------------------------------------------------------------------

  // What is taken has come.
  `ASSERT_NOW(TakenIsHere_A, next_take_i -> next_look_i && here_any_q[next_engine_i])
  // Nothing ends that was not triggered.
  `ASSERT_NOW(EndedWasTriggered_A, done_valid_i -> pending_q[done_engine_i] != '0)
  // A line's answer belongs to an engine that asked.
  // (Immediate: a property would sample the whole answer.)
  always_ff @(posedge clk_i) begin
    if (rst_ni && rsp_valid_i) AnswerWasAsked_A: assert (here_q[rsp_engine] != lines_q[rsp_engine]);
  end

endmodule
