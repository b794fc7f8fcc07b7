// SPDX-License-Identifier: Apache-2.0
// Finishes what a sequencer has issued, in program order, and posts updates.
//
//   push --> u_in_flight --> head --> finished: engine's done, or its turn --> pop, update --+--> upd_o
//                 |                                                      take (seq_wait) ----+
//                 +--> u_room: no room for its update --> hold_o
//
// Up to 16 entries, each an instruction or a pair. What is rejected stays at the head: the sequencer stops at it.
//
// An update that may be rejected is the last thing issued until it has been answered (hold_o), so that nothing
// younger happens behind a SemaphoreOverflow. "May": if the semaphore has no room for it now, with
// what this sequencer itself still has to post. A program that keeps away from 0 and 65535 never
// notices; what other engines post meanwhile is not known (rtl/README.md, Error handling).
//
// A take goes through the same port and before any update. The take of what issued in the last cycle is offered now.
`include "assert.svh"

module seq_retire (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic running_i,

  input  logic push_i,                     // ready_o permitting
  output logic ready_o,
  input  seq_pkg::entry_t pushed_i,
  input  logic [15:0] room_value_i,        // of the semaphore that pushed_i updates
  output logic hold_o,                     // an update without room is in flight

  input  logic [1:0] done_i,               // how many the engine has done

  // The head, and what of it is not done yet.
  output logic head_valid_o,
  output seq_pkg::kind_e head_kind_o,
  output logic [7:0] head_cause_o,         // of a rejection
  output logic [31:0] head_pc_o,
  output logic [31:0] head_serial_o,
  output logic pop_o,

  input  logic take_i,
  input  logic [8:0] take_sem_i,
  input  logic [15:0] take_value_i,

  // Valid only. upd_error_i: the update offered in the last cycle was rejected; whose it was.
  output logic                  upd_valid_o,
  output defs_pkg::sem_update_t upd_o,
  output logic [31:0]           upd_pc_o,
  output logic [31:0]           upd_serial_o,
  input  logic                  upd_error_i,
  output logic [31:0]           error_pc_o,
  output logic [31:0]           error_serial_o
);

  // ---------------------------------------------------------------- in flight
  seq_pkg::entry_t head;
  logic head_valid, pop;
  prim_fifo #(.Width($bits(head)), .Depth(16)) u_in_flight (
    .clk_i, .rst_ni,
    .in_valid_i(push_i), .in_ready_o(ready_o), .in_i(pushed_i),
    .out_valid_o(head_valid), .out_ready_i(pop), .out_o(head)
  );

  // `done_q` counts dones whose instruction waits behind one of the sequencer's, for its turn, or for its other half.
  logic [5:0] done_d, done_q, done_now, done_needed;
  logic of_engine, of_first;
  assign done_now    = done_q + 6'(done_i);
  assign done_needed = head.pair ? 6'd2 : 6'd1;
  assign of_engine   = head.kind == seq_pkg::KindEngine;
  assign pop = head_valid && running_i && !upd_error_i &&
               (of_engine ? done_now >= done_needed : head.kind != seq_pkg::KindRejected) &&
               !(take_i && head.update);
  assign done_d = done_now - (pop && of_engine ? done_needed : 6'd0);

  assign of_first      = head.pair && done_now == '0;
  assign head_valid_o  = head_valid;
  assign head_kind_o   = head.kind;
  assign head_cause_o  = head.delta[7:0];
  assign head_pc_o     = head.pc - 32'(of_first);
  assign head_serial_o = head.serial - 32'(of_first);
  assign pop_o         = pop;

  // ---------------------------------------------------------------- room for an update
  logic hold_d, hold_q, no_room;
  assign hold_d = (push_i && pushed_i.update && no_room) || (hold_q && head_valid);
  assign hold_o = hold_q;
  sequencer_room u_room (
    .clk_i, .rst_ni, .value_i(room_value_i), .delta_i(pushed_i.delta), .no_room_o(no_room),
    .claim_i(push_i && pushed_i.update), .posted_i(pop && head.update), .posted_delta_i(head.delta),
    .none_in_flight_i(!head_valid)
  );

  // ---------------------------------------------------------------- updates
  logic [31:0] take_pc_q, take_serial_q, upd_pc_q, upd_serial_q;
  assign upd_valid_o    = take_i || (pop && head.update);
  assign upd_o.sem      = take_i ? take_sem_i : head.sem;
  assign upd_o.delta    = take_i ? 17'd0 - 17'(take_value_i) : {head.delta[15], head.delta};
  assign upd_pc_o       = take_i ? take_pc_q : head.pc;
  assign upd_serial_o   = take_i ? take_serial_q : head.serial;
  assign error_pc_o     = upd_pc_q;
  assign error_serial_o = upd_serial_q;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      done_q <= '0;
      hold_q <= 1'b0;
    end else begin
      done_q <= done_d;
      hold_q <= hold_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (push_i) begin
      take_pc_q     <= pushed_i.pc - 32'(pushed_i.pair);
      take_serial_q <= pushed_i.serial - 32'(pushed_i.pair);
    end
    if (upd_valid_o) begin
      upd_pc_q     <= upd_pc_o;
      upd_serial_q <= upd_serial_o;
    end
  end

  // ---------------------------------------------------------------- assertions
  // The engine finishes no more than it was given.
  `ASSERT_NOW(DoneWasIssued_A, done_q <= 6'd32)
  // A take is on the port alone.
  `ASSERT_NOW(TakeComesFirst_A, take_i -> !(pop && head.update))

endmodule
