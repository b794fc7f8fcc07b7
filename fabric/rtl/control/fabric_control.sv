// SPDX-License-Identifier: Apache-2.0
// Registers of the fabric node: two banks of routing tables, and what a switch from one to the other
// needs. Layout: rtl/defs/csr.toml, RouteSource .. FabricStatus.
//
//   writes to RouteSource, RouteTable --> the bank that is not in use
//   FabricControl.bank, FabricSwitch ------> which one is: bank_o
//
// FabricSlots gives fabric cycles to virtual networks (tenants), FabricArbiter sets the arbitration.
//
// Every entry has a parity bit, made when it is written; that a bank was loaded is kept three times, for
// without it the other entries mean nothing. A change of bank makes the senders look up all
// routes again and repeat what was not acknowledged (resend_o); it is for a fabric that is drained.
`include "assert.svh"

module fabric_control (
  input  logic clk_i,
  input  logic rst_ni,

  // Register 0 RouteSource, 1, 2 RouteTable, 3 FabricControl, 4 FabricStatus (read only),
  // 5 FabricSlots, 6 FabricArbiter, 12 FabricSwitch.
  input  logic write_i,
  input  logic [3:0] index_i,       // of what is read
  input  logic [3:0] write_index_i, // of what is written
  input  logic [63:0] wdata_i,
  output logic [63:0] rdata_o,

  output defs_pkg::route_bank_t bank_o,
  output logic [3:0] ports_o,    // link ports in use
  output logic stop_o,           // no packet leaves its sender
  output logic cut_o,            // receivers drop what they have no room for
  output logic resend_o,         // one cycle: the bank has changed, or somebody asked for it
  output logic switched_o,       // likewise: the bank has changed

  output logic [2:0] slot_o,     // {slot mode, VN}: of this fabric cycle,
  output logic [2:0] tenant_o,   // of this chip
  output logic [24:0] arbiter_o,

  // fabric_switch
  input  logic fabric_en_i,
  input  logic [15:0] now_i,
  output logic busy_o,
  input  logic empty_i,          // no packet is in the network here

  input  logic [3:0] dead_i,     // link ports whose cable is dead
  input  logic drained_i,        // nothing in flight in this node
  output logic split_o,          // the three copies of `loaded` differ: an upset
  input  logic upset_i
);

  defs_pkg::route_bank_t bank0_q, bank1_q, spare_bank, written;
  logic [3:0] ports_q;
  logic bank_q, stop_q, switched_q, flipped_q, resend_q, upset_q;
  logic [1:0] loaded_a_q, loaded_b_q;  // by bank, as in its `loaded`
  logic [2:0] loaded;
  assign split_o    = loaded != '0 && loaded != '1;
  assign loaded     = {bank_q ? bank1_q.loaded : bank0_q.loaded, loaded_a_q[bank_q], loaded_b_q[bank_q]};
  always_comb begin
    bank_o        = bank_q ? bank1_q : bank0_q;
    bank_o.loaded = (loaded[0] && loaded[1]) || (loaded[2] && (loaded[0] || loaded[1]));
  end
  assign spare_bank = bank_q ? bank0_q : bank1_q;
  assign ports_o    = ports_q;
  assign stop_o     = stop_q || switch_stop;
  assign resend_o   = resend_q;
  assign switched_o = switched_q || flipped_q;
  logic [34:0] slots_q;  // {on, VN of this chip 2, VN that owns slot i 16 x 2}
  logic [24:0] arbiter_q;
  always_comb begin
    slot_o   = '0;
    tenant_o = '0;
    if (slots_q[34]) begin
      slot_o   = {1'b1, slots_q[2*now_i[3:0] +: 2]};
      tenant_o = slots_q[34:32];
    end
  end
  assign arbiter_o  = arbiter_q;

  logic write_switch, switch_stop, flip, torn_q;
  logic [31:0] setting;
  assign write_switch = write_i && write_index_i == 4'd12;
  fabric_switch u_switch (
    .clk_i, .rst_ni, .fabric_en_i, .now_i,
    .write_i(write_switch), .wdata_i(wdata_i[31:0]), .setting_o(setting),
    .stop_o(switch_stop), .cut_o, .flip_o(flip), .busy_o
  );

  always_comb begin
    written = spare_bank;
    if (write_i) begin
      if (write_index_i == 4'd0) begin
        written.loaded = 1'b1;
        written.source = wdata_i[31:0];
        for (int unsigned i = 0; i < 16; i++) written.source_parity[i] = ^wdata_i[2*i +: 2];
      end
      if (write_index_i == 4'd1) begin
        written.route[63:0] = wdata_i;
        for (int unsigned i = 0; i < 16; i++) written.route_parity[i] = ^wdata_i[4*i +: 4];
      end
      if (write_index_i == 4'd2) begin
        written.route[127:64] = wdata_i;
        for (int unsigned i = 0; i < 16; i++) written.route_parity[16 + i] = ^wdata_i[4*i +: 4];
      end
    end
  end

  always_comb begin
    unique case (index_i)
      4'd0:    rdata_o = {32'd0, spare_bank.source};
      4'd1:    rdata_o = spare_bank.route[63:0];
      4'd2:    rdata_o = spare_bank.route[127:64];
      4'd3:    rdata_o = {58'd0, stop_q, bank_q, ports_q};
      4'd5:    rdata_o = {29'd0, slots_q};
      4'd6:    rdata_o = {39'd0, arbiter_q};
      4'd12:   rdata_o = {16'd0, now_i, setting};
      default: rdata_o = {57'd0, torn_q, upset_q, drained_i, dead_i};
    endcase
  end

  logic write_bank;
  assign write_bank = write_i && write_index_i <= 4'd2;
  logic write_control;
  assign write_control = write_i && write_index_i == 4'd3;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      bank0_q   <= '0;
      bank1_q   <= '0;
      ports_q   <= 4'b0011;
      bank_q    <= 1'b0;
      stop_q    <= 1'b0;
      switched_q <= 1'b0;
      flipped_q  <= 1'b0;
      resend_q   <= 1'b0;
      upset_q   <= 1'b0;
      torn_q    <= 1'b0;
      loaded_a_q <= '0;
      loaded_b_q <= '0;
      slots_q   <= '0;
      arbiter_q <= '0;
    end else begin
      if (write_i && write_index_i == 4'd0) begin
        loaded_a_q[!bank_q] <= 1'b1;
        loaded_b_q[!bank_q] <= 1'b1;
      end
      if (write_bank && bank_q) bank0_q <= written;
      if (write_bank && !bank_q) bank1_q <= written;
      if (write_control) {stop_q, bank_q, ports_q} <= wdata_i[5:0];
      if (flip) bank_q <= !bank_q;
      if (write_i && write_index_i == 4'd5) slots_q <= wdata_i[34:0];
      if (write_i && write_index_i == 4'd6) arbiter_q <= wdata_i[24:0];
      switched_q <= write_control && wdata_i[4] != bank_q;
      flipped_q  <= flip;
      resend_q   <= flip || (write_control && (wdata_i[4] != bank_q || wdata_i[6]));
      torn_q     <= torn_q || (flip && !empty_i);
      upset_q    <= upset_q || upset_i;
    end
  end

  // ---------------------------------------------------------------- assertions
  // Software changes banks only while nothing is under way; fabric_switch says by torn_q that it did not.
  `ASSERT_NOW(SwitchWhenDrained_A, switched_q -> drained_i)
  // What is under way in a VN that loses its slots would never arrive.
  `ASSERT_NOW(SlotWhenDrained_A, write_i && write_index_i == 4'd5 && wdata_i[34:0] != slots_q -> drained_i)

endmodule
