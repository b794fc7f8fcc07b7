// SPDX-License-Identifier: Apache-2.0
// Executes DMA_TRIGGER: rings the doorbell of a DMA engine of this core.
//
// One instruction a cycle; `done` with the doorbell, in the cycle after it was accepted or when the
// DMA engine has room for that many more descriptors. Rejected: another opcode (UnknownOpcode), a
// used reserved field (ReservedBits), no descriptors (BadShape), an engine that this size does not
// have (QueueOverflow), in this order.
`include "assert.svh"

module sync_engine (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic             instr_valid_i,
  output logic             instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0]      serial_i,

  output logic                   done_o,
  output logic                   error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0]            error_serial_o,
  output logic                   busy_o,

  output logic        trig_valid_o,
  input  logic        trig_ready_i,
  output logic [7:0]  trig_engine_o,
  output logic [15:0] trig_count_o
);

  // ---------------------------------------------------------------- checks
  defs_pkg::error_cause_e cause;
  defs_pkg::doorbell_t doorbell;
  assign doorbell = instr_i.imm;
  always_comb begin
    cause = defs_pkg::ErrorCauseNone;
    if (instr_i.opcode != defs_pkg::OpcodeDmaTrigger) begin
      cause = defs_pkg::ErrorCauseUnknownOpcode;
    end else if ((instr_i & instr_pkg::UnusedDmaTrigger) != '0) begin
      cause = defs_pkg::ErrorCauseReservedBits;
    end else if (doorbell.count == '0) begin
      cause = defs_pkg::ErrorCauseBadShape;
    end else if (doorbell.engine >= 8'(size_pkg::DmaEngines)) begin
      cause = defs_pkg::ErrorCauseQueueOverflow;
    end
  end

  // ---------------------------------------------------------------- control
  logic accept, trig_valid_q, error_d, error_q;
  logic [7:0] engine_q;
  logic [15:0] count_q;
  defs_pkg::error_cause_e cause_q;
  logic [31:0] serial_q;

  assign instr_ready_o = !error_q && (!trig_valid_q || trig_ready_i);
  assign accept        = instr_valid_i && instr_ready_o;
  assign error_d       = error_q || (accept && cause != defs_pkg::ErrorCauseNone);

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      trig_valid_q <= 1'b0;
      error_q      <= 1'b0;
    end else begin
      trig_valid_q <= (accept && cause == defs_pkg::ErrorCauseNone) ||
                      (trig_valid_q && !trig_ready_i);
      error_q      <= error_d;
    end
  end
  always_ff @(posedge clk_i) begin
    if (accept) begin
      engine_q <= doorbell.engine;
      count_q  <= doorbell.count;
      cause_q  <= cause;
      serial_q     <= serial_i;
    end
  end

  assign trig_valid_o  = trig_valid_q;
  assign trig_engine_o = engine_q;
  assign trig_count_o  = count_q;
  assign done_o        = trig_valid_q && trig_ready_i;
  assign error_valid_o = error_q;
  assign error_cause_o = cause_q;
  assign error_serial_o    = serial_q;
  assign busy_o        = trig_valid_q;

  // wait and update belong to the sequencer.
  logic unused_fields;
  assign unused_fields = ^{instr_i.wait_op, instr_i.wait_sem, instr_i.wait_value, instr_i.update,
                           instr_i.update_sem, instr_i.update_delta};

  // Nothing rings after an error.
  `ASSERT_NOW(SilentAfterError_A, error_q -> !trig_valid_o)

endmodule
