// SPDX-License-Identifier: Apache-2.0
// Control and status registers of a chip: rtl/defs/csr.toml as hardware.
//
// One access at a time: `select_i` with offset, write flag and data; `rdata_o` and `cause_o` answer
// in the same cycle. `apply_i`: do it now, if it is a write; never given with a refused access
// (cause_o not None):
//   UnmappedAddress  no register there, a write to a read-only one, a read of a write-only one
//   ReservedBits     a bit that the register does not have is set
//   QueueOverflow    SeqStart of a sequencer that is running or stopped by an error
// What is not here is asked of the fabric (fabric_registers), by the register bus.
`include "assert.svh"

module csr_regs #(
  localparam int unsigned S = defs_pkg::Cores * defs_pkg::Sequencers,  // sequencer {core, index}
  localparam int unsigned E = size_pkg::DmaEngines,
  localparam int unsigned D = defs_pkg::Cores * E                      // engine core * E + index
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  input  logic                   select_i,
  input  logic                   apply_i,
  input  logic                   write_i,
  input  logic [21:0]            offset_i,  // multiple of 8
  input  logic [63:0]            wdata_i,
  output logic [63:0]            rdata_o,
  output defs_pkg::error_cause_e cause_o,

  output logic [S-1:0]       seq_start_o,
  output logic [S-1:0][47:0] seq_base_o,
  output logic [S-1:0][24:0] seq_count_o,
  input  logic [S-1:0][1:0]  seq_state_i,
  input  logic [S-1:0][31:0] seq_pc_i,
  input  logic [S-1:0][7:0]  seq_cause_i,

  output logic [D-1:0][47:0] ring_base_o,
  output logic [D-1:0][15:0] ring_count_o,
  input  logic [D-1:0][7:0]  dma_cause_i,
  input  logic [D-1:0][31:0] dma_pc_i,

  output logic [1:0]        tensor_rd_o,    // core asked for a counter
  output logic [2:0]        tensor_index_o,
  input  logic [1:0][47:0]  tensor_count_i, // in the same cycle

  // Register bus to the fabric.
  output logic               fabric_apply_o,
  output defs_pkg::reg_req_t fabric_req_o,
  input  defs_pkg::reg_rsp_t fabric_rsp_i
);

  // ---------------------------------------------------------------- decode
  // Core 0's registers lie in 0x1000 .. 0x1fff, core 1's CsrCoreStride behind them.
  logic core, per_core;
  logic [21:0] local_offset;  // as if it were core 0's
  assign per_core     = offset_i >= 22'h1000 && offset_i < 22'h3000;
  assign core         = offset_i >= 22'h2000;
  assign local_offset = (per_core && core) ? offset_i - 22'(defs_pkg::CsrCoreStride) : offset_i;

  localparam int unsigned TensorCounts = 7;
  logic [2:0] seq;
  logic [3:0] engine;
  logic engine_exists;
  logic [$clog2(D)-1:0] dma;
  assign seq           = {core, local_offset[4:3]};
  assign engine        = local_offset[6:3];
  assign engine_exists = 32'(engine) < E;
  assign dma           = ($clog2(D))'(32'(core) * E + 32'(engine));

  typedef enum logic [3:0] {
    RegElsewhere, RegChipId, RegRingSize, RegSeqBase, RegSeqCount, RegSeqStart, RegSeqState, RegSeqPc, RegSeqError,
    RegRingBase, RegRingCount, RegDmaError, RegTensorCount
  } reg_e;
  reg_e which;
  always_comb begin
    which = RegElsewhere;
    if (offset_i == defs_pkg::CsrChipId) which = RegChipId;
    if (offset_i == defs_pkg::CsrRingSize) which = RegRingSize;
    if (per_core) begin
      unique case ({local_offset[21:5], 5'd0})
        defs_pkg::CsrSeqBase: which = RegSeqBase;
        defs_pkg::CsrSeqCount: which = RegSeqCount;
        defs_pkg::CsrSeqPc: which = RegSeqPc;
        defs_pkg::CsrSeqError: which = RegSeqError;
        default: ;
      endcase
      unique case (local_offset)
        defs_pkg::CsrSeqStart: which = RegSeqStart;
        defs_pkg::CsrSeqState: which = RegSeqState;
        default: ;
      endcase
      unique case ({local_offset[21:7], 7'd0})
        defs_pkg::CsrDmaRingBase: which = engine_exists ? RegRingBase : RegElsewhere;
        defs_pkg::CsrDmaRingCount: which = engine_exists ? RegRingCount : RegElsewhere;
        defs_pkg::CsrDmaError: which = engine_exists ? RegDmaError : RegElsewhere;
        default: ;
      endcase
      if ({local_offset[21:6], 6'd0} == defs_pkg::CsrTensorCount
          && 32'(local_offset[5:3]) < TensorCounts) begin
        which = RegTensorCount;
      end
    end
  end

  assign fabric_apply_o      = apply_i && which == RegElsewhere;
  assign fabric_req_o.select = select_i && which == RegElsewhere;
  assign fabric_req_o.write  = write_i;
  assign fabric_req_o.offset = offset_i;
  assign fabric_req_o.wdata  = wdata_i;

  // ---------------------------------------------------------------- read
  logic readable, tensor_rd;
  assign tensor_rd      = select_i && which == RegTensorCount;
  assign tensor_rd_o    = {tensor_rd && core, tensor_rd && !core};
  assign tensor_index_o = local_offset[5:3];
  always_comb begin
    rdata_o  = '0;
    readable = 1'b1;
    if (select_i) begin
      unique case (which)
        RegChipId: rdata_o = 64'(chip_id_i);
        RegRingSize: rdata_o = 64'(ring_size_i);
        RegSeqBase: rdata_o = 64'(seq_base_q[seq]);
        RegSeqCount: rdata_o = 64'(seq_count_q[seq]);
        RegSeqState: rdata_o = 64'({seq_state_i[{core, 2'd3}], seq_state_i[{core, 2'd2}],
                                    seq_state_i[{core, 2'd1}], seq_state_i[{core, 2'd0}]});
        RegSeqPc: rdata_o = 64'(seq_pc_i[seq]);
        RegSeqError: rdata_o = 64'(seq_cause_i[seq]);
        RegRingBase: rdata_o = 64'(ring_base_q[dma]);
        RegRingCount: rdata_o = 64'(ring_count_q[dma]);
        RegElsewhere: rdata_o = fabric_rsp_i.rdata;
        RegDmaError: rdata_o = {dma_pc_i[dma], 24'd0, dma_cause_i[dma]};
        RegTensorCount: rdata_o = 64'(tensor_count_i[core]);
        default: readable = 1'b0;
      endcase
    end
  end

  // ---------------------------------------------------------------- write
  logic writable, spare_bits, not_startable, write;
  always_comb begin
    writable      = 1'b1;
    spare_bits    = 1'b0;
    not_startable = 1'b0;
    unique case (which)
      RegSeqBase, RegRingBase: spare_bits = wdata_i[63:48] != '0;
      RegSeqCount: spare_bits = wdata_i[63:25] != '0;
      RegRingCount: spare_bits = wdata_i[63:16] != '0;
      RegSeqStart: begin
        spare_bits = wdata_i[63:4] != '0;
        for (int unsigned i = 0; i < defs_pkg::Sequencers; i++) begin
          if (wdata_i[i] && seq_state_i[{core, 2'(i)}][0]) not_startable = 1'b1;
        end
      end
      default: writable = 1'b0;
    endcase
  end

  always_comb begin
    cause_o = defs_pkg::ErrorCauseNone;
    if (which == RegElsewhere) cause_o = defs_pkg::error_cause_e'(fabric_rsp_i.cause);
    else if (write_i ? !writable : !readable) cause_o = defs_pkg::ErrorCauseUnmappedAddress;
    else if (write_i && spare_bits) cause_o = defs_pkg::ErrorCauseReservedBits;
    else if (write_i && not_startable) cause_o = defs_pkg::ErrorCauseQueueOverflow;
  end
  assign write = apply_i && write_i;

  // ---------------------------------------------------------------- registers
  logic [S-1:0] start_q;
  logic [S-1:0][47:0] seq_base_q;
  logic [S-1:0][24:0] seq_count_q;
  logic [D-1:0][47:0] ring_base_q;
  logic [D-1:0][15:0] ring_count_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      start_q      <= '0;
      seq_base_q   <= '0;
      seq_count_q  <= '0;
      ring_base_q  <= '0;
      ring_count_q <= '0;
    end else begin
      start_q <= '0;
      if (write) begin
        if (which == RegSeqStart) start_q <= core ? {wdata_i[3:0], 4'd0} : {4'd0, wdata_i[3:0]};
        if (which == RegSeqBase) seq_base_q[seq] <= wdata_i[47:0];
        if (which == RegSeqCount) seq_count_q[seq] <= wdata_i[24:0];
        if (which == RegRingBase) ring_base_q[dma] <= wdata_i[47:0];
        if (which == RegRingCount) ring_count_q[dma] <= wdata_i[15:0];
      end
    end
  end
  assign seq_start_o  = start_q;
  assign seq_base_o   = seq_base_q;
  assign seq_count_o  = seq_count_q;
  assign ring_base_o  = ring_base_q;
  assign ring_count_o = ring_count_q;

  // A doorbell rings for one cycle per write.
  `ASSERT(StartFollowsWrite_A, start_q != '0 |-> $past(write))
  // Nothing refused is applied.
  `ASSERT_NOW(AppliedIsAllowed_A, apply_i -> select_i && cause_o == defs_pkg::ErrorCauseNone)

endmodule
