// SPDX-License-Identifier: Apache-2.0
// Reads a stream of instructions ahead, whole lines at a time, and hands them out, up to two a cycle.
//
//   request line n -->  (memory) --> line_q[n mod 8] --> second_q --> instr_q
//                                                           |            |
//                                                         second       instr
//
// Up to eight lines are in flight or buffered. A memory answer takes about 160 cycles, so this
// sustains an instruction every 5 cycles with four to a line (inf2) and one every 20 with one
// (mini). Lines may come back in any order: the slot tells which is which.
//
// start_i needs idle_o; it takes base and count. stop_i forgets what was read ahead; idle_o comes
// when the last answer in flight has arrived. A request may be withdrawn by stop_i (fetch_mux
// registers it), otherwise it stays until accepted.
`include "assert.svh"

module instr_fetch #(
  localparam int unsigned LineBits = size_pkg::LineBytes * 8,
  localparam int unsigned PerLine  = size_pkg::LineBytes / defs_pkg::InstrBytes,
  localparam int unsigned SubBits  = (PerLine > 1) ? $clog2(PerLine) : 1,
  localparam int unsigned Slots    = 8,
  localparam int unsigned SlotBits = 3
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic        start_i,
  input  logic [47:0] base_i,
  input  logic [24:0] count_i,
  input  logic        stop_i,
  output logic        idle_o,
  output logic        exhausted_o,  // everything was handed out

  output logic                req_valid_o,
  input  logic                req_ready_i,
  output logic [47:0]         req_addr_o,
  output logic [SlotBits-1:0] req_slot_o,

  input  logic                rsp_valid_i,
  input  logic [SlotBits-1:0] rsp_slot_i,
  input  logic [LineBits-1:0] rsp_data_i,

  output logic             instr_valid_o,
  input  logic             instr_ready_i,
  output defs_pkg::instr_t instr_o,
  output logic             second_valid_o,  // the one after it is here too
  input  logic             second_ready_i,  // only with instr_ready_i: both are taken
  output defs_pkg::instr_t second_o
);

  // ---------------------------------------------------------------- datapath
  logic [LineBits-1:0] line_q [Slots];
  defs_pkg::instr_t instr_q, second_q;
  // Where the next instruction stands, and the one after it.
  logic [SlotBits-1:0] read_slot_d, read_slot_q, next_slot, after_slot;
  logic [SubBits-1:0]  read_sub_d, read_sub_q, next_sub;
  logic shift, load_one, load_two;  // load_one: to the first free place

  always_ff @(posedge clk_i) begin
    if (rsp_valid_i) line_q[rsp_slot_i] <= rsp_data_i;
    if (shift) begin
      instr_q <= second_q;
    end else if (load_one && first_free) begin
      instr_q <= line_q[read_slot_q][32'(read_sub_q)*defs_pkg::InstrBits +: defs_pkg::InstrBits];
    end
    if (load_two) begin
      second_q <= line_q[next_slot][32'(next_sub)*defs_pkg::InstrBits +: defs_pkg::InstrBits];
    end else if (load_one && !first_free) begin
      second_q <= line_q[read_slot_q][32'(read_sub_q)*defs_pkg::InstrBits +: defs_pkg::InstrBits];
    end
  end
  assign instr_o  = instr_q;
  assign second_o = second_q;

  // ---------------------------------------------------------------- control
  // `used` counts slots requested or full; `waiting` requests without their answer.
  logic active_d, active_q, instr_valid_d, instr_valid_q, second_valid_d, second_valid_q;
  logic [47:0] addr_d, addr_q;
  logic [24:0] lines_d, lines_q;    // still to request
  logic [24:0] instrs_d, instrs_q;  // still to move to instr_q
  logic [SlotBits-1:0] req_slot_d, req_slot_q;
  logic [SlotBits:0] used_d, used_q, waiting_d, waiting_q;
  logic [Slots-1:0] full_d, full_q;

  logic request, line_done, next_done, first_free, second_free;
  assign req_valid_o = active_q && lines_q != '0 && used_q != (SlotBits + 1)'(Slots);
  assign req_addr_o  = addr_q;
  assign req_slot_o  = req_slot_q;
  assign request     = req_valid_o && req_ready_i;

  // After what is taken in this cycle.
  assign shift       = instr_valid_q && instr_ready_i && second_valid_q && !second_ready_i;
  assign first_free  = !instr_valid_q || (instr_ready_i && (!second_valid_q || second_ready_i));
  assign second_free = !second_valid_q || instr_ready_i;

  logic last_of_line, last_of_next;
  assign last_of_line = read_sub_q == SubBits'(PerLine - 1);
  assign next_slot    = last_of_line ? read_slot_q + SlotBits'(1) : read_slot_q;
  assign next_sub     = last_of_line ? '0 : read_sub_q + SubBits'(1);
  assign last_of_next = next_sub == SubBits'(PerLine - 1);
  assign after_slot   = next_slot + SlotBits'(1);
  assign load_one     = active_q && instrs_q != '0 && full_q[read_slot_q] && second_free;
  assign load_two     = load_one && first_free && instrs_q != 25'd1 && full_q[next_slot];
  // The line of the first and that of the second instruction loaded have been read whole.
  assign line_done    = load_one && (last_of_line || instrs_q == 25'd1 ||
                                     (load_two && (last_of_next || instrs_q == 25'd2)));
  assign next_done    = load_two && next_slot != read_slot_q &&
                        (last_of_next || instrs_q == 25'd2);

  assign instr_valid_o  = instr_valid_q;
  assign second_valid_o = second_valid_q;
  assign exhausted_o    = active_q && instrs_q == '0 && !instr_valid_q;
  assign idle_o        = !active_q && waiting_q == '0;

  always_comb begin
    active_d      = active_q;
    instr_valid_d = !first_free || load_one;
    // In the second place: what stays there, or what is loaded behind another.
    second_valid_d = (second_valid_q && !instr_ready_i) || load_two || (load_one && !first_free);
    addr_d        = addr_q;
    lines_d       = lines_q;
    instrs_d      = instrs_q;
    req_slot_d    = req_slot_q;
    read_slot_d   = read_slot_q;
    read_sub_d    = read_sub_q;
    used_d        = used_q + (SlotBits + 1)'(request) - (SlotBits + 1)'(line_done)
                    - (SlotBits + 1)'(next_done);
    waiting_d     = waiting_q + (SlotBits + 1)'(request) - (SlotBits + 1)'(rsp_valid_i);
    full_d        = full_q;

    if (request) begin
      addr_d     = addr_q + 48'(size_pkg::LineBytes);
      lines_d    = lines_q - 25'd1;
      req_slot_d = req_slot_q + SlotBits'(1);
    end
    if (rsp_valid_i) full_d[rsp_slot_i] = 1'b1;
    if (load_two) begin
      instrs_d    = instrs_q - 25'd2;
      read_slot_d = last_of_next ? after_slot : next_slot;
      read_sub_d  = last_of_next ? '0 : next_sub + SubBits'(1);
    end else if (load_one) begin
      instrs_d    = instrs_q - 25'd1;
      read_slot_d = next_slot;
      read_sub_d  = next_sub;
    end
    if (line_done) full_d[read_slot_q] = 1'b0;
    if (next_done) full_d[next_slot] = 1'b0;
    if (stop_i) begin
      active_d       = 1'b0;
      instr_valid_d  = 1'b0;
      second_valid_d = 1'b0;
    end
    if (start_i) begin
      active_d    = 1'b1;
      addr_d      = base_i;
      lines_d     = (count_i + 25'(PerLine - 1)) / 25'(PerLine);
      instrs_d    = count_i;
      req_slot_d  = '0;
      read_slot_d = '0;
      read_sub_d  = '0;
      used_d      = '0;
      full_d      = '0;
    end
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q      <= 1'b0;
      instr_valid_q <= 1'b0;
      second_valid_q <= 1'b0;
      addr_q        <= '0;
      lines_q       <= '0;
      instrs_q      <= '0;
      req_slot_q    <= '0;
      read_slot_q   <= '0;
      read_sub_q    <= '0;
      used_q        <= '0;
      waiting_q     <= '0;
      full_q        <= '0;
    end else begin
      active_q      <= active_d;
      instr_valid_q <= instr_valid_d;
      second_valid_q <= second_valid_d;
      addr_q        <= addr_d;
      lines_q       <= lines_d;
      instrs_q      <= instrs_d;
      req_slot_q    <= req_slot_d;
      read_slot_q   <= read_slot_d;
      read_sub_q    <= read_sub_d;
      used_q        <= used_d;
      waiting_q     <= waiting_d;
      full_q        <= full_d;
    end
  end

  // ---------------------------------------------------------------- assertions
  // A stream starts only when nothing of the last one is in flight.
  `ASSERT_NOW(StartWhenIdle_A, start_i -> idle_o)
  // Every answer was asked for.
  `ASSERT_NOW(AnswerWasRequested_A, rsp_valid_i -> waiting_q != '0)
  // The second is never taken without the first, nor there without it.
  `ASSERT_NOW(SecondBehindFirst_A, second_valid_o -> instr_valid_o)
  `ASSERT_NOW(SecondWithFirst_A, second_ready_i -> instr_ready_i && second_valid_o)
  // An instruction that is not taken stays, unless stopped.
  `ASSERT(StalledStaysValid_A, instr_valid_o && !instr_ready_i && !stop_i |=> instr_valid_o)

endmodule
