// SPDX-License-Identifier: Apache-2.0
// Registers of a core: its sequencers, the rings of its DMA engines, the tensor engine's counters.
//
// One access at a time, on the bus that reg_req describes. Rejected are:
//   UnmappedAddress  no register there, a write to a read-only one, a read of a write-only one
//   ReservedBits     a bit that the register does not have is set
//   QueueOverflow    SeqStart of a sequencer that is running or stopped by an error
`include "assert.svh"

module core_regs #(
  localparam int unsigned N = defs_pkg::Sequencers,
  localparam int unsigned E = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(E)
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic               select_i,
  input  logic               apply_i,
  input  defs_pkg::reg_req_t reg_i,
  output defs_pkg::reg_rsp_t reg_o,

  output logic [N-1:0]       seq_start_o,
  output logic [N-1:0][47:0] seq_base_o,
  output logic [N-1:0][24:0] seq_count_o,
  input  logic [N-1:0][1:0]  seq_state_i,
  input  logic [N-1:0][31:0] seq_pc_i,
  input  logic [N-1:0][7:0]  seq_cause_i,

  output logic [E-1:0][47:0] ring_base_o,
  output logic [E-1:0][15:0] ring_count_o,
  input  logic [E-1:0][7:0]  dma_cause_i,
  input  logic [E-1:0][31:0] dma_pc_i,

  output logic        tensor_rd_o,
  output logic [2:0]  tensor_index_o,
  input  logic [47:0] tensor_count_i  // in the same cycle
);

  // ---------------------------------------------------------------- decode
  localparam int unsigned TensorCounts = 7;
  typedef enum logic [3:0] {
    RegNone, RegSeqBase, RegSeqCount, RegSeqStart, RegSeqState, RegSeqPc, RegSeqError,
    RegRingBase, RegRingCount, RegDmaError, RegTensorCount
  } reg_e;
  reg_e which;
  logic [21:0] offset;
  logic [1:0] seq;
  logic [EngineBits-1:0] engine;
  assign offset = reg_i.offset;
  assign seq    = offset[4:3];
  assign engine = offset[3 +: EngineBits];
  always_comb begin
    which = RegNone;
    if (select_i) begin
      unique case ({offset[21:5], 5'd0})
        defs_pkg::CsrSeqBase: which = RegSeqBase;
        defs_pkg::CsrSeqCount: which = RegSeqCount;
        defs_pkg::CsrSeqPc: which = RegSeqPc;
        defs_pkg::CsrSeqError: which = RegSeqError;
        default: ;
      endcase
      unique case (offset)
        defs_pkg::CsrSeqStart: which = RegSeqStart;
        defs_pkg::CsrSeqState: which = RegSeqState;
        default: ;
      endcase
      if (32'(offset[6:3]) < E) begin
        unique case ({offset[21:7], 7'd0})
          defs_pkg::CsrDmaRingBase: which = RegRingBase;
          defs_pkg::CsrDmaRingCount: which = RegRingCount;
          defs_pkg::CsrDmaError: which = RegDmaError;
          default: ;
        endcase
      end
      if ({offset[21:6], 6'd0} == defs_pkg::CsrTensorCount && 32'(offset[5:3]) < TensorCounts) begin
        which = RegTensorCount;
      end
    end
  end

  // ---------------------------------------------------------------- answer
  assign tensor_rd_o    = which == RegTensorCount;
  assign tensor_index_o = offset[5:3];

  logic readable, writable, spare_bits, not_startable;
  logic [63:0] data;
  assign data          = reg_i.data;
  assign not_startable = which == RegSeqStart && (data[N-1:0] & startless) != '0;
  logic [N-1:0] startless;  // running or stopped by an error
  for (genvar i = 0; i < N; i++) begin : gen_startless
    assign startless[i] = seq_state_i[i][0];
  end
  always_comb begin
    reg_o      = '0;
    readable   = 1'b1;
    writable   = 1'b1;
    spare_bits = 1'b0;
    if (select_i) begin
      unique case (which)
        RegSeqBase: begin
          reg_o.data = 64'(seq_base_o[seq]);
          spare_bits = data[63:48] != '0;
        end
        RegSeqCount: begin
          reg_o.data = 64'(seq_count_o[seq]);
          spare_bits = data[63:25] != '0;
        end
        RegSeqStart: begin
          readable   = 1'b0;
          spare_bits = data[63:N] != '0;
        end
        RegRingBase: begin
          reg_o.data = 64'(ring_base_o[engine]);
          spare_bits = data[63:48] != '0;
        end
        RegRingCount: begin
          reg_o.data = 64'(ring_count_o[engine]);
          spare_bits = data[63:16] != '0;
        end
        default: begin
          writable = 1'b0;
          unique case (which)
            RegSeqState: reg_o.data = 64'(seq_state_i);
            RegSeqPc: reg_o.data = 64'(seq_pc_i[seq]);
            RegSeqError: reg_o.data = 64'(seq_cause_i[seq]);
            RegDmaError: reg_o.data = {dma_pc_i[engine], 24'd0, dma_cause_i[engine]};
            RegTensorCount: reg_o.data = 64'(tensor_count_i);
            default: readable = 1'b0;
          endcase
        end
      endcase
      if (reg_i.write ? !writable : !readable) begin
        reg_o.cause = 8'(defs_pkg::ErrorCauseUnmappedAddress);
      end else if (reg_i.write && spare_bits) begin
        reg_o.cause = 8'(defs_pkg::ErrorCauseReservedBits);
      end else if (reg_i.write && not_startable) begin
        reg_o.cause = 8'(defs_pkg::ErrorCauseQueueOverflow);
      end
    end
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      seq_start_o  <= '0;
      seq_base_o   <= '0;
      seq_count_o  <= '0;
      ring_base_o  <= '0;
      ring_count_o <= '0;
    end else begin
      seq_start_o <= '0;
      if (select_i && apply_i && reg_i.write) begin
        unique case (which)
          RegSeqStart: seq_start_o <= data[N-1:0];
          RegSeqBase: seq_base_o[seq] <= data[47:0];
          RegSeqCount: seq_count_o[seq] <= data[24:0];
          RegRingBase: ring_base_o[engine] <= data[47:0];
          RegRingCount: ring_count_o[engine] <= data[15:0];
          default: ;
        endcase
      end
    end
  end

  // A doorbell rings for one cycle per write.
  `ASSERT(StartFollowsWrite_A, seq_start_o != '0 |-> $past(apply_i && reg_i.write))
  // Nothing rejected is applied.
  `ASSERT_NOW(AppliedIsAllowed_A, select_i && apply_i -> reg_o.cause == '0)

endmodule
