// SPDX-License-Identifier: Apache-2.0
// Control and status registers of a chip: rtl/defs/csr.toml as hardware. Those of a core live
// there (core_regs), behind the bus that reg_req describes.
//
// One access at a time: `select_i` with offset, write flag and data; `rdata_o` and `cause_o` answer
// in the same cycle. `apply_i`: do it now, if it is a write; never given with a refused access
// (cause_o not None): what core_regs refuses, and
//   UnmappedAddress  no register there, a write to a read-only one, a read of a write-only one
//   ReservedBits     a bit that the register does not have is set
//   QueueOverflow    Mgmt while the last packet has not left
`include "assert.svh"

module csr_regs #(
  localparam int unsigned K = defs_pkg::LinkPorts * defs_pkg::KeyEntries
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

  // Register bus to the cores.
  output defs_pkg::reg_req_t [1:0] core_req_o,
  input  defs_pkg::reg_rsp_t [1:0] core_rsp_i,

  output logic [19:0]       fabric_timeout_o,
  output logic [K-1:0][8:0] fabric_keys_o,  // {valid, key}, entry {link port, 4 bits}
  output logic [1:0][7:0]   fabric_key_o,   // per core
  output logic [1:0][47:0]  fabric_base_o,
  output logic [1:0][47:0]  fabric_end_o,
  output logic [3:0][13:0]  fabric_rate_o,  // {burst - 1, rate}, stream port {core, lane}
  input  logic [31:0]       fabric_violations_i,
  input  logic [127:0]      fabric_violation_i,

  output logic [15:0]       link_error_limit_o,
  output logic [15:0]       fabric_managers_o,

  // Registers that live in fabric_control: RouteSource, RouteTable x 2, FabricControl, FabricStatus, FabricSlots,
  // FabricArbiter, FabricSwitch. Mgmt: the same of chip mgmt_dst_o, by a packet.
  output logic               mgmt_send_o,
  output logic [3:0]         mgmt_dst_o,
  input  logic [2:0]         mgmt_status_i,
  output logic               fabric_write_o,
  output logic [3:0]         fabric_index_o,
  output logic [63:0]        fabric_wdata_o,
  input  logic [63:0]        fabric_rdata_i,
  // Likewise in fabric_counters, bits 10:3 of the offset, 0: none; with fabric_wdata_o.
  output logic               count_write_o,
  output logic [7:0]         count_index_o,
  input  logic [63:0]        count_rdata_i
);

  // ---------------------------------------------------------------- decode
  // Core 0's registers lie in 0x1000 .. 0x1fff, core 1's CsrCoreStride behind them.
  logic core, per_core;
  logic [21:0] local_offset;  // as if it were core 0's
  assign per_core     = offset_i >= 22'h1000 && offset_i < 22'h3000;
  assign core         = offset_i >= 22'h2000;
  assign local_offset = (per_core && core) ? offset_i - 22'(defs_pkg::CsrCoreStride) : offset_i;

  localparam int unsigned Counts = 99;
  typedef enum logic [4:0] {
    RegNone, RegChipId, RegRingSize, RegCore, RegTimeout, RegViolations, RegViolation, RegKeys, RegKey, RegBase,
    RegEnd, RegRate, RegFabric, RegMgmt, RegManagers, RegErrorLimit, RegCount
  } reg_e;
  reg_e which;
  always_comb begin
    which = RegNone;
    if (offset_i == defs_pkg::CsrChipId) which = RegChipId;
    if (offset_i == defs_pkg::CsrRingSize) which = RegRingSize;
    if (offset_i == defs_pkg::CsrFabricTimeout) which = RegTimeout;
    if (offset_i == defs_pkg::CsrFabricViolations) which = RegViolations;
    if ({offset_i[21:4], 4'd0} == defs_pkg::CsrFabricViolation) which = RegViolation;
    if ({offset_i[21:9], 9'd0} == defs_pkg::CsrFabricKeys) which = RegKeys;
    if ((offset_i >= defs_pkg::CsrRouteSource && offset_i <= defs_pkg::CsrFabricArbiter) ||
        offset_i == defs_pkg::CsrFabricSwitch) begin
      which = RegFabric;
    end
    if ({offset_i[21:11], 11'd0} == defs_pkg::CsrMgmt) which = RegMgmt;
    if (offset_i == defs_pkg::CsrFabricManagers) which = RegManagers;
    if (offset_i == defs_pkg::CsrLinkErrorLimit) which = RegErrorLimit;
    if ((offset_i >= defs_pkg::CsrFabricTime && offset_i <= defs_pkg::CsrFabricStall) ||
        (offset_i >= defs_pkg::CsrFabricCounts && offset_i < defs_pkg::CsrFabricCounts + 22'(8 * Counts))) begin
      which = RegCount;
    end
    if (per_core) begin
      which = RegCore;
      unique case (local_offset)
        defs_pkg::CsrFabricKey: which = RegKey;
        defs_pkg::CsrFabricBase: which = RegBase;
        defs_pkg::CsrFabricEnd: which = RegEnd;
        default: ;
      endcase
      if ({local_offset[21:4], 4'd0} == defs_pkg::CsrFabricRate) which = RegRate;
    end
  end

  for (genvar c = 0; c < 2; c++) begin : gen_core_req
    assign core_req_o[c] = '{select: select_i && which == RegCore && core == 1'(c),
                             write: write_i, offset: local_offset, wdata: wdata_i};
  end

  // The fabric's registers lie in a row of 16, its first at a multiple of 128; those of other chips likewise.
  assign fabric_index_o = offset_i[6:3];
  assign mgmt_dst_o     = offset_i[10:7];
  assign mgmt_send_o    = write && which == RegMgmt;
  assign fabric_wdata_o = wdata_i;
  assign fabric_write_o = write && which == RegFabric;
  assign count_index_o  = (which == RegCount) ? offset_i[10:3] : '0;
  assign count_write_o  = write && which == RegCount;

  // ---------------------------------------------------------------- read
  logic readable;
  always_comb begin
    rdata_o  = '0;
    readable = 1'b1;
    if (select_i) begin
      unique case (which)
        RegChipId: rdata_o = 64'(chip_id_i);
        RegRingSize: rdata_o = 64'(ring_size_i);
        RegTimeout: rdata_o = 64'(fabric_timeout_q);
        RegViolations: rdata_o = 64'(fabric_violations_i);
        RegViolation: rdata_o = fabric_violation_i[64*offset_i[3] +: 64];
        RegKeys: rdata_o = 64'(fabric_keys_q[offset_i[8:3]]);
        RegKey: rdata_o = 64'(fabric_key_q[core]);
        RegBase: rdata_o = 64'(fabric_base_q[core]);
        RegEnd: rdata_o = 64'(fabric_end_q[core]);
        RegRate: rdata_o = 64'(fabric_rate_q[{core, local_offset[3]}]);
        RegCore: rdata_o = core_rsp_i[core].rdata;
        RegFabric: rdata_o = fabric_rdata_i;
        RegMgmt: rdata_o = 64'(mgmt_status_i);
        RegManagers: rdata_o = 64'(fabric_managers_q);
        RegErrorLimit: rdata_o = 64'(link_error_limit_q);
        RegCount: rdata_o = count_rdata_i;
        default: readable = 1'b0;
      endcase
    end
  end

  // ---------------------------------------------------------------- write
  logic writable, spare_bits, not_startable, write, fabric_writable, fabric_spare;
  fabric_legal u_legal (
    .index_i(fabric_index_o), .wdata_i, .now_i(fabric_rdata_i[47:32]),  // of FabricSwitch
    .writable_o(fabric_writable), .spare_o(fabric_spare)
  );
  always_comb begin
    writable      = 1'b1;
    spare_bits    = 1'b0;
    not_startable = 1'b0;
    unique case (which)
      RegTimeout: spare_bits = wdata_i[63:20] != '0;
      RegKeys: spare_bits = wdata_i[63:9] != '0;
      RegKey: spare_bits = wdata_i[63:8] != '0;
      RegRate: spare_bits = wdata_i[63:14] != '0;
      RegBase, RegEnd: spare_bits = wdata_i[63:48] != '0;
      RegFabric, RegMgmt: begin
        writable      = fabric_writable;
        spare_bits    = fabric_spare;
        not_startable = which == RegMgmt && mgmt_status_i[0];
      end
      RegManagers, RegErrorLimit: spare_bits = wdata_i[63:16] != '0;
      RegCount: begin
        writable = offset_i == defs_pkg::CsrFabricSnapshot || offset_i == defs_pkg::CsrFabricPatience;
        spare_bits = wdata_i[63:32] != '0 ||
                     (offset_i == defs_pkg::CsrFabricPatience && wdata_i[31:8] != '0);
      end
      default: writable = 1'b0;
    endcase
  end

  always_comb begin
    cause_o = defs_pkg::ErrorCauseNone;
    if (which == RegCore) cause_o = defs_pkg::error_cause_e'(core_rsp_i[core].cause);
    else if (write_i ? !writable : !readable) cause_o = defs_pkg::ErrorCauseUnmappedAddress;
    else if (write_i && spare_bits) cause_o = defs_pkg::ErrorCauseReservedBits;
    else if (write_i && not_startable) cause_o = defs_pkg::ErrorCauseQueueOverflow;
  end
  assign write = apply_i && write_i;

  // ---------------------------------------------------------------- registers
  logic [19:0] fabric_timeout_q;
  logic [15:0] fabric_managers_q, link_error_limit_q;
  logic [K-1:0][8:0] fabric_keys_q;
  logic [1:0][7:0] fabric_key_q;
  logic [1:0][47:0] fabric_base_q, fabric_end_q;
  logic [3:0][13:0] fabric_rate_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fabric_timeout_q <= 20'(defs_pkg::RetryTimeout);
      fabric_managers_q  <= '0;
      link_error_limit_q <= 16'(defs_pkg::LinkErrorLimit);
      fabric_keys_q    <= {defs_pkg::LinkPorts{(9*defs_pkg::KeyEntries)'(9'h100)}};
      fabric_key_q     <= '0;
      fabric_base_q    <= '0;
      fabric_end_q     <= '1;
      fabric_rate_q    <= '0;
    end else begin
      if (write) begin
        if (which == RegTimeout) fabric_timeout_q <= wdata_i[19:0];
        if (which == RegManagers) fabric_managers_q <= wdata_i[15:0];
        if (which == RegErrorLimit) link_error_limit_q <= wdata_i[15:0];
        if (which == RegKeys) fabric_keys_q[offset_i[8:3]] <= wdata_i[8:0];
        if (which == RegKey) fabric_key_q[core] <= wdata_i[7:0];
        if (which == RegBase) fabric_base_q[core] <= wdata_i[47:0];
        if (which == RegEnd) fabric_end_q[core] <= wdata_i[47:0];
        if (which == RegRate) fabric_rate_q[{core, local_offset[3]}] <= wdata_i[13:0];
      end
    end
  end
  assign fabric_timeout_o = fabric_timeout_q;
  assign fabric_managers_o  = fabric_managers_q;
  assign link_error_limit_o = link_error_limit_q;
  assign fabric_keys_o = fabric_keys_q;
  assign fabric_key_o  = fabric_key_q;
  assign fabric_base_o = fabric_base_q;
  assign fabric_end_o  = fabric_end_q;
  assign fabric_rate_o = fabric_rate_q;

  // Nothing refused is applied.
  `ASSERT_NOW(AppliedIsAllowed_A, apply_i -> select_i && cause_o == defs_pkg::ErrorCauseNone)

endmodule
