// SPDX-License-Identifier: Apache-2.0
// The fabric's end of the register bus: its settings, and which block has the other registers.
//
//   reg_i --decode--> settings_o, keys_o                       reg_o: data, or why not
//             +-----> control_*  fabric_control                RouteSource .. FabricSwitch
//             +-----> count_*    fabric_counters               FabricTime .. FabricStall, FabricCounts
//             +-----> mgmt_*     fabric_manage: other chips'   Mgmt
//
// Addresses and reset values: rtl/defs/csr.toml. Causes, the first that applies:
//   UnmappedAddress  no register of the fabric, or a write to a read-only one
//   ReservedBits     a bit that the register does not have is set
//   QueueOverflow    Mgmt while the last packet has not left
module fabric_registers #(
  localparam int unsigned Keys = defs_pkg::LinkPorts * defs_pkg::KeyEntries,
  localparam int unsigned AccessBits = defs_pkg::CoreAccessBits,
  localparam int unsigned RateBits = defs_pkg::FabricRateBits,
  localparam int unsigned Counts = 99
) (
  input  logic clk_i,    // runs at least in cycles with write_o
  input  logic rst_ni,

  input  logic select_i,
  input  logic apply_i,  // never with a cause
  input  defs_pkg::reg_req_t reg_i,
  output defs_pkg::reg_rsp_t reg_o,
  output logic write_o,  // something is written

  output defs_pkg::fabric_settings_t settings_o,
  output logic [9*Keys-1:0] keys_o,  // {valid, key}, entry {link port, 4 bits} in slice

  // Registers that live elsewhere. Their data is reg_i.data.
  output logic control_write_o,
  output logic [3:0] control_index_o,
  input  logic [63:0] control_rdata_i,
  output logic count_write_o,
  output logic [7:0] count_index_o,  // bits 10:3 of the offset, 0: none
  input  logic [63:0] count_rdata_i,
  output logic mgmt_send_o,          // to register control_index_o of
  output logic [3:0] mgmt_dst_o,
  input  logic [2:0] mgmt_status_i,
  input  logic [31:0] violations_i,
  input  logic [127:0] violation_i,
  input  logic [15:0] now_i          // fabric cycle
);

  // ---------------------------------------------------------------- decode
  typedef enum logic [3:0] {
    RegNone, RegTimeout, RegViolations, RegViolation, RegKeys, RegControl, RegMgmt, RegManagers, RegErrorLimit,
    RegCount, RegKey, RegBase, RegEnd, RegRate
  } reg_e;
  reg_e which;
  logic core;
  logic [21:0] offset, local_offset;  // local: as if it were core 0's
  assign offset          = reg_i.offset;
  assign control_index_o = offset[6:3];
  assign mgmt_dst_o      = offset[10:7];
  assign count_index_o   = (which == RegCount) ? offset[10:3] : '0;
  always_comb begin
    which        = RegNone;
    core         = 1'b0;
    local_offset = '0;
    if (select_i) begin
      if (offset == defs_pkg::CsrFabricTimeout) which = RegTimeout;
      if (offset == defs_pkg::CsrFabricViolations) which = RegViolations;
      if ({offset[21:4], 4'd0} == defs_pkg::CsrFabricViolation) which = RegViolation;
      if ({offset[21:9], 9'd0} == defs_pkg::CsrFabricKeys) which = RegKeys;
      if ((offset >= defs_pkg::CsrRouteSource && offset <= defs_pkg::CsrFabricArbiter) ||
          offset == defs_pkg::CsrFabricSwitch) which = RegControl;
      if ({offset[21:11], 11'd0} == defs_pkg::CsrMgmt) which = RegMgmt;
      if (offset == defs_pkg::CsrFabricManagers) which = RegManagers;
      if (offset == defs_pkg::CsrLinkErrorLimit) which = RegErrorLimit;
      if ((offset >= defs_pkg::CsrFabricTime && offset <= defs_pkg::CsrFabricStall) ||
          (offset >= defs_pkg::CsrFabricCounts && offset < defs_pkg::CsrFabricCounts + 22'(8 * Counts))) begin
        which = RegCount;
      end
      core         = offset >= 22'h1000 + 22'(defs_pkg::CsrCoreStride);
      local_offset = core ? offset - 22'(defs_pkg::CsrCoreStride) : offset;
      if (local_offset == defs_pkg::CsrFabricKey) which = RegKey;
      if (local_offset == defs_pkg::CsrFabricBase) which = RegBase;
      if (local_offset == defs_pkg::CsrFabricEnd) which = RegEnd;
      if ({local_offset[21:4], 4'd0} == defs_pkg::CsrFabricRate) which = RegRate;
    end
  end

  // ---------------------------------------------------------------- read
  defs_pkg::core_access_t access;
  logic [1:0] stream;  // stream port {core, lane}
  logic [63:0] rdata;
  assign stream = {core, offset[3]};
  always_comb begin
    rdata  = '0;
    access = '0;
    if (which != RegNone) begin
      access = access_q[AccessBits*core +: AccessBits];
      unique case (which)
        RegTimeout:    rdata = 64'(timeout_q);
        RegViolations: rdata = 64'(violations_i);
        RegViolation:  rdata = violation_i[64*offset[3] +: 64];
        RegKeys:       rdata = 64'(keys_q[9*offset[8:3] +: 9]);
        RegControl:    rdata = control_rdata_i;
        RegMgmt:       rdata = 64'(mgmt_status_i);
        RegManagers:   rdata = 64'(managers_q);
        RegErrorLimit: rdata = 64'(error_limit_q);
        RegCount:      rdata = count_rdata_i;
        RegKey:        rdata = 64'(access.key);
        RegBase:       rdata = 64'(access.base);
        RegEnd:        rdata = 64'(access.limit);
        default:       rdata = 64'(rate_q[RateBits*stream +: RateBits]);
      endcase
    end
  end

  // ---------------------------------------------------------------- write
  logic writable, spare_bits, full, legal_writable, legal_spare;
  fabric_legal u_legal (
    .index_i(control_index_o), .wdata_i(reg_i.data), .now_i, .writable_o(legal_writable), .spare_o(legal_spare)
  );
  always_comb begin
    writable   = 1'b1;
    spare_bits = 1'b0;
    full       = 1'b0;
    if (reg_i.write) begin
      unique case (which)
        RegTimeout: spare_bits = reg_i.data[63:20] != '0;
        RegKeys: spare_bits = reg_i.data[63:9] != '0;
        RegKey: spare_bits = reg_i.data[63:8] != '0;
        RegRate: spare_bits = reg_i.data[63:14] != '0;
        RegBase, RegEnd: spare_bits = reg_i.data[63:48] != '0;
        RegManagers, RegErrorLimit: spare_bits = reg_i.data[63:16] != '0;
        RegControl, RegMgmt: begin
          writable   = legal_writable;
          spare_bits = legal_spare;
          full       = which == RegMgmt && mgmt_status_i[0];
        end
        RegCount: begin
          writable   = offset == defs_pkg::CsrFabricSnapshot || offset == defs_pkg::CsrFabricPatience;
          spare_bits = reg_i.data[63:32] != '0 ||
                       (offset == defs_pkg::CsrFabricPatience && reg_i.data[31:8] != '0);
        end
        default: writable = 1'b0;
      endcase
    end
  end
  always_comb begin
    reg_o.data = rdata;
    reg_o.cause = defs_pkg::ErrorCauseNone;
    if (which == RegNone || !writable) reg_o.cause = defs_pkg::ErrorCauseUnmappedAddress;
    else if (spare_bits) reg_o.cause = defs_pkg::ErrorCauseReservedBits;
    else if (full) reg_o.cause = defs_pkg::ErrorCauseQueueOverflow;
  end

  // ---------------------------------------------------------------- registers
  logic [15:0] managers_q, error_limit_q;
  logic [19:0] timeout_q;
  logic [4*RateBits-1:0] rate_q;
  logic [2*AccessBits-1:0] access_q;
  logic [9*Keys-1:0] keys_q;
  defs_pkg::core_access_t written;
  always_comb begin
    written = access;
    if (which == RegKey) written.key = reg_i.data[7:0];
    if (which == RegBase) written.base = reg_i.data[47:0];
    if (which == RegEnd) written.limit = reg_i.data[47:0];
  end
  assign write_o         = select_i && apply_i && reg_i.write;
  assign control_write_o = write_o && which == RegControl;
  assign count_write_o   = write_o && which == RegCount;
  assign mgmt_send_o     = write_o && which == RegMgmt;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      managers_q    <= '0;
      error_limit_q <= 16'(defs_pkg::LinkErrorLimit);
      timeout_q     <= 20'(defs_pkg::RetryTimeout);
      rate_q        <= '0;
      access_q      <= {2{{48{1'b1}}, 48'd0, 8'd0}};
      keys_q        <= {defs_pkg::LinkPorts{(9*defs_pkg::KeyEntries)'(9'h100)}};
    end else if (write_o) begin
      if (which == RegManagers) managers_q <= reg_i.data[15:0];
      if (which == RegErrorLimit) error_limit_q <= reg_i.data[15:0];
      if (which == RegTimeout) timeout_q <= reg_i.data[19:0];
      if (which == RegRate) rate_q[RateBits*stream +: RateBits] <= reg_i.data[RateBits-1:0];
      if (which == RegKey || which == RegBase || which == RegEnd) access_q[AccessBits*core +: AccessBits] <= written;
      if (which == RegKeys) keys_q[9*offset[8:3] +: 9] <= reg_i.data[8:0];
    end
  end
  always_comb begin
    settings_o.managers    = managers_q;
    settings_o.error_limit = error_limit_q;
    settings_o.timeout     = timeout_q;
    settings_o.rate        = rate_q;
    settings_o.access      = access_q;
  end
  assign keys_o = keys_q;

endmodule
