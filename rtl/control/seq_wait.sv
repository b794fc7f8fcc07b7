// SPDX-License-Identifier: Apache-2.0
// Does the wait of an instruction hold? And the tokens that it takes when it issues.
//
//   cycle  0                    1                     2                       3
//          value >= v, issue --> take_o (update port) --> semaphores' upd_q --> value - v
//
// Check and subtraction are cycles apart and yet one: a semaphore has one taker, all others only add, so what was
// enough at the check still is when the subtraction arrives, however many updates come between. The adders of
// `semaphores` make one sum of all updates of a cycle, so none of them is lost either. Only the taker itself could
// take a token twice: until its subtraction shows, its own waits for the same semaphore do not hold.
// tb/proof/take_proof.sv proves both.
//
// Rejected: to subtract in the cycle of the check (semaphore read, comparison, engine's ready and adder in one
// cycle), and a reservation per semaphore (512 more registers for what one taker never needs).
`include "assert.svh"

module seq_wait #(
  parameter int unsigned NameBits = 9,
  parameter int unsigned Bits     = defs_pkg::SemaphoreBits
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  defs_pkg::wait_op_e  op_i,
  input  logic [NameBits-1:0] sem_i,
  input  logic [Bits-1:0]     least_i,  // wait_value
  input  logic [Bits-1:0]     value_i,  // of the semaphore
  output logic met_o,
  input  logic issue_i,                 // the instruction goes, its wait being over

  output logic take_o,                  // take_value_o is to be subtracted from take_sem_o
  output logic [NameBits-1:0] take_sem_o,
  output logic [Bits-1:0]     take_value_o
);

  // ---------------------------------------------------------------- take
  // take_q: on the update port; applied_q: in the registers behind it.
  logic take_d, take_q, applied_q;
  logic [NameBits-1:0] sem_q, applied_sem_q;
  logic [Bits-1:0] value_q;
  assign take_d       = issue_i && op_i == defs_pkg::WaitOpTake && least_i != '0;
  assign take_o       = take_q;
  assign take_sem_o   = sem_q;
  assign take_value_o = value_q;

  // ---------------------------------------------------------------- wait
  logic taking;  // what value_i says is about to fall
  assign taking = (take_q && sem_q == sem_i) || (applied_q && applied_sem_q == sem_i);
  always_comb begin
    unique case (op_i)
      defs_pkg::WaitOpNone: met_o = 1'b1;
      defs_pkg::WaitOpEq:   met_o = value_i == least_i && !taking;
      default:              met_o = value_i >= least_i && !taking;
    endcase
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      take_q    <= 1'b0;
      applied_q <= 1'b0;
    end else begin
      take_q    <= take_d;
      applied_q <= take_q;
    end
  end
  always_ff @(posedge clk_i) begin
    if (take_d) begin
      sem_q   <= sem_i;
      value_q <= least_i;
    end
    if (take_q) applied_sem_q <= sem_q;
  end

  // ---------------------------------------------------------------- assertions
  // Nothing is taken from a semaphore before what was taken last shows in its value.
  `ASSERT_NOW(OneTakeAtATime_A, take_q && applied_q -> sem_q != applied_sem_q)

endmodule
