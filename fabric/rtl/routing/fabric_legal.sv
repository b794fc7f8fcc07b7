// SPDX-License-Identifier: Apache-2.0
// What may be written to the fabric's registers, by a host or by a management packet.
module fabric_legal (
  input  logic [3:0] index_i,  // of fabric_control
  input  logic [63:0] wdata_i,
  input  logic [15:0] now_i,   // fabric cycle
  output logic writable_o,
  output logic spare_o         // a bit is set that the register has not, or a value it does not take
);

  logic [21:0] offset;
  assign offset = defs_pkg::CsrRouteSource + {15'd0, index_i, 3'd0};

  // A switch must be known in time, and takes time.
  logic [15:0] ahead;
  assign ahead = wdata_i[15:0] - now_i;
  always_comb begin
    writable_o = 1'b1;
    spare_o    = 1'b0;
    unique case (offset)
      defs_pkg::CsrRouteSource: spare_o = wdata_i[63:32] != '0;
      defs_pkg::CsrRouteTable, defs_pkg::CsrRouteTable + 22'd8: ;
      defs_pkg::CsrFabricControl: spare_o = wdata_i[63:7] != '0;
      defs_pkg::CsrFabricSlots: spare_o = wdata_i[63:35] != '0;
      defs_pkg::CsrFabricArbiter: spare_o = wdata_i[63:25] != '0;
      defs_pkg::CsrFabricSwitch:
        spare_o = wdata_i[63:32] != '0 ||
                  (wdata_i[31] && (wdata_i[30:16] == '0 || ahead < 16'd16 || ahead[15]));
      default: writable_o = 1'b0;
    endcase
  end

endmodule
