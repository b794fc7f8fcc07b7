// SPDX-License-Identifier: Apache-2.0
// Reads a stream of instructions ahead, whole lines at a time, and hands them out, up to two a cycle; keeps what it has
// read, for loops; reads single words for the sequencer.
//
//   request line n -->  (memory) --> line_q[n mod Slots] --> second_q --> instr_q
//                                                               |            |
//                                                             second       instr
//
//   lines   ... | lo .......... read ............... hi | ...
//                 kept, read    in flight or here         not yet asked for
//
// The slots hold the lines lo .. hi - 1, at most Slots of them; hi is asked for while fewer than Ahead lines are in
// flight or unread, and takes the slot of the oldest. So the last Slots - Ahead lines that were read stay, and of a loop
// of up to Slots lines the first is not given up before the loop is left: its second pass may be fetched once more,
// the others run without a request. A jump into the window moves `read`; any other one begins a new window there, and
// what is still on its way for the old one keeps its slot until it has arrived.
//
// A branch that leads back is predicted: behind it its target is read, so a loop costs nothing. If the sequencer goes
// another way, it says so (redirect), and an instruction that is here comes two cycles later instead of one.
// In hardware the look at opcode and target would be taken when a line arrives, and cost two bits per instruction.
//
// A memory answer takes about 160 cycles, so Ahead lines sustain an instruction every 160 / (Ahead * PerLine) cycles:
// 1.8 with four to a line (inf2: 32 slots, 8 KB), 3.5 with one (mini: 64 slots, 4 KB). Lines may come back in any order: the slot tells which is which.
//
// start_i needs idle_o; it takes base and count. stop_i forgets what was read ahead; idle_o comes when the last answer
// in flight has arrived. A request may be withdrawn (fetch_mux registers it).
`include "assert.svh"

module instr_fetch #(
  localparam int unsigned LineBits = size_pkg::LineBytes * 8,
  localparam int unsigned PerLine  = size_pkg::LineBytes / defs_pkg::InstrBytes,
  localparam int unsigned SubBits  = (PerLine > 1) ? $clog2(PerLine) : 1,
  localparam int unsigned Slots    = (PerLine > 1) ? 32 : 64,
  localparam int unsigned Ahead    = Slots / 4 * 3,
  localparam int unsigned SlotBits = $clog2(Slots),
  localparam int unsigned TagBits  = 6
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic        start_i,
  input  logic [47:0] base_i,
  input  logic [24:0] count_i,
  input  logic        stop_i,
  output logic        idle_o,
  output logic        settled_o,    // nothing changes here before an instruction is taken
  output logic [24:0] count_o,      // as of start_i
  output logic        exhausted_o,  // everything was handed out

  output logic                req_valid_o,
  input  logic                req_ready_i,
  output logic [47:0]         req_addr_o,
  output logic [TagBits-1:0]  req_slot_o,

  input  logic                rsp_valid_i,
  input  logic [TagBits-1:0]  rsp_slot_i,
  input  logic [LineBits-1:0] rsp_data_i,

  output logic             instr_valid_o,
  input  logic             instr_ready_i,
  output defs_pkg::instr_t instr_o,
  output logic             predicted_o,     // behind it comes its branch target
  output logic             second_valid_o,  // the one after it is here too
  input  logic             second_ready_i,  // only with instr_ready_i: both are taken
  output defs_pkg::instr_t second_o,
  input  logic             redirect_i,      // only with instr_ready_i: go on at redirect_pc_i
  input  logic [24:0]      redirect_pc_i,

  // A word of memory: held until done, or given up for good with stop_i.
  input  logic        load_valid_i,
  input  logic [47:0] load_addr_i,
  output logic        load_done_o,
  output logic [31:0] load_data_o
);

  // ---------------------------------------------------------------- datapath
  logic [LineBits-1:0] line_q [Slots];
  defs_pkg::instr_t instr_q, second_q;
  logic predicted_q, second_predicted_q;
  // Where the next instruction stands, and the one after it.
  logic [24:0] read_d, read_q, next;
  logic [SlotBits-1:0] read_slot, next_slot;
  logic [SubBits-1:0]  read_sub, next_sub;
  logic shift, load_one, load_two;  // load_one: to the first free place
  logic first_free, second_free, read_jumps, next_jumps;

  always_ff @(posedge clk_i) begin
    if (rsp_valid_i && !load_done_o) line_q[rsp_slot_i[SlotBits-1:0]] <= rsp_data_i;
    if (shift) begin
      instr_q     <= second_q;
      predicted_q <= second_predicted_q;
    end else if (load_one && first_free) begin
      instr_q     <= line_q[read_slot][32'(read_sub)*defs_pkg::InstrBits +: defs_pkg::InstrBits];
      predicted_q <= read_jumps;
    end
    if (load_two) begin
      second_q           <= line_q[next_slot][32'(next_sub)*defs_pkg::InstrBits +: defs_pkg::InstrBits];
      second_predicted_q <= next_jumps;
    end else if (load_one && !first_free) begin
      second_q           <= line_q[read_slot][32'(read_sub)*defs_pkg::InstrBits +: defs_pkg::InstrBits];
      second_predicted_q <= read_jumps;
    end
  end
  assign instr_o     = instr_q;
  assign second_o    = second_q;
  assign predicted_o = predicted_q;

  // ---------------------------------------------------------------- lines
  // Of a slot: its answer is in flight; it holds what was asked for last.
  logic [Slots-1:0] pending_d, pending_q, full_d, full_q;
  logic active_d, active_q, instr_valid_d, instr_valid_q, second_valid_d, second_valid_q;
  logic loading_d, loading_q;
  logic [SlotBits-1:0] load_slot_q;
  logic [47:0] base_q;
  logic [24:0] count_q;
  logic [24:0] lo_d, lo_q, hi_d, hi_q, read_line, next_line, unread;
  logic [24:0] first_d, first_q, last_d, last_q;  // lines of the loop that is kept; first > last: none
  logic held;                                     // hi would take the slot of its first line
  logic [SlotBits-1:0] hi_slot, rsp_slot;
  logic request_line, request_load, request;

  assign read_line    = read_q / 25'(PerLine);
  assign unread       = hi_q - read_line;
  assign held         = first_q <= read_line && read_line <= last_q && hi_q - first_q == 25'(Slots);
  assign hi_slot      = hi_q[SlotBits-1:0];
  assign rsp_slot     = rsp_slot_i[SlotBits-1:0];
  assign request_load = load_valid_i && !loading_q && !pending_q[hi_slot];
  assign request_line = active_q && hi_q != (count_q + 25'(PerLine - 1)) / 25'(PerLine) && unread < 25'(Ahead) &&
                        !held && !load_valid_i && !loading_q && !pending_q[hi_slot];
  assign req_valid_o  = request_line || request_load;
  assign req_addr_o   = request_load ? {load_addr_i[47:$clog2(size_pkg::LineBytes)], ($clog2(size_pkg::LineBytes))'(0)}
                                     : base_q + 48'(hi_q) * 48'(size_pkg::LineBytes);
  assign req_slot_o   = TagBits'(hi_slot);  // of a load, too: it is nobody's while a load is under way
  assign request      = req_valid_o && req_ready_i;
  assign load_done_o  = rsp_valid_i && loading_q && rsp_slot == load_slot_q;
  assign load_data_o  = rsp_data_i[32'(load_addr_i[$clog2(size_pkg::LineBytes)-1:2])*32 +: 32];

  // ---------------------------------------------------------------- instructions
  // After what is taken in this cycle.
  assign shift       = instr_valid_q && instr_ready_i && second_valid_q && !second_ready_i;
  assign first_free  = !instr_valid_q || (instr_ready_i && (!second_valid_q || second_ready_i));
  assign second_free = !second_valid_q || instr_ready_i;

  assign next      = read_q + 25'd1;
  assign read_slot = SlotBits'(read_line);
  assign next_line = next / 25'(PerLine);
  assign next_slot = SlotBits'(next_line);
  assign read_sub  = SubBits'(read_q % 25'(PerLine));
  assign next_sub  = SubBits'(next % 25'(PerLine));
  // The slot of hi holds an older line.
  assign load_one  = active_q && read_q != count_q && read_line != hi_q && full_q[read_slot] && second_free;
  assign load_two  = load_one && first_free && next != count_q && next_line != hi_q && full_q[next_slot] && !read_jumps;

  // Opcode and branch target, at the two ends of an instruction.
  localparam int unsigned OpcodeAt = defs_pkg::InstrBits - 8;
  logic [23:0] read_target, next_target;
  always_comb begin
    read_target = '0;
    next_target = '0;
    read_jumps  = 1'b0;
    next_jumps  = 1'b0;
    if (line_q[read_slot][32'(read_sub)*defs_pkg::InstrBits + OpcodeAt +: 8] == defs_pkg::OpcodeBranch) begin
      read_target = line_q[read_slot][32'(read_sub)*defs_pkg::InstrBits +: 24];
      read_jumps  = {1'b0, read_target} <= read_q;
    end
    if (line_q[next_slot][32'(next_sub)*defs_pkg::InstrBits + OpcodeAt +: 8] == defs_pkg::OpcodeBranch) begin
      next_target = line_q[next_slot][32'(next_sub)*defs_pkg::InstrBits +: 24];
      next_jumps  = {1'b0, next_target} <= next;
    end
  end

  assign instr_valid_o  = instr_valid_q;
  assign second_valid_o = second_valid_q;
  assign exhausted_o    = active_q && read_q == count_q && !instr_valid_q;
  assign idle_o         = !active_q && pending_q == '0 && !loading_q;
  assign settled_o      = pending_q == '0 && !loading_q && !req_valid_o && !load_one;
  assign count_o        = count_q;

  // ---------------------------------------------------------------- next state
  logic jump, outside, back;
  logic [24:0] from;  // line of a branch that is predicted
  logic [24:0] jump_line, oldest;  // oldest: lo, when what is requested now has taken its slot
  always_comb begin
    read_d = read_q;
    jump   = redirect_i;
    if (redirect_i) begin
      read_d = redirect_pc_i;
    end else if (load_two) begin
      read_d = next_jumps ? {1'b0, next_target} : read_q + 25'd2;
      jump   = next_jumps;
    end else if (load_one) begin
      read_d = read_jumps ? {1'b0, read_target} : next;
      jump   = read_jumps;
    end
    if (start_i) read_d = '0;
  end
  assign from      = load_two ? next_line : read_line;
  assign back      = jump && !redirect_i && from - jump_line < 25'(Slots) && !(first_q <= jump_line && from <= last_q);
  assign jump_line = read_d / 25'(PerLine);
  assign oldest    = lo_q + 25'(request && request_line && hi_q - lo_q == 25'(Slots));
  assign outside   = jump && (jump_line < oldest || jump_line > hi_q);

  always_comb begin
    active_d       = active_q;
    instr_valid_d  = !first_free || load_one;
    // In the second place: what stays there, or what is loaded behind another.
    second_valid_d = (second_valid_q && !instr_ready_i) || load_two || (load_one && !first_free);
    lo_d           = oldest;
    hi_d           = hi_q;
    pending_d      = pending_q;
    full_d         = full_q;
    loading_d      = loading_q && !load_done_o;
    first_d        = back ? jump_line : first_q;
    last_d         = back ? from : last_q;

    if (rsp_valid_i && !load_done_o) begin
      pending_d[rsp_slot] = 1'b0;
      full_d[rsp_slot]    = 1'b1;
    end
    if (request && request_load) loading_d = 1'b1;
    if (request && request_line) begin
      pending_d[hi_slot] = 1'b1;
      full_d[hi_slot]    = 1'b0;
      hi_d               = hi_q + 25'd1;
    end
    if (outside) begin
      lo_d = jump_line;
      hi_d = jump_line;
    end
    if (redirect_i || stop_i) begin
      instr_valid_d  = 1'b0;
      second_valid_d = 1'b0;
    end
    if (stop_i) active_d = 1'b0;
    if (start_i) begin
      active_d = 1'b1;
      lo_d     = '0;
      hi_d     = '0;
      first_d  = 25'd1;
      last_d   = '0;
    end
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q       <= 1'b0;
      instr_valid_q  <= 1'b0;
      second_valid_q <= 1'b0;
      loading_q      <= 1'b0;
      read_q         <= '0;
      lo_q           <= '0;
      hi_q           <= '0;
      first_q        <= 25'd1;
      last_q         <= '0;
      pending_q      <= '0;
      full_q         <= '0;
    end else begin
      active_q       <= active_d;
      instr_valid_q  <= instr_valid_d;
      second_valid_q <= second_valid_d;
      loading_q      <= loading_d;
      read_q         <= read_d;
      lo_q           <= lo_d;
      hi_q           <= hi_d;
      first_q        <= first_d;
      last_q         <= last_d;
      pending_q      <= pending_d;
      full_q         <= full_d;
    end
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      base_q  <= base_i;
      count_q <= count_i;
    end
    if (request && request_load) load_slot_q <= hi_slot;
  end

  // The upper bits of a tag come back as they went; a word begins at a multiple of 4.
  logic unused_bits;
  assign unused_bits = ^{rsp_slot_i, load_addr_i[1:0]};

  // ---------------------------------------------------------------- assertions
  // A stream starts only when nothing of the last one is in flight.
  `ASSERT_NOW(StartWhenIdle_A, start_i -> idle_o)
  // Every answer was asked for, by a line or by a load.
  `ASSERT_NOW(AnswerWasRequested_A, rsp_valid_i -> load_done_o || pending_q[rsp_slot])
  `ASSERT_NOW(LoadHasItsSlot_A, loading_q -> !pending_q[load_slot_q])
  // The window is in order and fits, and what is read next is in it.
  `ASSERT_NOW(WindowFits_A, active_q -> lo_q <= read_line && read_line <= hi_q && hi_q - lo_q <= 25'(Slots))
  // A line of the window is here or on its way.
  `ASSERT_NOW(LineIsNotLost_A,
    active_q && read_line < hi_q -> full_q[read_slot] || pending_q[read_slot])
  // The loop that is kept fits: what is read in it needs no line that is held back.
  `ASSERT_NOW(LoopFits_A, active_q && held -> last_q < hi_q)
  // What is in flight is not here.
  `ASSERT_NOW(InFlightOrHere_A, (pending_q & full_q) == '0)
  // The second is never taken without the first, nor there without it.
  `ASSERT_NOW(SecondBehindFirst_A, second_valid_o -> instr_valid_o)
  `ASSERT_NOW(SecondWithFirst_A, second_ready_i -> instr_ready_i && second_valid_o)
  // Only an instruction that is taken leads elsewhere.
  `ASSERT_NOW(RedirectTakes_A, redirect_i -> instr_valid_o && instr_ready_i)
  // An instruction that is not taken stays, unless stopped.
  `ASSERT(StalledStaysValid_A, instr_valid_o && !instr_ready_i && !stop_i |=> instr_valid_o)

endmodule
