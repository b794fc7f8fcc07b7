// SPDX-License-Identifier: Apache-2.0
// Executes DMA_TRIGGER, which rings the doorbell of a DMA engine of this core, and DMA_START, which brings a descriptor.
//
// One instruction a cycle; `done` with the doorbell, in the cycle after it was accepted or when the
// DMA engine has room for that many more descriptors. Rejected: another opcode (UnknownOpcode), a
// used reserved field (ReservedBits), no descriptors (BadShape), an engine that this size does not
// have (QueueOverflow), in this order. What a DMA_START brings is the DMA engine's to check.
`include "assert.svh"

module sync_engine (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic             instr_valid_i,
  output logic             instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0]      pc_i,
  input  logic [31:0]      serial_i,

  output logic                   done_o,
  output logic                   error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0]            error_serial_o,
  output logic                   busy_o,

  // dma_pkg::trigger_t, part by part
  output logic                  trig_valid_o,
  input  logic                  trig_ready_i,
  output logic [7:0]            trig_engine_o,
  output logic [15:0]           trig_count_o,
  output logic                  trig_start_o,
  output logic [23:0]           trig_pc_o,
  output defs_pkg::descriptor_t trig_desc_o
);

  // ---------------------------------------------------------------- decode
  defs_pkg::doorbell_t doorbell;
  defs_pkg::dma_start_t start;
  defs_pkg::descriptor_t desc;
  logic is_start, two;
  assign doorbell = instr_i.imm;
  assign start    = instr_i[defs_pkg::DmaStartBits-1:0];
  assign is_start = instr_i.opcode == defs_pkg::OpcodeDmaStart;
  assign two      = start.combine != defs_pkg::CombineCopy && start.combine != defs_pkg::CombineCast;
  always_comb begin
    desc              = '0;
    desc.vn           = start.vn;
    desc.update       = instr_i.update;
    desc.update_sem   = instr_i.update_sem;
    desc.update_delta = instr_i.update_delta;
    desc.notify       = start.notify;
    desc.notify_sem   = start.notify_sem;
    desc.rows         = start.rows;
    desc.row_bytes    = start.row_bytes;
    desc.src_stride   = start.src_stride;
    desc.dst_stride   = start.dst_stride;
    desc.dst_chip     = start.dst_chip;
    desc.src          = start.src;
    desc.dst          = start.dst;
    desc.combine      = start.combine;
    desc.dtype        = start.dtype;
    desc.dst_dtype    = start.dst_dtype;
    desc.index_mode   = start.index_mode;
    desc.skip         = start.skip;
    desc.index        = start.index;
    desc.bound        = start.bound;
    if (two) begin
      desc.src1        = start.dst;
      desc.src1_stride = start.dst_stride;
    end
  end

  // ---------------------------------------------------------------- checks
  defs_pkg::error_cause_e cause;
  logic [7:0] engine;
  logic [15:0] count;
  assign engine = is_start ? 8'(start.engine) : doorbell.engine;
  assign count  = is_start ? 16'd1 : doorbell.count;
  always_comb begin
    cause = defs_pkg::ErrorCauseNone;
    if (instr_i.opcode != defs_pkg::OpcodeDmaTrigger && !is_start) begin
      cause = defs_pkg::ErrorCauseUnknownOpcode;
    end else if ((instr_i & instr_pkg::unused_of(instr_i.opcode)) != '0) begin
      cause = defs_pkg::ErrorCauseReservedBits;
    end else if (count == '0) begin
      cause = defs_pkg::ErrorCauseBadShape;
    end else if (engine >= 8'(size_pkg::DmaEngines)) begin
      cause = defs_pkg::ErrorCauseQueueOverflow;
    end
  end

  // ---------------------------------------------------------------- control
  logic accept, trig_valid_q, error_d, error_q;
  logic [7:0] engine_q;
  logic [15:0] count_q;
  logic start_q;
  logic [23:0] pc_q;
  defs_pkg::descriptor_t desc_q;
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
      engine_q <= engine;
      count_q  <= count;
      start_q  <= is_start;
      pc_q     <= pc_i[23:0];
      desc_q   <= desc;
      cause_q  <= cause;
      serial_q <= serial_i;
    end
  end

  assign trig_valid_o   = trig_valid_q;
  assign trig_engine_o  = engine_q;
  assign trig_count_o   = count_q;
  assign trig_start_o   = start_q;
  assign trig_pc_o      = pc_q;
  assign trig_desc_o    = desc_q;
  assign done_o         = trig_valid_q && trig_ready_i;
  assign error_valid_o  = error_q;
  assign error_cause_o  = cause_q;
  assign error_serial_o = serial_q;
  assign busy_o         = trig_valid_q;

  // The wait belongs to the sequencer, its registers are resolved, a pc has 24 bits.
  logic unused_fields;
  assign unused_fields = ^{instr_i.wait_op, instr_i.wait_sem, instr_i.wait_value, start.src_reg, start.dst_reg, start.index_reg,
                           start.rows_reg, pc_i[31:24]};

  // Nothing rings after an error.
  `ASSERT_NOW(SilentAfterError_A, error_q -> !trig_valid_o)

endmodule
