// SPDX-License-Identifier: Apache-2.0
// Control and status registers of a chip: which block owns a register. rtl/defs/csr.toml has them all.
//
//   ChipId, RingSize                                  here
//   page of a core, up to FabricKey                   core_regs of that core, at core 0's offset
//   everything else, and what does not exist          fabric_registers
//
// One access at a time: `select_i` with offset, write flag and data; `rdata_o` and `cause_o` answer
// in the same cycle, from the owner (reg_req says how). `reg_apply_o`: the owner does it now, if it is a
// write; never given with a rejected access (cause_o not None).
`include "assert.svh"

module csr_regs (
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

  output logic                     reg_apply_o,
  output logic [1:0]               core_select_o,
  output defs_pkg::reg_req_t       core_reg_o,
  input  defs_pkg::reg_rsp_t [1:0] core_reg_i,
  output logic                     fabric_select_o,
  output defs_pkg::reg_req_t       fabric_reg_o,
  input  defs_pkg::reg_rsp_t       fabric_reg_i
);

  // Core 0's page begins at 0x1000, core 1's CsrCoreStride behind it.
  localparam logic [21:0] Page = 22'(defs_pkg::CsrCoreStride);
  logic core, in_core, in_chip;
  logic [21:0] local_offset;  // as if it were core 0's
  assign core         = offset_i >= 2 * Page;
  assign local_offset = core ? offset_i - Page : offset_i;
  assign in_core      = offset_i >= Page && local_offset < defs_pkg::CsrFabricKey;
  assign in_chip      = offset_i == defs_pkg::CsrChipId || offset_i == defs_pkg::CsrRingSize;

  assign reg_apply_o     = apply_i;
  assign core_select_o   = (select_i && in_core) ? {core, !core} : '0;
  assign fabric_select_o = select_i && !in_core && !in_chip;
  always_comb begin
    core_reg_o.write    = write_i;
    core_reg_o.offset   = local_offset;
    core_reg_o.data     = wdata_i;
    fabric_reg_o        = core_reg_o;
    fabric_reg_o.offset = offset_i;
  end

  logic [7:0] cause;
  always_comb begin
    rdata_o = '0;
    cause   = defs_pkg::ErrorCauseNone;
    if (select_i && in_chip) begin
      rdata_o = (offset_i == defs_pkg::CsrChipId) ? 64'(chip_id_i) : 64'(ring_size_i);
      cause   = write_i ? defs_pkg::ErrorCauseUnmappedAddress : defs_pkg::ErrorCauseNone;
    end else if (select_i) begin
      rdata_o = in_core ? core_reg_i[core].data : fabric_reg_i.data;
      cause   = in_core ? core_reg_i[core].cause : fabric_reg_i.cause;
    end
  end
  assign cause_o = defs_pkg::error_cause_e'(cause);

  // Nothing rejected is applied.
  `ASSERT_NOW(AppliedIsAllowed_A, apply_i -> select_i && cause_o == defs_pkg::ErrorCauseNone)

endmodule
