// SPDX-License-Identifier: Apache-2.0
// Front end of an engine: accepts, has checked, starts and finishes instructions, one at a time.
`include "assert.svh"

// One instruction runs; the next one is already accepted and checked behind it.
//
//   instr --> pend --check--> (checked, cause) --start--> run --finish--> done
//    c         c+1                 c+2                          done = finish
//
// The engine answers check_i in the cycle check_o is up, from instr pend_o. start_o hands pend_o to
// the datapath: in the same cycle as finish_i of the older one at the earliest, so that it reads
// what the older one wrote. A rejected instruction waits until the older one is done, and then
// stands as the error: nothing is accepted after it.
module instr_front (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic instr_valid_i,
  output logic instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0] serial_i,

  output logic check_o,
  input  defs_pkg::error_cause_e check_i,

  output logic start_o,
  output defs_pkg::instr_t pend_o,  // checked with check_o, started with start_o
  output logic [31:0] pend_serial_o,
  input  logic finish_i,            // the last write of the running instruction is visible

  output logic done_o,
  output logic error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0] error_serial_o,
  output logic busy_o
);

  logic pend_valid_d, pend_valid_q, checked_d, checked_q, run_d, run_q;
  defs_pkg::error_cause_e cause_d, cause_q;
  defs_pkg::instr_t instr_q;
  logic [31:0] serial_q;
  logic accept;

  assign instr_ready_o = !pend_valid_q;
  assign accept        = instr_valid_i && instr_ready_o;
  assign check_o       = pend_valid_q && !checked_q;
  assign start_o       = checked_q && cause_q == defs_pkg::ErrorCauseNone && (!run_q || finish_i);
  assign pend_o        = instr_q;
  assign pend_serial_o     = serial_q;
  assign done_o        = finish_i;
  assign error_valid_o = checked_q && cause_q != defs_pkg::ErrorCauseNone && !run_q;
  assign error_cause_o = error_valid_o ? cause_q : defs_pkg::ErrorCauseNone;
  assign error_serial_o    = serial_q;
  assign busy_o        = run_q || (pend_valid_q && !error_valid_o);

  always_comb begin
    pend_valid_d = accept || (pend_valid_q && !start_o);
    checked_d    = check_o || (checked_q && !start_o);
    cause_d      = check_o ? check_i : cause_q;
    run_d        = start_o || (run_q && !finish_i);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pend_valid_q <= 1'b0;
      checked_q    <= 1'b0;
      cause_q      <= defs_pkg::ErrorCauseNone;
      run_q        <= 1'b0;
    end else begin
      pend_valid_q <= pend_valid_d;
      checked_q    <= checked_d;
      cause_q      <= cause_d;
      run_q        <= run_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (accept) begin
      instr_q <= instr_i;
      serial_q    <= serial_i;
    end
  end

  // Only what runs can finish.
  `ASSERT_NOW(FinishNeedsRun_A, finish_i -> run_q)
  // An error is for ever.
  `ASSERT(ErrorStays_A, error_valid_o |=> error_valid_o && $stable(error_serial_o))

endmodule
